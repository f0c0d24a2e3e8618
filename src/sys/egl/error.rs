//! What EGL says when it will not.
use super::abi::{Int, SUCCESS};

/// A failure of EGL: which call, and why.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EglError {
    /// There is no usable libEGL on this machine.
    #[error("libEGL.so.1 (1.5 or newer) cannot be loaded: {reason}; install libegl1")]
    Load {
        /// The loader's words.
        reason: String,
    },
    /// libEGL lacks something we cannot do without.
    #[error("this EGL has no {what}")]
    Missing {
        /// The function or extension.
        what: &'static str,
    },
    /// A call failed.
    #[error("{call} failed: {} (0x{code:04X})", words(*code))]
    Call {
        /// The call's C name.
        call: &'static str,
        /// What `eglGetError` answered.
        code: Int,
    },
    /// The display has no configuration for what we want to draw.
    #[error("eglChooseConfig found no 8-bit RGB configuration for {wanted}")]
    NoConfig {
        /// What was wanted.
        wanted: &'static str,
    },
    /// A thread can have one context only.
    #[error("this thread has a GL context already")]
    SecondContext,
}

impl EglError {
    /// The GPU was reset or put to sleep: contexts and everything in them are gone.
    pub fn is_context_lost(&self) -> bool {
        matches!(self, EglError::Call { code: 0x300E, .. })
    }
}

/// An EGL error code in words.
fn words(code: Int) -> &'static str {
    match code {
        // Legal: "there is no such display" is an answer, not an error, for eglGetPlatformDisplay.
        SUCCESS => "there is none",
        0x3001 => "the display is not initialised",
        0x3002 => "access denied: it is in use on another thread",
        0x3003 => "out of memory",
        0x3004 => "unknown attribute",
        0x3005 => "bad configuration",
        0x3006 => "bad context",
        0x3007 => "the current surface is no longer valid",
        0x3008 => "bad display",
        0x3009 => "arguments do not match",
        0x300A => "bad native pixmap",
        0x300B => "bad native window",
        0x300C => "bad parameter",
        0x300D => "bad surface",
        0x300E => "context lost",
        0x322B => "bad device",
        _ => "unknown error",
    }
}
