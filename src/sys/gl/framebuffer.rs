//! Framebuffers to draw into off screen.
use std::rc::Rc;

use glow::HasContext;

use super::{Context, GlError, TexelFormat, Texture};
use crate::base::format::Size;

/// A framebuffer with a texture of its own to hold the pixels (8-bit RGBA).
#[derive(Debug)]
pub struct Framebuffer {
    gl: Rc<Context>,
    raw: glow::Framebuffer,
    color: Texture,
}

impl Framebuffer {
    /// A framebuffer of `size` pixels, not yet defined. Leaves it bound.
    pub fn new(gl: &Rc<Context>, size: Size) -> Result<Self, GlError> {
        let color = Texture::new(gl, TexelFormat::Rgba8, size)?;
        // SAFETY: the context is current.
        let raw = unsafe { gl.raw.create_framebuffer() }
            .map_err(|log| GlError::Shader { what: "glGenFramebuffers".into(), log })?;
        let framebuffer = Self { gl: Rc::clone(gl), raw, color };
        gl.bind_framebuffer(framebuffer.name());
        let texture = Some(framebuffer.color.raw);
        let (target, slot) = (glow::FRAMEBUFFER, glow::COLOR_ATTACHMENT0);
        // SAFETY: the context is current, the framebuffer bound, the texture alive for as long as it.
        unsafe { gl.raw.framebuffer_texture_2d(target, slot, glow::TEXTURE_2D, texture, 0) };
        // SAFETY: the context is current and the framebuffer bound.
        match unsafe { gl.raw.check_framebuffer_status(glow::FRAMEBUFFER) } {
            glow::FRAMEBUFFER_COMPLETE => Ok(framebuffer),
            status => Err(GlError::Incomplete { width: size.width, height: size.height, status }),
        }
    }

    /// Its GL name.
    pub fn name(&self) -> u32 {
        self.raw.0.get()
    }

    /// What is drawn into it, as a texture.
    pub fn texture(&self) -> &Texture {
        &self.color
    }

    /// Pixels across and down.
    pub fn size(&self) -> Size {
        self.color.size()
    }
}

impl Drop for Framebuffer {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the framebuffer its own.
        unsafe { self.gl.raw.delete_framebuffer(self.raw) };
    }
}
