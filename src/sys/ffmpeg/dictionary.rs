//! Options as FFmpeg takes them: strings by name.
use std::ffi::CStr;
use std::ptr;

use ffmpeg_sys_next as ff;

use super::error::{AvError, check};

/// An owned `AVDictionary`. What a call consumed is gone from it afterwards; the rest goes with it.
#[derive(Debug)]
pub(super) struct Dictionary(*mut ff::AVDictionary);

impl Dictionary {
    pub(super) const fn new() -> Self {
        Self(ptr::null_mut())
    }

    pub(super) fn of(options: &[(&CStr, &CStr)]) -> Result<Self, AvError> {
        let mut it = Self::new();
        for (name, value) in options {
            it.set(name, value)?;
        }
        Ok(it)
    }

    pub(super) fn set(&mut self, name: &CStr, value: &CStr) -> Result<(), AvError> {
        // SAFETY: the dictionary is null or came from this call, and both strings end in nul; they are copied.
        let code = unsafe { ff::av_dict_set(&raw mut self.0, name.as_ptr(), value.as_ptr(), 0) };
        check("av_dict_set", code).map(drop)
    }

    /// For calls that take what they know out of it.
    pub(super) fn as_mut_ptr(&mut self) -> *mut *mut ff::AVDictionary {
        &raw mut self.0
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: null, or a dictionary that only this value knows.
        unsafe { ff::av_dict_free(&raw mut self.0) };
    }
}
