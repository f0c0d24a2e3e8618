//! libEGL itself, loaded once and for good, and the functions we call in it.
use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

use khronos_egl as egl;

use super::abi::{self, Boolean, Handle, Int};
use super::error::EglError;

/// Defines the function table: one field per function, each looked up by its C name.
macro_rules! functions {
    ($($field:ident: $name:literal as $type:ident),* $(,)?) => {
        /// The functions of EGL 1.5 we call, as pointers: khronos-egl's own wrappers panic where EGL answers with a
        /// failure and no error code, or with a code they do not know.
        #[derive(Debug)]
        pub(super) struct Functions {
            $(pub(super) $field: abi::$type,)*
        }

        impl Functions {
            fn load(egl: &Instance) -> Result<Self, EglError> {
                Ok(Self {
                    $($field: {
                        let address = egl.get_proc_address($name).ok_or(EglError::Missing { what: $name })?;
                        // SAFETY: EGL 1.5 resolves its own functions by name, and the signature is the header's.
                        unsafe { std::mem::transmute::<extern "system" fn(), abi::$type>(address) }
                    },)*
                })
            }
        }
    };
}

functions! {
    get_error: "eglGetError" as GetError,
    get_display: "eglGetDisplay" as GetDisplay,
    get_platform_display: "eglGetPlatformDisplay" as GetPlatformDisplay,
    initialize: "eglInitialize" as Initialize,
    terminate: "eglTerminate" as Terminate,
    query_string: "eglQueryString" as QueryString,
    bind_api: "eglBindAPI" as BindApi,
    choose_config: "eglChooseConfig" as ChooseConfig,
    get_config_attrib: "eglGetConfigAttrib" as GetConfigAttrib,
    create_context: "eglCreateContext" as CreateContext,
    destroy_context: "eglDestroyContext" as DestroyContext,
    create_window_surface: "eglCreateWindowSurface" as CreateWindowSurface,
    destroy_surface: "eglDestroySurface" as DestroySurface,
    query_surface: "eglQuerySurface" as QuerySurface,
    make_current: "eglMakeCurrent" as MakeCurrent,
    swap_interval: "eglSwapInterval" as SwapInterval,
    swap_buffers: "eglSwapBuffers" as SwapBuffers,
    create_image: "eglCreateImage" as CreateImage,
    destroy_image: "eglDestroyImage" as DestroyImage,
    create_sync: "eglCreateSync" as CreateSync,
    destroy_sync: "eglDestroySync" as DestroySync,
}

type Instance = egl::DynamicInstance<egl::EGL1_5>;

/// libEGL. Never unloaded: drivers leave threads and thread-local destructors behind that live in it.
#[derive(Debug)]
pub(super) struct Library {
    instance: Instance,
    pub(super) call: Functions,
}

impl Library {
    /// The one instance of this process.
    pub(super) fn get() -> Result<&'static Library, EglError> {
        static LIBRARY: OnceLock<Result<Library, EglError>> = OnceLock::new();
        LIBRARY.get_or_init(Self::load).as_ref().map_err(Clone::clone)
    }

    fn load() -> Result<Self, EglError> {
        // SAFETY: loading runs libEGL's initialisers; it is the system's own EGL, found by its well-known name.
        let instance = unsafe { Instance::load_required() }.map_err(|it| EglError::Load { reason: it.to_string() })?;
        let call = Functions::load(&instance)?;
        Ok(Self { instance, call })
    }

    /// The address of an EGL or GL function, null where there is none.
    pub(super) fn proc_address(&self, name: &CStr) -> *const c_void {
        // The crate wants a &str; GL's names are ASCII.
        let address = name.to_str().ok().and_then(|it| self.instance.get_proc_address(it));
        address.map_or(std::ptr::null(), |it| it as *const c_void)
    }

    /// An optional function, by its C name.
    pub(super) fn query_devices(&self) -> Option<abi::QueryDevices> {
        let address = self.instance.get_proc_address("eglQueryDevicesEXT")?;
        // SAFETY: the signature is that of EGL_EXT_device_enumeration, which owns this name.
        Some(unsafe { std::mem::transmute::<extern "system" fn(), abi::QueryDevices>(address) })
    }

    /// An optional function, by its C name.
    pub(super) fn dup_native_fence_fd(&self) -> Option<abi::DupNativeFenceFd> {
        let address = self.instance.get_proc_address("eglDupNativeFenceFDANDROID")?;
        // SAFETY: the signature is that of EGL_ANDROID_native_fence_sync, which owns this name.
        Some(unsafe { std::mem::transmute::<extern "system" fn(), abi::DupNativeFenceFd>(address) })
    }

    /// An optional function, by its C name.
    pub(super) fn query_dma_buf_formats(&self) -> Option<abi::QueryDmaBufFormats> {
        let address = self.instance.get_proc_address("eglQueryDmaBufFormatsEXT")?;
        // SAFETY: the signature is that of EGL_EXT_image_dma_buf_import_modifiers, which owns this name.
        Some(unsafe { std::mem::transmute::<extern "system" fn(), abi::QueryDmaBufFormats>(address) })
    }

    /// An optional function, by its C name.
    pub(super) fn query_dma_buf_modifiers(&self) -> Option<abi::QueryDmaBufModifiers> {
        let address = self.instance.get_proc_address("eglQueryDmaBufModifiersEXT")?;
        // SAFETY: the signature is that of EGL_EXT_image_dma_buf_import_modifiers, which owns this name.
        Some(unsafe { std::mem::transmute::<extern "system" fn(), abi::QueryDmaBufModifiers>(address) })
    }

    /// `call` has failed: its error, in words.
    pub(super) fn error(&self, call: &'static str) -> EglError {
        // SAFETY: takes no argument and may be called at any time.
        EglError::Call { call, code: unsafe { (self.call.get_error)() } }
    }

    /// Turns EGL's answer into a result.
    pub(super) fn check(&self, call: &'static str, answer: Boolean) -> Result<(), EglError> {
        if answer == abi::TRUE { Ok(()) } else { Err(self.error(call)) }
    }

    /// Turns a created object into a result.
    pub(super) fn check_handle(&self, call: &'static str, handle: Handle) -> Result<Handle, EglError> {
        if handle.is_null() { Err(self.error(call)) } else { Ok(handle) }
    }

    /// One of a display's strings; `display` may be null for the client's own.
    pub(super) fn string(&self, display: Handle, name: Int) -> String {
        // SAFETY: any handle is allowed; EGL checks it and answers null for a bad one.
        let text = unsafe { (self.call.query_string)(display, name) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: not null, so it is EGL's static, NUL-terminated string.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}
