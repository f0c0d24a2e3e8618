//! Waiting on Linux: one `ppoll` over the devices' descriptors and an eventfd that other threads write to.
//!
//! The eventfd is a counter in the kernel: a wake that comes before the wait is not lost, a thousand of them end one
//! wait, and writing to it takes no lock of ours and no memory, so anybody may do it from anywhere.
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

use crate::seam::wait::{Waitable, Waiter, Wake};

/// The waker and seven devices. The present thread waits for a screen, a loudspeaker and a folder; the rest is
/// head-room.
const MAX_FDS: usize = 8;

/// How often devices beyond `MAX_FDS` are asked instead, so that a mistake there costs lateness, not a hang.
const OVERFLOW_INTERVAL: Duration = Duration::from_millis(5);

/// Waits with `ppoll`: nanosecond timeouts, no allocation.
///
/// A `Waitable::Ready` has nothing to wait on and does not shorten the wait: whoever answers it wakes the thread by its
/// own means. A descriptor in error also ends the wait, since its device then has that to say.
#[derive(Debug)]
pub struct PollWaiter {
    waker: Arc<EventWake>,
}

#[derive(Debug)]
struct EventWake(EventFd);

impl PollWaiter {
    /// A waiter for the calling thread; fails where the process is out of descriptors.
    pub fn new() -> std::io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { waker: Arc::new(EventWake(event)) })
    }
}

impl Wake for EventWake {
    fn wake(&self) {
        // It fails only when the counter is full, and then the waiter is already as woken as can be.
        let _ = self.0.write(1);
    }
}

impl Waiter for PollWaiter {
    fn wait(&mut self, on: &[Waitable<'_>], timeout: Option<Duration>) {
        let wake = self.waker.0.as_fd();
        let mut fds: [PollFd<'_>; MAX_FDS] = std::array::from_fn(|_| PollFd::new(wake, PollFlags::POLLIN));
        let mut n_fds = 1;
        let mut limit = timeout;
        for waitable in on {
            let interval = match waitable {
                Waitable::Fd(fd) if n_fds < MAX_FDS => {
                    fds[n_fds] = PollFd::new(*fd, PollFlags::POLLIN);
                    n_fds += 1;
                    continue;
                }
                Waitable::Fd(_) => OVERFLOW_INTERVAL,
                Waitable::Every(interval) => *interval,
                Waitable::Ready => continue,
            };
            limit = Some(limit.map_or(interval, |it| it.min(interval)));
        }
        // A signal or a failure ends the wait early, which the contract allows: the caller looks at everything anyway.
        let _ = ppoll(&mut fds[..n_fds], limit.map(TimeSpec::from_duration), None);
        if fds[0].any().unwrap_or(true) {
            // Takes the counter back to zero; nothing to read is fine too.
            let _ = self.waker.0.read();
        }
    }

    fn waker(&self) -> Arc<dyn Wake> {
        Arc::clone(&self.waker) as Arc<dyn Wake>
    }
}
