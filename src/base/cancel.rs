//! A flag that asks blocking I/O to give up.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the one who asks and the one who is blocked; once set it stays set.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag nobody has set.
    pub fn new() -> Self {
        Self::default()
    }
    /// Asks everyone holding a clone to give up.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }
    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
