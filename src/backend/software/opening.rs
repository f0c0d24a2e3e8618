//! What the video and the audio decoder share: opening a codec from a description, errors in the seam's words, and the
//! token that takes a packet's lap through the codec.
use crate::backend::software::describe::quote;
use crate::backend::software::limits;
use crate::base::format::Size;
use crate::base::packet::Packet;
use crate::base::stream::{CodecParameters, VideoStream};
use crate::seam::decoder::DecodeError;
use crate::sys::ffmpeg::{self, AvError, Parameters};

/// Refuses pictures over the limits.
pub(super) fn check_size(stream: &VideoStream) -> Result<(), DecodeError> {
    if limits::allows(stream.size) {
        return Ok(());
    }
    let what = format!("a picture of {}", stream.size);
    Err(DecodeError::OverLimit { what, limit: limits::PICTURE_LIMIT.to_owned() })
}

/// FFmpeg lacks what it takes.
pub(super) fn no_decoder(codec: &str) -> DecodeError {
    DecodeError::Unsupported { codec: codec.to_owned(), reason: "this build of FFmpeg cannot decode it".to_owned() }
}

/// Calls `use_them` with FFmpeg's own parameters of a stream, made up from its description where it has none.
pub(super) fn with_parameters<T>(
    described: &CodecParameters,
    size: Size,
    use_them: impl FnOnce(&Parameters) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    ffmpeg::initialise();
    if let Some(it) = described.native.as_ref().and_then(|it| it.as_any().downcast_ref()) {
        return use_them(it);
    }
    let made = Parameters::of_codec(&described.codec, &described.extra, size);
    use_them(&made.map_err(|it| open_error(&described.codec, it))?)
}

/// Why a decoder could not be opened.
pub(super) fn open_error(codec: &str, error: AvError) -> DecodeError {
    if error.is_not_built_in() {
        no_decoder(codec)
    } else if error.is_out_of_memory() {
        DecodeError::Device { call: error.call, reason: error.words() }
    } else {
        DecodeError::Unsupported { codec: codec.to_owned(), reason: quote(&error.words()) }
    }
}

/// Why a packet could not be decoded.
pub(super) fn decode_error(codec: &str, error: AvError) -> DecodeError {
    if error.is_out_of_memory() {
        DecodeError::Device { call: error.call, reason: error.words() }
    } else {
        DecodeError::CorruptStream { codec: codec.to_owned(), reason: quote(&error.words()) }
    }
}

/// What a packet's frames must bring back with them, in the one number a decoder carries. Where numbers have 32 bits the
/// lap's top bit is lost, after two thousand million laps.
pub(super) fn token_of(packet: &Packet) -> u64 {
    u64::from(packet.lap) << 1 | u64::from(packet.discontinuity)
}

/// The lap, and whether the timeline broke.
pub(super) fn from_token(token: u64) -> (u32, bool) {
    ((token >> 1) as u32, token & 1 != 0)
}
