//! Coded sound of any layout in, sample frames in the sink's format out.
use crate::base::audio::AudioFormat;
use crate::base::offer::Offer;
use crate::base::packet::Packet;
use crate::base::stream::AudioStream;
use crate::base::time::MediaTime;
use crate::seam::decoder::DecodeError;

/// What `poll` left in the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioEvent {
    /// Sample frames were appended; the first is due at `pts` (`None`: right after the ones before).
    Block {
        /// When the first of them is due on the stream's timeline.
        pts: Option<MediaTime>,
        /// Which turn of the loop they belong to.
        lap: u32,
        /// The timeline broke before them.
        discontinuity: bool,
    },
    /// Nothing until more is submitted.
    Pending,
    /// Everything submitted before `drain` has come out.
    Drained,
}

/// Makes audio decoders.
pub trait AudioDecoderFactory: Send + Sync {
    /// Opens a decoder whose output is resampled and mixed to `output`.
    fn open(&self, stream: &AudioStream, output: AudioFormat) -> Result<Box<dyn AudioDecoder>, DecodeError>;
}

/// One audio decoder. Never waits.
pub trait AudioDecoder: Send {
    /// Offers one packet in file order.
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError>;
    /// Appends the next block's interleaved samples to `out`, which keeps its capacity between calls.
    fn poll(&mut self, out: &mut Vec<f32>) -> Result<AudioEvent, DecodeError>;
    /// Finish everything submitted, then report `Drained`.
    fn drain(&mut self) -> Result<(), DecodeError>;
    /// Discard everything submitted.
    fn flush(&mut self) -> Result<(), DecodeError>;
}
