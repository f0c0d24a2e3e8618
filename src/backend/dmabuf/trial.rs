//! Trials: what of its promises a driver keeps. A picture of each format is imported, drawn, read back and compared; then
//! its buffer is written again, as a decoder does, and the same import must show that.
use std::fmt;
use std::io;

use super::draw::Drawing;
use super::formats;
use super::importer::{ImportError, Importer};
use super::pattern::{self, COLORS, Pattern, SIZE};
use crate::base::color::{ChromaSiting, Color, Matrix, Range};
use crate::base::dmabuf::{DmabufPlane, MODIFIER_LINEAR};
use crate::base::format::{PixelFormat, PlaneLayout};
use crate::seam::interop::Sampling;
use crate::sys::dmabuf::Heap;
use crate::sys::egl::{DmaBuf, YuvHints};
use crate::sys::gl::TextureTarget;

/// How far a byte may be from what it should be: a rounding here, another there.
const TOLERANCE: f64 = 2.0;
/// The same for 16-bit numbers: a step of the ten bits that count.
const WIDE_TOLERANCE: u16 = 64;
/// Written, drawn, written again, drawn again.
const ROUNDS: u32 = 2;

/// Which ways of importing are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Styles {
    /// Plane by plane, where our own shader does matrix, range and siting exactly; as a whole where only that works.
    Auto,
    /// Plane by plane only.
    Planes,
    /// As a whole only.
    External,
}

/// What came out for one format.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The format.
    pub pixel: PixelFormat,
    /// How it is imported; `None`: not at all.
    pub sampling: Option<Sampling>,
    /// Which colours a driver that converts by itself gets right.
    colors: Vec<(Matrix, Range)>,
    /// Why, for `probe` and the log.
    pub reason: String,
}

impl Verdict {
    /// Whether such colours come out right.
    pub fn shows(&self, color: &Color) -> bool {
        self.sampling != Some(Sampling::External) || self.colors.contains(&(color.matrix, color.range))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pixel.name(), self.reason)
    }
}

/// "bt709 limited", ...
pub fn color_name(matrix: Matrix, range: Range) -> String {
    let matrix = match matrix {
        Matrix::Bt601 => "bt601",
        Matrix::Bt709 => "bt709",
        Matrix::Bt2020 => "bt2020",
    };
    let range = match range {
        Range::Limited => "limited",
        Range::Full => "full",
    };
    format!("{matrix} {range}")
}

/// What trials are made with.
pub struct Trial<'a> {
    importer: &'a dyn Importer,
    heap: &'a Heap,
    drawing: &'a Drawing,
}

impl<'a> Trial<'a> {
    /// Trials of an importer, with memory of `heap`; `drawing` is for pictures of `SIZE`.
    pub fn new(importer: &'a dyn Importer, heap: &'a Heap, drawing: &'a Drawing) -> Self {
        Self { importer, heap, drawing }
    }

    /// Tries one format, the best way first. An error is the end of all trials: the context is gone.
    pub fn verdict(&self, pixel: PixelFormat, styles: Styles) -> Result<Verdict, ImportError> {
        let ways = [
            (Sampling::Planes, "plane by plane", styles != Styles::External),
            (Sampling::SplitPlanes, "plane by plane in bytes", styles != Styles::External && pixel.bit_depth() > 8),
            (Sampling::External, "as a whole", styles != Styles::Planes),
        ];
        let mut reasons = Vec::new();
        for (sampling, words, _) in ways.iter().filter(|it| it.2) {
            let tried = match sampling {
                Sampling::External => self.try_whole(pixel),
                _ => self.try_planes(pixel, *sampling).map(|()| Vec::new()),
            };
            match tried {
                Ok(colors) => {
                    let names: Vec<String> = colors.iter().map(|it| color_name(it.0, it.1)).collect();
                    let names = if names.is_empty() { String::new() } else { format!(", {}", names.join(", ")) };
                    reasons.push(format!("{words}: right pixels{names}"));
                    return Ok(Verdict { pixel, sampling: Some(*sampling), colors, reason: reasons.join("; ") });
                }
                Err(ImportError::Refused(why)) => reasons.push(format!("{words}: {why}")),
                Err(ImportError::ContextLost) => return Err(ImportError::ContextLost),
            }
        }
        Ok(Verdict { pixel, sampling: None, colors: Vec::new(), reason: reasons.join("; ") })
    }

