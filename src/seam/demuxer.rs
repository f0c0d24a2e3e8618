//! Bytes in, coded packets out.
use std::time::Duration;

use crate::base::cancel::Cancel;
use crate::base::offer::Severity;
use crate::base::packet::Packet;
use crate::base::stream::MediaInfo;

/// How to open an input.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Give up when the input has not answered for this long (network inputs; files are bounded by it too).
    pub timeout: Duration,
    /// Sound will not be heard: do not read it.
    pub without_audio: bool,
    /// Gives up at once when set.
    pub cancel: Cancel,
}

/// What came out of an input.
#[derive(Debug)]
pub enum Demuxed {
    /// One packet.
    Packet(Packet),
    /// The input is at its end; `rewind` may start it again.
    EndOfStream,
}

/// What can go wrong with an input. Each says what, on what, and why; `advice` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DemuxError {
    /// The file or host is not there, or may not be read.
    #[error("{input}: {reason}")]
    Unreachable {
        /// The path or URL.
        input: String,
        /// The system's words.
        reason: String,
    },
    /// The bytes are not a container FFmpeg knows, or too broken to open.
    #[error("{input}: {reason}")]
    NotMedia {
        /// The path or URL.
        input: String,
        /// What was wrong, with the byte or box where FFmpeg tells.
        reason: String,
    },
    /// Opened, but nothing to show in it.
    #[error("{input}: there is no picture in it ({found})")]
    NoVideo {
        /// The path or URL.
        input: String,
        /// What there is instead.
        found: String,
    },
    /// Over a limit of ours: size, stream count.
    #[error("{input}: {what} is over the limit of {limit}")]
    OverLimit {
        /// The path or URL.
        input: String,
        /// What is too large.
        what: String,
        /// How much would be allowed.
        limit: String,
    },
    /// No answer in time.
    #[error("{input}: no answer for {after:?}")]
    TimedOut {
        /// The path or URL.
        input: String,
        /// How long we waited.
        after: Duration,
    },
    /// Somebody asked to give up.
    #[error("{input}: cancelled")]
    Cancelled {
        /// The path or URL.
        input: String,
    },
    /// Reading failed half way.
    #[error("{input}: read failed: {reason}")]
    Read {
        /// The path or URL.
        input: String,
        /// FFmpeg's words, with the byte where it tells.
        reason: String,
    },
}

impl DemuxError {
    /// What it asks of the caller.
    pub fn severity(&self) -> Severity {
        match self {
            DemuxError::TimedOut { .. } | DemuxError::Read { .. } | DemuxError::Unreachable { .. } => {
                Severity::Reconfigure
            }
            DemuxError::Cancelled { .. } => Severity::Fatal,
            DemuxError::NotMedia { .. } | DemuxError::NoVideo { .. } | DemuxError::OverLimit { .. } => {
                Severity::FallBack
            }
        }
    }

    /// What a user can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            DemuxError::Unreachable { .. } => "check the path, its permissions or the network",
            DemuxError::NotMedia { .. } => "check the file with `lucarne probe`, or copy it again",
            DemuxError::NoVideo { .. } => "play something that has a picture",
            DemuxError::OverLimit { .. } => "scale it down first",
            DemuxError::TimedOut { .. } => "check the server and the network",
            DemuxError::Cancelled { .. } => "nothing to do",
            DemuxError::Read { .. } => "copy the file again, or check the disk or the network",
        }
    }
}

/// Opens inputs.
pub trait DemuxerFactory: Send + Sync {
    /// Opens `input` (a path or URL) and reads enough to describe it. Blocks for `options.timeout` at most per read.
    fn open(&self, input: &str, options: &OpenOptions) -> Result<Box<dyn Demuxer>, DemuxError>;
}

/// An opened input. Belongs to one thread; `read` is the one call in the house that waits for I/O, bounded by the
/// options' timeout and cancel flag.
pub trait Demuxer: Send {
    /// What it is.
    fn info(&self) -> &MediaInfo;
    /// The next packet of the chosen video and audio stream, in file order. Timestamps are the stream's own.
    fn read(&mut self) -> Result<Demuxed, DemuxError>;
    /// Back to the start, so that the next packet is a resume point of each stream.
    fn rewind(&mut self) -> Result<(), DemuxError>;
}
