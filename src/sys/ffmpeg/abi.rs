//! How this folder reads FFmpeg's structs: one field at a time, through the pointer its owner keeps.
//!
//! A reference to a whole struct would promise that each of its enum fields holds a value some header names. Files can
//! put other numbers there (a WebM's matrix coefficients are copied unseen), so enum fields are only ever read as the
//! `int` they are in C.

use ffmpeg_sys_next::AVRational;

/// Methods that read plain fields of the struct behind `self.as_ptr()`.
macro_rules! getters {
    ($($(#[$meta:meta])* $visibility:vis $name:ident = $($field:ident).+ : $type:ty;)+) => {$(
        $(#[$meta])*
        $visibility fn $name(&self) -> $type {
            // SAFETY: `as_ptr` is the struct this value owns or borrows, allocated by FFmpeg and alive as long as it.
            unsafe { (*self.as_ptr()).$($field).+ }
        }
    )+};
}

/// Methods that read enum fields of the struct behind `self.as_ptr()` as numbers.
macro_rules! numbers {
    ($($(#[$meta:meta])* $visibility:vis $name:ident = $field:ident;)+) => {$(
        $(#[$meta])*
        $visibility fn $name(&self) -> i32 {
            // SAFETY: the address of a field of the struct this value owns or borrows; nothing is read.
            let field = unsafe { &raw const (*self.as_ptr()).$field };
            // SAFETY: FFmpeg's enums are ints in C, and FFmpeg initialises every field of what it allocates.
            unsafe { field.cast::<i32>().read() }
        }
    )+};
}

/// Methods that write plain fields of the struct behind `self.as_ptr()`.
macro_rules! setters {
    ($($(#[$meta:meta])* $visibility:vis $name:ident = $field:ident : $type:ty;)+) => {$(
        $(#[$meta])*
        $visibility fn $name(&mut self, value: $type) {
            // SAFETY: `as_ptr` is the struct this value owns; `&mut self` says nobody else looks.
            unsafe { (*self.as_ptr()).$field = value };
        }
    )+};
}

pub(super) use {getters, numbers, setters};

/// `AVMasteringDisplayMetadata` of libavutil/mastering_display_metadata.h, which ffmpeg-sys-next leaves out.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct MasteringDisplay {
    _primaries: [[AVRational; 2]; 3],
    _white_point: [AVRational; 2],
    _min_luminance: AVRational,
    pub max_luminance: AVRational,
    _has_primaries: libc::c_int,
    pub has_luminance: libc::c_int,
}

/// `AVContentLightMetadata` of the same header.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ContentLight {
    pub max_cll: libc::c_uint,
    _max_fall: libc::c_uint,
}
