//! libavfilter, loaded when there is first something to filter. Debian's brings thirty libraries with it (speech synthesis,
//! audio effects, Vulkan) and more than half of all relocations of a start, and most runs never filter anything.
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use ffmpeg_sys_next as ff;
use libloading::{Error, Library};

use super::error::AvError;

/// The functions of it that are used here, as `libavfilter/avfilter.h`, `buffersrc.h` and `buffersink.h` declare them.
#[derive(Debug)]
pub(super) struct Filters {
    pub graph_alloc: unsafe extern "C" fn() -> *mut ff::AVFilterGraph,
    pub graph_config: unsafe extern "C" fn(*mut ff::AVFilterGraph, *mut c_void) -> c_int,
    pub graph_free: unsafe extern "C" fn(*mut *mut ff::AVFilterGraph),
    pub graph_create_filter: unsafe extern "C" fn(
        *mut *mut ff::AVFilterContext,
        *const ff::AVFilter,
        *const c_char,
        *const c_char,
        *mut c_void,
        *mut ff::AVFilterGraph,
    ) -> c_int,
    pub get_by_name: unsafe extern "C" fn(*const c_char) -> *const ff::AVFilter,
    pub link: unsafe extern "C" fn(*mut ff::AVFilterContext, c_uint, *mut ff::AVFilterContext, c_uint) -> c_int,
    pub buffersrc_add_frame_flags: unsafe extern "C" fn(*mut ff::AVFilterContext, *mut ff::AVFrame, c_int) -> c_int,
    pub buffersink_get_frame_flags: unsafe extern "C" fn(*mut ff::AVFilterContext, *mut ff::AVFrame, c_int) -> c_int,
    /// What they are in. Never unloaded: the library's own threads and tables may outlive any graph.
    _library: Library,
}

impl Filters {
    /// The library, loaded by the first call. Takes as long as loading thirty libraries does.
    pub fn get() -> Result<&'static Self, AvError> {
        static LOADED: OnceLock<Option<Filters>> = OnceLock::new();
        let load = || {
            let name = file_name(ff::LIBAVFILTER_VERSION_MAJOR);
            let loaded = Self::load(&name);
            let said = |it: &Error| log::warn!("{name} cannot be loaded: {it}; install FFmpeg's libavfilter");
            loaded.inspect_err(said).ok()
        };
        let missing = AvError { call: "loading libavfilter", code: ff::AVERROR_FILTER_NOT_FOUND };
        LOADED.get_or_init(load).as_ref().ok_or(missing)
    }

    fn load(name: &str) -> Result<Self, Error> {
        // SAFETY: FFmpeg's initialisers, which ran at every start while it was linked, expect nothing of their caller.
        let library = unsafe { Library::new(name) }?;
        Ok(Self {
            graph_alloc: symbol(&library, b"avfilter_graph_alloc\0")?,
            graph_config: symbol(&library, b"avfilter_graph_config\0")?,
            graph_free: symbol(&library, b"avfilter_graph_free\0")?,
            graph_create_filter: symbol(&library, b"avfilter_graph_create_filter\0")?,
            get_by_name: symbol(&library, b"avfilter_get_by_name\0")?,
            link: symbol(&library, b"avfilter_link\0")?,
            buffersrc_add_frame_flags: symbol(&library, b"av_buffersrc_add_frame_flags\0")?,
            buffersink_get_frame_flags: symbol(&library, b"av_buffersink_get_frame_flags\0")?,
            _library: library,
        })
    }
}

/// A function by its name, as the field it goes into declares it.
fn symbol<F: Copy>(library: &Library, name: &[u8]) -> Result<F, Error> {
    // SAFETY: the version in the file's name is the headers', and the fields' types are those of the headers.
    unsafe { library.get::<F>(name) }.map(|it| *it)
}

/// The file of the version that the headers are of: no other has their structures.
fn file_name(major: c_int) -> String {
    // Where libraries end in ".so", the version comes last.
    match DLL_SUFFIX {
        ".so" => format!("{DLL_PREFIX}avfilter.so.{major}"),
        _ => format!("{DLL_PREFIX}avfilter.{major}{DLL_SUFFIX}"),
    }
}
