//! Drawing a frame into a screen's back buffer, and when to begin with it: the same for the player and its mirrors.
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::PlayStats;
use crate::base::time::MonoTime;
use crate::logic::interop_policy::InteropGaveUp;
use crate::logic::lead::{AFTER_VBLANK, FrameCost};
use crate::pipeline::player::interop::{Made, Wanted, Way};
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::screen::Screen;
use crate::pipeline::player::{Pace, Player};
use crate::render::Kept;
use crate::render::readback::{read_rgba, rgba_len};
use crate::seam::clock::Clock;
use crate::seam::interop::{Place, Sampling};
use crate::seam::presenter::{Layer, PlanePicture, PresentError, RenderTarget};

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
    /// It is ready to be committed; that took so long.
    Done { layer: Layer, way: Option<Way>, zero_copy: bool, cost: Duration },
    /// Every back buffer is on its way.
    Busy,
    /// The screen takes no pictures now.
    Refused(PresentError),
    /// The frame is lost; the picture before it stays.
    Lost,
    /// No way is left.
    GaveUp(InteropGaveUp),
}

/// How a picture is to be shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// As its item, or the run, wants it.
    pub(super) look: (Fit, Rotation),
    /// It must be drawn, and not be left to the display controller.
    pub(super) drawn: bool,
}

impl Screen {
    /// Draws a picture into the next back buffer, or makes it ready for the display controller. Counts what it costs.
    pub(super) fn paint(
        &mut self,
        now: MonoTime,
        real: &dyn Clock,
        picture: &Picture,
        look: Look,
        stats: &mut PlayStats,
    ) -> Painted {
        let needs_target = look.drawn || picture.frame().is_none() || !self.interops.scans_out();
        let target = match needs_target.then(|| self.presenter.acquire(now)) {
            None => None,
            Some(Ok(Some(target))) => Some(target),
            Some(Ok(None) | Err(PresentError::Busy)) => return Painted::Busy,
            Some(Err(error)) => return Painted::Refused(error),
        };
        let started = real.now();
        let (renderable, way) = match picture {
            Picture::Kept(kept) => (kept.renderable(), None),
            Picture::Frame(frame) => match self.make(now, frame, look, stats) {
                Made::Ready(renderable, way) => (renderable, Some(way)),
                Made::Lost => return Painted::Lost,
                Made::GaveUp(why) => return Painted::GaveUp(why),
            },
        };
        let ready = real.now();
        let zero_copy = renderable.zero_copy;
        let target = match target {
            // It was thought that none was needed.
            None if renderable.sampling != Sampling::Scanout => self.presenter.acquire(now),
            it => Ok(it),
        };
        let scanned = (renderable.sampling == Sampling::Scanout).then(|| renderable.frame.clone());
        let layer = match (scanned, target) {
            (Some(frame), _) => Ok(Layer::Plane(PlanePicture { frame, place: self.place(look), above: None })),
            (None, Ok(Some(target))) => {
                let picture = (&renderable, look.look.0, look.look.1);
                if let Err(error) = self.compositor.compose(&target, Some(picture)) {
                    log::warn!("cannot draw: {error}");
                }
                Ok(Layer::Composed(target))
            }
            (None, Ok(None) | Err(PresentError::Busy)) => Err(Painted::Busy),
            (None, Err(error)) => Err(Painted::Refused(error)),
        };
        if let Some(way) = way {
            self.interops.release(renderable, way);
        }
        let layer = match layer {
            Ok(it) => it,
            Err(it) => return it,
        };
        let drawn = real.now();
        if way.is_some() {
            let making = if zero_copy { &mut stats.import } else { &mut stats.upload };
            making.record(ready.saturating_since(started));
            stats.draw.record(drawn.saturating_since(ready));
        }
        Painted::Done { layer, way, zero_copy, cost: drawn.saturating_since(started) }
    }

    /// A copy of a frame that is shown like this, made by the GPU. `None` where that fails.
    pub(super) fn keep(
        &mut self,
        now: MonoTime,
        frame: &VideoFrame,
        look: (Fit, Rotation),
        stats: &mut PlayStats,
    ) -> Option<Kept> {
        let Made::Ready(renderable, way) = self.make(now, frame, Look { look, drawn: true }, stats) else {
            return None;
        };
        let kept = self.compositor.keep(&renderable);
        self.interops.release(renderable, way);
        kept.inspect_err(|error| log::warn!("cannot keep a picture: {error}")).ok()
    }

    fn make(&mut self, now: MonoTime, frame: &VideoFrame, look: Look, stats: &mut PlayStats) -> Made {
        let refresh = self.presenter.mode().refresh;
        let wanted = Wanted { place: self.place(look), refresh, drawn: look.drawn, now };
        self.interops.make(frame, &wanted, self.presenter.output(), stats)
    }

    fn place(&self, look: Look) -> Place {
        Place { fit: look.look.0, rotation: look.look.1, screen: self.presenter.mode().size }
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
