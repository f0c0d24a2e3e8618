//! GL contexts.
use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr;
use std::rc::Rc;

use super::abi::{self, Enum, Handle};
use super::display::{Config, Display};
use super::error::EglError;
use super::surface::Surface;
use crate::sys::gl::{Api, Platform};

thread_local! {
    /// Whether this thread has a context. With one per thread, "created" and "current" are the same thing.
    static TAKEN: Cell<bool> = const { Cell::new(false) };
}

/// A GL context, current on its thread from creation until it is dropped. Belongs to that thread.
#[derive(Debug)]
pub struct Context {
    display: Display,
    config: Config,
    raw: Handle,
    api: Api,
}

impl Context {
    /// Creates a context and makes it current without a surface. Fails on a thread that has one already.
    pub fn new(display: &Display, config: Config, api: Api) -> Result<Rc<Self>, EglError> {
        if !display.has_extension("EGL_KHR_surfaceless_context") {
            return Err(EglError::Missing { what: "EGL_KHR_surfaceless_context" });
        }
        if TAKEN.get() {
            return Err(EglError::SecondContext);
        }
        let lib = display.lib();
        // SAFETY: takes a number; EGL checks it.
        lib.check("eglBindAPI", unsafe { (lib.call.bind_api)(api_enum(api)) })?;
        let attributes: &[abi::Int] = match api {
            Api::Gles3 => &[abi::CONTEXT_MAJOR_VERSION, 3, abi::CONTEXT_MINOR_VERSION, 0, abi::NONE],
            Api::Core41 => &[
                abi::CONTEXT_MAJOR_VERSION,
                4,
                abi::CONTEXT_MINOR_VERSION,
                1,
                abi::CONTEXT_OPENGL_PROFILE_MASK,
                abi::CONTEXT_OPENGL_CORE_PROFILE_BIT,
                abi::NONE,
            ],
        };
        // SAFETY: the display is open as `display` lives, EGL checks the configuration, and the list is terminated.
        let raw = unsafe { (lib.call.create_context)(display.raw(), config.raw, ptr::null_mut(), attributes.as_ptr()) };
        let raw = lib.check_handle("eglCreateContext", raw)?;
        TAKEN.set(true);
        let context = Rc::new(Self { display: display.clone(), config, raw, api });
        context.make_current(None)?;
        Ok(context)
    }

    /// A context with no screen behind it, for the surfaceless display.
    pub fn surfaceless(api: Api) -> Result<Rc<Self>, EglError> {
        let display = Display::surfaceless()?;
        let config = display.choose_config(api, false, None)?;
        Self::new(&display, config, api)
    }

    /// Draws to `surface` from now on, or to framebuffer objects only. On an error everything stays as it was.
    pub fn make_current(&self, surface: Option<&Surface>) -> Result<(), EglError> {
        let surface = surface.map_or(ptr::null_mut(), |it| it.raw());
        let lib = self.display.lib();
        // SAFETY: our own context; the surface is alive, being borrowed; EGL checks that the two match.
        let answer = unsafe { (lib.call.make_current)(self.display.raw(), surface, surface, self.raw) };
        lib.check("eglMakeCurrent", answer)
    }

    /// How many vblanks `swap_buffers` waits for on the current surface; 0 to return at once.
    pub fn swap_interval(&self, vblanks: i32) -> Result<(), EglError> {
        let lib = self.display.lib();
        // SAFETY: takes a number, which EGL clamps, and works on the current surface.
        lib.check("eglSwapInterval", unsafe { (lib.call.swap_interval)(self.display.raw(), vblanks) })
    }

    /// The display it is on.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// The configuration it was made with; surfaces need the same one.
    pub fn config(&self) -> Config {
        self.config
    }
}

const fn api_enum(api: Api) -> Enum {
    match api {
        Api::Gles3 => abi::OPENGL_ES_API,
        Api::Core41 => abi::OPENGL_API,
    }
}

// SAFETY: `new` made the context current on this thread, a thread has at most one (TAKEN), and nothing but `Drop` takes
// it off again.
unsafe impl Platform for Context {
    fn api(&self) -> Api {
        self.api
    }

    fn proc_address(&self, name: &CStr) -> *const c_void {
        self.display.lib().proc_address(name)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let lib = self.display.lib();
        // SAFETY: all nulls release this thread's context.
        let answer =
            unsafe { (lib.call.make_current)(self.display.raw(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut()) };
        if let Err(error) = lib.check("eglMakeCurrent", answer) {
            log::warn!("releasing the GL context: {error}");
        }
        // SAFETY: our own context; should it still be current, EGL delays the end until it is not.
        let answer = unsafe { (lib.call.destroy_context)(self.display.raw(), self.raw) };
        if let Err(error) = lib.check("eglDestroyContext", answer) {
            log::warn!("{error}");
        }
        TAKEN.set(false);
    }
}
