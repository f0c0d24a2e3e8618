//! "plane": frames that the display controller reads as they are.
use std::cell::RefCell;
use std::rc::{Rc, Weak};

use crate::backend::kms::planes::config::fourcc;
use crate::backend::kms::planes::{LATE, Planes, Refusal};
use crate::base::format::PixelFormat;
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::seam::interop::{InteropCapabilities, InteropError, Place, Renderable, Sampling, VideoInterop};

const NAME: &str = "plane";

/// What some plane may take. Which of them, `accepts` says.
const FORMATS: [PixelFormat; 8] = [
    PixelFormat::Nv12,
    PixelFormat::Nv21,
    PixelFormat::Yuv420p,
    PixelFormat::Yuv422p,
    PixelFormat::Yuv444p,
    PixelFormat::P010,
    PixelFormat::Rgb24,
    PixelFormat::Rgba,
];

/// Hands frames on to the presenter of its output.
#[derive(Debug)]
pub struct PlaneInterop {
    /// Gone with the presenter.
    planes: Weak<RefCell<Planes>>,
    /// The largest framebuffer, in pixels per side.
    max_size: u32,
    pending: Option<VideoFrame>,
}

impl PlaneInterop {
    /// For the presenter that these planes belong to.
    pub(in crate::backend::kms) fn new(planes: &Rc<RefCell<Planes>>, max_size: u32) -> Self {
        Self { planes: Rc::downgrade(planes), max_size, pending: None }
    }
}

fn error(refusal: Refusal) -> InteropError {
    match refusal {
        Refusal::Never(what) => InteropError::Unsupported { backend: NAME, what },
        Refusal::Late => InteropError::Api { backend: NAME, call: "importing a frame", reason: LATE.to_owned() },
        Refusal::Short(reason) => InteropError::NotNow { backend: NAME, reason },
        Refusal::Now(error) => InteropError::NotNow { backend: NAME, reason: error.to_string() },
    }
}

impl VideoInterop for PlaneInterop {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> InteropCapabilities {
        InteropCapabilities { formats: &FORMATS, max_size: self.max_size, zero_copy: true }
    }

    /// Asks the display controller. While there is no display, or somebody else has it, or memory is short, that fails with
    /// [`InteropError::NotNow`]: it is to be asked again.
    fn accepts(&mut self, frame: &VideoFrame, place: &Place) -> Result<(), InteropError> {
        let Some(planes) = self.planes.upgrade() else { return Err(InteropError::ContextLost { backend: NAME }) };
        planes.borrow_mut().accepts(frame, place).map_err(error)
    }

    /// Asks the display controller with a picture that says nothing: scaling is its own to judge.
    fn would_accept(&self, format: &VideoFormat, place: &Place) -> Result<(), InteropError> {
        let Some(planes) = self.planes.upgrade() else { return Err(InteropError::ContextLost { backend: NAME }) };
        planes.borrow_mut().would_accept(format, place).map_err(error)
    }

    fn init(&mut self, format: &VideoFormat) -> Result<(), InteropError> {
        match fourcc(format.pixel) {
            Some(_) => Ok(()),
            None => Err(InteropError::Unsupported { backend: NAME, what: format.pixel.name().to_owned() }),
        }
    }

    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError> {
        let Some(planes) = self.planes.upgrade() else { return Err(InteropError::ContextLost { backend: NAME }) };
        planes.borrow_mut().import(&frame).map_err(error)?;
        self.pending = Some(frame);
        Ok(())
    }

    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        let made = |frame: VideoFrame| Renderable {
            format: frame.format,
            planes: [None; 3],
            sampling: Sampling::Scanout,
            zero_copy: true,
            frame,
        };
        Ok(self.pending.take().map(made))
    }

    fn release_frame(&mut self, frame: Renderable) {
        // The presenter has its own hold on what is on the screen.
        drop(frame);
    }

    fn tidy(&mut self) {
        if self.pending.as_ref().is_some_and(|it| it.memory.is_wanted_back()) {
            self.pending = None;
        }
        if let Some(planes) = self.planes.upgrade() {
            planes.borrow_mut().tidy();
        }
    }
}
