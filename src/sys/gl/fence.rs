//! Knowing when the GPU is done.
use std::rc::Rc;
use std::time::Duration;

use glow::HasContext;

use super::{Context, GlError};

/// A mark in the stream of GL commands.
#[derive(Debug)]
pub struct Fence {
    gl: Rc<Context>,
    raw: glow::Fence,
}

impl Fence {
    /// A mark after everything asked so far.
    pub fn new(gl: &Rc<Context>) -> Result<Self, GlError> {
        // SAFETY: the context is current, and these are the only arguments GL allows.
        let raw = unsafe { gl.raw.fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0) }
            .map_err(|log| GlError::Shader { what: "glFenceSync".into(), log })?;
        gl.check("glFenceSync")?;
        Ok(Self { gl: Rc::clone(gl), raw })
    }

    /// Whether the GPU has got there, waiting at most `limit` (up to about 2 s) for it.
    pub fn is_reached(&self, limit: Duration) -> bool {
        // glow takes the nanoseconds as an i32.
        let nanos = i32::try_from(limit.as_nanos()).unwrap_or(i32::MAX);
        // SAFETY: the context is current and the fence its own. The flag flushes, so that waiting can end.
        let answer = unsafe { self.gl.raw.client_wait_sync(self.raw, glow::SYNC_FLUSH_COMMANDS_BIT, nanos) };
        matches!(answer, glow::ALREADY_SIGNALED | glow::CONDITION_SATISFIED)
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the fence its own.
        unsafe { self.gl.raw.delete_sync(self.raw) };
    }
}
