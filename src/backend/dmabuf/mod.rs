//! "dmabuf": a decoder's buffers as GL textures, without a copy (EGL_EXT_image_dma_buf_import).
//!
//! ```text
//!   Imports   what this driver does right, tried out once for a GL context and a format (trial)
//!      |
//!   DmabufInterop, one for each screen
//!      |-- Cache     textures by the buffer's name, for the buffer's life
//!      '-- Flights   frames that the GPU may still be reading, each with a fence
//! ```
//!
//! A buffer is imported when it is first seen. Whatever the decoder writes into it later is what the next draw samples, so
//! in the steady state a frame costs a look into a list. A frame is held until the GPU has read it, and no longer; nothing
//! here waits for that. When a pool is wanted back, `tidy` lets go of what was made of it.
mod cache;
mod draw;
mod formats;
mod importer;
mod imports;
mod interop;
mod layout;
mod pattern;
mod trial;

pub use importer::{EglImporter, ImportError, Importer};
pub use imports::Imports;
pub use interop::DmabufInterop;
pub use trial::{Styles, Verdict};

/// The name in statistics and the frame log.
const NAME: &str = "dmabuf";
