//! What a decoder is waited for by: its node, buffers that come home, and its own patience.
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::base::time::MonoTime;
use crate::sys::poll_set::PollSet;

/// Rung from any thread; rings once until it is heard.
#[derive(Debug)]
pub(super) struct Bell {
    event: EventFd,
    has_rung: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        if !self.has_rung.swap(true, Ordering::AcqRel) {
            // It fails only when the counter is full, which one ring at a time never makes it.
            let _ = self.event.write(1);
        }
    }
}

/// One descriptor for all of it.
#[derive(Debug)]
pub(super) struct Alarm {
    set: PollSet,
    bell: Arc<Bell>,
    /// Rings that were heard, less those read from the descriptor. Who rings may be heard before it has written, and what it
    /// writes must be read later all the same, or the descriptor is ready for ever.
    unread: i64,
    timer: TimerFd,
    /// When the timer fires. It may be early, which costs a look.
    armed_for: Option<MonoTime>,
    is_watching: bool,
}

impl Alarm {
    /// The error is the system's, when it has no descriptor left to give.
    pub(super) fn new() -> std::io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let set = PollSet::new([])?;
        set.watch(event.as_fd())?;
        set.watch(timer.as_fd())?;
        let bell = Arc::new(Bell { event, has_rung: AtomicBool::new(false) });
        Ok(Self { set, bell, unread: 0, timer, armed_for: None, is_watching: false })
    }

    pub(super) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// What woke us is being looked at.
    pub(super) fn hear(&mut self, now: MonoTime) {
        // Every ring writes one.
        if self.bell.has_rung.swap(false, Ordering::AcqRel) {
            self.unread = self.unread.saturating_add(1);
        }
        if 0 < self.unread
            && let Ok(written) = self.bell.event.read()
        {
            self.unread = self.unread.saturating_sub_unsigned(written);
        }
        if self.armed_for.is_some_and(|it| it <= now) {
            // Reading disarms it. Nothing to read means that it is about to fire: a look too many.
            let _ = self.timer.wait();
            self.armed_for = None;
        }
    }

    /// Fires at `deadline` at the latest. Setting it costs a system call, so one that is earlier stays.
    pub(super) fn set(&mut self, deadline: Option<MonoTime>, now: MonoTime) -> std::io::Result<()> {
        let Some(deadline) = deadline else { return Ok(()) };
        if self.armed_for.is_some_and(|it| it <= deadline) {
            return Ok(());
        }
        // Nothing at all would disarm it.
        let left = deadline.saturating_since(now).max(Duration::from_nanos(1));
        self.timer.set(Expiration::OneShot(TimeSpec::from_duration(left)), TimerSetTimeFlags::empty())?;
        self.armed_for = Some(deadline);
        Ok(())
    }

    /// Whether the node is listened to. One that has no buffer is in error for the kernel, which is no news.
    pub(super) fn watch(&mut self, node: BorrowedFd<'_>, wanted: bool) -> std::io::Result<()> {
        if wanted != self.is_watching {
            if wanted {
                self.set.watch_for(node, libc::POLLIN | libc::POLLOUT | libc::POLLPRI)?;
            } else {
                self.set.forget(node)?;
            }
            self.is_watching = wanted;
        }
        Ok(())
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.set.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MonoTime = MonoTime::from_nanos(1);

    /// Nothing more is to be read: nobody is woken without a ring.
    #[track_caller]
    fn is_quiet(alarm: &Alarm) {
        assert!(alarm.bell.event.read().is_err());
    }

    #[test]
    fn a_ring_is_heard_once() {
        let mut alarm = Alarm::new().unwrap();
        for _ in 0..3 {
            alarm.bell().ring();
            alarm.bell().ring();
            alarm.hear(NOW);
            assert!(!alarm.bell.has_rung.load(Ordering::Acquire));
            is_quiet(&alarm);
        }
    }

    #[test]
    fn a_ring_that_is_heard_before_it_is_written_does_not_ring_for_ever() {
        let mut alarm = Alarm::new().unwrap();
        alarm.bell.has_rung.store(true, Ordering::Release);
        alarm.hear(NOW);
        // Another one in between.
        alarm.bell().ring();
        alarm.hear(NOW);
        alarm.bell.event.write(1).unwrap();
        alarm.hear(NOW);
        is_quiet(&alarm);
    }
}
