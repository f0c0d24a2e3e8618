//! `VIDIOC_QUERYBUF` and mmap: an OUTPUT buffer as bytes.
use std::os::fd::{AsFd, BorrowedFd};

use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::{Node, Queue, V4l2Error};

/// Where a queue's memory comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// The driver's own; it can be exported.
    Mmap,
    /// Dma-bufs that we bring.
    Dmabuf,
}

impl Memory {
    pub(super) fn number(self) -> u32 {
        match self {
            Memory::Mmap => v4l2_memory_V4L2_MEMORY_MMAP,
            Memory::Dmabuf => v4l2_memory_V4L2_MEMORY_DMABUF,
        }
    }
}

/// A buffer of the driver's, mapped for as long as this lives. The driver keeps the memory until it is unmapped, so it
/// outlasts even its node.
#[derive(Debug)]
pub struct Mapped {
    start: std::ptr::NonNull<libc::c_void>,
    length: usize,
}

// SAFETY: the mapping belongs to no thread, and only a `&mut` reaches its bytes for writing.
unsafe impl Send for Mapped {}

impl Mapped {
    fn new(fd: BorrowedFd<'_>, length: u32, offset: u32) -> Result<Self, V4l2Error> {
        let failed = |errno| V4l2Error { call: "mmap", errno };
        let length = length as usize;
        let size = std::num::NonZeroUsize::new(length).ok_or(failed(nix::errno::Errno::EINVAL))?;
        let protection = nix::sys::mman::ProtFlags::PROT_READ | nix::sys::mman::ProtFlags::PROT_WRITE;
        let shared = nix::sys::mman::MapFlags::MAP_SHARED;
        // SAFETY: a new mapping at an address of the kernel's choice; no memory of ours is touched.
        let start = unsafe { nix::sys::mman::mmap(None, size, protection, shared, fd, libc::off_t::from(offset)) };
        Ok(Self { start: start.map_err(failed)?, length })
    }

    /// Its bytes. What they are while the device has the buffer is the device's affair, and any bytes are valid.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped at this length by `new` and until `drop`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast::<u8>(), self.length) }
    }

    /// Its bytes, to be filled before the buffer is queued.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and nobody else in this process has the mapping.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast::<u8>(), self.length) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, unmapped once; no borrow of its bytes outlives it.
        let _ = unsafe { nix::sys::mman::munmap(self.start, self.length) };
    }
}

impl Node {
    /// Maps a buffer of a queue whose memory is the driver's own.
    pub fn map(&self, queue: Queue, index: u32) -> Result<Mapped, V4l2Error> {
        let mut plane = v4l2_plane::zeroed();
        let mut it = v4l2_buffer { index, type_: self.type_of(queue), memory: Memory::Mmap.number(), ..Uapi::zeroed() };
        if self.is_multiplanar() {
            it.length = 1;
            it.m.planes = &raw mut plane;
        }
        // SAFETY: the request takes a v4l2_buffer; `planes`, where it is used, points at as many as `length` says.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_QUERYBUF", vidioc::VIDIOC_QUERYBUF, &mut it) }?;
        let (length, offset) = if self.is_multiplanar() {
            // SAFETY: of memory that can be mapped the kernel fills `mem_offset`.
            (plane.length, unsafe { plane.m.mem_offset })
        } else {
            // SAFETY: of memory that can be mapped the kernel fills `offset`.
            (it.length, unsafe { it.m.offset })
        };
        Mapped::new(self.as_fd(), length, offset)
    }
}
