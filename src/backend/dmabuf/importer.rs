//! One import: a picture in dma-bufs to a texture.
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::sys::egl::{Display, DmaBuf, DmaBufModifier, EglError, Image, ImageTexture};
use crate::sys::gl::{Context, Fence, GlError, TextureTarget};

/// Why there is no texture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportError {
    /// The GL context is gone, and everything with it.
    ContextLost,
    /// The driver does not want to; its words.
    Refused(String),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContextLost => f.write_str("the GL context was lost"),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl From<EglError> for ImportError {
    fn from(error: EglError) -> Self {
        if error.is_context_lost() { Self::ContextLost } else { Self::Refused(error.to_string()) }
    }
}

impl From<GlError> for ImportError {
    fn from(error: GlError) -> Self {
        if error.is_context_lost() { Self::ContextLost } else { Self::Refused(error.to_string()) }
    }
}

/// What makes textures of dma-bufs. There is one kind of it; tests put theirs around it.
pub trait Importer {
    /// A texture of the whole picture, for `target`. The picture's layout has been checked.
    fn import(&self, picture: &DmaBuf<'_>, target: TextureTarget) -> Result<ImageTexture, ImportError>;
    /// Whether the GPU has done what it was asked before `fence`. Never waits.
    fn has_passed(&self, fence: &Fence) -> Result<bool, ImportError> {
        Ok(fence.is_reached(Duration::ZERO)?)
    }
    /// How pixels of a DRM format may lie; empty where the driver does not say.
    fn modifiers(&self, fourcc: u32) -> Vec<DmaBufModifier>;
}

/// EGL's own.
#[derive(Debug)]
pub struct EglImporter {
    gl: Rc<Context>,
    display: Display,
}

impl EglImporter {
    /// Imports for the context current on this thread, which is on `display`.
    pub fn new(gl: Rc<Context>, display: Display) -> Self {
        Self { gl, display }
    }
}

impl Importer for EglImporter {
    fn import(&self, picture: &DmaBuf<'_>, target: TextureTarget) -> Result<ImageTexture, ImportError> {
        let image = Image::of_dma_buf(&self.display, picture)?;
        Ok(ImageTexture::new(&self.gl, image, target)?)
    }

    fn modifiers(&self, fourcc: u32) -> Vec<DmaBufModifier> {
        // What the driver cannot say, it does not say.
        self.display.dma_buf_modifiers(fourcc).unwrap_or_default()
    }
}
