//! Fences the kernel understands (EGL_ANDROID_native_fence_sync): the display controller itself waits for the GPU.
use std::os::fd::{FromRawFd, OwnedFd};

use super::abi;
use super::display::Display;
use super::error::EglError;
use crate::sys::gl;

const EXTENSION: &str = "EGL_ANDROID_native_fence_sync";

/// Makes sync file descriptors of what GL was asked to do.
#[derive(Debug, Clone)]
pub struct NativeFences {
    display: Display,
    duplicate: abi::DupNativeFenceFd,
}

impl NativeFences {
    /// `None` where the driver has none.
    pub fn new(display: &Display) -> Option<Self> {
        if !display.has_extension(EXTENSION) {
            return None;
        }
        let duplicate = display.lib().dup_native_fence_fd()?;
        Some(Self { display: display.clone(), duplicate })
    }

    /// A sync file that is signalled when the GPU has done all that `gl` was asked so far; starts the GPU on it.
    pub fn fence(&self, gl: &gl::Context) -> Result<OwnedFd, EglError> {
        let lib = self.display.lib();
        // No attributes: the driver makes the descriptor itself, at the flush below.
        let attributes = [abi::NONE as abi::Attrib];
        // SAFETY: the display is open, the thread's context is on it, and the list is terminated.
        let sync = unsafe { (lib.call.create_sync)(self.display.raw(), abi::SYNC_NATIVE_FENCE, attributes.as_ptr()) };
        let sync = lib.check_handle("eglCreateSync", sync)?;
        gl.flush();
        // SAFETY: our own sync, just made on this display.
        let fd = unsafe { (self.duplicate)(self.display.raw(), sync) };
        let error = (fd < 0).then(|| lib.error("eglDupNativeFenceFDANDROID"));
        // SAFETY: our own sync, and nothing uses it after this; the descriptor is independent of it.
        let answer = unsafe { (lib.call.destroy_sync)(self.display.raw(), sync) };
        lib.check("eglDestroySync", answer)?;
        match error {
            Some(error) => Err(error),
            // SAFETY: not negative, so it is a new descriptor that EGL made for its caller to own.
            None => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        }
    }
}
