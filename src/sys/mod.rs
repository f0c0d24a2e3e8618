//! Thin, safe bindings to what is unsafe or leaks. The only layer with `unsafe`: one operation a block, each with its
//! reason. One of the three files that may choose by platform.
#![allow(unsafe_code)]

pub mod alloc;
#[cfg(test)]
pub mod c_headers;
#[cfg(target_os = "linux")]
pub mod cec;
pub mod clock;
#[cfg(target_os = "linux")]
pub mod dmabuf;
#[cfg(target_os = "linux")]
pub mod egl;
pub mod ffmpeg;
pub mod gl;
#[cfg(target_os = "linux")]
pub mod kms;
pub mod mapping;
#[cfg(target_os = "linux")]
pub mod poll_set;
#[cfg(target_os = "linux")]
pub mod v4l2;
#[cfg(target_os = "linux")]
pub mod vt;
