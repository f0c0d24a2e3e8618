//! Ends FFmpeg's blocking I/O: when somebody asks, or when it has taken too long.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::base::cancel::Cancel;

/// FFmpeg asks this many times a second while it waits; it answers from two atomics.
#[derive(Debug)]
pub struct Interrupt {
    cancel: Cancel,
    timeout: Duration,
    origin: Instant,
    /// Nanoseconds after `origin`.
    deadline: AtomicU64,
    timed_out: AtomicBool,
}

impl Interrupt {
    /// Gives up when `cancel` is set, or `timeout` after it was last armed. Armed from the start.
    pub fn new(cancel: Cancel, timeout: Duration) -> Arc<Self> {
        let it = Self {
            cancel,
            timeout,
            origin: Instant::now(),
            deadline: AtomicU64::new(0),
            timed_out: AtomicBool::new(false),
        };
        it.arm();
        Arc::new(it)
    }

    /// The next wait may take the whole timeout again.
    pub fn arm(&self) {
        self.timed_out.store(false, Ordering::Relaxed);
        self.deadline.store(self.nanos().saturating_add(nanos_of(self.timeout)), Ordering::Relaxed);
    }

    /// How long a wait may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Somebody asked to give up.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Time has run out since it was last armed, and somebody was told so.
    pub fn has_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Relaxed)
    }

    /// Whether to give up now.
    pub fn is_due(&self) -> bool {
        if self.cancel.is_cancelled() {
            return true;
        }
        let late = self.nanos() > self.deadline.load(Ordering::Relaxed);
        if late {
            self.timed_out.store(true, Ordering::Relaxed);
        }
        late
    }

    fn nanos(&self) -> u64 {
        nanos_of(self.origin.elapsed())
    }
}

fn nanos_of(it: Duration) -> u64 {
    u64::try_from(it.as_nanos()).unwrap_or(u64::MAX)
}

/// What FFmpeg calls. `opaque` is an `Interrupt`.
pub(super) unsafe extern "C" fn is_due(opaque: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `Input::open` registers a pointer to the `Interrupt` whose `Arc` it keeps for as long as the context lives.
    let interrupt = unsafe { &*opaque.cast::<Interrupt>() };
    libc::c_int::from(interrupt.is_due())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_wait_is_due_at_once_and_has_not_timed_out() {
        let cancel = Cancel::new();
        let it = Interrupt::new(cancel.clone(), Duration::from_secs(3600));
        assert!(!it.is_due());
        cancel.cancel();
        assert!(it.is_due() && !it.has_timed_out());
    }

    #[test]
    fn a_wait_past_its_deadline_is_due_until_armed_again() {
        let it = Interrupt::new(Cancel::new(), Duration::ZERO);
        while !it.is_due() {}
        assert!(it.has_timed_out());
        it.arm();
        assert!(!it.has_timed_out());
    }
}
