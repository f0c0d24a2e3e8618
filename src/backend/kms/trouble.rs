//! What goes wrong with commits for a while: how long it is borne, and that it is told of once.
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::seam::presenter::PresentError;

/// A flip takes one refresh. When the kernel has not said for this long that one is done, it has lost it (vc4 and others log
/// "flip_done timed out"), and the film goes on; should the kernel be busy with it after all, it says so to the next one.
const FLIP_PATIENCE: Duration = Duration::from_millis(500);
/// The same for a modeset, which takes some tenths of a second, and with a display that trains its link a few times that.
const MODESET_PATIENCE: Duration = Duration::from_secs(3);
/// A controller is busy for a refresh or two; for longer than this the log says it.
const BUSY_PATIENCE: Duration = Duration::from_millis(250);

/// One output's.
#[derive(Debug)]
pub struct Trouble {
    /// How long the pending flip may take.
    patience: Duration,
    /// Flips are not reported.
    forgets_flips: bool,
    /// Commits are refused with EBUSY since then.
    busy_since: Option<MonoTime>,
    told_busy: bool,
}

impl Trouble {
    /// None so far.
    pub fn new() -> Self {
        Self { patience: MODESET_PATIENCE, forgets_flips: false, busy_since: None, told_busy: false }
    }

    /// A commit was accepted.
    pub fn accepted(&mut self, is_modeset: bool) {
        self.patience = if is_modeset { MODESET_PATIENCE } else { FLIP_PATIENCE };
        self.busy_since = None;
    }

    /// A commit was refused.
    pub fn refused(&mut self, output: &str, now: MonoTime, why: &PresentError) {
        if !matches!(why, PresentError::Busy) {
            self.busy_since = None;
            return;
        }
        let since = *self.busy_since.get_or_insert(now);
        if BUSY_PATIENCE < now.saturating_since(since) && !std::mem::replace(&mut self.told_busy, true) {
            log::warn!("{output}: the display controller is busy (EBUSY) and takes no pictures; the last one stays");
        }
    }

    /// When the flip of a commit that was accepted then counts as lost.
    pub fn overdue(&self, committed_at: MonoTime) -> MonoTime {
        committed_at + self.patience
    }

    /// A flip was given up.
    pub fn flip_forgotten(&mut self, output: &str) {
        if !std::mem::replace(&mut self.forgets_flips, true) {
            let patience = self.patience.as_millis();
            log::warn!("{output}: the kernel has not reported a page flip for {patience} ms; going on without");
        }
    }

    /// The kernel said that a flip is done.
    pub fn flip_reported(&mut self) {
        self.forgets_flips = false;
        self.told_busy = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modeset_may_take_longer_than_a_flip() {
        let mut it = Trouble::new();
        let at = MonoTime::from_nanos(1);
        it.accepted(false);
        let flip = it.overdue(at);
        it.accepted(true);
        assert!(flip + Duration::from_secs(1) < it.overdue(at));
    }

    #[test]
    fn a_busy_controller_is_told_of_once_and_not_for_a_refresh() {
        let mut it = Trouble::new();
        let at = |ms: u64| MonoTime::from_nanos(ms * 1_000_000);
        it.refused("HDMI-A-1", at(0), &PresentError::Busy);
        it.refused("HDMI-A-1", at(17), &PresentError::Busy);
        assert!(!it.told_busy);
        it.accepted(false);
        it.refused("HDMI-A-1", at(1_000), &PresentError::Busy);
        assert!(!it.told_busy, "it is another time");
        it.refused("HDMI-A-1", at(1_300), &PresentError::Busy);
        assert!(it.told_busy);
        it.flip_reported();
        assert!(!it.told_busy);
    }
}
