//! Which picture at which vblank.
//!
//! Let `e` be a frame's error at a vblank: the media time at that vblank minus the frame's pts. Left alone, a frame
//! belongs to the vblank nearest to it, the first with `e >= -refresh/2`. Two things make that flutter, and each has its
//! remedy here:
//!
//! - *Cadence.* Where the gap between two frames is a whole number `k` of refreshes, the next frame follows after exactly
//!   `k` vblanks, as long as that keeps `|e|` under one refresh. Outside, the nearest vblank is taken once, which brings
//!   `e` back near 0: one repeat or one drop for each refresh that the two clocks drift apart. Behind a drop the gap is two
//!   frames' and no cadence: what follows it is due at once. Else it would be held for the second of them, and the drop
//!   would have won nothing; the next rounded time would ask for another, and so on for as long as `e` is about a refresh.
//!   A screen that misses a vblank keeps the cadence too: of several frames that could be next, the one whose vblank this is
//!   is shown. So one that cannot take more than every second shows every second frame of a film at its refresh.
//! - *Grid.* Other rates (25 on 60 Hz, 24 on 60 Hz) put frames in a pattern of fractions of a refresh, some of them right
//!   between two vblanks, where the least jitter decides. So the nearest vblank is sought on a clock of our own that runs
//!   at the screen's pace, half a refresh from the media clock at most, and is set so that the pattern keeps away from
//!   the middle between vblanks.
//!
//! Nothing here waits or reads a clock; the caller says what the time is and what is queued.
use std::time::Duration;

use crate::base::time::{MediaTime, MonoTime, nanos_of};

/// A gap counts as whole when it is this near to a whole number of refreshes, as a share of the gap...
const WHOLE_SHARE: f64 = 0.02;
/// ...but never less than this share of a refresh: Matroska rounds its times to milliseconds, which moves the 16.7 ms of
/// a 60 Hz film by up to 4 %...
const WHOLE_LEAST: f64 = 0.05;
/// ...and never more than this: 2 % of a long gap would be anywhere.
const WHOLE_MOST: f64 = 0.25;
/// How far the grid may be set from the media clock, in refreshes. The other quarter, up to the half at which it is set
/// anew, is the room for drift and jitter.
const GRID_SHIFT: f64 = 0.25;
/// Places tried on either side when the grid is set. 1/32 of a refresh is finer than any cadence's pattern matters.
const GRID_STEPS: i32 = 8;
/// A grid is set anew when its pattern has come nearer to the middle than another would keep it by this much, in
/// refreshes: four times what Matroska's milliseconds shake at 60 Hz. A rate that is no pattern at all (23.976 on 60 Hz
/// slides by a refresh in 400 frames) then changes sides once, where rounded times would take it back and forth.
const GRID_BETTER: f64 = 0.12;
/// Frames a pattern is looked at for: 25 on 60 Hz repeats after 5, 24 on 60 Hz after 2.
const PATTERN: u32 = 10;
/// Asked again at least this often, so that a pause or a corrected clock is noticed during a long hold.
const LONGEST_HOLD: Duration = Duration::from_millis(500);

/// The vblank that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VblankQuery {
    /// When a frame committed now would be seen.
    pub vblank: MonoTime,
    /// The master clock at that vblank.
    pub media: MediaTime,
    /// From one vblank to the next.
    pub refresh: Duration,
}

/// What to do at that vblank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Show a frame: discard `drop` older ones first and count them, then show the oldest left.
    Present {
        /// Frames to discard first; tell `discarded` of each.
        drop: usize,
    },
    /// Nothing is due; ask again for this vblank.
    HoldUntil(MonoTime),
    /// The oldest `count` frames are not newer than the picture on screen and can never be shown. Take them out, count
    /// them as dropped, ask again. A true break of the timeline calls for `reset` instead.
    Discard {
        /// Frames to take out.
        count: usize,
    },
}

/// How the frame behind the one on the screen follows it, where they are whole refreshes apart.
///
/// ```text
///            e too late: one is discarded
///         ,------------------------------> Dropped --.
///   Kept -                                            > presented: Kept
///         `------------------------------> Held -----'
///            e too early: held for longer
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cadence {
    /// After as many vblanks as they are refreshes apart.
    #[default]
    Kept,
    /// At once: frames between them were discarded, and the gap is no longer the film's.
    Dropped,
    /// At the nearest vblank: the picture on the screen stays a refresh longer, which must not be made good by a drop.
    Held,
}

