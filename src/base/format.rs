//! Pixel formats, sizes and rectangles.

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// A size of `width` by `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
    /// No pixels at all.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle of pixels inside a picture; origin top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Rect {
    /// All of a picture of `size`.
    pub const fn of(size: Size) -> Self {
        Self { x: 0, y: 0, width: size.width, height: size.height }
    }
    /// Its extent.
    pub const fn size(self) -> Size {
        Size { width: self.width, height: self.height }
    }
}

/// A ratio of two positive numbers, such as a sample aspect or a frame rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// Numerator.
    pub num: u32,
    /// Denominator, never 0.
    pub den: u32,
}

impl Ratio {
    /// One to one.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };
    /// The ratio, or `None` unless both are positive.
    pub const fn new(num: u32, den: u32) -> Option<Self> {
        if num == 0 || den == 0 { None } else { Some(Self { num, den }) }
    }
    /// As a float.
    pub fn to_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

/// The picture formats a renderer samples directly. Everything else is converted once, by the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// 4:2:0, luma then interleaved Cb Cr.
    Nv12,
    /// 4:2:0, luma then interleaved Cr Cb.
    Nv21,
    /// 4:2:0, three planes.
    Yuv420p,
    /// 4:2:2, three planes.
    Yuv422p,
    /// 4:4:4, three planes.
    Yuv444p,
    /// 4:2:0, 10 bits in the high bits of 16 (little endian), interleaved chroma.
    P010,
    /// 4:2:0, 10 bits in the low bits of 16 (little endian), three planes.
    Yuv420p10,
    /// Luma only.
    Gray8,
    /// R, G, B bytes.
    Rgb24,
    /// R, G, B, A bytes; alpha is ignored, pictures are opaque.
    Rgba,
}

/// How one plane of a format is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneLayout {
    /// Components in each texel (1 luma, 2 interleaved chroma, 3 RGB, 4 RGBA).
    pub components: u8,
    /// Bytes of one component: 1, or 2 for the 10-bit formats.
    pub bytes_per_component: u8,
    /// Horizontal subsampling: 1 or 2.
    pub sub_x: u8,
    /// Vertical subsampling: 1 or 2.
    pub sub_y: u8,
}

impl PlaneLayout {
    const fn new(components: u8, bytes_per_component: u8, sub_x: u8, sub_y: u8) -> Self {
        Self { components, bytes_per_component, sub_x, sub_y }
    }
    /// Bytes of one texel.
    pub const fn texel_bytes(self) -> usize {
        self.components as usize * self.bytes_per_component as usize
    }
    /// Texels of this plane for a picture of `size`; odd sizes round up.
    pub const fn size(self, size: Size) -> Size {
        Size { width: size.width.div_ceil(self.sub_x as u32), height: size.height.div_ceil(self.sub_y as u32) }
    }
}

impl PixelFormat {
    /// Every format, for tables in tests and probes.
    pub const ALL: [PixelFormat; 10] = [
        PixelFormat::Nv12,
        PixelFormat::Nv21,
        PixelFormat::Yuv420p,
        PixelFormat::Yuv422p,
        PixelFormat::Yuv444p,
        PixelFormat::P010,
        PixelFormat::Yuv420p10,
        PixelFormat::Gray8,
        PixelFormat::Rgb24,
        PixelFormat::Rgba,
    ];

    /// The planes, luma (or RGB) first.
    pub const fn planes(self) -> &'static [PlaneLayout] {
        const BYTE: PlaneLayout = PlaneLayout::new(1, 1, 1, 1);
        match self {
            PixelFormat::Nv12 | PixelFormat::Nv21 => const { &[BYTE, PlaneLayout::new(2, 1, 2, 2)] },
            PixelFormat::Yuv420p => const { &[BYTE, PlaneLayout::new(1, 1, 2, 2), PlaneLayout::new(1, 1, 2, 2)] },
            PixelFormat::Yuv422p => const { &[BYTE, PlaneLayout::new(1, 1, 2, 1), PlaneLayout::new(1, 1, 2, 1)] },
            PixelFormat::Yuv444p => const { &[BYTE, BYTE, BYTE] },
            PixelFormat::P010 => const { &[PlaneLayout::new(1, 2, 1, 1), PlaneLayout::new(2, 2, 2, 2)] },
            PixelFormat::Yuv420p10 => {
                const { &[PlaneLayout::new(1, 2, 1, 1), PlaneLayout::new(1, 2, 2, 2), PlaneLayout::new(1, 2, 2, 2)] }
            }
            PixelFormat::Gray8 => const { &[BYTE] },
            PixelFormat::Rgb24 => const { &[PlaneLayout::new(3, 1, 1, 1)] },
            PixelFormat::Rgba => const { &[PlaneLayout::new(4, 1, 1, 1)] },
        }
    }

    /// Whether the components are R, G and B, so that no matrix applies.
    pub const fn is_rgb(self) -> bool {
        matches!(self, PixelFormat::Rgb24 | PixelFormat::Rgba)
    }

    /// Bits of one component.
    pub const fn bit_depth(self) -> u32 {
        match self {
            PixelFormat::P010 | PixelFormat::Yuv420p10 => 10,
            _ => 8,
        }
    }

    /// The name FFmpeg and users know it by.
    pub const fn name(self) -> &'static str {
        match self {
            PixelFormat::Nv12 => "nv12",
            PixelFormat::Nv21 => "nv21",
            PixelFormat::Yuv420p => "yuv420p",
            PixelFormat::Yuv422p => "yuv422p",
            PixelFormat::Yuv444p => "yuv444p",
            PixelFormat::P010 => "p010le",
            PixelFormat::Yuv420p10 => "yuv420p10le",
            PixelFormat::Gray8 => "gray",
            PixelFormat::Rgb24 => "rgb24",
            PixelFormat::Rgba => "rgba",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_round_chroma_up() {
        let chroma = PixelFormat::Yuv420p.planes()[1];
        assert_eq!(chroma.size(Size::new(5, 3)), Size::new(3, 2));
    }

    #[test]
    fn texels_have_the_bytes_of_their_components() {
        assert_eq!(PixelFormat::P010.planes()[1].texel_bytes(), 4);
        assert_eq!(PixelFormat::Rgb24.planes()[0].texel_bytes(), 3);
    }
}
