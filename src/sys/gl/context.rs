//! The context, and the calls that belong to no object.
use std::ffi::CStr;
use std::num::NonZeroU32;
use std::rc::Rc;

use glow::HasContext;

use super::texture::TextureTarget;
use super::{Api, GlError, Platform, Sampler};
use crate::base::format::{Rect, Size};

/// A GL context, current on this thread for as long as it lives.
#[derive(Debug)]
pub struct Context {
    pub(in crate::sys) raw: glow::Context,
    vertex_array: glow::VertexArray,
    api: Api,
    vendor: String,
    renderer: String,
    version: String,
    max_texture_size: u32,
    /// Dropped last: it ends the context.
    _platform: Rc<dyn Platform>,
}

impl Context {
    /// Loads GL's functions for the context `platform` made.
    pub fn new(platform: Rc<dyn Platform>) -> Result<Rc<Self>, GlError> {
        // glow panics where there is no version; ask first.
        if !answers_version(&*platform) {
            return Err(GlError::NoVersion);
        }
        // SAFETY: the context is current by Platform's contract, and the addresses are its own.
        let raw = unsafe { glow::Context::from_loader_function_cstr(|name| platform.proc_address(name)) };
        let text = |name| {
            // SAFETY: the context is current, and the three names asked for below exist in every version.
            unsafe { raw.get_parameter_string(name) }
        };
        let (vendor, renderer, version) = (text(glow::VENDOR), text(glow::RENDERER), text(glow::VERSION));
        // SAFETY: the context is current.
        let max = unsafe { raw.get_parameter_i32(glow::MAX_TEXTURE_SIZE) };
        // SAFETY: the context is current.
        let vertex_array = unsafe { raw.create_vertex_array() }
            .map_err(|log| GlError::Shader { what: "glGenVertexArrays".into(), log })?;
        // One for ever: our vertices come from gl_VertexID, but the core profile draws nothing without an array.
        // SAFETY: the context is current and the array its own.
        unsafe { raw.bind_vertex_array(Some(vertex_array)) };
        // SAFETY: the context is current. Drivers dither by default where they may; pixels must be exact.
        unsafe { raw.disable(glow::DITHER) };
        let max_texture_size = u32::try_from(max).unwrap_or(0);
        let api = platform.api();
        Ok(Rc::new(Self { raw, vertex_array, api, vendor, renderer, version, max_texture_size, _platform: platform }))
    }

    /// The dialect it speaks.
    pub fn api(&self) -> Api {
        self.api
    }

    /// Who made the driver.
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// The GPU, in the driver's words.
    pub fn renderer(&self) -> &str {
        &self.renderer
    }

    /// GL's and the driver's version, in the driver's words.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Longest side of a texture, in texels.
    pub fn max_texture_size(&self) -> u32 {
        self.max_texture_size
    }

    /// Whether the context has an extension ("GL_EXT_texture_norm16").
    pub fn has_extension(&self, name: &str) -> bool {
        self.raw.supported_extensions().contains(name)
    }

    /// Whether 16-bit normalised textures can be sampled: part of the desktop's GL, an extension of ES.
    pub fn has_norm16(&self) -> bool {
        self.api == Api::Core41 || self.has_extension("GL_EXT_texture_norm16")
    }

    /// Draws into a framebuffer by its name from now on; 0 is the window's own.
    pub fn bind_framebuffer(&self, name: u32) {
        let framebuffer = NonZeroU32::new(name).map(glow::NativeFramebuffer);
        // SAFETY: the context is current; GL rejects names it does not know.
        unsafe { self.raw.bind_framebuffer(glow::FRAMEBUFFER, framebuffer) };
    }

    /// Where drawing goes, in framebuffer pixels with the origin at the first row.
    pub fn viewport(&self, area: Rect) {
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(clamp_i32);
        // SAFETY: the context is current; GL clamps the numbers.
        unsafe { self.raw.viewport(x, y, width, height) };
    }

    /// Fills the bound framebuffer with opaque black.
    pub fn clear_black(&self) {
        // SAFETY: the context is current.
        unsafe { self.raw.clear_color(0.0, 0.0, 0.0, 1.0) };
        // SAFETY: the context is current.
        unsafe { self.raw.clear(glow::COLOR_BUFFER_BIT) };
    }

