//! The picture on its black ground.
use std::rc::Rc;

use super::geometry::Positions;
use super::program::{PictureProgram, Variant};
use crate::base::format::{PlaneLayout, Rect};
use crate::base::frame::VideoFormat;
use crate::base::geometry::{Fit, Rotation};
use crate::seam::interop::{Renderable, Sampling};
use crate::seam::presenter::RenderTarget;
use crate::sys::gl::{Context, Filter, GlError, Sampler};

/// What can go wrong while drawing.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// GL failed.
    #[error(transparent)]
    Gl(#[from] GlError),
    /// A renderable came without one of its planes.
    #[error("a {format} picture came without the texture of plane {index}")]
    MissingPlane {
        /// The pixel format's name.
        format: &'static str,
        /// Which plane.
        index: usize,
    },
}

/// Draws pictures into targets. Programs are compiled when a kind of picture is first seen and kept.
#[derive(Debug)]
pub struct Compositor {
    gl: Rc<Context>,
    nearest: Sampler,
    linear: Sampler,
    programs: Vec<(Variant, PictureProgram)>,
}

impl Compositor {
    /// A compositor for this context.
    pub fn new(gl: Rc<Context>) -> Result<Self, RenderError> {
        let (nearest, linear) = (Sampler::new(&gl, Filter::Nearest)?, Sampler::new(&gl, Filter::Linear)?);
        Ok(Self { gl, nearest, linear, programs: Vec::new() })
    }

    /// The context it draws with.
    pub fn gl(&self) -> &Rc<Context> {
        &self.gl
    }

    /// Compiles what pictures of `format` will need, so that the first of them is not late.
    pub fn prepare(&mut self, format: &VideoFormat, sampling: Sampling) -> Result<(), RenderError> {
        self.program(Variant::of(format, sampling)).map(drop)
    }

    /// Draws all of `target`: black, and on it the picture, fitted as asked and turned by `Rotation` on top of what its
    /// stream asks for. `None` is all black. Submits to the GPU, waits for nothing.
    pub fn compose(
        &mut self,
        target: &RenderTarget,
        picture: Option<(&Renderable, Fit, Rotation)>,
    ) -> Result<(), RenderError> {
        self.gl.bind_framebuffer(target.framebuffer);
        self.gl.viewport(Rect::of(target.size));
        self.gl.clear_black();
        if let Some((picture, fit, rotation)) = picture
            && !picture.format.visible.size().is_empty()
        {
            self.draw(target, picture, fit, rotation)?;
        }
        Ok(self.gl.check("drawing a picture")?)
    }

    fn draw(
        &mut self,
        target: &RenderTarget,
        picture: &Renderable,
        fit: Fit,
        rotation: Rotation,
    ) -> Result<(), RenderError> {
        let (format, sampling) = (&picture.format, picture.sampling);
        let positions = Positions::new(format, fit, rotation, target.size, target.top_down);
        let variant = Variant::of(format, sampling);
        let index = self.program(variant)?;
        let planes = match sampling {
            Sampling::External => &format.pixel.planes()[..1],
            // What has no textures to sample is refused below.
            Sampling::Planes | Sampling::SplitPlanes | Sampling::Scanout => format.pixel.planes(),
        };
        let is_subsampled = |it: &PlaneLayout| it.sub_x > 1 || it.sub_y > 1;
        // In an external texture all planes are one.
        let any_is_subsampled = format.pixel.planes().iter().any(is_subsampled);
        for ((unit, layout), texture) in (0..).zip(planes).zip(picture.planes) {
            let texture = texture.ok_or(RenderError::MissingPlane { format: format.pixel.name(), index: unit })?;
            // Chroma lies between the pixels even where luma does not.
            let subsampled = is_subsampled(layout) || sampling == Sampling::External && any_is_subsampled;
            let sampler = if positions.one_to_one && !subsampled { &self.nearest } else { &self.linear };
            self.gl.bind_texture(unit as u32, variant.target(), texture.0, sampler);
        }
        self.programs[index].1.set_up(format, sampling, &positions);
        self.gl.viewport(positions.viewport);
        self.gl.draw_triangle();
        Ok(())
    }

    /// The place of a variant's program, compiled if need be.
    fn program(&mut self, variant: Variant) -> Result<usize, RenderError> {
        if let Some(index) = self.programs.iter().position(|it| it.0 == variant) {
            return Ok(index);
        }
        self.programs.push((variant, PictureProgram::new(&self.gl, variant)?));
        Ok(self.programs.len() - 1)
    }
}
