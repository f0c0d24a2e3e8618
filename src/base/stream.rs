//! What an opened input says about itself.
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::base::audio::AudioFormat;
use crate::base::color::ColorTags;
use crate::base::format::{Ratio, Size};
use crate::base::geometry::Rotation;
use crate::base::time::MediaTime;

/// The demuxer's own description of a stream, for a decoder that understands it (FFmpeg's `AVCodecParameters`).
pub trait NativeParameters: Any + Send + Sync + Debug {
    /// For the decoder that knows the type.
    fn as_any(&self) -> &dyn Any;
}

/// What a decoder needs to know of a coded stream.
#[derive(Debug, Clone)]
pub struct CodecParameters {
    /// FFmpeg's name of the codec: "h264", "hevc", "aac"...
    pub codec: String,
    /// Profile, in words, where known.
    pub profile: Option<String>,
    /// Out-of-band parameter sets (avcC, hvcC, AudioSpecificConfig).
    pub extra: Arc<[u8]>,
    /// The demuxer's own description.
    pub native: Option<Arc<dyn NativeParameters>>,
}

impl CodecParameters {
    /// Whether a decoder opened for one can go on with the other.
    pub fn is_same_as(&self, other: &CodecParameters) -> bool {
        self.codec == other.codec && self.profile == other.profile && self.extra == other.extra
    }
}

/// A stream of pictures.
#[derive(Debug, Clone)]
pub struct VideoStream {
    /// How it is coded.
    pub parameters: CodecParameters,
    /// Size in pixels, as the container says.
    pub size: Size,
    /// FFmpeg's name of the pixel format, where known.
    pub pixel_format: Option<String>,
    /// Sample aspect ratio.
    pub sar: Ratio,
    /// The turn the file asks for.
    pub rotation: Rotation,
    /// Average frames per second, where known.
    pub frame_rate: Option<Ratio>,
    /// Colour tags of the container or codec.
    pub color: ColorTags,
    /// The stream is interlaced, so that it will be deinterlaced.
    pub interlaced: bool,
    /// Frames in the stream, where the container counts them.
    pub frames: Option<u64>,
}

/// A stream of sound.
#[derive(Debug, Clone)]
pub struct AudioStream {
    /// How it is coded.
    pub parameters: CodecParameters,
    /// Rate and channels as coded.
    pub format: AudioFormat,
}

/// An opened input.
#[derive(Debug, Clone)]
pub struct MediaInfo {
    /// FFmpeg's short name of the container.
    pub container: String,
    /// How long it says it is.
    pub duration: Option<Duration>,
    /// Where its timeline says it starts.
    pub start: Option<MediaTime>,
    /// A network source without an end.
    pub live: bool,
    /// It can go back to its start.
    pub seekable: bool,
    /// A single picture.
    pub still: bool,
    /// The pictures, where there are any.
    pub video: Option<VideoStream>,
    /// The sound, where there is any.
    pub audio: Option<AudioStream>,
}
