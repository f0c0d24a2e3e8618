//! A frame's memory seen as textures. Lives on the present thread, with the GL context, so nothing here is `Send`.
use std::num::NonZeroU32;

use crate::base::capability::Capability;
use crate::base::format::{PixelFormat, Size};
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::base::geometry::{Fit, Rotation};
use crate::base::offer::Severity;

/// A GL texture's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextureId(pub NonZeroU32);

/// How a shader gets at the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// One texture per plane, components as they are stored, 0..1 for the whole code range of the component.
    Planes,
    /// One 8-bit two-component texture per 16-bit component pair: low byte in R, high byte in G (in B, A for the second
    /// component of interleaved chroma).
    SplitPlanes,
    /// One external texture the driver converts to RGB.
    External,
    /// No texture: the display controller reads the frame itself. It goes to the presenter as it is.
    Scanout,
}

/// Where and how a frame is to be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// What to do about a different shape.
    pub fit: Fit,
    /// The turn the user asks for, on top of the stream's own.
    pub rotation: Rotation,
    /// The screen, in pixels.
    pub screen: Size,
}

/// Textures of one frame, ready to be drawn. Give it back with `release_frame`.
#[derive(Debug)]
pub struct Renderable {
    /// What the frame is.
    pub format: VideoFormat,
    /// Textures of its planes, as `format.pixel.planes()` orders them.
    pub planes: [Option<TextureId>; 3],
    /// How to sample them.
    pub sampling: Sampling,
    /// The picture's bytes were not touched by the CPU on the way here.
    pub zero_copy: bool,
    /// The frame itself: held until the GPU has read it.
    pub frame: VideoFrame,
}

/// What a backend can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InteropCapabilities {
    /// Pixel formats it makes textures of.
    pub formats: &'static [PixelFormat],
    /// Largest picture, in pixels per side.
    pub max_size: u32,
    /// Frames get through without a copy.
    pub zero_copy: bool,
}

/// What can go wrong between a frame and a texture.
#[derive(Debug, thiserror::Error)]
pub enum InteropError {
    /// This backend does not take such frames.
    #[error("{backend}: cannot take {what}")]
    Unsupported {
        /// The backend's name.
        backend: &'static str,
        /// What it was offered.
        what: String,
    },
    /// The GL context is gone.
    #[error("{backend}: the GL context was lost")]
    ContextLost {
        /// The backend's name.
        backend: &'static str,
    },
    /// It cannot now, and that says nothing of the frame: memory or descriptors are short, or somebody else has the device.
    /// Frames take another way for a while.
    #[error("{backend}: not now: {reason}")]
    NotNow {
        /// The backend's name.
        backend: &'static str,
        /// What could not be done, and the system's words.
        reason: String,
    },
    /// A call failed.
    #[error("{backend}: {call} failed: {reason}")]
    Api {
        /// The backend's name.
        backend: &'static str,
        /// The call.
        call: &'static str,
        /// The error code in words.
        reason: String,
    },
}

impl InteropError {
    /// What it asks of the caller.
    pub fn severity(&self) -> Severity {
        match self {
            InteropError::Unsupported { .. } => Severity::FallBack,
            InteropError::ContextLost { .. } => Severity::Reconfigure,
            InteropError::Api { .. } | InteropError::NotNow { .. } => Severity::Retry,
        }
    }
}

/// One way from a frame to textures: "software_upload", "dmabuf", ...
pub trait VideoInterop {
    /// Its name in statistics and the frame log.
    fn name(&self) -> &'static str;
    /// What it can take.
    fn capabilities(&self) -> InteropCapabilities;
    /// Whether it can show such frames in such a place without looking different from the other ways; the error's reason
    /// is told to the user. Asked once for each configuration (format, kind of memory and its layout, place, mode), and again
    /// some time after it answered `NotNow`.
    fn accepts(&mut self, frame: &VideoFrame, place: &Place) -> Result<(), InteropError> {
        self.would_accept(&frame.format, place)
    }
    /// What it can take here, for `probe`: each format with its modifiers, and whether a trial of it gave the right pixels.
    fn describe(&self) -> Vec<Capability> {
        Vec::new()
    }
    /// What `accepts` would say of a frame of this format in memory that suits it best, as far as that can be told without
    /// one: for `probe`.
    fn would_accept(&self, format: &VideoFormat, place: &Place) -> Result<(), InteropError> {
        let _anywhere = place;
        let pixel = format.pixel;
        if self.capabilities().formats.contains(&pixel) {
            return Ok(());
        }
        Err(InteropError::Unsupported { backend: self.name(), what: pixel.name().to_owned() })
    }
    /// Finds out ahead what `accepts` will want to know of such frames, where that takes longer than a refresh lasts. Called
    /// before the first picture is on the screen, when it takes a better way than this: so this one is there at once if that
    /// way fails.
    fn prepare(&mut self, format: &VideoFormat) {
        let _nothing_takes_long = format;
    }
    /// Makes ready for frames of `format`; called again whenever the format changes.
    fn init(&mut self, format: &VideoFormat) -> Result<(), InteropError>;
    /// Takes the next frame. At most one submitted frame is pending; a newer one replaces it.
    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError>;
    /// Textures of the frame submitted last, or `None` when there is none.
    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError>;
    /// The drawing of this frame has been submitted to the GPU; its textures may be used again for later frames.
    fn release_frame(&mut self, frame: Renderable);
    /// Lets go of what it made of pools that are retiring, and of frames that nothing reads any more. Called at every turn:
    /// cheap, and never waits.
    fn tidy(&mut self) {}
}
