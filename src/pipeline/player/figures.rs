//! What a run can say of itself at any time.
use std::time::Duration;

use crate::pipeline::player::Player;
use crate::pipeline::runner::Runner;

/// Heap allocations since playing became steady.
#[derive(Debug, Default)]
pub(super) struct Allocations {
    pub(super) present: u64,
    pub(super) from: Option<(u64, u64)>,
}

/// Frames after which playing counts as steady: pools have grown, shaders are built.
pub(super) const STEADY_AFTER: u64 = 120;

impl Player {
    /// Since the first frame was shown, on the display's clock.
    pub fn elapsed(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |it| self.now().saturating_since(it))
    }

    /// Brings counters kept elsewhere into `stats`.
    pub fn settle_stats(&mut self) {
        self.programme.settle(&mut self.stats);
        self.stats.seams.count = self.seams.count;
        self.stats.seams.worst_gap_frames = self.seams.worst_gap_frames;
        self.stats.seams.late_starts = self.seams.late_starts;
        self.mirrors.settle_stats(self.seams.late_starts);
    }

    /// Heap allocations per presented frame since playing became steady, on all our threads; `None` before that.
    pub fn allocations_per_frame(&self) -> Option<f64> {
        let (from, frames) = self.allocations.from?;
        let frames = self.presented.checked_sub(frames).filter(|it| 0 < *it)?;
        Some(self.all_allocations().saturating_sub(from) as f64 / frames as f64)
    }

    pub(super) fn all_allocations(&self) -> u64 {
        let sound = self.sound.as_ref().map_or(0, Runner::allocations);
        self.allocations.present + self.programme.allocations() + sound
    }
}
