//! `VIDIOC_QUERY_EXT_CTRL`, `VIDIOC_QUERYMENU`, `VIDIOC_G_EXT_CTRLS`, `VIDIOC_S_EXT_CTRLS`: a codec's numbers.
use std::os::fd::AsFd;

use nix::errno::Errno;
use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::node::text;
use super::{FourCc, Node, V4l2Error};

/// More entries than any menu has.
const MAX_ENTRIES: i64 = 64;

/// An entry of a menu, such as a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// Its number.
    pub index: u32,
    /// The driver's words.
    pub name: String,
}

impl Node {
    /// The profiles it decodes of a coded format; empty where the driver does not say.
    pub fn profiles(&self, coded: FourCc) -> Vec<MenuItem> {
        self.menu_of(coded, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_CID_MPEG_VIDEO_HEVC_PROFILE)
    }

    /// The levels it decodes of a coded format; empty where the driver does not say.
    pub fn levels(&self, coded: FourCc) -> Vec<MenuItem> {
        self.menu_of(coded, V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_CID_MPEG_VIDEO_HEVC_LEVEL)
    }

    fn menu_of(&self, coded: FourCc, h264: u32, hevc: u32) -> Vec<MenuItem> {
        match &coded.0.to_le_bytes() {
            b"H264" => self.menu(h264).unwrap_or_default(),
            b"HEVC" => self.menu(hevc).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The entries of a menu that may be chosen. EINVAL where there is no such control.
    fn menu(&self, id: u32) -> Result<Vec<MenuItem>, V4l2Error> {
        let mut control = v4l2_query_ext_ctrl { id, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_query_ext_ctrl.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_QUERY_EXT_CTRL", vidioc::VIDIOC_QUERY_EXT_CTRL, &mut control) }?;
        let mut all = Vec::new();
        for index in control.minimum.max(0)..=control.maximum.min(MAX_ENTRIES) {
            // Within 0..=64, by the line above.
            let index = index as u32;
            let mut it = v4l2_querymenu { id, index, ..Uapi::zeroed() };
            // SAFETY: the request takes a v4l2_querymenu.
            match unsafe { abi::ioctl(self.as_fd(), "VIDIOC_QUERYMENU", vidioc::VIDIOC_QUERYMENU, &mut it) } {
                Ok(()) => {
                    // Packed: the union is copied out first.
                    let entry = it.__bindgen_anon_1;
                    // SAFETY: of a menu of names the kernel fills `name`; any bytes are valid.
                    let name = unsafe { entry.name };
                    all.push(MenuItem { index, name: text(&name) });
                }
                // A gap in the menu.
                Err(V4l2Error { errno: Errno::EINVAL, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// How many CAPTURE buffers the decoder keeps for itself; `None` where the driver does not say.
    pub fn min_capture_buffers(&self) -> Option<u32> {
        let mut value = v4l2_ext_control { id: V4L2_CID_MIN_BUFFERS_FOR_CAPTURE, ..Uapi::zeroed() };
        self.controls("VIDIOC_G_EXT_CTRLS", vidioc::VIDIOC_G_EXT_CTRLS, &mut value).ok()?;
        // Packed: the union is copied out first.
        let answer = value.__bindgen_anon_1;
        // SAFETY: of a number the kernel fills `value`.
        u32::try_from(unsafe { answer.value }).ok()
    }

    /// Sets a number. EINVAL where there is no such control, ERANGE where the number does not suit it.
    pub fn set_control(&self, id: u32, value: i32) -> Result<(), V4l2Error> {
        let mut it = v4l2_ext_control { id, ..Uapi::zeroed() };
        it.__bindgen_anon_1 = v4l2_ext_control__bindgen_ty_1 { value };
        self.controls("VIDIOC_S_EXT_CTRLS", vidioc::VIDIOC_S_EXT_CTRLS, &mut it)
    }

    fn controls(
        &self,
        call: &'static str,
        request: vidioc::_IOC_TYPE,
        one: &mut v4l2_ext_control,
    ) -> Result<(), V4l2Error> {
        let mut all = v4l2_ext_controls { count: 1, controls: std::ptr::from_mut(one), ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_ext_controls; `controls` points at as many as `count` says.
        unsafe { abi::ioctl(self.as_fd(), call, request, &mut all) }
    }
}
