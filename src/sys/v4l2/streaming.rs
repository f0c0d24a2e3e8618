//! `VIDIOC_STREAMON`, `VIDIOC_STREAMOFF`.
use std::os::fd::AsFd;

use v4l::v4l2::vidioc;

use super::abi;
use super::{Node, Queue, V4l2Error};

impl Node {
    /// Starts a queue.
    pub fn stream_on(&self, queue: Queue) -> Result<(), V4l2Error> {
        let mut it = self.type_of(queue).cast_signed();
        // SAFETY: the request takes an int.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_STREAMON", vidioc::VIDIOC_STREAMON, &mut it) }
    }

    /// Stops a queue: all its buffers are ours again. It waits for the device where a driver does, which may be seconds
    /// where the device is stuck.
    pub fn stream_off(&self, queue: Queue) -> Result<(), V4l2Error> {
        let mut it = self.type_of(queue).cast_signed();
        // SAFETY: the request takes an int.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_STREAMOFF", vidioc::VIDIOC_STREAMOFF, &mut it) }
    }
}
