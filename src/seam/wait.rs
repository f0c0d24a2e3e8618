//! How the present thread waits: for a device, for another thread, for a time.
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

/// What a device becomes ready by.
#[derive(Debug, Clone, Copy)]
pub enum Waitable<'a> {
    /// Readable file descriptor.
    Fd(BorrowedFd<'a>),
    /// Nothing to wait on: ask again this often.
    Every(Duration),
    /// Always ready, or woken by its own `Wake`.
    Ready,
}

/// Ends somebody's wait from another thread.
pub trait Wake: Send + Sync {
    /// The next or present wait returns. Never blocks, never allocates.
    fn wake(&self);
}

/// One thread's wait. Made on the thread that waits.
pub trait Waiter {
    /// Blocks until a waitable is ready, somebody wakes it, or `timeout` has passed (`None`: no limit).
    fn wait(&mut self, on: &[Waitable<'_>], timeout: Option<Duration>);
    /// What other threads wake it by.
    fn waker(&self) -> Arc<dyn Wake>;
}
