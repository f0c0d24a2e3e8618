//! Drawing a frame into a screen's back buffer, and when to begin with it: the same for the player and its mirrors.
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::{Fallback, PlayStats};
use crate::base::time::MonoTime;
use crate::logic::interop_policy::InteropGaveUp;
use crate::pipeline::player::interop::Made;
use crate::pipeline::player::screen::Screen;
use crate::render::readback::{read_rgba, rgba_len};
use crate::seam::clock::Clock;
use crate::seam::presenter::{PresentError, RenderTarget};

/// Woken this long after a vblank, the next one is surely the one that follows: longer than timers are late.
const AFTER_VBLANK: Duration = Duration::from_micros(300);
/// A screen whose buffers are all on their way is asked again after this long: a fraction of any refresh.
pub(super) const BUSY: Duration = Duration::from_millis(1);
/// A picture is begun at most this many vblanks ahead: what takes longer is late whatever is done.
const MAX_LEAD: u32 = 4;
/// The estimate of what drawing costs goes up by this part of the difference a frame...
const COST_RISE: u32 = 8;
/// ...and down by this: too early costs nothing, too late costs a vblank.
const COST_DECAY: u32 = 32;
/// A frame far away may be overtaken by news: a jump, a pause, another clock.
const LONGEST_HOLD: Duration = Duration::from_millis(500);

/// What drawing costs, the slowest lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost(Duration);

impl Cost {
    /// One slow frame is no reason to begin all others early; a few are.
    pub(super) fn learn(&mut self, cost: Duration) {
        self.0 =
            if self.0 < cost { self.0 + (cost - self.0) / COST_RISE } else { self.0 - (self.0 - cost) / COST_DECAY };
    }

    /// How long before its vblank a picture must be begun.
    pub(super) fn lead(self, refresh: Duration) -> Duration {
        self.0.min(refresh * MAX_LEAD)
    }
}

/// When to wake to draw for the vblank at `at`: right after a vblank, as many of them ahead as it takes.
pub(super) fn wake_for(at: MonoTime, now: MonoTime, refresh: Duration, lead: Duration) -> MonoTime {
    let ahead = lead.as_nanos() / refresh.as_nanos().max(1) + 1;
    let wake = (at + AFTER_VBLANK) - refresh * u32::try_from(ahead).unwrap_or(1);
    wake.max(now + Duration::from_nanos(1)).min(now + LONGEST_HOLD)
}

/// A picture drawn for `vblank` is committed no earlier, else it would be seen a vblank before its time.
pub(super) fn earliest_commit(vblank: MonoTime, refresh: Duration) -> MonoTime {
    (vblank + AFTER_VBLANK / 2) - refresh
}

/// What became of a drawing.
#[derive(Debug)]
pub(super) enum Painted {
    /// It is in the target, to be committed.
    Done { target: RenderTarget, backend: &'static str, zero_copy: bool },
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
        cost: &mut Cost,
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
        cost.learn(drawn.saturating_since(started));
        Painted::Done { target, backend, zero_copy }
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
