//! How much of what a file says is believed. All limits on media are here.
use crate::base::format::Size;

/// Pixels per side: what GLES 3.1 hardware textures reach, and twice 8K.
pub const MAX_SIDE: u32 = 16_384;
/// Pixels in all: 8K UHD twice over. At 8 bytes a pixel this is also what one allocation of FFmpeg may take.
pub const MAX_PIXELS: u64 = 64 << 20;
/// Streams in a container. A satellite transponder has about a hundred; more is an attack or a mistake.
pub const MAX_STREAMS: u32 = 256;
/// Bytes read to find out what a file is: FFmpeg's own default, enough for a broadcast with a slow start.
pub const MAX_PROBE_BYTES: u32 = 5_000_000;
/// Sample frames per second: DXD's 352.8 kHz rounded up. More would only cost memory.
pub const MAX_SAMPLE_RATE: u32 = 384_000;
/// Channels of sound: what FFmpeg's layouts can name.
pub const MAX_CHANNELS: u16 = 64;
/// A sample aspect ratio beyond this, either way, is a typing error: the widest in use is 3:1 (anamorphic 4:1 films).
pub const MAX_ASPECT: f64 = 20.0;
/// Frames per second beyond which the number is a time base, not a rate.
pub const MAX_FRAME_RATE: f64 = 1000.0;

/// The limits on a picture, in words for errors.
pub const PICTURE_LIMIT: &str = "16384 pixels per side and 64 megapixels in all";

/// Whether a picture of this size is taken.
pub fn allows(size: Size) -> bool {
    size.width <= MAX_SIDE && size.height <= MAX_SIDE && u64::from(size.width) * u64::from(size.height) <= MAX_PIXELS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_k_is_allowed_and_bombs_are_not() {
        for (width, height, want) in [
            (7680, 4320, true),
            (16_384, 4096, true),
            (16_384, 16_384, false),
            (16_385, 1, false),
            (1, 16_385, false),
            (u32::MAX, u32::MAX, false),
        ] {
            assert_eq!(allows(Size::new(width, height)), want, "{width}x{height}");
        }
    }
}
