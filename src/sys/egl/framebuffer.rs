//! Framebuffers to draw into whose pixels are an image's (GL_OES_EGL_image).
use std::ffi::c_void;
use std::rc::Rc;

use glow::HasContext;

use super::image::Image;
use crate::base::format::Size;
use crate::sys::gl::{Context, GlError};

type ImageTargetRenderbufferStorage = unsafe extern "system" fn(u32, *mut c_void);

/// A GL framebuffer that draws into an image, without a copy. Its first row is the image's first one in memory.
#[derive(Debug)]
pub struct ImageFramebuffer {
    gl: Rc<Context>,
    raw: glow::Framebuffer,
    color: glow::Renderbuffer,
    size: Size,
}

impl ImageFramebuffer {
    /// A framebuffer on `image`, which has `size` pixels. Leaves it bound.
    pub fn new(gl: &Rc<Context>, image: &Image, size: Size) -> Result<Self, GlError> {
        let missing = || GlError::Shader { what: "GL_OES_EGL_image".into(), log: "this driver lacks it".into() };
        let address = image.display().lib().proc_address(c"glEGLImageTargetRenderbufferStorageOES");
        if address.is_null() || !gl.has_extension("GL_OES_EGL_image") {
            return Err(missing());
        }
        // SAFETY: not null, and the signature is the one of GL_OES_EGL_image, whose name was asked for.
        let storage = unsafe { std::mem::transmute::<*const c_void, ImageTargetRenderbufferStorage>(address) };
        // SAFETY: the context is current.
        let color = unsafe { gl.raw.create_renderbuffer() }
            .map_err(|log| GlError::Shader { what: "glGenRenderbuffers".into(), log })?;
        // SAFETY: the context is current.
        let raw = unsafe { gl.raw.create_framebuffer() };
        let raw = match raw {
            Ok(it) => it,
            Err(log) => {
                // SAFETY: the context is current and the renderbuffer our own.
                unsafe { gl.raw.delete_renderbuffer(color) };
                return Err(GlError::Shader { what: "glGenFramebuffers".into(), log });
            }
        };
        // From here on its own drop cleans up.
        let framebuffer = Self { gl: Rc::clone(gl), raw, color, size };
        // SAFETY: the context is current and the renderbuffer its own.
        unsafe { gl.raw.bind_renderbuffer(glow::RENDERBUFFER, Some(color)) };
        // SAFETY: the context is current, a renderbuffer is bound, and the image alive, being borrowed.
        unsafe { storage(glow::RENDERBUFFER, image.raw()) };
        gl.check("glEGLImageTargetRenderbufferStorageOES")?;
        gl.bind_framebuffer(framebuffer.name());
        let (target, slot) = (glow::FRAMEBUFFER, glow::COLOR_ATTACHMENT0);
        // SAFETY: the context is current, the framebuffer bound, the renderbuffer alive for as long as it.
        unsafe { gl.raw.framebuffer_renderbuffer(target, slot, glow::RENDERBUFFER, Some(color)) };
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

    /// Pixels across and down.
    pub fn size(&self) -> Size {
        self.size
    }
}

impl Drop for ImageFramebuffer {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the framebuffer its own.
        unsafe { self.gl.raw.delete_framebuffer(self.raw) };
        // SAFETY: the context is current, being held, and the renderbuffer its own.
        unsafe { self.gl.raw.delete_renderbuffer(self.color) };
    }
}
