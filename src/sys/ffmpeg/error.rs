//! What FFmpeg's calls answer.
use std::ffi::CStr;
use std::fmt;

use ffmpeg_sys_next as ff;

/// A negative answer of an FFmpeg call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvError {
    /// The function that answered.
    pub call: &'static str,
    /// Its answer: a negated `errno`, or one of FFmpeg's four-letter tags.
    pub code: i32,
}

impl AvError {
    /// An error of ours in FFmpeg's terms.
    pub(super) const fn errno(call: &'static str, errno: i32) -> Self {
        Self { call, code: -errno }
    }
    /// Out of memory: what a null pointer from an allocating call means.
    pub(super) const fn no_memory(call: &'static str) -> Self {
        Self::errno(call, libc::ENOMEM)
    }
    /// There is no more.
    pub const fn is_end(self) -> bool {
        self.code == ff::AVERROR_EOF
    }
    /// Not now.
    pub const fn is_again(self) -> bool {
        self.code == -libc::EAGAIN
    }
    /// An interrupt callback said to give up.
    pub const fn is_interrupted(self) -> bool {
        self.code == ff::AVERROR_EXIT
    }
    /// Nobody answered in time.
    pub const fn is_timeout(self) -> bool {
        self.code == -libc::ETIMEDOUT
    }
    /// The bytes make no sense.
    pub const fn is_invalid_data(self) -> bool {
        self.code == ff::AVERROR_INVALIDDATA
    }
    /// Memory ran out, or a limit on it was hit.
    pub const fn is_out_of_memory(self) -> bool {
        self.code == -libc::ENOMEM
    }
    /// This build has no such protocol.
    pub const fn is_unknown_protocol(self) -> bool {
        self.code == ff::AVERROR_PROTOCOL_NOT_FOUND
    }
    /// This build has no such decoder, demuxer or filter.
    pub const fn is_not_built_in(self) -> bool {
        matches!(
            self.code,
            ff::AVERROR_DECODER_NOT_FOUND | ff::AVERROR_DEMUXER_NOT_FOUND | ff::AVERROR_FILTER_NOT_FOUND
        )
    }
    /// An HTTP server refused.
    pub const fn is_http_refusal(self) -> bool {
        matches!(
            self.code,
            ff::AVERROR_HTTP_BAD_REQUEST
                | ff::AVERROR_HTTP_UNAUTHORIZED
                | ff::AVERROR_HTTP_FORBIDDEN
                | ff::AVERROR_HTTP_NOT_FOUND
                | ff::AVERROR_HTTP_OTHER_4XX
                | ff::AVERROR_HTTP_SERVER_ERROR
        )
    }
    /// The positive `errno` this is, if it is one.
    pub const fn as_errno(self) -> Option<i32> {
        // Linux has fewer than 4096 of them; FFmpeg's tags are far below.
        if self.code < 0 && self.code > -4096 { Some(-self.code) } else { None }
    }
    /// FFmpeg's words for the code.
    pub fn words(self) -> String {
        let mut text = [0u8; 128];
        // SAFETY: the buffer is ours and its true length is passed.
        let _ = unsafe { ff::av_strerror(self.code, text.as_mut_ptr().cast(), text.len()) };
        CStr::from_bytes_until_nul(&text).map_or_else(|_| String::new(), |it| it.to_string_lossy().into_owned())
    }
}

impl fmt::Display for AvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.words())
    }
}

impl std::error::Error for AvError {}

/// Turns a negative answer into an error.
pub(super) fn check(call: &'static str, code: i32) -> Result<i32, AvError> {
    if code < 0 { Err(AvError { call, code }) } else { Ok(code) }
}
