//! Dma-bufs of our own: memory that devices share, from one of the kernel's heaps or of a memfd.
//!
//! See Documentation/userspace-api/dma-buf-heaps.rst and Documentation/driver-api/dma-buf.rst. How the memory comes to a
//! screen is not known here.
mod abi;
mod heap;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

pub use heap::{Heap, Placement};

use super::mapping::Mapping;

/// What the CPU is about to do to a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Write it, and perhaps read it.
    Write,
}

/// One dma-buf.
#[derive(Debug)]
pub struct Dmabuf {
    file: File,
    length: usize,
}

impl Dmabuf {
    /// Takes over a dma-buf that must hold at least `at_least` bytes. Its real size is asked of the kernel: EINVAL where
    /// there is less, ESPIPE where it is no dma-buf.
    pub fn adopt(fd: OwnedFd, at_least: usize) -> io::Result<Self> {
        let mut file = File::from(fd);
        let length = file.seek(SeekFrom::End(0))?;
        let length = usize::try_from(length).map_err(|_| io::Error::from(Errno::EOVERFLOW))?;
        if length < at_least {
            let words = format!("a dma-buf of {length} bytes where {at_least} are needed");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        Ok(Self { file, length })
    }

    /// How many bytes it has: whole pages.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Maps all of it. Keep the mapping: making one costs a page fault for each page touched.
    pub fn map(&self) -> io::Result<Mapping> {
        Mapping::new(self.as_fd(), self.length)
    }

    /// `DMA_BUF_IOCTL_SYNC` with START: before the CPU touches it. Waits for devices that still write (and for `Write`,
    /// read) it, where their drivers say so; none of ours does at that time.
    pub fn begin(&self, access: Access) -> io::Result<()> {
        self.sync(bits(access))
    }

    /// `DMA_BUF_IOCTL_SYNC` with END: after the CPU has touched it, so that devices see what was written.
    pub fn end(&self, access: Access) -> io::Result<()> {
        self.sync(bits(access) | abi::SYNC_END)
    }

    fn sync(&self, flags: u64) -> io::Result<()> {
        let it = abi::Sync { flags };
        loop {
            // SAFETY: `it` is a whole dma_buf_sync that outlives the call; what is no dma-buf answers ENOTTY.
            match unsafe { abi::raw::sync(self.file.as_raw_fd(), &it) } {
                // The kernel's documentation asks callers to try again.
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(it) => return Err(it.into()),
                Ok(_) => return Ok(()),
            }
        }
    }
}

impl AsFd for Dmabuf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn bits(access: Access) -> u64 {
    match access {
        Access::Read => abi::SYNC_READ,
        Access::Write => abi::SYNC_READ | abi::SYNC_WRITE,
    }
}
