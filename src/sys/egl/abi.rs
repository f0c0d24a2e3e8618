//! EGL 1.5 as its headers have it: types, numbers and function signatures, nothing else.
use std::ffi::{c_char, c_void};

pub(super) type Boolean = u32;
pub(super) type Enum = u32;
pub(super) type Int = i32;
/// `EGLAttrib`: wide enough for a pointer.
pub(super) type Attrib = isize;
/// `EGLDisplay`, `EGLConfig`, `EGLContext`, `EGLSurface` and `EGLDeviceEXT` are all opaque pointers.
pub(super) type Handle = *mut c_void;

pub(super) const TRUE: Boolean = 1;
pub(super) const SUCCESS: Int = 0x3000;
pub(super) const NONE: Int = 0x3038;

pub(super) const ALPHA_SIZE: Int = 0x3021;
pub(super) const BLUE_SIZE: Int = 0x3022;
pub(super) const GREEN_SIZE: Int = 0x3023;
pub(super) const RED_SIZE: Int = 0x3024;
pub(super) const NATIVE_VISUAL_ID: Int = 0x302E;
pub(super) const SURFACE_TYPE: Int = 0x3033;
pub(super) const RENDERABLE_TYPE: Int = 0x3040;
pub(super) const WINDOW_BIT: Int = 0x0004;
pub(super) const OPENGL_BIT: Int = 0x0008;
pub(super) const OPENGL_ES3_BIT: Int = 0x0040;

pub(super) const VENDOR: Int = 0x3053;
pub(super) const VERSION: Int = 0x3054;
pub(super) const EXTENSIONS: Int = 0x3055;
pub(super) const HEIGHT: Int = 0x3056;
pub(super) const WIDTH: Int = 0x3057;

/// EGL_EXT_image_dma_buf_import.
pub(super) const LINUX_DMA_BUF: Enum = 0x3270;
pub(super) const LINUX_DRM_FOURCC: Attrib = 0x3271;
/// EGL_EXT_image_dma_buf_import_modifiers.
pub(super) type QueryDmaBufFormats = unsafe extern "system" fn(Handle, Int, *mut Int, *mut Int) -> Boolean;
pub(super) type QueryDmaBufModifiers =
    unsafe extern "system" fn(Handle, Int, Int, *mut u64, *mut Boolean, *mut Int) -> Boolean;
/// EGL_ANDROID_native_fence_sync.
pub(super) const SYNC_NATIVE_FENCE: Enum = 0x3144;

pub(super) const OPENGL_ES_API: Enum = 0x30A0;
pub(super) const OPENGL_API: Enum = 0x30A2;
pub(super) const CONTEXT_MAJOR_VERSION: Int = 0x3098;
pub(super) const CONTEXT_MINOR_VERSION: Int = 0x30FB;
pub(super) const CONTEXT_OPENGL_PROFILE_MASK: Int = 0x30FD;
pub(super) const CONTEXT_OPENGL_CORE_PROFILE_BIT: Int = 0x0001;

/// EGL_EXT_platform_device.
pub(super) const PLATFORM_DEVICE: Enum = 0x313F;
/// EGL_KHR_platform_x11.
pub(super) const PLATFORM_X11: Enum = 0x31D5;
/// EGL_KHR_platform_gbm.
pub(super) const PLATFORM_GBM: Enum = 0x31D7;
/// EGL_KHR_platform_wayland.
pub(super) const PLATFORM_WAYLAND: Enum = 0x31D8;
/// EGL_MESA_platform_surfaceless.
pub(super) const PLATFORM_SURFACELESS: Enum = 0x31DD;

pub(super) type GetError = unsafe extern "system" fn() -> Int;
pub(super) type GetDisplay = unsafe extern "system" fn(*mut c_void) -> Handle;
pub(super) type GetPlatformDisplay = unsafe extern "system" fn(Enum, *mut c_void, *const Attrib) -> Handle;
pub(super) type QueryDevices = unsafe extern "system" fn(Int, *mut Handle, *mut Int) -> Boolean;
pub(super) type Initialize = unsafe extern "system" fn(Handle, *mut Int, *mut Int) -> Boolean;
pub(super) type Terminate = unsafe extern "system" fn(Handle) -> Boolean;
pub(super) type QueryString = unsafe extern "system" fn(Handle, Int) -> *const c_char;
pub(super) type BindApi = unsafe extern "system" fn(Enum) -> Boolean;
pub(super) type ChooseConfig = unsafe extern "system" fn(Handle, *const Int, *mut Handle, Int, *mut Int) -> Boolean;
pub(super) type GetConfigAttrib = unsafe extern "system" fn(Handle, Handle, Int, *mut Int) -> Boolean;
pub(super) type CreateContext = unsafe extern "system" fn(Handle, Handle, Handle, *const Int) -> Handle;
pub(super) type DestroyContext = unsafe extern "system" fn(Handle, Handle) -> Boolean;
pub(super) type CreateWindowSurface = unsafe extern "system" fn(Handle, Handle, *mut c_void, *const Int) -> Handle;
pub(super) type DestroySurface = unsafe extern "system" fn(Handle, Handle) -> Boolean;
pub(super) type QuerySurface = unsafe extern "system" fn(Handle, Handle, Int, *mut Int) -> Boolean;
pub(super) type MakeCurrent = unsafe extern "system" fn(Handle, Handle, Handle, Handle) -> Boolean;
pub(super) type SwapInterval = unsafe extern "system" fn(Handle, Int) -> Boolean;
pub(super) type SwapBuffers = unsafe extern "system" fn(Handle, Handle) -> Boolean;
pub(super) type CreateImage = unsafe extern "system" fn(Handle, Handle, Enum, *mut c_void, *const Attrib) -> Handle;
pub(super) type DestroyImage = unsafe extern "system" fn(Handle, Handle) -> Boolean;
pub(super) type CreateSync = unsafe extern "system" fn(Handle, Enum, *const Attrib) -> Handle;
pub(super) type DestroySync = unsafe extern "system" fn(Handle, Handle) -> Boolean;
pub(super) type DupNativeFenceFd = unsafe extern "system" fn(Handle, Handle) -> Int;
