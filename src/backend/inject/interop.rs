//! Ways to textures that take their time: holding the present thread for the import, and for the drawing behind it.
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::inject::costs::{Costs, Jitter};
use crate::backend::inject::hold::hold;
use crate::base::capability::Capability;
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::base::time::MediaTime;
use crate::seam::interop::{InteropCapabilities, InteropError, Place, Renderable, Sampling, VideoInterop};

/// The pictures one screen was given, by whichever of its ways.
#[derive(Debug, Default)]
struct Seen {
    pictures: Cell<u64>,
    last: Cell<Option<MediaTime>>,
}

impl Seen {
    /// Counts a picture; its number, from 1, unless it is the last one again.
    fn count(&self, pts: MediaTime) -> Option<u64> {
        if self.last.replace(Some(pts)) == Some(pts) {
            return None;
        }
        self.pictures.set(self.pictures.get() + 1);
        Some(self.pictures.get())
    }
}

/// A slow way to textures.
struct CostlyInterop {
    inner: Box<dyn VideoInterop>,
    costs: Arc<Costs>,
    jitter: Jitter,
    seen: Rc<Seen>,
    /// What drawing the picture that is out costs besides.
    extra: Duration,
}

/// All ways of one screen, and what they cost.
pub fn costly_ways(ways: Vec<Box<dyn VideoInterop>>, costs: &Arc<Costs>) -> Vec<Box<dyn VideoInterop>> {
    let seen = Rc::new(Seen::default());
    let wrap = |(row, inner)| -> Box<dyn VideoInterop> {
        let jitter = Jitter::new(costs.seed, row);
        Box::new(CostlyInterop { inner, costs: costs.clone(), jitter, seen: seen.clone(), extra: Duration::ZERO })
    };
    (0..).zip(ways).map(wrap).collect()
}

impl VideoInterop for CostlyInterop {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capabilities(&self) -> InteropCapabilities {
        self.inner.capabilities()
    }

    fn accepts(&mut self, frame: &VideoFrame, place: &Place) -> Result<(), InteropError> {
        self.inner.accepts(frame, place)
    }

    fn describe(&self) -> Vec<Capability> {
        self.inner.describe()
    }

    fn would_accept(&self, format: &VideoFormat, place: &Place) -> Result<(), InteropError> {
        self.inner.would_accept(format, place)
    }

    fn prepare(&mut self, format: &VideoFormat) {
        self.inner.prepare(format);
    }

    fn init(&mut self, format: &VideoFormat) -> Result<(), InteropError> {
        self.inner.init(format)
    }

    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError> {
        self.inner.submit_decoded_frame(frame)
    }

    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        let Some(it) = self.inner.acquire_renderable_frame()? else { return Ok(None) };
        hold(self.jitter.of(self.costs.for_picture(self.costs.import, it.format.visible.size())));
        if let Some(number) = self.seen.count(it.frame.pts) {
            self.extra = self.costs.slow(number);
        }
        Ok(Some(it))
    }

    fn release_frame(&mut self, frame: Renderable) {
        // The drawing has just been submitted: this is where a slow GPU or driver would have held us.
        let draw = match frame.sampling {
            // Nothing was drawn.
            Sampling::Scanout => Duration::ZERO,
            _ => self.jitter.of(self.costs.for_picture(self.costs.draw, frame.format.visible.size())),
        };
        hold(draw + std::mem::take(&mut self.extra));
        self.inner.release_frame(frame);
    }

    fn tidy(&mut self) {
        self.inner.tidy();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_drawn_again_is_counted_once() {
        let seen = Seen::default();
        let counted = [5, 9, 9, 5].map(|it| seen.count(MediaTime::from_nanos(it)));
        assert_eq!(counted, [Some(1), Some(2), None, Some(3)]);
    }
}