    /// Each plane as a texture of its own: its texels must be the bytes in memory.
    fn try_planes(&self, pixel: PixelFormat, sampling: Sampling) -> Result<(), ImportError> {
        let mut pattern = Pattern::new(self.heap, pixel).map_err(no_memory)?;
        pattern.write_noise(0).map_err(no_memory)?;
        let mut textures = Vec::new();
        for (index, layout) in pixel.planes().iter().enumerate() {
            let none = || ImportError::Refused(format!("plane {index} cannot be a texture"));
            let (fourcc, plane) = (formats::of_plane(*layout, sampling), pattern.plane(index));
            let (fourcc, plane) = fourcc.zip(plane).ok_or_else(none)?;
            let size = layout.size(SIZE);
            let modifier = Some(MODIFIER_LINEAR);
            let picture = DmaBuf { size, fourcc, modifier, planes: &[plane], yuv: None };
            textures.push((*layout, self.importer.import(&picture, TextureTarget::D2)?));
        }
        let wide = sampling == Sampling::Planes && pixel.bit_depth() > 8;
        for round in 0..ROUNDS {
            if round > 0 {
                pattern.write_noise(round).map_err(no_memory)?;
            }
            for (index, (layout, texture)) in textures.iter().enumerate() {
                let texels = self.drawing.texels(texture, layout.size(SIZE), wide)?;
                compare(&texels, *layout, index, round)?;
            }
        }
        Ok(())
    }

    /// The picture as one texture that the driver converts: which colours are right?
    fn try_whole(&self, pixel: PixelFormat) -> Result<Vec<(Matrix, Range)>, ImportError> {
        let none = || ImportError::Refused("there is no such DRM format".to_owned());
        let fourcc = formats::of_picture(pixel).ok_or_else(none)?;
        let mut pattern = Pattern::new(self.heap, pixel).map_err(no_memory)?;
        let (mut right, mut worst) = (Vec::new(), 0.0f64);
        for (matrix, range) in COLORS {
            pattern.write_patches(0).map_err(no_memory)?;
            let yuv = Some(YuvHints { matrix, range, siting: ChromaSiting::Left });
            let texture = {
                let planes: Vec<DmabufPlane<'_>> = (0..3).filter_map(|it| pattern.plane(it)).collect();
                let modifier = Some(MODIFIER_LINEAR);
                let picture = DmaBuf { size: SIZE, fourcc, modifier, planes: &planes, yuv };
                self.importer.import(&picture, TextureTarget::External)?
            };
            let mut apart = 0.0f64;
            for round in 0..ROUNDS {
                if round > 0 {
                    pattern.write_patches(round).map_err(no_memory)?;
                }
                let colors = self.drawing.colors(&texture, SIZE)?;
                apart = apart.max(distance(&colors, matrix, range, round));
            }
            if apart <= TOLERANCE {
                right.push((matrix, range));
            } else {
                worst = worst.max(apart);
            }
        }
        if right.is_empty() {
            return Err(ImportError::Refused(format!("wrong colours, by up to {worst:.1} of 255")));
        }
        Ok(right)
    }
}

fn no_memory(error: io::Error) -> ImportError {
    ImportError::Refused(format!("no memory to try it with: {error}"))
}

/// Whether the texels that were drawn are the bytes that were written.
fn compare(texels: &[u8], layout: PlaneLayout, plane: usize, round: u32) -> Result<(), ImportError> {
    let (size, bytes) = (layout.size(SIZE), layout.texel_bytes());
    let is_wide = layout.bytes_per_component == 2;
    for (it, texel) in (0..).zip(texels.chunks_exact(4)) {
        let (x, y) = (it % size.width, it / size.width);
        let want = [0, 1, 2, 3].map(|byte| pattern::noise_byte(plane, x * bytes as u32 + byte, y, round));
        let is_right = if is_wide {
            let codes = texel[..bytes].chunks_exact(2).zip(want.chunks_exact(2));
            codes
                .map(|(a, b)| [a, b].map(|it| u16::from_le_bytes([it[0], it[1]])))
                .all(|[a, b]| a.abs_diff(b) <= WIDE_TOLERANCE)
        } else {
            texel[..bytes].iter().zip(want).all(|(a, b)| f64::from(a.abs_diff(b)) <= TOLERANCE)
        };
        if !is_right {
            let (got, want) = (&texel[..bytes], &want[..bytes]);
            let written = if round > 0 { "written later" } else { "written" };
            let what = format!("plane {plane} at {x},{y}: {got:?} is drawn where {want:?} was {written}");
            return Err(ImportError::Refused(format!("wrong pixels, {what}")));
        }
    }
    Ok(())
}

/// How far the colours in the middle of each patch are off at most, in 255ths.
fn distance(colors: &[u8], matrix: Matrix, range: Range, round: u32) -> f64 {
    let apart = pattern::patches(matrix, range, round).map(|((x, y), want)| {
        let at = (y as usize * SIZE.width as usize + x as usize) * 4;
        let got = colors.get(at..at + 3).unwrap_or_default();
        got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs()).fold(0.0, f64::max)
    });
    apart.fold(0.0, f64::max)
}
