//! The requests of `linux/videodev2.h` that the `v4l` crate has no numbers for, and the one call that makes them all.
use std::ffi::c_void;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use v4l::v4l_sys::*;
use v4l::v4l2::vidioc::_IOC_TYPE;

use super::V4l2Error;

pub(super) const DQEVENT: _IOC_TYPE = nix::request_code_read!(b'V', 89, size_of::<v4l2_event>()) as _IOC_TYPE;
pub(super) const SUBSCRIBE_EVENT: _IOC_TYPE =
    nix::request_code_write!(b'V', 90, size_of::<v4l2_event_subscription>()) as _IOC_TYPE;
pub(super) const CREATE_BUFS: _IOC_TYPE =
    nix::request_code_readwrite!(b'V', 92, size_of::<v4l2_create_buffers>()) as _IOC_TYPE;
pub(super) const G_SELECTION: _IOC_TYPE =
    nix::request_code_readwrite!(b'V', 94, size_of::<v4l2_selection>()) as _IOC_TYPE;
pub(super) const S_SELECTION: _IOC_TYPE =
    nix::request_code_readwrite!(b'V', 95, size_of::<v4l2_selection>()) as _IOC_TYPE;
pub(super) const DECODER_CMD: _IOC_TYPE =
    nix::request_code_readwrite!(b'V', 96, size_of::<v4l2_decoder_cmd>()) as _IOC_TYPE;

/// The plain structs of `linux/videodev2.h` that a request takes.
///
/// # Safety
/// All bits zero must be a valid value.
pub(super) unsafe trait Uapi: Copy {
    /// The kernel wants every field that is not used to be 0.
    fn zeroed() -> Self {
        // SAFETY: the implementation promises that all zero is valid.
        unsafe { std::mem::zeroed() }
    }
}

/// Hands all structs that a request of ours takes to a macro: here they get what they need, in the tests they are compared
/// with the header.
macro_rules! structs {
    ($with:ident) => {
        $with!(
            v4l2_capability,
            v4l2_fmtdesc,
            v4l2_frmsizeenum,
            v4l2_format,
            v4l2_pix_format,
            v4l2_pix_format_mplane,
            v4l2_requestbuffers,
            v4l2_create_buffers,
            v4l2_exportbuffer,
            v4l2_buffer,
            v4l2_plane,
            v4l2_event,
            v4l2_event_subscription,
            v4l2_decoder_cmd,
            v4l2_encoder_cmd,
            v4l2_selection,
            v4l2_cropcap,
            v4l2_query_ext_ctrl,
            v4l2_querymenu,
            v4l2_ext_control,
            v4l2_ext_controls,
        );
    };
}
#[cfg(test)]
pub(super) use structs;

macro_rules! uapi {
    ($($it:ident),+ $(,)?) => {
        // SAFETY: C structs of integers, arrays and unions of those, and pointers, which may be null.
        $(unsafe impl Uapi for $it {})+
    };
}

structs!(uapi);

/// One request, repeated when a signal interrupts it.
///
/// # Safety
/// `T` is the struct that `request` names, and pointers in it are valid as the request demands.
pub(super) unsafe fn ioctl<T>(
    fd: BorrowedFd<'_>,
    call: &'static str,
    request: _IOC_TYPE,
    it: &mut T,
) -> Result<(), V4l2Error> {
    let argument = std::ptr::from_mut(it).cast::<c_void>();
    loop {
        // SAFETY: the caller pairs request and struct; `it` is borrowed for the call; the descriptor is open.
        match unsafe { v4l::v4l2::ioctl(fd.as_raw_fd(), request, argument) } {
            Ok(()) => return Ok(()),
            Err(error) => match Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)) {
                Errno::EINTR => {}
                errno => return Err(V4l2Error { call, errno }),
            },
        }
    }
}
