//! Displays and their configurations.
use std::any::Any;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::abi::{self, Enum, Handle, Int};
use super::error::EglError;
use super::library::Library;
use crate::sys::gl::Api;

/// A windowing system EGL can connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativePlatform {
    /// Xlib: the native display is a `Display *`, a native window an XID.
    X11,
    /// Wayland: a `wl_display *` and `wl_egl_window *`s.
    Wayland,
    /// GBM: a `gbm_device *` and `gbm_surface *`s.
    Gbm,
}

impl NativePlatform {
    const fn raw(self) -> Enum {
        match self {
            NativePlatform::X11 => abi::PLATFORM_X11,
            NativePlatform::Wayland => abi::PLATFORM_WAYLAND,
            NativePlatform::Gbm => abi::PLATFORM_GBM,
        }
    }
}

/// A pixel layout of a display. Valid for the display it came from.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub(super) raw: Handle,
}

/// An initialised EGL display. Cheap to clone; the last clone closes it.
#[derive(Debug, Clone)]
pub struct Display(Rc<Connection>);

#[derive(Debug)]
struct Connection {
    lib: &'static Library,
    raw: Handle,
    platform: &'static str,
    extensions: String,
    /// What keeps the native display alive; dropped after the display was terminated.
    _owner: Box<dyn Any>,
}

/// EGL hands the same display to everyone who asks for the same platform and native display, and the first
/// `eglTerminate` ends it for all. So we count.
static OPEN: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

