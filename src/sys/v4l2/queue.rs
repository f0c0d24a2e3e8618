//! `VIDIOC_QBUF`, `VIDIOC_DQBUF`: buffers go to the driver and come back. Nothing is allocated here.
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::format::is_interlaced;
use super::{Memory, Node, Queue, V4l2Error};

/// Microseconds in a second.
const MICROS: u64 = 1_000_000;

/// A buffer that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// Its place in its queue.
    pub index: u32,
    /// Bytes in it. 0: no picture.
    pub used: u32,
    /// The number its packet was queued with.
    pub token: u64,
    /// The driver says that what is in it is damaged.
    pub is_corrupt: bool,
    /// No more come until the queue is started again.
    pub is_last: bool,
    /// It holds two fields of different moments.
    pub is_interlaced: bool,
}

/// What asking for a buffer led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dequeued {
    /// One came back.
    Buffer(Filled),
    /// None is ready (EAGAIN).
    Nothing,
    /// None will be ready until the queue is started again: the last one is out (EPIPE).
    End,
}

impl Node {
    /// Hands a buffer to the driver. `dmabuf`: its memory, where that is ours; `used`: bytes in it; `token`: comes back
    /// with the pictures made of it. EINVAL where the buffer does not suit the stream any more.
    pub fn queue(
        &self,
        queue: Queue,
        index: u32,
        dmabuf: Option<BorrowedFd<'_>>,
        used: u32,
        token: u64,
    ) -> Result<(), V4l2Error> {
        let memory = if dmabuf.is_some() { Memory::Dmabuf } else { Memory::Mmap };
        let mut plane = v4l2_plane { bytesused: used, ..Uapi::zeroed() };
        let mut it = v4l2_buffer { index, type_: self.type_of(queue), memory: memory.number(), ..Uapi::zeroed() };
        it.timestamp.tv_sec = (token / MICROS) as _;
        it.timestamp.tv_usec = (token % MICROS) as _;
        if self.is_multiplanar() {
            if let Some(fd) = dmabuf {
                plane.m.fd = fd.as_raw_fd();
            }
            it.length = 1;
            it.m.planes = &raw mut plane;
        } else {
            if let Some(fd) = dmabuf {
                it.m.fd = fd.as_raw_fd();
            }
            it.bytesused = used;
        }
        // SAFETY: the request takes a v4l2_buffer; `planes`, where it is used, points at as many as `length` says.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_QBUF", vidioc::VIDIOC_QBUF, &mut it) }
    }

    /// Takes back a buffer, if one is ready.
    pub fn dequeue(&self, queue: Queue, memory: Memory) -> Result<Dequeued, V4l2Error> {
        let mut planes = [v4l2_plane::zeroed(); VIDEO_MAX_PLANES as usize];
        let mut it = v4l2_buffer { type_: self.type_of(queue), memory: memory.number(), ..Uapi::zeroed() };
        if self.is_multiplanar() {
            it.length = VIDEO_MAX_PLANES;
            it.m.planes = planes.as_mut_ptr();
        }
        // SAFETY: the request takes a v4l2_buffer; `planes`, where it is used, points at as many as `length` says.
        match unsafe { abi::ioctl(self.as_fd(), "VIDIOC_DQBUF", vidioc::VIDIOC_DQBUF, &mut it) } {
            Ok(()) => {}
            Err(V4l2Error { errno: Errno::EAGAIN, .. }) => return Ok(Dequeued::Nothing),
            Err(V4l2Error { errno: Errno::EPIPE, .. }) => return Ok(Dequeued::End),
            Err(error) => return Err(error),
        }
        let used = if self.is_multiplanar() { planes[0].bytesused } else { it.bytesused };
        // Both come back as they went: neither is negative. How many bits they have depends on the machine.
        let (seconds, micros) = (it.timestamp.tv_sec as u64, it.timestamp.tv_usec as u64);
        Ok(Dequeued::Buffer(Filled {
            index: it.index,
            used,
            token: seconds.wrapping_mul(MICROS).wrapping_add(micros),
            is_corrupt: it.flags & V4L2_BUF_FLAG_ERROR != 0,
            is_last: it.flags & V4L2_BUF_FLAG_LAST != 0,
            is_interlaced: is_interlaced(it.field),
        }))
    }
}
