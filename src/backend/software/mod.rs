//! Everything the CPU can do by itself: demuxing, decoding, uploading.
pub mod audio_decoder;
mod conversion;
pub mod decoder;
pub mod demuxer;
mod describe;
pub mod factory;
mod framer;
pub mod limits;
mod location;
mod opening;
mod state;
pub mod upload;
