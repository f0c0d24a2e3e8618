//! The picture program in its variants.
use std::rc::Rc;

use super::color::{Conversion, tone_curve};
use super::geometry::{Addressing, Grid, Positions};
use super::shaders;
use crate::base::color::{Primaries, Transfer};
use crate::base::format::PixelFormat;
use crate::base::frame::VideoFormat;
use crate::seam::interop::Sampling;
use crate::sys::gl::{Context, GlError, Program, TextureTarget, Uniform};

/// What of a picture is compiled into its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pixel: PixelFormat,
    sampling: Sampling,
    transfer: Transfer,
    primaries: Primaries,
}

impl Variant {
    /// The variant that draws such pictures.
    pub(super) fn of(format: &VideoFormat, sampling: Sampling) -> Self {
        let color = format.color;
        // Formats that differ only in their numbers share a program.
        let pixel = match format.pixel {
            _ if sampling == Sampling::External => PixelFormat::Rgba,
            PixelFormat::Nv12 | PixelFormat::P010 => PixelFormat::Nv12,
            PixelFormat::Yuv420p | PixelFormat::Yuv422p | PixelFormat::Yuv444p | PixelFormat::Yuv420p10 => {
                PixelFormat::Yuv420p
            }
            PixelFormat::Rgb24 | PixelFormat::Rgba => PixelFormat::Rgba,
            it @ (PixelFormat::Nv21 | PixelFormat::Gray8) => it,
        };
        Self { pixel, sampling, transfer: color.transfer, primaries: color.primaries }
    }

    /// What its textures are bound to.
    pub(super) fn target(self) -> TextureTarget {
        match self.sampling {
            Sampling::External => TextureTarget::External,
            Sampling::Planes | Sampling::SplitPlanes | Sampling::Scanout => TextureTarget::D2,
        }
    }

    fn defines(self) -> [(&'static str, u32); 4] {
        let layout = match self.pixel {
            PixelFormat::Rgb24 | PixelFormat::Rgba => 0,
            PixelFormat::Gray8 => 1,
            PixelFormat::Nv12 | PixelFormat::P010 => 2,
            PixelFormat::Nv21 => 3,
            PixelFormat::Yuv420p | PixelFormat::Yuv422p | PixelFormat::Yuv444p | PixelFormat::Yuv420p10 => 4,
        };
        let transfer = match self.transfer {
            Transfer::Sdr => 0,
            Transfer::Pq => 1,
            Transfer::Hlg => 2,
        };
        [
            ("LAYOUT", layout),
            ("SPLIT", u32::from(self.sampling == Sampling::SplitPlanes)),
            ("TRANSFER", transfer),
            ("WIDE", u32::from(self.primaries == Primaries::Bt2020)),
        ]
    }
}

/// One variant, compiled, with its uniforms looked up.
#[derive(Debug)]
pub(super) struct PictureProgram {
    program: Program,
    place_x: Uniform,
    place_y: Uniform,
    luma_grid: Uniform,
    luma_bounds: Uniform,
    chroma_bounds: Uniform,
    chroma_grid: Uniform,
    matrix: Uniform,
    zero: Uniform,
    curve: Uniform,
}

impl PictureProgram {
    pub(super) fn new(gl: &Rc<Context>, variant: Variant) -> Result<Self, GlError> {
        let vertex = shaders::vertex(gl.api(), shaders::PICTURE_VERT);
        let fragment = shaders::fragment(gl.api(), variant.target(), &variant.defines(), shaders::PICTURE_FRAG);
        let program = Program::new(gl, "the picture program", &vertex, &fragment)?;
        program.use_it();
        for (unit, name) in (0..).zip(["u_plane0", "u_plane1", "u_plane2"]) {
            program.set_i32(program.uniform(name), unit);
        }
        gl.check("glUniform1i")?;
        let at = |name| program.uniform(name);
        Ok(Self {
            place_x: at("u_place_x"),
            place_y: at("u_place_y"),
            luma_grid: at("u_luma_grid"),
            luma_bounds: at("u_luma_bounds"),
            chroma_bounds: at("u_chroma_bounds"),
            chroma_grid: at("u_chroma_grid"),
            matrix: at("u_matrix"),
            zero: at("u_zero"),
            curve: at("u_curve"),
            program,
        })
    }

    /// Uses it for a picture of `format`.
    pub(super) fn set_up(&self, format: &VideoFormat, sampling: Sampling, positions: &Positions) {
        let it = &self.program;
        let planes = format.pixel.planes();
        let conversion = Conversion::new(format.pixel, sampling, &format.color);
        it.use_it();
        it.set_vec3(self.place_x, positions.place_x);
        it.set_vec3(self.place_y, positions.place_y);
        let addressing = match sampling {
            Sampling::Planes | Sampling::External | Sampling::Scanout => Addressing::Normalised,
            Sampling::SplitPlanes => Addressing::Texels,
        };
        let luma = match sampling {
            Sampling::External => Grid::external(format),
            _ => Grid::new(format, planes[0], addressing),
        };
        it.set_vec4(self.luma_grid, luma.grid);
        it.set_vec4(self.luma_bounds, luma.bounds);
        if let Some(chroma) = planes.get(1) {
            let chroma = Grid::new(format, *chroma, addressing);
            it.set_vec4(self.chroma_grid, chroma.grid);
            it.set_vec4(self.chroma_bounds, chroma.bounds);
        }
        it.set_mat3(self.matrix, &conversion.matrix);
        it.set_vec3(self.zero, conversion.zero);
        if format.color.transfer != Transfer::Sdr {
            it.set_vec3(self.curve, tone_curve(&format.color));
        }
    }
}
