//! Programs of a vertex and a fragment shader, and their uniforms.
use std::rc::Rc;

use glow::HasContext;

use super::{Context, GlError};

/// Where a uniform is in its program; setting one the compiler threw out does nothing, as in GL.
#[derive(Debug, Clone, Copy)]
pub struct Uniform(Option<glow::UniformLocation>);

/// A linked program.
#[derive(Debug)]
pub struct Program {
    gl: Rc<Context>,
    raw: glow::Program,
}

impl Program {
    /// Compiles and links. `what` names it in errors. The sources are complete, with their `#version`.
    pub fn new(gl: &Rc<Context>, what: &str, vertex: &str, fragment: &str) -> Result<Self, GlError> {
        let vertex = Shader::new(gl, glow::VERTEX_SHADER, what, vertex)?;
        let fragment = Shader::new(gl, glow::FRAGMENT_SHADER, what, fragment)?;
        // SAFETY: the context is current.
        let raw = unsafe { gl.raw.create_program() }
            .map_err(|log| GlError::Shader { what: "glCreateProgram".into(), log })?;
        let program = Self { gl: Rc::clone(gl), raw };
        for shader in [&vertex, &fragment] {
            // SAFETY: the context is current, and both are its own and alive.
            unsafe { gl.raw.attach_shader(raw, shader.raw) };
        }
        // SAFETY: the context is current and the program its own.
        unsafe { gl.raw.link_program(raw) };
        for shader in [&vertex, &fragment] {
            // SAFETY: the context is current, and the shader was attached above.
            unsafe { gl.raw.detach_shader(raw, shader.raw) };
        }
        // SAFETY: the context is current and the program its own.
        if unsafe { gl.raw.get_program_link_status(raw) } {
            return Ok(program);
        }
        // SAFETY: the context is current and the program its own.
        let log = unsafe { gl.raw.get_program_info_log(raw) };
        Err(GlError::Shader { what: format!("linking {what}"), log })
    }

    /// Looks a uniform up, once.
    pub fn uniform(&self, name: &str) -> Uniform {
        // SAFETY: the context is current and the program its own and linked.
        Uniform(unsafe { self.gl.raw.get_uniform_location(self.raw, name) })
    }

    /// Draws with it from now on; the setters below work on the program in use.
    pub fn use_it(&self) {
        // SAFETY: the context is current and the program its own and linked.
        unsafe { self.gl.raw.use_program(Some(self.raw)) };
    }

    /// Sets an integer, or a sampler's unit.
    pub fn set_i32(&self, at: Uniform, value: i32) {
        // SAFETY: the context is current; GL rejects a location of another type or program.
        unsafe { self.gl.raw.uniform_1_i32(at.0.as_ref(), value) };
    }

    /// Sets a vec2.
    pub fn set_vec2(&self, at: Uniform, v: [f32; 2]) {
        // SAFETY: as in `set_i32`.
        unsafe { self.gl.raw.uniform_2_f32(at.0.as_ref(), v[0], v[1]) };
    }

    /// Sets a vec3.
    pub fn set_vec3(&self, at: Uniform, v: [f32; 3]) {
        // SAFETY: as in `set_i32`.
        unsafe { self.gl.raw.uniform_3_f32(at.0.as_ref(), v[0], v[1], v[2]) };
    }

    /// Sets a vec4.
    pub fn set_vec4(&self, at: Uniform, v: [f32; 4]) {
        // SAFETY: as in `set_i32`.
        unsafe { self.gl.raw.uniform_4_f32(at.0.as_ref(), v[0], v[1], v[2], v[3]) };
    }

    /// Sets a mat3, given column by column.
    pub fn set_mat3(&self, at: Uniform, columns: &[f32; 9]) {
        // SAFETY: as in `set_i32`; nine floats are what one mat3 takes.
        unsafe { self.gl.raw.uniform_matrix_3_f32_slice(at.0.as_ref(), false, columns) };
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the context is current, being held, and the program its own.
        unsafe { self.gl.raw.delete_program(self.raw) };
    }
}

/// A compiled shader, needed until its program is linked.
struct Shader<'a> {
    gl: &'a Context,
    raw: glow::Shader,
}

impl<'a> Shader<'a> {
    fn new(gl: &'a Context, kind: u32, what: &str, source: &str) -> Result<Self, GlError> {
        // SAFETY: the context is current; GL rejects kinds it does not know.
        let raw = unsafe { gl.raw.create_shader(kind) }
            .map_err(|log| GlError::Shader { what: "glCreateShader".into(), log })?;
        let shader = Self { gl, raw };
        // SAFETY: the context is current and the shader its own; GL copies the source.
        unsafe { gl.raw.shader_source(raw, source) };
        // SAFETY: the context is current and the shader its own.
        unsafe { gl.raw.compile_shader(raw) };
        // SAFETY: the context is current and the shader its own.
        if unsafe { gl.raw.get_shader_compile_status(raw) } {
            return Ok(shader);
        }
        // SAFETY: the context is current and the shader its own.
        let log = unsafe { gl.raw.get_shader_info_log(raw) };
        let stage = if kind == glow::VERTEX_SHADER { "vertex" } else { "fragment" };
        Err(GlError::Shader { what: format!("compiling the {stage} shader of {what}"), log })
    }
}

impl Drop for Shader<'_> {
    fn drop(&mut self) {
        // SAFETY: the context is current, being borrowed, and the shader its own.
        unsafe { self.gl.raw.delete_shader(self.raw) };
    }
}
