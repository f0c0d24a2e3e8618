//! Drawing a frame into a screen's back buffer, and when to begin with it: the same for the player and its mirrors.
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::{Fallback, PlayStats};
use crate::base::time::MonoTime;
use crate::logic::interop_policy::InteropGaveUp;
use crate::logic::lead::{AFTER_VBLANK, FrameCost};
use crate::pipeline::player::interop::Made;
use crate::pipeline::player::screen::Screen;
use crate::pipeline::player::{Pace, Player};
use crate::render::readback::{read_rgba, rgba_len};
use crate::seam::clock::Clock;
use crate::seam::presenter::{PresentError, RenderTarget};

/// A screen whose buffers are all on their way is asked again after this long: a fraction of any refresh.
pub(super) const BUSY: Duration = Duration::from_millis(1);
/// A frame far away may be overtaken by news: a jump, a pause, another clock.
const LONGEST_HOLD: Duration = Duration::from_millis(500);

/// When to wake to draw for the vblank at `at`.
pub(super) fn wake_for(cost: FrameCost, at: MonoTime, now: MonoTime, refresh: Duration) -> MonoTime {
    cost.begin(at, refresh).max(now + Duration::from_nanos(1)).min(now + LONGEST_HOLD)
}

/// A picture drawn for `vblank` is committed no earlier, else it would be seen a vblank before its time.
pub(super) fn earliest_commit(vblank: MonoTime, refresh: Duration) -> MonoTime {
    (vblank + AFTER_VBLANK / 2) - refresh
}

impl Player {
    /// How long before its vblank a picture must be begun.
    pub(super) fn lead(&self) -> Duration {
        match self.options.pace {
            Pace::Realtime => self.cost.lead(self.refresh()),
            Pace::Fast(_) => Duration::ZERO,
        }
    }

    /// What a picture costs by the display's clock: nothing where that waits for pictures.
    pub(super) fn cost(&self) -> FrameCost {
        match self.options.pace {
            Pace::Realtime => self.cost,
            Pace::Fast(_) => FrameCost::default(),
        }
    }
}

/// What became of a drawing.
#[derive(Debug)]
pub(super) enum Painted {
    /// It is in the target, to be committed; drawing it took so long.
    Done { target: RenderTarget, backend: &'static str, zero_copy: bool, cost: Duration },
    /// Every back buffer is on its way.
    Busy,
    /// The screen takes no pictures now.
    Refused(PresentError),
    /// The frame is lost; the picture before it stays.
    Lost,
    /// The way in use was given up for another; the frame can be tried again.
    Again(Fallback),
    /// No way is left.
    GaveUp(InteropGaveUp),
}

impl Screen {
    /// Draws a frame into the next back buffer. Counts what it costs.
    pub(super) fn paint(
        &mut self,
        now: MonoTime,
        real: &dyn Clock,
        frame: &VideoFrame,
        look: (Fit, Rotation),
        stats: &mut PlayStats,
    ) -> Painted {
        let target = match self.presenter.acquire(now) {
            Ok(Some(target)) => target,
            Ok(None) | Err(PresentError::Busy) => return Painted::Busy,
            Err(error) => return Painted::Refused(error),
        };
        let started = real.now();
        let renderable = match self.interops.make(frame, stats) {
            Made::Ready(renderable) => renderable,
            Made::Lost => return Painted::Lost,
            Made::Again(fallback) => return Painted::Again(fallback),
            Made::GaveUp(why) => return Painted::GaveUp(why),
        };
        let uploaded = real.now();
        let (backend, zero_copy) = (self.interops.current(), renderable.zero_copy);
        if let Err(error) = self.compositor.compose(&target, Some((&renderable, look.0, look.1))) {
            log::warn!("cannot draw: {error}");
        }
        self.interops.release(renderable);
        let drawn = real.now();
        let upload = if zero_copy { &mut stats.import } else { &mut stats.upload };
        upload.record(uploaded.saturating_since(started));
        stats.draw.record(drawn.saturating_since(uploaded));
        Painted::Done { target, backend, zero_copy, cost: drawn.saturating_since(started) }
    }

    /// Reads a drawn target back into `pixels`; `false` where that fails.
    pub(super) fn read_back(&self, target: &RenderTarget, pixels: &mut Vec<u8>) -> bool {
        pixels.resize(rgba_len(target.size), 0);
        let read = read_rgba(self.compositor.gl(), target, pixels);
        read.inspect_err(|error| log::warn!("cannot read the picture back: {error}")).is_ok()
    }

    /// The screen's refresh; that of most screens where it does not say.
    pub(super) fn refresh(&self) -> Duration {
        let refresh = self.presenter.mode().refresh;
        if refresh.is_zero() { Duration::from_millis(16) } else { refresh }
    }
}
