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

    /// Whether the GPU has got there, waiting at most `limit` (up to about 2 s) for it. It never will where that fails
    /// (`GL_WAIT_FAILED`, OpenGL ES 3.0, 5.2.1): mostly the context is lost.
    pub fn is_reached(&self, limit: Duration) -> Result<bool, GlError> {
        // glow takes the nanoseconds as an i32.
        let nanos = i32::try_from(limit.as_nanos()).unwrap_or(i32::MAX);
        // SAFETY: the context is current and the fence its own. The flag flushes, so that waiting can end.
        let answer = unsafe { self.gl.raw.client_wait_sync(self.raw, glow::SYNC_FLUSH_COMMANDS_BIT, nanos) };
        match answer {
            glow::ALREADY_SIGNALED | glow::CONDITION_SATISFIED => Ok(true),
            glow::TIMEOUT_EXPIRED => Ok(false),
            code => {
                const CALL: &str = "glClientWaitSync";
                self.gl.check(CALL)?;
                Err(GlError::Call { call: CALL, code })
            }
        }
    }

    /// GL forgets it; what is asked of it afterwards fails.
    pub(super) fn delete(&self) {
        // SAFETY: the context is current, being held, and GL ignores names it does not know.
        unsafe { self.gl.raw.delete_sync(self.raw) };
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.delete();
    }
}
