//! Clocks: the machine's, and one that stands still until told.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::time::MonoTime;
use crate::seam::clock::{AdvanceClock, Clock};
use crate::sys::clock::monotonic_now;

/// CLOCK_MONOTONIC.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> MonoTime {
        monotonic_now()
    }
}

/// A clock its owner moves: virtual time for `--pace fast` and for tests. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: MonoTime) -> Self {
        Self(Arc::new(AtomicU64::new(start.nanos())))
    }
}

impl AdvanceClock for ManualClock {
    fn advance_to(&self, to: MonoTime) {
        self.0.fetch_max(to.nanos(), Ordering::AcqRel);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> MonoTime {
        MonoTime::from_nanos(self.0.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_when_told_and_never_back() {
        let clock = ManualClock::new(MonoTime::from_nanos(5));
        let seen_elsewhere = clock.clone();
        clock.advance_to(MonoTime::from_nanos(9));
        clock.advance_to(MonoTime::from_nanos(7));
        assert_eq!(seen_elsewhere.now(), MonoTime::from_nanos(9));
    }

    #[test]
    fn the_real_clock_never_goes_back() {
        let first = RealClock.now();
        assert!(RealClock.now() >= first);
        assert!(first > MonoTime::ZERO);
    }
}
