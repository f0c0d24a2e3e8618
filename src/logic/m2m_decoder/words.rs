//! The states of a decoder, what is to be done, and what can go wrong.
use std::fmt;
use std::time::Duration;

use super::places::Place;

/// Where a decoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// OUTPUT is fed until the stream's header says what its pictures are like; CAPTURE has no buffers.
    Initialising,
    /// The owner asks the driver for the pictures' format and gives CAPTURE its buffers.
    SettingUp,
    /// Pictures come.
    Decoding,
    /// The source changed: pictures of before still come, up to the last.
    Changing,
    /// The driver cut off pictures it had made; it was told to let them out, and the queue is emptied.
    Rescuing,
    /// All pictures of before are out; they are shown while there is more than the last.
    Parting,
    /// The memory under them is wanted back.
    Retiring,
    /// A failure was reported; nothing more comes.
    Failed,
}

/// How far a drain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drain {
    /// Nobody asked for one.
    No,
    /// Asked for; the decoder cannot be told yet.
    Asked,
    /// The decoder was told to stop at the end of what it has.
    Given {
        /// It said that the last picture is made, which is before that picture is out.
        eos: bool,
    },
    /// All is out.
    Done,
}

/// What the owner is to do, in this order, before anything else is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Ask for the format and get buffers for it; report `capture_ready` or `not_ready`.
    SetUpCapture,
    /// Queue this CAPTURE buffer; report `queue_refused` where the driver does not take it.
    Queue(u32),
    /// Start the CAPTURE queue.
    StartCapture,
    /// Hand this buffer's picture on; report `came_home` when nobody holds it any more.
    Emit(u32),
    /// Say that the pool's memory is wanted back; report `all_home` when it is.
    Retire,
    /// Stop the CAPTURE queue and free its buffers.
    TakeDownCapture,
    /// Stop the OUTPUT queue and start it again.
    RestartOutput,
    /// Tell the decoder to stop at the end of what it has.
    Stop,
    /// Tell it to go on; report `start_refused` where it will not.
    Start,
    /// Say that the drain is over.
    Drained,
    /// Give up.
    Fail(Failure),
}

/// Why a decoder is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It takes packets and gives no pictures.
    Stalled {
        /// How long nothing came.
        after: Duration,
        /// Packets without a picture.
        packets: u64,
    },
    /// Buffers of a pool that is wanted back stay where they are.
    Kept {
        /// How long none came home.
        after: Duration,
    },
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without a sign of life from a decoder that has all it needs.
    pub stall: Duration,
    /// For the first word on what the pictures are like, before the driver is asked; for the pictures of before a change;
    /// and for the next of them to be shown.
    pub word: Duration,
    /// For the next buffer to come home to a pool that is wanted back.
    pub homecoming: Duration,
}

impl Default for Limits {
    /// A picture takes a tenth of a second on the slowest decoder there is, two 1080p streams on one block; five times
    /// that is a stall, and leaves half a second for another decoder to take over. Half of it must do for a word. Who
    /// holds a picture shows it within its time, so a second without one of them coming home is a fault of ours.
    fn default() -> Self {
        Self { stall: Duration::from_millis(500), word: Duration::from_millis(250), homecoming: Duration::from_secs(1) }
    }
}

/// Something happened that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impossible {
    /// What.
    pub event: &'static str,
    /// The buffer, and where it should be.
    pub buffer: Option<(u32, Place)>,
    /// In which state.
    pub state: State,
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.event)?;
        if let Some((index, place)) = self.buffer {
            write!(f, " of buffer {index}, which is {place:?},")?;
        }
        write!(f, " while {:?}", self.state)
    }
}

impl std::error::Error for Impossible {}
