//! EGL: the way to a GL context, with a window, a GBM surface or nothing at all behind it.
//!
//! A [`Display`] is a connection to a driver, a [`Config`] a choice of pixel layout, a [`Context`] the GL machine itself
//! and a [`Surface`] a window it draws to. Each is destroyed by its `Drop`; contexts and surfaces keep their display open.
//! libEGL is loaded at run time, so a machine without it gets an [`EglError`] and not a loader's refusal.
mod abi;
mod context;
mod desktop;
mod display;
mod error;
mod fence;
mod formats;
mod framebuffer;
mod gbm;
mod image;
mod library;
mod surface;
#[cfg(test)]
mod tests;
mod texture;

pub use context::Context;
pub use desktop::{DesktopSurface, visual_of};
pub use display::{Config, Display, NativePlatform};
pub use error::EglError;
pub use fence::NativeFences;
pub use formats::DmaBufModifier;
pub use framebuffer::ImageFramebuffer;
pub use image::{DmaBuf, Image, YuvHints};
pub use surface::Surface;
pub use texture::ImageTexture;