/// Decides once per vblank. Asking twice about the same vblank gives the same answer, until `presented`.
#[derive(Debug, Default)]
pub struct PlaySync {
    /// The frame on screen, and its first vblank.
    shown: Option<(MediaTime, MonoTime)>,
    cadence: Cadence,
    /// Our own clock: media time minus vblank time, in nanoseconds.
    grid: Option<i64>,
}

/// One decision's view, in refreshes where floating.
struct View<'a> {
    at: VblankQuery,
    refresh: f64,
    on_screen: MediaTime,
    queued: &'a [MediaTime],
}

impl PlaySync {
    /// Nothing shown yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what was shown, after a seek or a break of the timeline: the next frame is due at once.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The frame was committed for this vblank. Tell it again when the flip came at another one.
    pub fn presented(&mut self, pts: MediaTime, vblank: MonoTime) {
        // A flip may be told of after frames behind it were discarded.
        if self.shown.is_none_or(|(on_screen, _)| on_screen != pts) {
            self.cadence = Cadence::Kept;
        }
        self.shown = Some((pts, vblank));
    }

    /// The oldest queued frame was discarded, because a verdict said so or for a reason of the caller's.
    pub fn discarded(&mut self, pts: MediaTime) {
        // Where the timeline turned back nothing is left out.
        if self.shown.is_some_and(|(on_screen, _)| on_screen < pts) {
            self.cadence = Cadence::Dropped;
        }
    }

    /// What to show at a vblank, given the picture on screen and the queued ones' pts, oldest first.
    pub fn decide(&mut self, at: VblankQuery, on_screen: Option<MediaTime>, queued: &[MediaTime]) -> Verdict {
        let next_vblank = at.vblank + at.refresh;
        let Some(&first) = queued.first() else { return Verdict::HoldUntil(next_vblank) };
        let Some(on_screen) = on_screen else { return Verdict::Present { drop: 0 } };
        let stale = queued.iter().take_while(|pts| **pts <= on_screen).count();
        if stale > 0 {
            return Verdict::Discard { count: stale };
        }
        let refresh = nanos_of(at.refresh).max(1) as f64;
        let view = View { at, refresh, on_screen, queued };
        let grid = self.grid_for(&view, first);
        let wait = self.vblanks_until_due(&view, grid, first);
        if wait > 0 {
            let longest = (nanos_of(LONGEST_HOLD) as f64 / refresh).max(1.0) as i64;
            return Verdict::HoldUntil(at.vblank.offset_by((wait.min(longest) as f64 * refresh) as i64));
        }
        let shown = self.shown.filter(|(pts, _)| *pts == on_screen && self.cadence != Cadence::Held);
        Verdict::Present { drop: newest_due(&view, grid, shown.map(|(_, since)| view.vblanks_since(since))) }
    }

    /// Vblanks from the one asked about to the one the next frame is for; 0 when that is now or has passed.
    fn vblanks_until_due(&mut self, view: &View<'_>, grid: i64, next: MediaTime) -> i64 {
        let shown = self.shown.filter(|(pts, _)| *pts == view.on_screen);
        let Some((_, since)) = shown else { return view.vblanks_until(view.error_on(grid, next)) };
        let passed = view.vblanks_since(since);
        // Never two pictures for one vblank.
        let least = (1 - passed).max(0);
        let by_media = view.error(next);
        let by_grid = view.error_on(grid, next);
        let wait = match view.whole_refreshes(view.on_screen, next) {
            None => view.vblanks_until(by_grid),
            Some(refreshes) => {
                let wait = (refreshes - passed).max(0);
                let is_kept = (by_media + wait as f64).abs() < 1.0;
                let nearest = view.vblanks_until(by_media);
                if !is_kept && wait < nearest && self.cadence == Cadence::Kept {
                    self.cadence = Cadence::Held;
                }
                if is_kept { wait } else { nearest }
            }
        };
        let at_once = match self.cadence {
            // They were discarded for this one, which was due by the cadence or on one of the two clocks.
            Cadence::Dropped => view.vblanks_until(by_media.max(by_grid)),
            Cadence::Kept | Cadence::Held => wait,
        };
        wait.min(at_once).max(least)
    }

