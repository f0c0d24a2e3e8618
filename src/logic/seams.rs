//! The seam between two items, or two laps of one: did it cost anything?
use std::time::Duration;

use crate::base::time::{MediaTime, MonoTime, nanos_of};

/// A frame that reached the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which deck it came from.
    pub deck: u64,
    /// Which lap of it.
    pub lap: u32,
    /// When it was due, on the programme's timeline.
    pub pts: MediaTime,
    /// When it would have been due, had its item been ready in time: `pts` but for late starts.
    pub planned: MediaTime,
    /// When it became visible.
    pub at: MonoTime,
}

/// Counts seams and their gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seams {
    /// Seams seen.
    pub count: u64,
    /// Refreshes beyond one frame's duration between the last frame before a seam and the first behind it; the worst.
    pub worst_gap_frames: u64,
    /// Seams whose first frame was not decoded when the last frame before them became due; behind one that stays longer
    /// than usual (a still), a usual frame's length before its end.
    pub late_starts: u64,
    last: Option<Shown>,
    late: Option<(u64, u32)>,
}

impl Seams {
    /// A frame reached the screen; `refresh` is the screen's period.
    pub fn shown(&mut self, now: Shown, refresh: Duration) {
        if let Some(last) = self.last
            && (last.deck, last.lap) != (now.deck, now.lap)
        {
            self.count += 1;
            let planned = now.planned.delta_nanos(last.pts);
            let actual = now.at.delta_nanos(last.at);
            let refresh = nanos_of(refresh).max(1);
            // Flips lie on the refresh grid, so a cadence like 25 on 60 Hz holds some frames for part of a refresh
            // longer than they last. Only whole refreshes are a gap; a tenth is left for the clocks.
            let gap = ((actual.saturating_sub(planned).max(0).saturating_add(refresh / 10)) / refresh) as u64;
            self.worst_gap_frames = self.worst_gap_frames.max(gap);
        }
        self.last = Some(now);
    }

    /// The frame behind this seam was not decoded in time. Counts once a seam.
    pub fn late(&mut self, deck: u64, lap: u32) {
        if self.late != Some((deck, lap)) {
            self.late = Some((deck, lap));
            self.late_starts += 1;
        }
    }

    /// What is on the screen is not the programme's (a status picture, a jump by the user): no seam follows.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn shown(deck: u64, lap: u32, pts_ms: i64, at_ms: u64) -> Shown {
        let pts = MediaTime::from_nanos(pts_ms * MS);
        Shown { deck, lap, pts, planned: pts, at: MonoTime::from_nanos(at_ms * MS as u64) }
    }

    #[track_caller]
    fn check(next_at_ms: u64, want_gap: u64) {
        let mut it = Seams::default();
        it.shown(shown(1, 0, 0, 100), Duration::from_millis(20));
        it.shown(shown(1, 0, 40, 140), Duration::from_millis(20));
        it.shown(shown(2, 0, 80, next_at_ms), Duration::from_millis(20));
        assert_eq!((it.count, it.worst_gap_frames), (1, want_gap));
    }

    #[test]
    fn a_frame_in_time_costs_nothing() {
        check(180, 0);
        check(170, 0);
        check(195, 0);
    }

    #[test]
    fn late_frames_are_counted_in_refreshes() {
        check(199, 1);
        check(260, 4);
    }

    #[test]
    fn an_item_moved_because_it_was_late_still_has_its_gap() {
        let mut it = Seams::default();
        it.shown(shown(1, 0, 40, 140), Duration::from_millis(20));
        let moved = Shown { planned: MediaTime::from_nanos(80 * MS), ..shown(2, 0, 200, 300) };
        it.shown(moved, Duration::from_millis(20));
        assert_eq!(it.worst_gap_frames, 6);
    }

    #[test]
    fn absurd_times_are_a_gap_and_no_panic() {
        let mut it = Seams::default();
        let times = [i64::MIN, i64::MAX, i64::MIN, 0, i64::MAX];
        for (deck, pts) in times.into_iter().enumerate() {
            let pts = MediaTime::from_nanos(pts);
            let at = MonoTime::from_nanos(deck as u64);
            it.shown(Shown { deck: deck as u64, lap: 0, pts, planned: pts, at }, Duration::MAX);
        }
        assert_eq!(it.count, 4);
    }

    #[test]
    fn laps_have_seams_too_and_each_is_late_once() {
        let mut it = Seams::default();
        it.shown(shown(1, 0, 0, 100), Duration::from_millis(20));
        it.late(1, 1);
        it.late(1, 1);
        it.shown(shown(1, 1, 40, 140), Duration::from_millis(20));
        assert_eq!((it.count, it.late_starts, it.worst_gap_frames), (1, 1, 0));
    }
}
