//! Window surfaces.
use std::any::Any;
use std::ffi::c_void;
use std::rc::Rc;

use super::abi::{self, Handle, Int};
use super::context::Context;
use super::error::EglError;
use crate::base::format::Size;

/// A window to draw to. Make it current with [`Context::make_current`].
#[derive(Debug)]
pub struct Surface {
    context: Rc<Context>,
    raw: Handle,
    /// What keeps the native window alive; dropped after the surface was destroyed.
    _owner: Box<dyn Any>,
}

impl Surface {
    /// A surface on a native window: an XID (as a pointer-sized number), a `wl_egl_window *` or a `gbm_surface *`.
    ///
    /// # Safety
    /// `native` must be such a window of the context's display, alive for as long as `owner` lives.
    pub unsafe fn for_window(
        context: &Rc<Context>,
        native: *mut c_void,
        owner: Box<dyn Any>,
    ) -> Result<Self, EglError> {
        let (display, lib) = (context.display(), context.display().lib());
        // No attributes: the default is an sRGB-agnostic, double-buffered window.
        let attributes = [abi::NONE];
        // SAFETY: the display is open, the configuration its own, the window valid by this function's contract.
        let raw = unsafe {
            (lib.call.create_window_surface)(display.raw(), context.config().raw, native, attributes.as_ptr())
        };
        let raw = lib.check_handle("eglCreateWindowSurface", raw)?;
        Ok(Self { context: Rc::clone(context), raw, _owner: owner })
    }

    /// Its size in pixels, as EGL knows it: that of the buffer drawn to now.
    pub fn size(&self) -> Result<Size, EglError> {
        Ok(Size::new(self.query(abi::WIDTH)?, self.query(abi::HEIGHT)?))
    }

    fn query(&self, what: Int) -> Result<u32, EglError> {
        let (display, lib) = (self.context.display(), self.context.display().lib());
        let mut value = 0;
        // SAFETY: our own surface, and an integer to write to.
        let answer = unsafe { (lib.call.query_surface)(display.raw(), self.raw, what, &mut value) };
        lib.check("eglQuerySurface", answer)?;
        Ok(u32::try_from(value).unwrap_or(0))
    }

    /// Shows what was drawn. Waits as `Context::swap_interval` says.
    pub fn swap_buffers(&self) -> Result<(), EglError> {
        let (display, lib) = (self.context.display(), self.context.display().lib());
        // SAFETY: our own surface; EGL checks that it is current.
        lib.check("eglSwapBuffers", unsafe { (lib.call.swap_buffers)(display.raw(), self.raw) })
    }

    pub(super) fn raw(&self) -> Handle {
        self.raw
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        // A surface that is current would outlive its window: EGL delays its end until it no longer is.
        if let Err(error) = self.context.make_current(None) {
            log::warn!("leaving the window: {error}");
        }
        let (display, lib) = (self.context.display(), self.context.display().lib());
        // SAFETY: our own surface, and nothing uses it after this.
        let answer = unsafe { (lib.call.destroy_surface)(display.raw(), self.raw) };
        if let Err(error) = lib.check("eglDestroySurface", answer) {
            log::warn!("{error}");
        }
    }
}