    /// Our own clock, set anew when it is not set or more than half a refresh off the media clock, or when the pattern has
    /// slid towards the middle between two vblanks.
    fn grid_for(&mut self, view: &View<'_>, next: MediaTime) -> i64 {
        let media = view.at.media.nanos().saturating_sub(view.at.vblank.nanos() as i64);
        let best = view.best_shift();
        if let Some(grid) = self.grid {
            let shift = grid.saturating_sub(media) as f64 / view.refresh;
            // Where the gap is whole the grid is not asked.
            let is_worse = || {
                view.whole_refreshes(view.on_screen, next).is_none()
                    && view.clearance(shift) + GRID_BETTER < view.clearance(best)
            };
            if shift.abs() <= 0.5 && !is_worse() {
                return grid;
            }
        }
        let grid = media.saturating_add((best * view.refresh) as i64);
        self.grid = Some(grid);
        grid
    }
}

/// How many of the queued frames, the first of which is due, have a due successor. `passed` are the vblanks since that of the
/// picture on the screen, where the cadence counts from it.
fn newest_due(view: &View<'_>, grid: i64, passed: Option<i64>) -> usize {
    let mut newest = 0;
    for (index, pair) in view.queued.windows(2).enumerate() {
        let &[this, next] = pair else { break };
        let on_time = view.error(this) < 1.0;
        // Its vblank by the cadence is this one, or has been missed.
        let is_its_turn = || view.whole_refreshes(view.on_screen, next).zip(passed).is_some_and(|(at, now)| at <= now);
        let successor_is_due = match view.whole_refreshes(this, next) {
            Some(_) if view.error(next).abs() < 1.0 && is_its_turn() => true,
            Some(_) if on_time => false,
            Some(_) => view.error(next) >= -0.5,
            None => view.error_on(grid, next) >= -0.5,
        };
        // A queue that is out of order must not turn the picture back.
        if !successor_is_due || next <= view.on_screen {
            break;
        }
        newest = index + 1;
    }
    newest
}

impl View<'_> {
    /// A frame's error at this vblank by the master clock, in refreshes; positive is late.
    fn error(&self, pts: MediaTime) -> f64 {
        self.at.media.delta_nanos(pts) as f64 / self.refresh
    }
    /// Vblanks from an earlier one to the one asked about.
    fn vblanks_since(&self, earlier: MonoTime) -> i64 {
        (self.at.vblank.delta_nanos(earlier) as f64 / self.refresh).round() as i64
    }
    /// The same by our own clock.
    fn error_on(&self, grid: i64, pts: MediaTime) -> f64 {
        let media = MediaTime::from_nanos((self.at.vblank.nanos() as i64).saturating_add(grid));
        media.delta_nanos(pts) as f64 / self.refresh
    }
    /// Vblanks until an error has grown to half a refresh before the frame.
    fn vblanks_until(&self, error: f64) -> i64 {
        (-0.5 - error).ceil().max(0.0) as i64
    }
    /// The gap in whole refreshes, if it is that, and at least one.
    fn whole_refreshes(&self, from: MediaTime, to: MediaTime) -> Option<i64> {
        let gap = to.delta_nanos(from) as f64 / self.refresh;
        let whole = gap.round();
        let near = (gap * WHOLE_SHARE).clamp(WHOLE_LEAST, WHOLE_MOST);
        (whole >= 1.0 && (gap - whole).abs() <= near).then_some(whole as i64)
    }
    /// How far the coming frames keep from the middle between two vblanks on a grid with this shift: 0 is the middle, 0.5
    /// a vblank.
    fn clearance(&self, shift: f64) -> f64 {
        let frames = i64::try_from(self.queued.len()).unwrap_or(i64::MAX).max(1);
        let last = self.queued.last().map_or(0, |last| last.delta_nanos(self.on_screen));
        let gap = (last / frames) as f64 / self.refresh;
        let start = -self.error(self.on_screen);
        let positions = (0..PATTERN).map(|index| start + gap * f64::from(index) - shift - 0.5);
        positions.map(|it| (it - it.round()).abs()).fold(0.5, f64::min)
    }
    /// The shift of the grid that keeps them furthest from it; the smallest of equals.
    fn best_shift(&self) -> f64 {
        let mut best = (self.clearance(0.0), 0.0);
        for step in 1..=GRID_STEPS {
            let shift = f64::from(step) * GRID_SHIFT / f64::from(GRID_STEPS);
            for shift in [shift, -shift] {
                let it = self.clearance(shift);
                // Rounding noise must not look like an improvement.
                if it > best.0 + 1e-6 {
                    best = (it, shift);
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests;
