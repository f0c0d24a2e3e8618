//! `VIDIOC_DECODER_CMD`, `VIDIOC_ENCODER_CMD`: finish, and go on.
use std::os::fd::AsFd;

use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::{Node, V4l2Error};

impl Node {
    /// The decoder finishes what it was given, and flags the last buffer. EBUSY while it does.
    pub fn stop_decoder(&self) -> Result<(), V4l2Error> {
        self.decoder_command(V4L2_DEC_CMD_STOP)
    }

    /// It goes on after its last buffer. EBUSY before that one has come out.
    pub fn start_decoder(&self) -> Result<(), V4l2Error> {
        self.decoder_command(V4L2_DEC_CMD_START)
    }

    fn decoder_command(&self, cmd: u32) -> Result<(), V4l2Error> {
        let mut it = v4l2_decoder_cmd { cmd, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_decoder_cmd.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_DECODER_CMD", abi::DECODER_CMD, &mut it) }
    }

    /// The encoder finishes what it was given, and flags the last buffer.
    pub fn stop_encoder(&self) -> Result<(), V4l2Error> {
        let mut it = v4l2_encoder_cmd { cmd: V4L2_ENC_CMD_STOP, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_encoder_cmd.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_ENCODER_CMD", vidioc::VIDIOC_ENCODER_CMD, &mut it) }
    }
}
