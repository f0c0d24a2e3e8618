//! `VIDIOC_G_FMT`, `VIDIOC_S_FMT`, `VIDIOC_TRY_FMT`: what a queue's buffers hold.
use std::os::fd::AsFd;

use nix::errno::Errno;
use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::abi::{self, Uapi};
use super::{FourCc, Node, Queue, V4l2Error};

/// What is asked of a queue; 0 leaves a number to the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The format.
    pub fourcc: FourCc,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Bytes of a buffer.
    pub size: u32,
}

/// What a queue's buffers hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The format.
    pub fourcc: FourCc,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// From one row of the first plane to the next, in bytes; 0 for coded formats.
    pub stride: u32,
    /// Bytes of a buffer.
    pub size: u32,
    /// Pieces of memory a buffer has. Only those of one are for us.
    pub n_memories: u32,
    /// The kernel's number of how fields lie (`V4L2_FIELD_...`).
    pub field: u32,
    /// The kernel's number of the colour space (`V4L2_COLORSPACE_...`).
    pub colorspace: u32,
}

impl Format {
    /// Fields of two moments lie in one picture.
    pub fn is_interlaced(&self) -> bool {
        is_interlaced(self.field)
    }
}

/// Whether a field order is of two fields in one picture.
pub(super) fn is_interlaced(field: u32) -> bool {
    field != v4l2_field_V4L2_FIELD_ANY && field != v4l2_field_V4L2_FIELD_NONE
}

impl Node {
    /// The format of a queue. EINVAL for CAPTURE where the stream has not said yet what its pictures are.
    pub fn format(&self, queue: Queue) -> Result<Format, V4l2Error> {
        let mut it = v4l2_format { type_: self.type_of(queue), ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_format.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_G_FMT", vidioc::VIDIOC_G_FMT, &mut it) }?;
        Ok(self.read(&it))
    }

    /// Asks a format of a queue; the answer is what the driver makes of it. EBUSY while the queue has buffers.
    pub fn set_format(&self, queue: Queue, wanted: Wanted) -> Result<Format, V4l2Error> {
        let mut it = self.write(queue, wanted);
        // SAFETY: the request takes a v4l2_format.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_S_FMT", vidioc::VIDIOC_S_FMT, &mut it) }?;
        Ok(self.read(&it))
    }

    /// What `set_format` would answer.
    pub fn try_format(&self, queue: Queue, wanted: Wanted) -> Result<Format, V4l2Error> {
        let mut it = self.write(queue, wanted);
        // SAFETY: the request takes a v4l2_format.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_TRY_FMT", vidioc::VIDIOC_TRY_FMT, &mut it) }?;
        Ok(self.read(&it))
    }

    /// `VIDIOC_CROPCAP`: a pixel's width to its height, where the driver says.
    pub fn pixel_aspect(&self) -> Result<(u32, u32), V4l2Error> {
        let mut it = v4l2_cropcap { type_: self.type_of(Queue::Capture), ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_cropcap.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_CROPCAP", vidioc::VIDIOC_CROPCAP, &mut it) }?;
        // The kernel gives height to width, as its specification says of pixelaspect.
        let (num, den) = (it.pixelaspect.denominator, it.pixelaspect.numerator);
        if num == 0 || den == 0 {
            Err(V4l2Error { call: "VIDIOC_CROPCAP", errno: Errno::ENODATA })
        } else {
            Ok((num, den))
        }
    }

    /// The struct of this node's dialect. The unions' fields are only written here, which is always sound.
    pub(super) fn write(&self, queue: Queue, wanted: Wanted) -> v4l2_format {
        let mut it = v4l2_format { type_: self.type_of(queue), ..Uapi::zeroed() };
        if self.is_multiplanar() {
            let mut pix = v4l2_pix_format_mplane {
                width: wanted.width,
                height: wanted.height,
                pixelformat: wanted.fourcc.0,
                field: v4l2_field_V4L2_FIELD_ANY,
                num_planes: 1,
                ..Uapi::zeroed()
            };
            // Packed: a copy of the array goes out and back.
            let mut planes = pix.plane_fmt;
            if let Some(first) = planes.first_mut() {
                first.sizeimage = wanted.size;
            }
            pix.plane_fmt = planes;
            it.fmt.pix_mp = pix;
        } else {
            it.fmt.pix = v4l2_pix_format {
                width: wanted.width,
                height: wanted.height,
                pixelformat: wanted.fourcc.0,
                field: v4l2_field_V4L2_FIELD_ANY,
                sizeimage: wanted.size,
                ..Uapi::zeroed()
            };
        }
        it
    }

    fn read(&self, it: &v4l2_format) -> Format {
        if self.is_multiplanar() {
            // SAFETY: of a multi-planar type the kernel fills `pix_mp`; any bits are numbers.
            let pix = unsafe { it.fmt.pix_mp };
            let planes = pix.plane_fmt;
            let (stride, size) = planes.first().map_or((0, 0), |it| (it.bytesperline, it.sizeimage));
            Format {
                fourcc: FourCc(pix.pixelformat),
                width: pix.width,
                height: pix.height,
                stride,
                size,
                n_memories: u32::from(pix.num_planes),
                field: pix.field,
                colorspace: pix.colorspace,
            }
        } else {
            // SAFETY: of a single-planar type the kernel fills `pix`; any bits are numbers.
            let pix = unsafe { it.fmt.pix };
            Format {
                fourcc: FourCc(pix.pixelformat),
                width: pix.width,
                height: pix.height,
                stride: pix.bytesperline,
                size: pix.sizeimage,
                n_memories: 1,
                field: pix.field,
                colorspace: pix.colorspace,
            }
        }
    }
}
