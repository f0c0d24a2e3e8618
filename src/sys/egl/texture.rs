//! Images as textures, to be sampled.
use std::ffi::c_void;
use std::num::NonZeroU32;
use std::rc::Rc;

use glow::HasContext;

use super::image::Image;
use crate::sys::gl::{Context, GlError, TextureTarget};

type ImageTargetTexture2d = unsafe extern "system" fn(u32, *mut c_void);

/// A texture whose texels are an image's memory: what is written there is sampled by the next draw.
#[derive(Debug)]
pub struct ImageTexture {
    gl: Rc<Context>,
    raw: glow::Texture,
    /// Dropped last. The texture has its own reference to the memory, but both are to go together.
    image: Image,
}

impl ImageTexture {
    /// A texture of all of `image`, for `target`: an ordinary one, or an external one.
    pub fn new(gl: &Rc<Context>, image: Image, target: TextureTarget) -> Result<Self, GlError> {
        let extension = match target {
            TextureTarget::External => "GL_OES_EGL_image_external",
            TextureTarget::D2 | TextureTarget::Rectangle => "GL_OES_EGL_image",
        };
        let address = image.display().lib().proc_address(c"glEGLImageTargetTexture2DOES");
        if address.is_null() || !gl.has_extension(extension) {
            return Err(GlError::Shader { what: extension.into(), log: "this driver lacks it".into() });
        }
        // SAFETY: not null, and the signature is the one of GL_OES_EGL_image, whose name was asked for.
        let make = unsafe { std::mem::transmute::<*const c_void, ImageTargetTexture2d>(address) };
        // SAFETY: the context is current.
        let raw =
            unsafe { gl.raw.create_texture() }.map_err(|log| GlError::Shader { what: "glGenTextures".into(), log })?;
        // From here on its own drop cleans up.
        let texture = Self { gl: Rc::clone(gl), raw, image };
        // SAFETY: the context is current and the texture its own, new and of no target yet.
        unsafe { gl.raw.bind_texture(target.raw(), Some(raw)) };
        // SAFETY: the context is current, the texture bound, and the image alive, being ours.
        unsafe { make(target.raw(), texture.image.raw()) };
        gl.check("glEGLImageTargetTexture2DOES")?;
        Ok(texture)
    }

    /// Its GL name.
    pub fn name(&self) -> NonZeroU32 {
        self.raw.0
    }
}

impl Drop for ImageTexture {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the texture its own.
        unsafe { self.gl.raw.delete_texture(self.raw) };
    }
}
