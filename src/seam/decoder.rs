//! Coded packets in, frames in display order out.
use std::time::Duration;

use crate::base::capability::Capability;
use crate::base::format::PixelFormat;
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::base::offer::{Offer, Severity};
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::seam::wait::Waitable;

/// What comes out of a decoder.
#[derive(Debug)]
pub enum DecodeEvent {
    /// Frames from here on have this format.
    FormatChanged(VideoFormat),
    /// A picture, in display order. `lap` and `discontinuity` are those of the packet it came from.
    Frame(VideoFrame),
    /// Everything submitted before `drain` has come out; `flush` makes it ready for more.
    Drained,
    /// The memory of frames handed out so far is wanted back (`PoolState::is_retiring`): whoever holds some should look.
    /// The next frame comes when it is there.
    Retiring,
}

/// What can go wrong in a decoder.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// This backend cannot do this stream.
    #[error("{codec}: {reason}")]
    Unsupported {
        /// The codec's name.
        codec: String,
        /// Why not.
        reason: String,
    },
    /// This packet could not be decoded; the next may.
    #[error("{codec}: corrupt data: {reason}")]
    CorruptStream {
        /// The codec's name.
        codec: String,
        /// The decoder's words.
        reason: String,
    },
    /// Over a limit of ours.
    #[error("{what} is over the limit of {limit}")]
    OverLimit {
        /// What is too large.
        what: String,
        /// How much would be allowed.
        limit: String,
    },
    /// It takes packets, gives no pictures and says nothing.
    #[error("{decoder}: no picture for {after:?} though it was given {packets} packets")]
    Stalled {
        /// The decoder's or its device's name.
        decoder: String,
        /// How long we waited.
        after: Duration,
        /// What it was given since its last picture.
        packets: u64,
    },
    /// The device or library failed.
    #[error("{call}: {reason}")]
    Device {
        /// The call that failed.
        call: &'static str,
        /// Why.
        reason: String,
    },
}

impl DecodeError {
    /// What it asks of the caller.
    pub fn severity(&self) -> Severity {
        match self {
            DecodeError::CorruptStream { .. } => Severity::Retry,
            DecodeError::Stalled { .. } => Severity::Reconfigure,
            DecodeError::Unsupported { .. } | DecodeError::Device { .. } => Severity::FallBack,
            DecodeError::OverLimit { .. } => Severity::Fatal,
        }
    }
}

/// Counters of one decoder since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecoderStats {
    /// Frames handed out.
    pub frames: u64,
    /// Frames that had to be converted on the CPU to a format a renderer samples.
    pub converted: u64,
    /// Frames that went through the deinterlacer.
    pub deinterlaced: u64,
    /// Frames flagged as damaged.
    pub corrupt: u64,
    /// Pictures that went into ordinary memory because no dma-buf of the decoder's was free.
    pub ordinary: u64,
}

/// Makes decoders of one kind.
pub trait DecoderFactory: Send + Sync {
    /// "software", "v4l2", ... as in `--decoder` and the statistics.
    fn name(&self) -> &'static str;
    /// The usual codecs it can decode here, by FFmpeg's names, for people to read.
    fn codecs(&self) -> Vec<&'static str>;
    /// What it found here, for `probe`: each device, and as its parts the coded formats with sizes, profiles, levels, and
    /// how its buffers are had. May open devices; decodes nothing.
    fn describe(&self) -> Vec<Capability> {
        Vec::new()
    }
    /// Quietly: could it decode this stream? The error says why not.
    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError>;
    /// What the frames it makes of this stream are, as far as that can be told before, if they are in dma-bufs; the error
    /// says why they are not. For `probe`, and to notice who copies against its word.
    fn gives_dmabufs(&self, _stream: &VideoStream) -> Result<PixelFormat, String> {
        Err("its frames are in ordinary memory".to_owned())
    }
    /// Opens a decoder for the stream.
    fn open(&self, stream: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError>;
}

/// One decoder. `submit` and `poll` may be called in any order and never wait for a device.
pub trait Decoder: Send {
    /// Offers one access unit in decoding order. Refused while output must be polled first.
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError>;
    /// The next event, or `None` until more is submitted or `waitable` fires.
    fn poll(&mut self) -> Result<Option<DecodeEvent>, DecodeError>;
    /// Finish everything submitted, then report `Drained`. Nothing is taken until `flush`.
    fn drain(&mut self) -> Result<(), DecodeError>;
    /// Discard everything submitted; the next packet must be a resume point.
    fn flush(&mut self) -> Result<(), DecodeError>;
    /// What became of the frames so far.
    fn stats(&self) -> DecoderStats;
    /// What fires when `poll` or `submit` has something new to say.
    fn waitable(&self) -> Waitable<'_> {
        Waitable::Ready
    }
}
