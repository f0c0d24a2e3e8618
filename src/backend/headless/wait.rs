//! Waiting where there is nothing better than the standard library: the thread parks, others unpark it.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::seam::wait::{Waitable, Waiter, Wake};

/// How often a descriptor is asked, since parking cannot watch it: a quarter of a refresh at 60 Hz.
const FD_INTERVAL: Duration = Duration::from_millis(4);

/// Waits by parking the thread it was made on. Descriptors are not watched: the wait ends every few milliseconds for
/// the caller to look.
///
/// As everywhere, a `Waitable::Ready` does not shorten the wait.
#[derive(Debug)]
pub struct ParkWaiter {
    waker: Arc<UnparkWake>,
}

#[derive(Debug)]
struct UnparkWake {
    /// What counts. A park token alone could be eaten by anything else on this thread that parks.
    woken: AtomicBool,
    thread: Thread,
}

impl ParkWaiter {
    /// A waiter for the calling thread.
    pub fn new() -> Self {
        Self { waker: Arc::new(UnparkWake { woken: AtomicBool::new(false), thread: std::thread::current() }) }
    }
}

impl Default for ParkWaiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Wake for UnparkWake {
    fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Waiter for ParkWaiter {
    fn wait(&mut self, on: &[Waitable<'_>], timeout: Option<Duration>) {
        let shortest = on.iter().filter_map(|it| match it {
            Waitable::Fd(_) => Some(FD_INTERVAL),
            Waitable::Every(interval) => Some(*interval),
            Waitable::Ready => None,
        });
        let limit = shortest.chain(timeout).min();
        let started = Instant::now();
        while !self.waker.woken.swap(false, Ordering::Acquire) {
            let Some(limit) = limit else {
                std::thread::park();
                continue;
            };
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    fn waker(&self) -> Arc<dyn Wake> {
        Arc::clone(&self.waker) as Arc<dyn Wake>
    }
}