fn open_displays() -> MutexGuard<'static, Vec<(usize, usize)>> {
    // Every change below is a single step, so a panic elsewhere leaves the list whole.
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Display {
    /// A display with no screen: Mesa's surfaceless platform, else the first device that works, else the default one.
    pub fn surfaceless() -> Result<Self, EglError> {
        let lib = Library::get()?;
        let client = lib.string(ptr::null_mut(), abi::EXTENSIONS);
        let has = |name: &str| client.split(' ').any(|it| it == name);
        let mut first_error = None;
        if has("EGL_MESA_platform_surfaceless") {
            match Self::platform(lib, abi::PLATFORM_SURFACELESS, "surfaceless", ptr::null_mut(), Box::new(())) {
                Ok(it) => return Ok(it),
                Err(error) => first_error = Some(error),
            }
        }
        if has("EGL_EXT_platform_device") {
            for device in devices(lib) {
                match Self::platform(lib, abi::PLATFORM_DEVICE, "device", device, Box::new(())) {
                    Ok(it) => return Ok(it),
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
        }
        // SAFETY: null is EGL_DEFAULT_DISPLAY.
        let raw = unsafe { (lib.call.get_display)(ptr::null_mut()) };
        // The first failure tells more than "there is no default display either".
        Self::initialise(lib, raw, "eglGetDisplay", "default", Box::new(()))
            .map_err(|error| first_error.unwrap_or(error))
    }

    /// The display of a windowing system.
    ///
    /// # Safety
    /// `native` must be what `platform` says it is, open, and stay open for as long as `owner` lives. On X11 the
    /// connection must be safe to use from this thread (`XInitThreads`).
    pub unsafe fn open(platform: NativePlatform, native: *mut c_void, owner: Box<dyn Any>) -> Result<Self, EglError> {
        let name = match platform {
            NativePlatform::X11 => "x11",
            NativePlatform::Wayland => "wayland",
            NativePlatform::Gbm => "gbm",
        };
        Self::platform(Library::get()?, platform.raw(), name, native, owner)
    }

    fn platform(
        lib: &'static Library,
        platform: Enum,
        name: &'static str,
        native: *mut c_void,
        owner: Box<dyn Any>,
    ) -> Result<Self, EglError> {
        // Attribute lists of EGL 1.5 are pairs of pointer-sized numbers; this one is empty.
        let attributes = [abi::NONE as abi::Attrib];
        // SAFETY: the native display is null, a device EGL gave us, or valid by the contract of `open`; the list is
        // terminated.
        let raw = unsafe { (lib.call.get_platform_display)(platform, native, attributes.as_ptr()) };
        Self::initialise(lib, raw, "eglGetPlatformDisplay", name, owner)
    }

    fn initialise(
        lib: &'static Library,
        raw: Handle,
        call: &'static str,
        platform: &'static str,
        owner: Box<dyn Any>,
    ) -> Result<Self, EglError> {
        let raw = lib.check_handle(call, raw)?;
        let mut open = open_displays();
        let (mut major, mut minor) = (0, 0);
        // SAFETY: a display EGL just gave us, and two integers to write to. Initialising twice is allowed.
        let answer = unsafe { (lib.call.initialize)(raw, &mut major, &mut minor) };
        lib.check("eglInitialize", answer)?;
        match open.iter_mut().find(|it| it.0 == raw.addr()) {
            Some(it) => it.1 += 1,
            None => open.push((raw.addr(), 1)),
        }
        drop(open);
        let extensions = lib.string(raw, abi::EXTENSIONS);
        Ok(Self(Rc::new(Connection { lib, raw, platform, extensions, _owner: owner })))
    }

    /// "surfaceless", "device", "default", "x11", "wayland" or "gbm".
    pub fn platform_name(&self) -> &'static str {
        self.0.platform
    }

    /// EGL's vendor and version, for the log and `probe`.
    pub fn description(&self) -> String {
        let lib = self.0.lib;
        format!("EGL {} ({})", lib.string(self.0.raw, abi::VERSION).trim(), lib.string(self.0.raw, abi::VENDOR))
    }

    /// Whether the display has an extension.
    pub fn has_extension(&self, name: &str) -> bool {
        self.0.extensions.split(' ').any(|it| it == name)
    }

    /// A configuration with 8 bits each of red, green and blue that `api` can draw with, without alpha where there is
    /// one (a compositor would blend it). `window`: it must do for a window; `visual`: of this native visual (X11's
    /// visual id, a DRM fourcc for GBM).
    pub fn choose_config(&self, api: Api, window: bool, visual: Option<u32>) -> Result<Config, EglError> {
        let renderable = match api {
            Api::Gles3 => abi::OPENGL_ES3_BIT,
            Api::Core41 => abi::OPENGL_BIT,
        };
        let attributes = [
            abi::RENDERABLE_TYPE,
            renderable,
            abi::SURFACE_TYPE,
            if window { abi::WINDOW_BIT } else { 0 },
            abi::RED_SIZE,
            8,
            abi::GREEN_SIZE,
            8,
            abi::BLUE_SIZE,
            8,
            abi::NONE,
        ];
        // Mesa has some dozens; more than this and we choose among the first, which EGL sorts to be the best.
        let mut found = [ptr::null_mut(); 256];
        let mut count = 0;
        // SAFETY: the list is terminated, and the array has room for as many as we say.
        let answer = unsafe {
            (self.lib().call.choose_config)(
                self.raw(),
                attributes.as_ptr(),
                found.as_mut_ptr(),
                found.len() as Int,
                &mut count,
            )
        };
        self.lib().check("eglChooseConfig", answer)?;
        let count = usize::try_from(count).unwrap_or(0).min(found.len());
        let eight_bits = |it: &Handle| self.attribute(*it, abi::RED_SIZE) == Some(8);
        let visible = |it: &Handle| {
            visual.is_none_or(|wanted| self.attribute(*it, abi::NATIVE_VISUAL_ID) == Some(wanted.cast_signed()))
        };
        let candidates = || found[..count].iter().copied().filter(eight_bits).filter(visible);
        candidates()
            .find(|it| self.attribute(*it, abi::ALPHA_SIZE) == Some(0))
            .or_else(|| candidates().next())
            .map(|raw| Config { raw })
            .ok_or(EglError::NoConfig { wanted: if window { "a window" } else { "drawing off screen" } })
    }

    fn attribute(&self, config: Handle, name: Int) -> Option<Int> {
        let mut value = 0;
        // SAFETY: the configuration came from this display's eglChooseConfig; `value` is an integer to write to.
        let answer = unsafe { (self.lib().call.get_config_attrib)(self.raw(), config, name, &mut value) };
        (answer == abi::TRUE).then_some(value)
    }

    pub(super) fn lib(&self) -> &'static Library {
        self.0.lib
    }

    pub(super) fn raw(&self) -> Handle {
        self.0.raw
    }
}

/// The GPUs EGL knows of, at most 8: nobody plays on the ninth.
fn devices(lib: &'static Library) -> Vec<Handle> {
    let Some(query) = lib.query_devices() else { return Vec::new() };
    let mut found = [ptr::null_mut(); 8];
    let mut count = 0;
    // SAFETY: the array has room for as many as we say, and `count` is an integer to write to.
    let answer = unsafe { query(found.len() as Int, found.as_mut_ptr(), &mut count) };
    let count = if answer == abi::TRUE { usize::try_from(count).unwrap_or(0).min(found.len()) } else { 0 };
    found[..count].to_vec()
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = open_displays();
        let Some(index) = open.iter().position(|it| it.0 == self.raw.addr()) else { return };
        open[index].1 -= 1;
        if open[index].1 == 0 {
            open.swap_remove(index);
            // SAFETY: our own display, and by the count nobody else's any more.
            let answer = unsafe { (self.lib.call.terminate)(self.raw) };
            if let Err(error) = self.lib.check("eglTerminate", answer) {
                log::warn!("{error}");
            }
        }
    }
}
