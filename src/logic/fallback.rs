//! When a decoder fails in the middle of its stream: the same kind again, or the next; and how long to leave a kind alone.
//!
//! ```text
//!            broke                  broke before it was calm
//!   Steady ---------> OpenedAgain ---------------------------> Steady, with the next kind
//!     ^                    |
//!     +--------------------+  calm: half a minute without a failure
//!
//!   unable (it does not do such streams): the next kind at once
//! ```
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::logic::backoff::Backoff;

/// What breaks again within this is broken; what breaks later had another reason.
const CALM: Duration = Duration::from_secs(30);

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The device or library failed, or stopped answering: another one of its kind may do.
    Broke,
    /// It does not do such streams.
    Unable,
}

/// What to open instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// The same kind again.
    Same,
    /// The next kind.
    Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has not failed lately.
    Steady,
    /// It failed, and another one of its kind was opened then.
    OpenedAgain { at: MonoTime },
}

/// One stream's luck with its decoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback(State);

impl Default for Fallback {
    fn default() -> Self {
        Self::new()
    }
}

impl Fallback {
    /// Nothing has failed yet.
    pub const fn new() -> Self {
        Self(State::Steady)
    }

    /// The decoder failed at `now`.
    pub fn failed(&mut self, failure: Failure, now: MonoTime) -> Instead {
        let is_calm = match self.0 {
            State::Steady => true,
            State::OpenedAgain { at } => CALM <= now.saturating_since(at),
        };
        if failure == Failure::Broke && is_calm {
            self.0 = State::OpenedAgain { at: now };
            return Instead::Same;
        }
        self.0 = State::Steady;
        Instead::Next
    }
}

/// Kinds of decoders that gave up lately, each with its back-off, by name. One for all streams.
#[derive(Debug, Default)]
pub struct Rests(Vec<(&'static str, Backoff)>);

impl Rests {
    /// Another kind took over from this one at `now`.
    pub fn gave_up(&mut self, kind: &'static str, now: MonoTime) {
        match self.0.iter_mut().find(|it| it.0 == kind) {
            Some((_, backoff)) => {
                backoff.failed(now);
            }
            None => {
                let mut backoff = Backoff::new();
                backoff.failed(now);
                self.0.push((kind, backoff));
            }
        }
    }

    /// It decoded a stream, or a turn of one, to its end.
    pub fn worked(&mut self, kind: &'static str) {
        if let Some((_, backoff)) = self.0.iter_mut().find(|it| it.0 == kind) {
            backoff.succeeded();
        }
    }

    /// It gave up, and has rested enough by `now` to be tried again.
    pub fn is_back(&self, kind: &str, now: MonoTime) -> bool {
        self.0.iter().any(|(it, backoff)| *it == kind && backoff.deadline().is_some() && backoff.is_due(now))
    }

    /// Not to be tried at `now` where another does as well.
    pub fn is_resting(&self, kind: &str, now: MonoTime) -> bool {
        self.0.iter().any(|(it, backoff)| *it == kind && !backoff.is_due(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::logic::backoff::{FIRST, LONGEST};

    const START: MonoTime = MonoTime::from_nanos(1_000_000_000);

    #[test]
    fn the_same_kind_gets_one_more_chance_until_it_is_calm() {
        let (mut it, soon, late) = (Fallback::new(), START + Duration::from_secs(1), START + Duration::from_secs(40));
        assert_eq!(it.failed(Failure::Broke, START), Instead::Same);
        assert_eq!(it.failed(Failure::Broke, soon), Instead::Next);
        // The next kind has a chance of its own.
        assert_eq!(it.failed(Failure::Broke, soon), Instead::Same);
        assert_eq!(it.failed(Failure::Broke, late), Instead::Same, "it was calm since");
        assert_eq!(it.failed(Failure::Unable, late), Instead::Next);
        assert_eq!(Fallback::new().failed(Failure::Unable, START), Instead::Next);
    }

    #[test]
    fn a_kind_that_gave_up_rests_and_is_tried_again() {
        let mut it = Rests::default();
        assert!(!it.is_resting("v4l2", START));
        it.gave_up("v4l2", START);
        assert!(it.is_resting("v4l2", START) && !it.is_resting("software", START));
        let again = START + FIRST;
        assert!(!it.is_resting("v4l2", again) && it.is_back("v4l2", again) && !it.is_back("v4l2", START));
        it.gave_up("v4l2", again);
        assert!(it.is_resting("v4l2", again + FIRST), "twice as long");
        it.worked("v4l2");
        assert!(!it.is_resting("v4l2", again));
        it.gave_up("v4l2", again);
        assert!(!it.is_resting("v4l2", again + FIRST));
    }

    proptest! {
        /// Never the same kind twice without calm between, so that a stream runs out of kinds rather than of time; and a
        /// kind is always tried again within the longest wait.
        #[test]
        fn kinds_run_out_and_rests_end(failures in prop::collection::vec((any::<bool>(), 0u64..60), 1..100)) {
            let (mut it, mut rests, mut now, mut last_same) = (Fallback::new(), Rests::default(), START, None);
            for (broke, seconds) in failures {
                now = now + Duration::from_secs(seconds);
                let failure = if broke { Failure::Broke } else { Failure::Unable };
                match it.failed(failure, now) {
                    Instead::Same => {
                        prop_assert!(broke);
                        prop_assert!(last_same.is_none_or(|at: MonoTime| CALM <= now.saturating_since(at)));
                        last_same = Some(now);
                    }
                    Instead::Next => {
                        last_same = None;
                        rests.gave_up("v4l2", now);
                        prop_assert!(rests.is_resting("v4l2", now));
                        prop_assert!(!rests.is_resting("v4l2", now + LONGEST));
                    }
                }
            }
        }
    }
}