    /// Fills a part of the bound framebuffer with one colour: red, green, blue and alpha of 0 to 1, the first three multiplied
    /// by the last. Nothing is blended.
    pub fn fill(&self, area: Rect, color: [f32; 4]) {
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(clamp_i32);
        let [red, green, blue, alpha] = color;
        // SAFETY: the context is current.
        unsafe { self.raw.clear_color(red, green, blue, alpha) };
        // SAFETY: the context is current; the numbers are not negative.
        unsafe { self.raw.scissor(x, y, width, height) };
        // SAFETY: the context is current.
        unsafe { self.raw.enable(glow::SCISSOR_TEST) };
        // SAFETY: the context is current.
        unsafe { self.raw.clear(glow::COLOR_BUFFER_BIT) };
        // SAFETY: the context is current.
        unsafe { self.raw.disable(glow::SCISSOR_TEST) };
    }

    /// Binds a texture to a unit; how it is filtered is the sampler's business.
    pub fn bind_texture(&self, unit: u32, target: TextureTarget, name: NonZeroU32, sampler: &Sampler) {
        // SAFETY: the context is current; GL rejects units it does not have.
        unsafe { self.raw.active_texture(glow::TEXTURE0 + unit) };
        // SAFETY: the context is current; GL rejects names of another target.
        unsafe { self.raw.bind_texture(target.raw(), Some(glow::NativeTexture(name))) };
        // SAFETY: the context is current and the sampler alive, being borrowed.
        unsafe { self.raw.bind_sampler(unit, Some(sampler.raw)) };
    }

    /// Runs the program in use for three vertices that come from `gl_VertexID` alone.
    pub fn draw_triangle(&self) {
        // SAFETY: the context is current, and no vertex attribute is enabled, so no memory of ours is read.
        unsafe { self.raw.draw_arrays(glow::TRIANGLES, 0, 3) };
    }

    /// Copies RGBA bytes of the bound framebuffer's `area` into `out`, first row first, rows without padding.
    pub fn read_rgba(&self, area: Rect, out: &mut [u8]) -> Result<(), GlError> {
        let needed = area.width as usize * area.height as usize * 4;
        if out.len() < needed {
            return Err(GlError::ShortSlice { call: "glReadPixels", needed, got: out.len() });
        }
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(clamp_i32);
        // Whole RGBA pixels keep every row aligned to the default of four, and no pack state is ever changed.
        let pixels = glow::PixelPackData::Slice(Some(out));
        // SAFETY: the context is current, no pack buffer is ever bound, and `out` has the bytes, as checked above.
        unsafe { self.raw.read_pixels(x, y, width, height, glow::RGBA, glow::UNSIGNED_BYTE, pixels) };
        self.check("glReadPixels")
    }

    /// What went wrong since the last check, blamed on `call`.
    pub fn check(&self, call: &'static str) -> Result<(), GlError> {
        // SAFETY: the context is current.
        match unsafe { self.raw.get_error() } {
            glow::NO_ERROR => Ok(()),
            code => Err(GlError::Call { call, code }),
        }
    }

    /// Refuses what no texture can hold.
    pub fn check_size(&self, size: Size) -> Result<(), GlError> {
        let limit = self.max_texture_size;
        if size.width > limit || size.height > limit {
            return Err(GlError::TooLarge { width: size.width, height: size.height, limit });
        }
        Ok(())
    }

    /// Gets the GPU going on what was asked so far.
    pub fn flush(&self) {
        // SAFETY: the context is current.
        unsafe { self.raw.flush() };
    }

    /// Waits until the GPU has done all that was asked. For benches and teardown, never on the way to the screen.
    pub fn finish(&self) {
        // SAFETY: the context is current.
        unsafe { self.raw.finish() };
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is still current, and the array its own.
        unsafe { self.raw.delete_vertex_array(self.vertex_array) };
    }
}

/// GL counts in signed integers; what does not fit is refused by it as too large.
pub(super) fn clamp_i32(it: u32) -> i32 {
    i32::try_from(it).unwrap_or(i32::MAX)
}

/// Whether the current context answers `glGetString(GL_VERSION)`.
fn answers_version(platform: &dyn Platform) -> bool {
    type GetString = unsafe extern "system" fn(u32) -> *const std::ffi::c_char;
    let address = platform.proc_address(c"glGetString");
    if address.is_null() {
        return false;
    }
    // SAFETY: not null, and the signature is that of glGetString, whose name was asked for.
    let get_string = unsafe { std::mem::transmute::<*const std::ffi::c_void, GetString>(address) };
    // SAFETY: the context is current by Platform's contract.
    let text = unsafe { get_string(glow::VERSION) };
    if text.is_null() {
        return false;
    }
    // SAFETY: not null, so it is the driver's static, NUL-terminated string.
    unsafe { CStr::from_ptr(text) }.to_str().is_ok()
}
