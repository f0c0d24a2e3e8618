//! GL passes: what is drawn, and with which numbers.
//!
//! [`Compositor`] draws a picture's planes into a presenter's target; [`readback`] gets the result into memory.
//! Sampling happens in the coded signal (R'G'B' or Y'CbCr), as decoders and scalers do. An SDR picture with BT.709's
//! primaries leaves as the numbers it came in as. Everything else goes through linear light and leaves encoded for a
//! BT.1886 screen with black at zero, that is a pure power of 2.4, with 1.0 at SDR's reference white of 203 cd/m².
mod color;
mod compose;
mod geometry;
mod keep;
mod program;
pub mod readback;
mod shaders;
#[cfg(test)]
mod tests;

pub use compose::{Compositor, RenderError};
pub use keep::Kept;
