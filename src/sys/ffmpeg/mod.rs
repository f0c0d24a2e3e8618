//! FFmpeg, by owned values: nothing here leaks, and nothing a file says can break Rust's rules.
//!
//! One source serves FFmpeg 5.1 to 9; what differs between them is behind `cfg(ffmpeg_X_Y)` inside one function each.
//! Every function is safe for every argument. Policy (what to refuse, what to convert) is the callers'.
mod abi;
mod bitstream;
mod codec;
mod color;
mod deinterlace;
mod dictionary;
mod error;
mod filters;
mod frame;
mod input;
mod interrupt;
mod log;
mod memory;
mod packet;
mod parameters;
mod picture;
pub mod pixel;
mod pool;
mod resample;
mod scale;
mod side_data;

use std::sync::Once;

pub use bitstream::BitstreamFilter;
pub use codec::{Codec, CodecOptions, Received, Sent, has_decoder, has_decoder_named, places_pictures};
pub use deinterlace::Deinterlacer;
pub use error::AvError;
pub use frame::AvFrame;
pub use input::{Input, Stream, demuxers_except};
pub use interrupt::Interrupt;
pub use log::{complaints, forget_complaints};
pub use memory::{
    BufferRef, Claim, FrameBuffer, FrameMemory, FrameMemorySource, PictureLayout, PlanePlace, placed_format,
};
pub use packet::AvPacket;
pub use parameters::{Parameters, StreamKind};
pub use picture::{Picture, make_even};
pub use pool::{Pool, Recycle};
pub use resample::Resampler;
pub use scale::{Conversion, Scaler};

/// The largest piece of memory FFmpeg may ask for at once: a picture of the most pixels we take, at 8 bytes each. Whatever
/// slips past the other limits stops here.
const LARGEST_ALLOCATION: usize = 576 << 20;

/// Sends FFmpeg's log to `log` and bounds its memory. Every call after the first does nothing.
pub fn initialise() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::install();
        // SAFETY: sets a number that every later allocation compares with.
        unsafe { ffmpeg_sys_next::av_max_alloc(LARGEST_ALLOCATION) };
        // SAFETY: initialises TLS libraries that need it, once, before any input is opened.
        unsafe { ffmpeg_sys_next::avformat_network_init() };
    });
}
