//! Textures and how they are sampled.
use std::num::NonZeroU32;
use std::rc::Rc;

use glow::HasContext;

use super::context::clamp_i32;
use super::{Context, GlError};
use crate::base::format::Size;

/// What a texture is bound to, and with it the kind of sampler that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextureTarget {
    /// An ordinary one.
    D2,
    /// The driver's own layout, converted by it (`GL_OES_EGL_image_external`).
    External,
    /// Addressed in texels (desktop GL, macOS's IOSurfaces).
    Rectangle,
}

impl TextureTarget {
    pub(in crate::sys) const fn raw(self) -> u32 {
        match self {
            TextureTarget::D2 => glow::TEXTURE_2D,
            // GL_TEXTURE_EXTERNAL_OES and GL_TEXTURE_RECTANGLE, which glow does not name for ES.
            TextureTarget::External => 0x8D65,
            TextureTarget::Rectangle => 0x84F5,
        }
    }
}

/// What a texel is made of: unsigned, normalised to 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TexelFormat {
    /// One byte.
    R8,
    /// Two bytes.
    Rg8,
    /// Three bytes.
    Rgb8,
    /// Four bytes.
    Rgba8,
    /// One 16-bit number in the machine's byte order; needs `Context::has_norm16`.
    R16,
    /// Two of them.
    Rg16,
}

impl TexelFormat {
    /// Bytes of one texel in client memory.
    pub const fn bytes(self) -> usize {
        match self {
            TexelFormat::R8 => 1,
            TexelFormat::Rg8 | TexelFormat::R16 => 2,
            TexelFormat::Rgb8 => 3,
            TexelFormat::Rgba8 | TexelFormat::Rg16 => 4,
        }
    }

    /// GL's internal format, format and type.
    const fn raw(self) -> (u32, u32, u32) {
        match self {
            TexelFormat::R8 => (glow::R8, glow::RED, glow::UNSIGNED_BYTE),
            TexelFormat::Rg8 => (glow::RG8, glow::RG, glow::UNSIGNED_BYTE),
            TexelFormat::Rgb8 => (glow::RGB8, glow::RGB, glow::UNSIGNED_BYTE),
            TexelFormat::Rgba8 => (glow::RGBA8, glow::RGBA, glow::UNSIGNED_BYTE),
            TexelFormat::R16 => (glow::R16, glow::RED, glow::UNSIGNED_SHORT),
            TexelFormat::Rg16 => (glow::RG16, glow::RG, glow::UNSIGNED_SHORT),
        }
    }
}

/// A two-dimensional texture without mipmaps. Its size and format are for life.
#[derive(Debug)]
pub struct Texture {
    gl: Rc<Context>,
    pub(super) raw: glow::Texture,
    format: TexelFormat,
    size: Size,
}

impl Texture {
    /// A texture whose texels are not defined yet.
    pub fn new(gl: &Rc<Context>, format: TexelFormat, size: Size) -> Result<Self, GlError> {
        gl.check_size(size)?;
        // SAFETY: the context is current.
        let raw =
            unsafe { gl.raw.create_texture() }.map_err(|log| GlError::Shader { what: "glGenTextures".into(), log })?;
        let texture = Self { gl: Rc::clone(gl), raw, format, size };
        texture.bind();
        let (width, height) = (clamp_i32(size.width), clamp_i32(size.height));
        // SAFETY: the context is current; GL rejects sizes it cannot do, which `check` below tells.
        unsafe { gl.raw.tex_storage_2d(glow::TEXTURE_2D, 1, format.raw().0, width, height) };
        gl.check("glTexStorage2D")?;
        Ok(texture)
    }

    /// Its GL name.
    pub fn name(&self) -> NonZeroU32 {
        self.raw.0
    }

    /// Texels across and down.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What its texels are.
    pub fn format(&self) -> TexelFormat {
        self.format
    }

