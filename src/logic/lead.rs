//! How long before its vblank a picture must be begun: what pictures have cost lately, and some room.
use std::time::Duration;

use crate::base::time::MonoTime;

/// Woken this long after a vblank, the next one is surely the one that follows: longer than timers are late.
pub const AFTER_VBLANK: Duration = Duration::from_micros(300);
/// A picture should be committed this long before its vblank: displays latch some lines ahead (200 us are 10 of them at
/// 1080p60), and a frame may cost a little more than the ones before it.
const MARGIN: Duration = Duration::from_micros(500);
/// A picture is begun at most this many vblanks ahead: what takes longer is late whatever is done.
const MAX_LEAD: u32 = 4;
/// The estimate of what a picture costs goes up by this part of the difference a frame...
const COST_RISE: u32 = 8;
/// ...and down by this: too early costs nothing, too late costs a vblank.
const COST_DECAY: u32 = 32;

/// What a picture costs, from its first texture to its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameCost(Duration);

impl FrameCost {
    /// A picture cost this much. One slow frame is no reason to begin all others early; a few are.
    pub fn spent(&mut self, cost: Duration) {
        self.0 =
            if self.0 < cost { self.0 + (cost - self.0) / COST_RISE } else { self.0 - (self.0 - cost) / COST_DECAY };
    }

    /// How long before its vblank a picture must be begun on a screen of this refresh.
    pub fn lead(&self, refresh: Duration) -> Duration {
        (self.0 + MARGIN).min(refresh * MAX_LEAD)
    }

    /// When to begin the picture for the vblank `at`: right after a vblank, as few of them ahead as is early enough.
    pub fn begin(&self, at: MonoTime, refresh: Duration) -> MonoTime {
        let needed = self.lead(refresh) + AFTER_VBLANK;
        let ahead = needed.as_nanos().div_ceil(refresh.as_nanos().max(1)).max(1);
        (at + AFTER_VBLANK) - refresh * u32::try_from(ahead).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Duration = Duration::from_nanos(16_666_667);
    const AT: MonoTime = MonoTime::from_nanos(1_000_000_000);

    fn settled(cost: Duration) -> FrameCost {
        let mut it = FrameCost::default();
        (0..200).for_each(|_| it.spent(cost));
        it
    }

    #[test]
    fn what_is_begun_when_it_says_is_committed_in_time() {
        for micros in (0..60_000).step_by(50) {
            let it = settled(Duration::from_micros(micros));
            let begin = it.begin(AT, REFRESH);
            assert!(begin + it.lead(REFRESH) <= AT, "{micros} us");
            // As late as that: a vblank later would be too late, or there is none.
            let later = begin + REFRESH;
            assert!(AT < later + it.lead(REFRESH) || AT < later, "{micros} us");
        }
    }

    #[test]
    fn one_slow_frame_changes_little_and_a_few_change_all() {
        let usual = Duration::from_millis(6);
        let mut it = settled(usual);
        it.spent(Duration::from_millis(50));
        assert_eq!(it.begin(AT, REFRESH), settled(usual).begin(AT, REFRESH));
        (0..16).for_each(|_| it.spent(Duration::from_millis(20)));
        assert_eq!(it.begin(AT, REFRESH), (AT + AFTER_VBLANK) - REFRESH * 2);
        (0..100).for_each(|_| it.spent(usual));
        assert_eq!(it.begin(AT, REFRESH), settled(usual).begin(AT, REFRESH));
    }

    #[test]
    fn nothing_is_begun_more_than_four_vblanks_ahead() {
        let it = settled(Duration::from_secs(1));
        assert_eq!(it.lead(REFRESH), REFRESH * MAX_LEAD);
        assert!(AT - REFRESH * (MAX_LEAD + 1) <= it.begin(AT, REFRESH));
    }
}
