//! A rig is a machine with a screen, a loudspeaker and a plug to pull, on which the player is tried: the virtual board, or a
//! real Pi. Cases say what is to happen in a [`Job`]; what a rig hands back is an [`Ended`].

pub mod board;
mod codec;
mod ended;
mod job;
pub mod pi;
mod script;

use std::fmt;
use std::path::Path;

pub use self::codec::Codec;
pub use self::ended::Ended;
pub use self::ended::{Frame, Picture, Recording};
pub use self::job::{Job, Step};

/// What only some rigs can do. A case names what it needs and is skipped, with the reason, where that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Time that only passes while everybody waits: exact figures on a busy machine.
    VirtualTime,
    /// A checksum of what the display controller composed, for each vblank.
    Crc,
    /// What the display controller composed can be read back as a picture.
    Writeback,
    /// What the player sends to the sound device comes back as a recording.
    Recording,
    /// Displays that can be unplugged.
    HotPlug,
    /// A second display.
    SecondOutput,
    /// Its power can be cut while it runs, and what was on its disk is there when it comes back.
    PowerCut,
    /// Faults of devices: drivers unbound and bound, system calls that fail.
    Faults,
    /// Consoles (`/dev/tty1` and on).
    Console,
    /// A television on the CEC line that tells what it heard.
    Television,
    /// A stateful H.264 decoder and encoder, `/dev/video10` and `/dev/video11`, for jobs that ask for it.
    Codec,
    /// That codec's character can be chosen, and its faults.
    CodecCharacter,
    /// The kernel's own test codec, vicodec, which decodes and encodes FWHT as the specification says.
    Vicodec,
}

/// A machine on which the player is tried. All methods may be called from several threads; a rig that can only do one thing
/// at a time makes the others wait.
pub trait Rig: Send + Sync {
    /// Its name, and that of its figures' file in `hw-tests/expect`.
    fn name(&self) -> &'static str;

    /// Why it cannot do this, if it cannot.
    fn lacks(&self, ability: Ability) -> Option<String>;

    /// The connector's name of its first, second ... display, as the player's `--output` takes it.
    fn output(&self, index: usize) -> &str;

    /// Boots if that is needed, lays the job's files out in an empty folder, does its steps one after the other there, and
    /// brings everything back that lies in it then.
    ///
    /// `folder` is that folder on this machine; it must be empty.
    ///
    /// # Errors
    ///
    /// The rig itself failed, in one line: it could not be started, its kernel crashed, its connection was lost. That
    /// the player failed is no error of the rig's: [`Ended`] tells.
    fn run(&self, job: &Job, folder: &Path) -> Result<Ended, RigError>;
}

/// Why a rig could not do a job. It is the rig's fault, not the player's.
#[derive(Debug)]
pub struct RigError(pub String);

impl fmt::Display for RigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
