//! A codec's node: what it is, and which dialect it speaks.
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use v4l::v4l_sys::*;
use v4l::v4l2::vidioc;

use super::V4l2Error;
use super::abi::{self, Uapi};

/// One of a node's two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// What we give it.
    Output,
    /// What it gives us.
    Capture,
}

/// An open codec node. Each opening is an instance of its own; closing it ends everything at once.
#[derive(Debug)]
pub struct Node {
    file: File,
    path: PathBuf,
    driver: String,
    card: String,
    is_multiplanar: bool,
}

impl Node {
    /// Opens a memory-to-memory device, without ever waiting in it. ENOTTY where it is no video device, EOPNOTSUPP where
    /// it is a camera or another that is no codec.
    pub fn open(path: &Path) -> Result<Self, V4l2Error> {
        let opened = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
        let failed = |it: std::io::Error| V4l2Error {
            call: "open",
            errno: Errno::from_raw(it.raw_os_error().unwrap_or(libc::EIO)),
        };
        let file = opened.map_err(failed)?;
        let mut it = v4l2_capability::zeroed();
        // SAFETY: the request takes a v4l2_capability.
        unsafe { abi::ioctl(file.as_fd(), "VIDIOC_QUERYCAP", vidioc::VIDIOC_QUERYCAP, &mut it) }?;
        let has_own = it.capabilities & V4L2_CAP_DEVICE_CAPS != 0;
        let caps = if has_own { it.device_caps } else { it.capabilities };
        let is_multiplanar = caps & V4L2_CAP_VIDEO_M2M_MPLANE != 0;
        let is_codec = is_multiplanar || caps & V4L2_CAP_VIDEO_M2M != 0;
        if !is_codec || caps & V4L2_CAP_STREAMING == 0 {
            return Err(V4l2Error { call: "VIDIOC_QUERYCAP", errno: Errno::EOPNOTSUPP });
        }
        Ok(Self { file, path: path.to_owned(), driver: text(&it.driver), card: text(&it.card), is_multiplanar })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The driver's name.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// The device's name.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// Whether it speaks the multi-planar dialect.
    pub fn is_multiplanar(&self) -> bool {
        self.is_multiplanar
    }

    /// The kernel's number of a queue.
    pub(super) fn type_of(&self, queue: Queue) -> u32 {
        match (queue, self.is_multiplanar) {
            (Queue::Output, false) => v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_OUTPUT,
            (Queue::Output, true) => v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE,
            (Queue::Capture, false) => v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE,
            (Queue::Capture, true) => v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE,
        }
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A C string in an array, whatever bytes it has.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|it| *it == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}
