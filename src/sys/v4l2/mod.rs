//! The kernel's interface to memory-to-memory codecs, one ioctl family a file
//! ([dev-mem2mem](https://docs.kernel.org/userspace-api/media/v4l/dev-mem2mem.html)).
//!
//! A node has two queues: OUTPUT is what we give, CAPTURE what we get. Drivers speak the single-planar or the
//! multi-planar dialect of it; [`Node`] hides which. A buffer is one piece of memory, with all planes of a picture in it:
//! formats of several pieces (`NM12`) are not offered to callers.
//!
//! What is no failure is no error: an empty queue, a queue past its last buffer, no event ([`Dequeued`]).
mod abi;
mod buffers;
mod command;
mod controls;
mod events;
mod format;
mod formats;
mod memory;
mod node;
mod queue;
mod selection;
mod streaming;
#[cfg(test)]
mod tests;

pub use controls::MenuItem;
pub use events::Event;
pub use format::{Format, Wanted};
pub use formats::{Offered, SizeRange};
pub use memory::{Mapped, Memory};
pub use node::{Node, Queue};
pub use queue::{Dequeued, Filled};

use nix::errno::Errno;

/// Four letters that name a format: the first in the lowest byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub u32);

impl FourCc {
    /// By its letters.
    pub const fn new(letters: &[u8; 4]) -> Self {
        Self(u32::from_le_bytes(*letters))
    }
}

impl std::fmt::Display for FourCc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.to_le_bytes() {
            // The top bit of the last says big endian; nobody writes it.
            write!(f, "{}", char::from(byte & 0x7f).escape_default())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for FourCc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FourCc({self})")
    }
}

/// A call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {errno}")]
pub struct V4l2Error {
    /// The ioctl.
    pub call: &'static str,
    /// The kernel's answer.
    pub errno: Errno,
}

impl V4l2Error {
    /// The device is not there any more.
    pub fn is_gone(&self) -> bool {
        matches!(self.errno, Errno::ENODEV | Errno::ENXIO)
    }
}
