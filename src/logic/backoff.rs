//! How long to leave a thing alone that keeps failing.
use std::time::Duration;

use crate::base::time::MonoTime;

/// A camera that restarts its stream is back in less; nobody notices half a second of the last picture.
pub const FIRST: Duration = Duration::from_millis(500);
/// A server that has been away for minutes is found again within half a minute, without being stormed meanwhile.
pub const LONGEST: Duration = Duration::from_secs(30);

/// Waits `FIRST` after the first failure, then twice as long each time, up to `LONGEST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    next: Duration,
    deadline: Option<MonoTime>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// Nothing has failed yet.
    pub const fn new() -> Self {
        Self { next: FIRST, deadline: None }
    }
    /// It failed at `now`. Answers when to try again.
    pub fn failed(&mut self, now: MonoTime) -> MonoTime {
        let deadline = now + self.next;
        self.next = self.next.saturating_mul(2).min(LONGEST);
        self.deadline = Some(deadline);
        deadline
    }
    /// It worked: the next failure waits `FIRST` again.
    pub fn succeeded(&mut self) {
        *self = Self::new();
    }
    /// When to try again; `None` where nothing has failed since the last success.
    pub const fn deadline(&self) -> Option<MonoTime> {
        self.deadline
    }
    /// Whether to try at `now`.
    pub fn is_due(&self, now: MonoTime) -> bool {
        self.deadline.is_none_or(|deadline| now >= deadline)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_from_half_a_second_to_thirty() {
        let mut it = Backoff::new();
        let mut now = MonoTime::from_nanos(1_000_000_000);
        assert!(it.is_due(now) && it.deadline().is_none());
        for want_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let deadline = it.failed(now);
            assert_eq!(deadline.saturating_since(now), Duration::from_millis(want_ms));
            assert!(!it.is_due(deadline - Duration::from_nanos(1)) && it.is_due(deadline));
            now = deadline;
        }
        it.succeeded();
        assert_eq!((it.deadline(), it.failed(now).saturating_since(now)), (None, FIRST));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_the_first_nor_longer_than_the_longest(
            outcomes in prop::collection::vec((any::<bool>(), 0u64..60_000_000_000), 1..100),
        ) {
            let (mut it, mut now) = (Backoff::new(), MonoTime::ZERO);
            for (ok, step) in outcomes {
                now = now + Duration::from_nanos(step);
                if ok {
                    it.succeeded();
                    prop_assert!(it.is_due(now));
                } else {
                    let wait = it.failed(now).saturating_since(now);
                    prop_assert!((FIRST..=LONGEST).contains(&wait) && !it.is_due(now));
                }
            }
        }
    }
}
