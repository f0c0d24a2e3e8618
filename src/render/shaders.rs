//! Shader texts, and what is put before them: version, extensions, precision, the kind of sampler.
use std::fmt::Write;

use crate::sys::gl::{Api, TextureTarget};

/// `picture.vert` and `picture.frag`.
pub(super) const PICTURE_VERT: &str = include_str!("../../shaders/picture.vert");
pub(super) const PICTURE_FRAG: &str = include_str!("../../shaders/picture.frag");

/// A complete vertex shader.
pub(super) fn vertex(api: Api, text: &str) -> String {
    format!("{}{text}", version(api))
}

/// A complete fragment shader that samples `target`s, with each of `defines` set to its number.
pub(super) fn fragment(api: Api, target: TextureTarget, defines: &[(&str, u32)], text: &str) -> String {
    let mut source = String::from(version(api));
    if api == Api::Gles3 && target == TextureTarget::External {
        // Extensions must come before everything that is not a directive.
        source.push_str("#extension GL_OES_EGL_image_external_essl3 : require\n");
    }
    let sampler = match target {
        TextureTarget::D2 => "sampler2D",
        TextureTarget::External => "samplerExternalOES",
        TextureTarget::Rectangle => "sampler2DRect",
    };
    if api == Api::Gles3 {
        // ES gives fragment shaders no default for floats, and samplers one of 8 bits.
        let _ = writeln!(source, "precision highp float;\nprecision highp int;\nprecision highp {sampler};");
    }
    // Writing to a String cannot fail.
    let _ = writeln!(source, "#define PLANE {sampler}");
    for (name, value) in defines {
        let _ = writeln!(source, "#define {name} {value}");
    }
    source.push_str(text);
    source
}

const fn version(api: Api) -> &'static str {
    match api {
        Api::Gles3 => "#version 300 es\n",
        Api::Core41 => "#version 410 core\n",
    }
}
