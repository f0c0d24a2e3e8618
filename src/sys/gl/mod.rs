//! OpenGL ES 3.0 (or desktop core 4.1), as safe calls.
//!
//! A [`Context`] is made on one thread and stays there; everything made with it (textures, framebuffers, programs,
//! fences) keeps it alive and is deleted by its own `Drop`. Only the calls we use are here. Sizes of slices are checked
//! before GL gets to see a pointer; wrong enums or names are GL's to reject, and [`Context::check`] asks it.
mod context;
mod fence;
mod framebuffer;
mod program;
#[cfg(test)]
mod tests;
mod texture;

use std::ffi::{CStr, c_void};

pub use context::Context;
pub use fence::Fence;
pub use framebuffer::Framebuffer;
pub use program::{Program, Uniform};
pub use texture::{Filter, Sampler, TexelFormat, Texture, TextureTarget};

/// The dialect of GL a context speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// OpenGL ES 3.0: Linux, from the Pi to a PC.
    Gles3,
    /// OpenGL 4.1 core: where there is no ES.
    Core41,
}

/// The window system's half of a GL context.
///
/// # Safety
/// From creation until drop, the context is current on the thread it was created on, and that thread has no other.
pub unsafe trait Platform: std::fmt::Debug {
    /// The dialect.
    fn api(&self) -> Api;
    /// The address of a GL function, null where there is none.
    fn proc_address(&self, name: &CStr) -> *const c_void;
}

/// A failure of GL.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GlError {
    /// `glGetError` had something to say.
    #[error("{call} failed: {} (0x{code:04X})", words(*code))]
    Call {
        /// The call, or the last of several.
        call: &'static str,
        /// What `glGetError` answered.
        code: u32,
    },
    /// A shader does not compile, or a program does not link.
    #[error("{what}: {log}")]
    Shader {
        /// Which.
        what: String,
        /// The driver's words.
        log: String,
    },
    /// A framebuffer cannot be drawn to.
    #[error("a framebuffer of {width}x{height} is incomplete (0x{status:04X})")]
    Incomplete {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// What `glCheckFramebufferStatus` answered.
        status: u32,
    },
    /// A picture is larger than a texture may be.
    #[error("{width}x{height} is too large: this GPU takes at most {limit} pixels a side")]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The largest side.
        limit: u32,
    },
    /// A slice is shorter than what GL would read or write.
    #[error("{call} needs {needed} bytes and got {got}")]
    ShortSlice {
        /// The call.
        call: &'static str,
        /// Bytes it would touch.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The driver does not get on.
    #[error("this GL driver does not say its version")]
    NoVersion,
}

impl GlError {
    /// The GPU was reset: everything in the context is gone.
    pub fn is_context_lost(&self) -> bool {
        matches!(self, GlError::Call { code: CONTEXT_LOST, .. })
    }
}

/// GL_CONTEXT_LOST, of KHR_robustness.
const CONTEXT_LOST: u32 = 0x0507;

/// A GL error code in words.
fn words(code: u32) -> &'static str {
    match code {
        glow::INVALID_ENUM => "invalid enum",
        glow::INVALID_VALUE => "invalid value",
        glow::INVALID_OPERATION => "invalid operation",
        glow::OUT_OF_MEMORY => "out of memory",
        glow::INVALID_FRAMEBUFFER_OPERATION => "invalid framebuffer operation",
        CONTEXT_LOST => "context lost",
        _ => "unknown error",
    }
}