    /// Replaces all texels. Row `y` of `bytes` starts at `y * stride`; any stride will do that holds a row. The last row
    /// may end with the slice.
    pub fn upload(&self, bytes: &[u8], stride: usize) -> Result<(), GlError> {
        if self.size.is_empty() {
            return Ok(());
        }
        let (row, rows) = (self.size.width as usize * self.format.bytes(), self.size.height as usize);
        if stride < row {
            return Err(GlError::ShortSlice { call: "glTexSubImage2D (stride)", needed: row, got: stride });
        }
        let needed = stride.saturating_mul(rows - 1).saturating_add(row);
        if bytes.len() < needed {
            return Err(GlError::ShortSlice { call: "glTexSubImage2D", needed, got: bytes.len() });
        }
        self.bind();
        match Unpack::for_stride(stride, self.format.bytes()) {
            Some(unpack) => {
                unpack.set(&self.gl);
                self.sub_image(0, self.size.height, bytes);
            }
            None => {
                Unpack::TIGHT.set(&self.gl);
                for (y, row_bytes) in (0..self.size.height).zip(bytes.chunks(stride)) {
                    self.sub_image(y, 1, row_bytes);
                }
            }
        }
        Ok(())
    }

    /// Replaces `rows` rows from `y` on, from bytes laid out as the unpack state says. The caller has checked that the
    /// slice holds them.
    fn sub_image(&self, y: u32, rows: u32, bytes: &[u8]) {
        let (_, format, kind) = self.format.raw();
        let (y, width, rows) = (clamp_i32(y), clamp_i32(self.size.width), clamp_i32(rows));
        let pixels = glow::PixelUnpackData::Slice(Some(bytes));
        // SAFETY: the context is current, the texture bound, no unpack buffer is ever bound, and `upload` has checked
        // that rows of this stride lie within `bytes`.
        unsafe { self.gl.raw.tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, y, width, rows, format, kind, pixels) };
    }

    fn bind(&self) {
        // SAFETY: the context is current and the texture its own.
        unsafe { self.gl.raw.bind_texture(glow::TEXTURE_2D, Some(self.raw)) };
    }
}

impl Drop for Texture {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the texture its own.
        unsafe { self.gl.raw.delete_texture(self.raw) };
    }
}

/// How GL finds the rows in client memory: a row length in texels, rounded up to an alignment in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unpack {
    pub(super) row_length: usize,
    pub(super) alignment: usize,
}

impl Unpack {
    /// For single rows.
    const TIGHT: Unpack = Unpack { row_length: 0, alignment: 1 };

    /// The settings that give exactly this stride, or `None` where GL has no words for it.
    pub(super) fn for_stride(stride: usize, texel_bytes: usize) -> Option<Self> {
        let row_length = stride / texel_bytes;
        [1, 2, 4, 8]
            .into_iter()
            .find(|alignment| (row_length * texel_bytes).next_multiple_of(*alignment) == stride)
            .map(|alignment| Self { row_length, alignment })
    }

    fn set(self, gl: &Context) {
        let [length, alignment] = [self.row_length, self.alignment].map(|it| i32::try_from(it).unwrap_or(i32::MAX));
        // SAFETY: the context is current; GL checks the value.
        unsafe { gl.raw.pixel_store_i32(glow::UNPACK_ROW_LENGTH, length) };
        // SAFETY: the context is current; GL checks the value.
        unsafe { gl.raw.pixel_store_i32(glow::UNPACK_ALIGNMENT, alignment) };
    }
}

/// How a sampler fills in between texels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// It does not: the texel the position lies in.
    Nearest,
    /// From the four around the position.
    Linear,
}

/// Filtering apart from the texture; edges are clamped.
#[derive(Debug)]
pub struct Sampler {
    gl: Rc<Context>,
    pub(super) raw: glow::Sampler,
}

impl Sampler {
    /// A sampler for good.
    pub fn new(gl: &Rc<Context>, filter: Filter) -> Result<Self, GlError> {
        // SAFETY: the context is current.
        let raw =
            unsafe { gl.raw.create_sampler() }.map_err(|log| GlError::Shader { what: "glGenSamplers".into(), log })?;
        let filter = match filter {
            Filter::Nearest => glow::NEAREST,
            Filter::Linear => glow::LINEAR,
        };
        for (name, value) in [
            (glow::TEXTURE_MIN_FILTER, filter),
            (glow::TEXTURE_MAG_FILTER, filter),
            (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_EDGE),
            (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_EDGE),
        ] {
            // SAFETY: the context is current, the sampler its own, the values from GL's header.
            unsafe { gl.raw.sampler_parameter_i32(raw, name, value.cast_signed()) };
        }
        Ok(Self { gl: Rc::clone(gl), raw })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the sampler its own.
        unsafe { self.gl.raw.delete_sampler(self.raw) };
    }
}
