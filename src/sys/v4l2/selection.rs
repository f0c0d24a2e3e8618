//! `VIDIOC_G_SELECTION`, `VIDIOC_S_SELECTION`: the part of a picture that is shown, or coded.
use std::os::fd::AsFd;

use nix::errno::Errno;
use v4l::v4l_sys::*;

use super::abi::{self, Uapi};
use super::{Node, V4l2Error};
use crate::base::format::Rect;

impl Node {
    /// The part of a decoder's CAPTURE buffers that is to be shown. EINVAL or ENOTTY where the driver does not say.
    pub fn visible(&self) -> Result<Rect, V4l2Error> {
        // The specification wants the single-planar type here, of either dialect.
        let type_ = v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
        let mut it = v4l2_selection { type_, target: V4L2_SEL_TGT_COMPOSE, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_selection.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_G_SELECTION", abi::G_SELECTION, &mut it) }?;
        let side =
            |it: i32| u32::try_from(it).map_err(|_| V4l2Error { call: "VIDIOC_G_SELECTION", errno: Errno::ERANGE });
        Ok(Rect { x: side(it.r.left)?, y: side(it.r.top)?, width: it.r.width, height: it.r.height })
    }

    /// The part of an encoder's OUTPUT buffers that is to be coded.
    pub fn set_source(&self, rect: Rect) -> Result<(), V4l2Error> {
        let type_ = v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_OUTPUT;
        let mut it = v4l2_selection { type_, target: V4L2_SEL_TGT_CROP, ..Uapi::zeroed() };
        it.r.left = rect.x.cast_signed();
        it.r.top = rect.y.cast_signed();
        it.r.width = rect.width;
        it.r.height = rect.height;
        // SAFETY: the request takes a v4l2_selection.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_S_SELECTION", abi::S_SELECTION, &mut it) }
    }
}
