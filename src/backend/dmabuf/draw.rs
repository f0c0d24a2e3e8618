//! Drawing that is not for pictures: texels of an import as they come out of a shader, and one pixel of nothing.
use std::cell::OnceCell;
use std::rc::Rc;

use crate::base::format::{Rect, Size};
use crate::sys::egl::ImageTexture;
use crate::sys::gl::{
    Context, Filter, Framebuffer, GlError, Program, Sampler, TexelFormat, Texture, TextureTarget, Uniform,
};

const VERTEX: &str = "#version 300 es
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
    gl_Position = vec4(corner, 0.0, 1.0);
}
";

/// Each pixel is its texel: the bytes that lie in memory, low byte first.
const TEXELS: &str = "#version 300 es
precision highp float;
uniform highp sampler2D u_plane;
uniform vec2 u_size;
uniform int u_wide;
out vec4 o_bytes;
void main() {
    vec4 texel = texture(u_plane, gl_FragCoord.xy / u_size);
    if (u_wide == 1) {
        vec2 code = floor(texel.rg * 65535.0 + 0.5);
        vec2 high = floor(code / 256.0);
        texel = vec4(code - 256.0 * high, high).xzyw / 255.0;
    }
    o_bytes = texel;
}
";

/// Each pixel is what the driver makes of it.
const CONVERTED: &str = "#version 300 es
#extension GL_OES_EGL_image_external_essl3 : require
precision highp float;
uniform highp samplerExternalOES u_plane;
uniform vec2 u_size;
out vec4 o_color;
void main() {
    o_color = vec4(texture(u_plane, gl_FragCoord.xy / u_size).rgb, 1.0);
}
";

/// One texel of three textures.
const NOTHING: &str = "#version 300 es
precision highp float;
uniform highp sampler2D u_plane0;
uniform highp sampler2D u_plane1;
uniform highp sampler2D u_plane2;
out vec4 o_color;
void main() {
    vec2 at = vec2(0.5);
    o_color = texture(u_plane0, at) + texture(u_plane1, at) + texture(u_plane2, at);
}
";

/// Draws one pixel from a texture of our own. A driver keeps what it sampled last, deleted or not, until it samples
/// something else, and so a decoder's buffer that is to go.
#[derive(Debug)]
pub struct LastDraw {
    gl: Rc<Context>,
    program: Program,
    sampler: Sampler,
    texture: Texture,
    framebuffer: Framebuffer,
}

impl LastDraw {
    pub fn new(gl: &Rc<Context>) -> Result<Self, GlError> {
        let program = Program::new(gl, "the program that draws nothing", VERTEX, NOTHING)?;
        program.use_it();
        for (unit, name) in (0..).zip(["u_plane0", "u_plane1", "u_plane2"]) {
            program.set_i32(program.uniform(name), unit);
        }
        let one = Size::new(1, 1);
        let texture = Texture::new(gl, TexelFormat::Rgba8, one)?;
        texture.upload(&[0; 4], 4)?;
        let (sampler, framebuffer) = (Sampler::new(gl, Filter::Nearest)?, Framebuffer::new(gl, one)?);
        Ok(Self { gl: Rc::clone(gl), program, sampler, texture, framebuffer })
    }

    /// Makes the driver let go of textures that were deleted. Does not wait for it.
    pub fn draw(&self) {
        self.program.use_it();
        self.gl.bind_framebuffer(self.framebuffer.name());
        self.gl.viewport(Rect::of(self.framebuffer.size()));
        for unit in 0..3 {
            self.gl.bind_texture(unit, TextureTarget::D2, self.texture.name(), &self.sampler);
        }
        self.gl.draw_triangle();
        self.gl.flush();
    }
}

/// Draws textures texel by pixel and reads them back.
pub struct Drawing {
    gl: Rc<Context>,
    sampler: Sampler,
    framebuffer: Framebuffer,
    /// Each compiled when it is first needed; the second mostly never is.
    texels: OnceCell<Compiled>,
    converted: OnceCell<Compiled>,
}

struct Compiled {
    program: Program,
    size: Uniform,
    wide: Uniform,
}

impl Compiled {
    fn new(gl: &Rc<Context>, what: &str, fragment: &str) -> Result<Self, GlError> {
        let program = Program::new(gl, what, VERTEX, fragment)?;
        program.use_it();
        program.set_i32(program.uniform("u_plane"), 0);
        let (size, wide) = (program.uniform("u_size"), program.uniform("u_wide"));
        Ok(Self { program, size, wide })
    }
}

impl Drawing {
    /// For pictures of at most `size`. Leaves its own framebuffer bound.
    pub fn new(gl: &Rc<Context>, size: Size) -> Result<Self, GlError> {
        // As pictures are sampled: what cannot be filtered is black.
        let sampler = Sampler::new(gl, Filter::Linear)?;
        let framebuffer = Framebuffer::new(gl, size)?;
        let (texels, converted) = (OnceCell::new(), OnceCell::new());
        Ok(Self { gl: Rc::clone(gl), sampler, framebuffer, texels, converted })
    }

    /// The bytes of each texel of a plane's texture, four for each, row by row. `wide`: its components are 16-bit numbers.
    pub fn texels(&self, texture: &ImageTexture, size: Size, wide: bool) -> Result<Vec<u8>, GlError> {
        let it = self.compiled(&self.texels, "the program that reads texels", TEXELS)?;
        it.program.use_it();
        it.program.set_i32(it.wide, i32::from(wide));
        self.draw(it, texture, size, TextureTarget::D2)
    }

    /// The colours of each pixel of an external texture, four bytes for each, row by row.
    pub fn colors(&self, texture: &ImageTexture, size: Size) -> Result<Vec<u8>, GlError> {
        let it = self.compiled(&self.converted, "the program that reads external pictures", CONVERTED)?;
        it.program.use_it();
        self.draw(it, texture, size, TextureTarget::External)
    }

    fn compiled<'a>(&self, cell: &'a OnceCell<Compiled>, what: &str, fragment: &str) -> Result<&'a Compiled, GlError> {
        if let Some(it) = cell.get() {
            return Ok(it);
        }
        let made = Compiled::new(&self.gl, what, fragment)?;
        Ok(cell.get_or_init(|| made))
    }

    fn draw(
        &self,
        it: &Compiled,
        texture: &ImageTexture,
        size: Size,
        target: TextureTarget,
    ) -> Result<Vec<u8>, GlError> {
        let (area, gl) = (Rect::of(size), &self.gl);
        it.program.set_vec2(it.size, [size.width as f32, size.height as f32]);
        gl.bind_framebuffer(self.framebuffer.name());
        gl.viewport(area);
        gl.clear_black();
        gl.bind_texture(0, target, texture.name(), &self.sampler);
        gl.draw_triangle();
        let mut bytes = vec![0; size.width as usize * size.height as usize * 4];
        gl.read_rgba(area, &mut bytes)?;
        Ok(bytes)
    }
}
