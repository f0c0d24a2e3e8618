//! `VIDIOC_REQBUFS`, `VIDIOC_CREATE_BUFS`, `VIDIOC_EXPBUF`: a queue's buffers.
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::{Memory, Node, Queue, V4l2Error, Wanted};

impl Node {
    /// Gives a queue `count` buffers in place of those it had; the answer is how many it has. 0 frees them, which waits
    /// for nothing but the driver. EBUSY while some are mapped or exported, with drivers that do not orphan them.
    pub fn request_buffers(&self, queue: Queue, memory: Memory, count: u32) -> Result<u32, V4l2Error> {
        let mut it =
            v4l2_requestbuffers { count, type_: self.type_of(queue), memory: memory.number(), ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_requestbuffers.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_REQBUFS", vidioc::VIDIOC_REQBUFS, &mut it) }?;
        Ok(it.count)
    }

    /// Gives a queue `count` more buffers, good for `wanted`; the answer is the first one's index and how many there are.
    pub fn create_buffers(
        &self,
        queue: Queue,
        memory: Memory,
        count: u32,
        wanted: Wanted,
    ) -> Result<(u32, u32), V4l2Error> {
        let format = self.write(queue, wanted);
        let mut it = v4l2_create_buffers { count, memory: memory.number(), format, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_create_buffers.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_CREATE_BUFS", abi::CREATE_BUFS, &mut it) }?;
        Ok((it.index, it.count))
    }

    /// A buffer as a dma-buf's descriptor, which keeps its memory alive, whatever becomes of the queue.
    pub fn export(&self, queue: Queue, index: u32) -> Result<OwnedFd, V4l2Error> {
        let flags = (libc::O_RDWR | libc::O_CLOEXEC).cast_unsigned();
        let mut it = v4l2_exportbuffer { type_: self.type_of(queue), index, flags, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_exportbuffer.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_EXPBUF", vidioc::VIDIOC_EXPBUF, &mut it) }?;
        // SAFETY: the kernel has just made this descriptor for us, and nobody else knows of it.
        Ok(unsafe { OwnedFd::from_raw_fd(it.fd) })
    }
}
