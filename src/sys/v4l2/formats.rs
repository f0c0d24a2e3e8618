//! `VIDIOC_ENUM_FMT`, `VIDIOC_ENUM_FRAMESIZES`: what a queue offers.
use std::os::fd::AsFd;

use nix::errno::Errno;
use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::node::text;
use super::{FourCc, Node, Queue, V4l2Error};

/// More than any driver lists: one that never says EINVAL is not asked for ever.
const MAX_ENTRIES: u32 = 256;

/// A format on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its letters.
    pub fourcc: FourCc,
    /// The driver's words.
    pub description: String,
}

/// The sizes a format may have, in pixels, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRange {
    /// The smallest width and height.
    pub min: (u32, u32),
    /// The largest width and height.
    pub max: (u32, u32),
    /// From one to the next, across and down; 0 where there is but one.
    pub step: (u32, u32),
}

impl Node {
    /// The formats of a queue, in the driver's order.
    pub fn formats(&self, queue: Queue) -> Result<Vec<Offered>, V4l2Error> {
        let mut all = Vec::new();
        for index in 0..MAX_ENTRIES {
            let mut it = v4l2_fmtdesc { index, type_: self.type_of(queue), ..Uapi::zeroed() };
            // SAFETY: the request takes a v4l2_fmtdesc.
            match unsafe { abi::ioctl(self.as_fd(), "VIDIOC_ENUM_FMT", vidioc::VIDIOC_ENUM_FMT, &mut it) } {
                Ok(()) => all.push(Offered { fourcc: FourCc(it.pixelformat), description: text(&it.description) }),
                Err(V4l2Error { errno: Errno::EINVAL, .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// The sizes of a format; `None` where the driver does not say.
    pub fn sizes(&self, format: FourCc) -> Result<Option<SizeRange>, V4l2Error> {
        let mut all: Option<SizeRange> = None;
        for index in 0..MAX_ENTRIES {
            let mut it = v4l2_frmsizeenum { index, pixel_format: format.0, ..Uapi::zeroed() };
            // SAFETY: the request takes a v4l2_frmsizeenum.
            let answer =
                unsafe { abi::ioctl(self.as_fd(), "VIDIOC_ENUM_FRAMESIZES", vidioc::VIDIOC_ENUM_FRAMESIZES, &mut it) };
            match answer {
                Ok(()) if it.type_ == v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE => {
                    // SAFETY: of a discrete size the kernel fills `discrete`; any bits are two numbers.
                    let one = unsafe { it.__bindgen_anon_1.discrete };
                    let range = all.get_or_insert(SizeRange {
                        min: (one.width, one.height),
                        max: (one.width, one.height),
                        step: (0, 0),
                    });
                    range.min = (range.min.0.min(one.width), range.min.1.min(one.height));
                    range.max = (range.max.0.max(one.width), range.max.1.max(one.height));
                }
                Ok(()) => {
                    // SAFETY: of any other type it fills `stepwise`; any bits are six numbers.
                    let it = unsafe { it.__bindgen_anon_1.stepwise };
                    return Ok(Some(SizeRange {
                        min: (it.min_width, it.min_height),
                        max: (it.max_width, it.max_height),
                        step: (it.step_width, it.step_height),
                    }));
                }
                Err(V4l2Error { errno: Errno::EINVAL | Errno::ENOTTY, .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}
