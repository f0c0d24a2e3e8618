//! What we say of `linux/videodev2.h` against the header itself.
use std::mem::offset_of;

use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::{FourCc, abi};
use crate::sys::c_headers;

/// C expressions, and what we say they are.
fn claims() -> Vec<(String, u64)> {
    let mut it: Vec<(String, u64)> = Vec::new();
    macro_rules! size {
        ($($name:ident),+ $(,)?) => {
            $(it.push((concat!("sizeof(struct ", stringify!($name), ")").to_owned(), size_of::<$name>() as u64));)+
        };
    }
    abi::structs!(size);
    macro_rules! offset {
        ($($name:ident.$($field:ident).+),+ $(,)?) => {
            // `type` is a word of Rust's, which bindgen writes type_.
            $(it.push((
                format!("offsetof(struct {}, {})", stringify!($name), stringify!($($field).+).replace(' ', "").trim_end_matches('_')),
                offset_of!($name, $($field).+) as u64,
            ));)+
        };
    }
    offset!(
        v4l2_capability.driver,
        v4l2_capability.card,
        v4l2_capability.capabilities,
        v4l2_capability.device_caps,
        v4l2_fmtdesc.index,
        v4l2_fmtdesc.description,
        v4l2_fmtdesc.pixelformat,
        v4l2_frmsizeenum.pixel_format,
        v4l2_frmsizeenum.type_,
        v4l2_format.type_,
        v4l2_format.fmt,
        v4l2_pix_format.sizeimage,
        v4l2_pix_format.bytesperline,
        v4l2_pix_format.colorspace,
        v4l2_pix_format_mplane.plane_fmt,
        v4l2_pix_format_mplane.num_planes,
        v4l2_pix_format_mplane.colorspace,
        v4l2_requestbuffers.memory,
        v4l2_create_buffers.index,
        v4l2_create_buffers.format,
        v4l2_exportbuffer.index,
        v4l2_exportbuffer.flags,
        v4l2_exportbuffer.fd,
        v4l2_buffer.bytesused,
        v4l2_buffer.flags,
        v4l2_buffer.field,
        v4l2_buffer.timestamp,
        v4l2_buffer.memory,
        v4l2_buffer.m,
        v4l2_buffer.length,
        v4l2_plane.bytesused,
        v4l2_plane.length,
        v4l2_plane.m,
        v4l2_event.type_,
        v4l2_event.u,
        v4l2_event_subscription.type_,
        v4l2_decoder_cmd.cmd,
        v4l2_selection.target,
        v4l2_selection.r,
        v4l2_cropcap.pixelaspect,
        v4l2_query_ext_ctrl.minimum,
        v4l2_query_ext_ctrl.maximum,
        v4l2_querymenu.index,
        v4l2_ext_controls.count,
        v4l2_ext_controls.controls,
    );
    for (name, request) in [
        ("VIDIOC_QUERYCAP", vidioc::VIDIOC_QUERYCAP),
        ("VIDIOC_ENUM_FMT", vidioc::VIDIOC_ENUM_FMT),
        ("VIDIOC_ENUM_FRAMESIZES", vidioc::VIDIOC_ENUM_FRAMESIZES),
        ("VIDIOC_G_FMT", vidioc::VIDIOC_G_FMT),
        ("VIDIOC_S_FMT", vidioc::VIDIOC_S_FMT),
        ("VIDIOC_TRY_FMT", vidioc::VIDIOC_TRY_FMT),
        ("VIDIOC_CROPCAP", vidioc::VIDIOC_CROPCAP),
        ("VIDIOC_REQBUFS", vidioc::VIDIOC_REQBUFS),
        ("VIDIOC_QUERYBUF", vidioc::VIDIOC_QUERYBUF),
        ("VIDIOC_CREATE_BUFS", abi::CREATE_BUFS),
        ("VIDIOC_EXPBUF", vidioc::VIDIOC_EXPBUF),
        ("VIDIOC_QBUF", vidioc::VIDIOC_QBUF),
        ("VIDIOC_DQBUF", vidioc::VIDIOC_DQBUF),
        ("VIDIOC_STREAMON", vidioc::VIDIOC_STREAMON),
        ("VIDIOC_STREAMOFF", vidioc::VIDIOC_STREAMOFF),
        ("VIDIOC_DQEVENT", abi::DQEVENT),
        ("VIDIOC_SUBSCRIBE_EVENT", abi::SUBSCRIBE_EVENT),
        ("VIDIOC_DECODER_CMD", abi::DECODER_CMD),
        ("VIDIOC_ENCODER_CMD", vidioc::VIDIOC_ENCODER_CMD),
        ("VIDIOC_G_SELECTION", abi::G_SELECTION),
        ("VIDIOC_S_SELECTION", abi::S_SELECTION),
        ("VIDIOC_QUERY_EXT_CTRL", vidioc::VIDIOC_QUERY_EXT_CTRL),
        ("VIDIOC_QUERYMENU", vidioc::VIDIOC_QUERYMENU),
        ("VIDIOC_G_EXT_CTRLS", vidioc::VIDIOC_G_EXT_CTRLS),
        ("VIDIOC_S_EXT_CTRLS", vidioc::VIDIOC_S_EXT_CTRLS),
    ] {
        // C's int where it is signed, so that the comparison is of 32 bits.
        it.push((format!("(unsigned){name}"), u64::from(request as u32)));
    }
    for (name, value) in [
        ("V4L2_BUF_FLAG_LAST", V4L2_BUF_FLAG_LAST),
        ("V4L2_BUF_FLAG_ERROR", V4L2_BUF_FLAG_ERROR),
        ("V4L2_SEL_TGT_COMPOSE", V4L2_SEL_TGT_COMPOSE),
        ("V4L2_DEC_CMD_STOP", V4L2_DEC_CMD_STOP),
        ("V4L2_EVENT_SOURCE_CHANGE", V4L2_EVENT_SOURCE_CHANGE),
        ("V4L2_EVENT_EOS", V4L2_EVENT_EOS),
        ("V4L2_CID_MIN_BUFFERS_FOR_CAPTURE", V4L2_CID_MIN_BUFFERS_FOR_CAPTURE),
        ("V4L2_CID_MPEG_VIDEO_H264_PROFILE", V4L2_CID_MPEG_VIDEO_H264_PROFILE),
        ("V4L2_PIX_FMT_NV12", FourCc::new(b"NV12").0),
        ("V4L2_PIX_FMT_H264", FourCc::new(b"H264").0),
        ("V4L2_PIX_FMT_FWHT", FourCc::new(b"FWHT").0),
        ("V4L2_PIX_FMT_YUV420", FourCc::new(b"YU12").0),
    ] {
        it.push((name.to_owned(), u64::from(value)));
    }
    it
}

#[test]
fn every_struct_and_number_is_the_headers() {
    c_headers::check(&["linux/videodev2.h"], &claims());
}

#[test]
fn a_name_is_its_letters() {
    assert_eq!(FourCc::new(b"H264").to_string(), "H264");
    assert_eq!(FourCc(0x0000_0001).to_string(), "\\u{1}\\u{0}\\u{0}\\u{0}");
}
