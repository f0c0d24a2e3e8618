//! Where the texels are: framebuffer pixels to coded pixels to chroma texels.
use crate::base::format::{PlaneLayout, Rect, Size};
use crate::base::frame::VideoFormat;
use crate::base::geometry::{Fit, Placement, Rotation, place};

/// Everything the shader needs to know about positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Positions {
    /// The part of the framebuffer to draw, origin at its first row.
    pub viewport: Rect,
    /// Coded x from (framebuffer x, framebuffer y, 1).
    pub place_x: [f32; 3],
    /// Coded y likewise.
    pub place_y: [f32; 3],
    /// Each pixel of the screen is exactly one of the picture.
    pub one_to_one: bool,
}

impl Positions {
    /// Places a picture on a framebuffer of `screen` pixels.
    pub(super) fn new(format: &VideoFormat, fit: Fit, user: Rotation, screen: Size, top_down: bool) -> Self {
        let rotation = format.rotation.then(user);
        let Placement { source, target } = place(format.visible, format.sar, rotation, fit, screen);
        let (height, top) = (f64::from(screen.height), f64::from(target.y));
        // Along each axis of the target, 0..1: factor and offset from a framebuffer coordinate.
        let across = (1.0 / f64::from(target.width), -f64::from(target.x) / f64::from(target.width));
        let target_height = f64::from(target.height);
        let down = if top_down {
            (1.0 / target_height, -top / target_height)
        } else {
            (-1.0 / target_height, (height - top) / target_height)
        };
        let back = |it: (f64, f64)| (-it.0, 1.0 - it.1);
        let [left, top_edge, width, tall] = source;
        // Which axis of the target walks along the picture's x, which along its y, and which way.
        let from_x = |it: (f64, f64), origin: f64, span: f64| [it.0 * span, 0.0, origin + it.1 * span];
        let from_y = |it: (f64, f64), origin: f64, span: f64| [0.0, it.0 * span, origin + it.1 * span];
        let (place_x, place_y) = match rotation {
            Rotation::None => (from_x(across, left, width), from_y(down, top_edge, tall)),
            Rotation::Clockwise90 => (from_y(down, left, width), from_x(back(across), top_edge, tall)),
            Rotation::Half => (from_x(back(across), left, width), from_y(back(down), top_edge, tall)),
            Rotation::Clockwise270 => (from_y(back(down), left, width), from_x(across, top_edge, tall)),
        };
        let (mut shown_width, mut shown_height) = (width, tall);
        if rotation.swaps_axes() {
            std::mem::swap(&mut shown_width, &mut shown_height);
        }
        let same = shown_width == f64::from(target.width) && shown_height == target_height;
        let y = if top_down { target.y } else { screen.height - target.y - target.height };
        Self {
            viewport: Rect { y, ..target },
            place_x: place_x.map(tidy),
            place_y: place_y.map(tidy),
            // A cut of `Cover` may start half way into a pixel.
            one_to_one: same && left.fract() == 0.0 && top_edge.fract() == 0.0,
        }
    }
}

/// To f32; what is whole but for f64's rounding becomes whole, so that pixels that should match do so exactly.
fn tidy(it: f64) -> f32 {
    let half = (it * 2.0).round() / 2.0;
    if (it - half).abs() < 1e-9 { half as f32 } else { it as f32 }
}

/// How a plane is sampled: in 0..1 over its texture, or in texels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addressing {
    /// `texture` on an ordinary or external texture.
    Normalised,
    /// `texelFetch`, and rectangle textures.
    Texels,
}

/// Where a plane is sampled, for the shader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    /// Coded pixels to sampling positions: factor x, factor y, offset x, offset y.
    pub grid: [f32; 4],
    /// The first and last texel centre of the visible part's share, as sampling positions: x, y, x, y.
    pub bounds: [f32; 4],
}

impl Grid {
    /// For a plane of a picture of `format`.
    pub(super) fn new(format: &VideoFormat, plane: PlaneLayout, addressing: Addressing) -> Self {
        let size = plane.size(format.coded);
        let (x_siting, y_siting) = format.color.siting.offset();
        let visible = format.visible;
        let x = Axis::new(plane.sub_x, x_siting, visible.x, visible.width, size.width, addressing);
        let y = Axis::new(plane.sub_y, y_siting, visible.y, visible.height, size.height, addressing);
        Self {
            grid: [x.factor, y.factor, x.offset, y.offset].map(|it| it as f32),
            bounds: [x.first, y.first, x.last, y.last].map(|it| it as f32),
        }
    }

    /// For a picture of `format` whose planes are one external texture: where the picture goes on beyond the crop, the
    /// driver would mix its chroma in, so nothing is sampled that near to the edge.
    pub(super) fn external(format: &VideoFormat) -> Self {
        let planes = format.pixel.planes();
        let whole = Self::new(format, planes[0], Addressing::Normalised);
        let (coded, visible) = (format.coded, format.visible);
        let inner = |axis: usize, sub: u8, start: u32, length: u32, texels: u32| {
            let (first, last) = (whole.bounds[axis], whole.bounds[axis + 2]);
            let end = start.saturating_add(length);
            if length < u32::from(sub) {
                return (first, last);
            }
            // The middle of the outermost chroma texel, in luma texels.
            let (unit, inset) = (1.0 / f64::from(texels.max(1)), f64::from(sub) / 2.0);
            let first = if start > 0 { ((f64::from(start) + inset) * unit) as f32 } else { first };
            let last = if end < texels { ((f64::from(end) - inset) * unit) as f32 } else { last };
            (first, last.max(first))
        };
        let sub = planes.get(1).unwrap_or(&planes[0]);
        let x = inner(0, sub.sub_x, visible.x, visible.width, coded.width);
        let y = inner(1, sub.sub_y, visible.y, visible.height, coded.height);
        Self { bounds: [x.0, y.0, x.1, y.1], ..whole }
    }
}

/// The same along one axis.
struct Axis {
    factor: f64,
    offset: f64,
    first: f64,
    last: f64,
}

impl Axis {
    fn new(sub: u8, siting: f64, start: u32, length: u32, texels: u32, addressing: Addressing) -> Self {
        let unit = match addressing {
            Addressing::Normalised => 1.0 / f64::from(texels.max(1)),
            Addressing::Texels => 1.0,
        };
        let (whole, end) = (u32::from(sub), start.saturating_add(length));
        let sub = f64::from(sub);
        // Siting means nothing along an axis that is not subsampled.
        let offset = if whole > 1 { -siting / sub } else { 0.0 };
        Self {
            factor: unit / sub,
            offset: unit * offset,
            first: unit * (f64::from(start / whole) + 0.5),
            last: unit * (f64::from(end.div_ceil(whole)) - 0.5),
        }
    }
}
