//! Unpack arithmetic, bounds and round trips through the GPU.
use std::rc::Rc;

use super::texture::Unpack;
use super::*;
use crate::base::format::{Rect, Size};
use crate::sys::egl;

fn context() -> Rc<Context> {
    Context::new(egl::Context::surfaceless(Api::Gles3).unwrap()).unwrap()
}

#[test]
fn gl_has_words_for_most_strides() {
    for (stride, texel, want) in [
        (64, 1, Some((64, 1))),
        (66, 2, Some((33, 1))),
        (67, 2, None),
        (16, 3, Some((5, 2))),
        (5792, 3, Some((1930, 4))),
        (17, 3, None),
        (18, 4, None),
        (20, 4, Some((5, 1))),
    ] {
        let got = Unpack::for_stride(stride, texel).map(|it| (it.row_length, it.alignment));
        assert_eq!(got, want, "stride {stride}, {texel} bytes a texel");
    }
}

#[test]
fn slices_shorter_than_the_picture_are_refused() {
    let gl = context();
    let texture = Texture::new(&gl, TexelFormat::Rg8, Size::new(3, 2)).unwrap();
    assert!(texture.upload(&[0; 13], 7).is_ok());
    assert!(matches!(texture.upload(&[0; 12], 7), Err(GlError::ShortSlice { needed: 13, got: 12, .. })));
    assert!(matches!(texture.upload(&[0; 99], 5), Err(GlError::ShortSlice { .. })));
    let framebuffer = Framebuffer::new(&gl, Size::new(2, 2)).unwrap();
    assert_eq!(framebuffer.size(), Size::new(2, 2));
    assert!(gl.read_rgba(Rect::of(Size::new(2, 2)), &mut [0; 15]).is_err());
    gl.check("the whole test").unwrap();
}

#[test]
fn textures_no_gpu_can_hold_are_refused_with_the_limit() {
    let gl = context();
    let error = Texture::new(&gl, TexelFormat::R8, Size::new(1 << 20, 4)).unwrap_err();
    assert!(error.to_string().contains(&gl.max_texture_size().to_string()), "{error}");
}

#[test]
fn a_fence_is_reached_once_the_gpu_is_done() {
    let gl = context();
    let framebuffer = Framebuffer::new(&gl, Size::new(8, 8)).unwrap();
    gl.bind_framebuffer(framebuffer.name());
    gl.clear_black();
    let fence = Fence::new(&gl).unwrap();
    gl.finish();
    assert!(fence.is_reached(std::time::Duration::ZERO).unwrap());
}

#[test]
fn a_fence_that_cannot_be_waited_for_is_an_error() {
    let gl = context();
    let fence = Fence::new(&gl).unwrap();
    fence.delete();
    let error = fence.is_reached(std::time::Duration::ZERO).unwrap_err();
    assert!(error.to_string().starts_with("glClientWaitSync failed"), "{error}");
    drop(fence);
    // Deleting it again did no harm but this.
    let _ = gl.check("glDeleteSync");
    assert!(Fence::new(&gl).unwrap().is_reached(std::time::Duration::from_secs(1)).unwrap());
}

#[test]
fn a_shader_that_does_not_compile_says_which() {
    let gl = context();
    let error = Program::new(&gl, "nonsense", "#version 300 es\nvoid main() { oops }", "").unwrap_err();
    assert!(error.to_string().starts_with("compiling the vertex shader of nonsense"), "{error}");
}
