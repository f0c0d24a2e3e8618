//! From a toolkit's handles to EGL: X11 windows by their number, Wayland surfaces through a `wl_egl_window`.
//!
//! The handle traits promise that what they hand out stays valid for as long as the object they were asked of; each object
//! is therefore kept by whatever is made from its handle.
use std::ffi::c_void;
use std::rc::Rc;

use wayland_egl::WlEglSurface;
use winit::raw_window_handle::{HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};

use super::context::Context;
use super::display::{Display, NativePlatform};
use super::error::EglError;
use super::surface::Surface;
use crate::base::format::Size;

/// What we say of a desktop that is neither.
const NEITHER: EglError = EglError::Missing { what: "desktop but X11 and Wayland to draw on" };

impl Display {
    /// The display of a desktop connection, which it keeps open.
    pub fn of_desktop<D: HasDisplayHandle + 'static>(connection: D) -> Result<Self, EglError> {
        let raw = connection.display_handle().map_err(|_| NEITHER)?.as_raw();
        let (platform, native) = match raw {
            RawDisplayHandle::Xlib(it) => (NativePlatform::X11, it.display.ok_or(NEITHER)?.as_ptr()),
            RawDisplayHandle::Wayland(it) => (NativePlatform::Wayland, it.display.as_ptr()),
            _ => return Err(NEITHER),
        };
        // SAFETY: the handle is of that platform and valid for as long as `connection`, by HasDisplayHandle's contract;
        // winit calls XInitThreads before it opens a connection.
        unsafe { Self::open(platform, native, Box::new(connection)) }
    }
}

/// The X11 visual a window was made with, which EGL's configuration must have too; `None` on Wayland, which has none.
pub fn visual_of(window: &impl HasWindowHandle) -> Option<u32> {
    match window.window_handle().ok()?.as_raw() {
        RawWindowHandle::Xlib(it) => u32::try_from(it.visual_id).ok().filter(|it| *it != 0),
        _ => None,
    }
}

/// A window to draw to, resized along with it.
#[derive(Debug)]
pub struct DesktopSurface<W> {
    /// Destroyed before the native window it draws to.
    surface: Surface,
    native: Rc<Native<W>>,
}

/// A native window and what keeps it; dropped in this order.
#[derive(Debug)]
struct Native<W> {
    wayland: Option<WlEglSurface>,
    _window: Rc<W>,
}

impl<W: HasWindowHandle + 'static> DesktopSurface<W> {
    /// A surface of `size` pixels on a window of the context's display.
    pub fn new(context: &Rc<Context>, window: &Rc<W>, size: Size) -> Result<Self, EglError> {
        let raw = window.window_handle().map_err(|_| NEITHER)?.as_raw();
        let (wayland, native) = match raw {
            RawWindowHandle::Xlib(it) => (None, it.window as usize as *mut c_void),
            RawWindowHandle::Wayland(it) => {
                if !wayland_egl::is_available() {
                    return Err(EglError::Missing { what: "libwayland-egl.so.1; install libwayland-egl1" });
                }
                let [width, height] = [size.width, size.height].map(clamp_side);
                // SAFETY: a live wl_surface by HasWindowHandle's contract; the library is there, as asked above.
                let made = unsafe { WlEglSurface::new_from_raw(it.surface.as_ptr().cast(), width, height) };
                let made = made.map_err(|_| EglError::Missing { what: "wl_egl_window of this size" })?;
                let native = made.ptr().cast_mut();
                (Some(made), native)
            }
            _ => return Err(NEITHER),
        };
        let owner = Rc::new(Native { wayland, _window: Rc::clone(window) });
        // SAFETY: a window of the display the handle's connection belongs to; `owner` keeps it and its wl_egl_window.
        let surface = unsafe { Surface::for_window(context, native, Box::new(Rc::clone(&owner))) }?;
        Ok(Self { surface, native: owner })
    }

    /// What to make current, and to swap.
    pub fn surface(&self) -> &Surface {
        &self.surface
    }

    /// The window has another size now. X11 tells EGL by itself.
    pub fn resize(&self, size: Size) {
        if let Some(wayland) = &self.native.wayland {
            wayland.resize(clamp_side(size.width), clamp_side(size.height), 0, 0);
        }
    }
}

/// Wayland counts in signed integers and refuses zero.
fn clamp_side(it: u32) -> i32 {
    i32::try_from(it).unwrap_or(i32::MAX).max(1)
}
