//! Pictures given by their codes, and frames in memory made of them.
use std::sync::Arc;
use std::time::Duration;

use lucarne::base::color::{ChromaSiting, Color, Luminance, Matrix, Primaries, Range, Transfer};
use lucarne::base::format::{PixelFormat, Ratio, Rect, Size};
use lucarne::base::frame::{Memory, VecPlanes, VideoFormat, VideoFrame};
use lucarne::base::geometry::Rotation;
use lucarne::base::time::MediaTime;

/// Ordinary SDR video.
pub const SDR: Color = Color {
    matrix: Matrix::Bt709,
    range: Range::Limited,
    transfer: Transfer::Sdr,
    primaries: Primaries::Bt709,
    siting: ChromaSiting::Left,
    luminance: Luminance { max_cll: None, mastering_peak: None },
};

/// A picture as numbers: one code for each component of each texel.
#[derive(Debug, Clone)]
pub struct Picture {
    pub format: VideoFormat,
    /// For each plane, rows without padding, components interleaved as the format has them.
    pub codes: Vec<Vec<u16>>,
}

impl Picture {
    /// A picture that shows all of itself, upright, with square pixels.
    pub fn new(pixel: PixelFormat, size: Size, color: Color, code: impl Fn(Texel) -> u16) -> Self {
        let (visible, rotation) = (Rect::of(size), Rotation::None);
        let format = VideoFormat { pixel, coded: size, visible, sar: Ratio::ONE, rotation, color };
        Self::of_format(format, code)
    }

    /// A picture of any format.
    pub fn of_format(format: VideoFormat, code: impl Fn(Texel) -> u16) -> Self {
        let mut codes = Vec::new();
        for (plane, layout) in format.pixel.planes().iter().enumerate() {
            let size = layout.size(format.coded);
            let mut texels = Vec::new();
            for y in 0..size.height {
                for x in 0..size.width {
                    for component in 0..usize::from(layout.components) {
                        let channel = channel(format.pixel, plane, component);
                        texels.push(code(Texel { channel, x, y, size }));
                    }
                }
            }
            codes.push(texels);
        }
        Self { format, codes }
    }

    /// A frame around planes somebody else keeps too.
    pub fn frame_of(&self, planes: Arc<VecPlanes>, pts: MediaTime) -> VideoFrame {
        VideoFrame {
            format: self.format,
            pts,
            duration: Duration::ZERO,
            corrupt: false,
            lap: 0,
            discontinuity: false,
            memory: Memory::Cpu(planes),
        }
    }

    /// Its bytes.
    pub fn planes(&self, padding: usize) -> VecPlanes {
        let mut planes = Vec::new();
        for (layout, codes) in self.format.pixel.planes().iter().zip(&self.codes) {
            let row_codes = layout.size(self.format.coded).width as usize * usize::from(layout.components);
            let stride = row_codes * usize::from(layout.bytes_per_component) + padding;
            let mut bytes = Vec::new();
            for row in codes.chunks(row_codes) {
                for code in row {
                    match self.format.pixel {
                        PixelFormat::P010 => bytes.extend((code << 6).to_le_bytes()),
                        PixelFormat::Yuv420p10 => bytes.extend(code.to_le_bytes()),
                        _ => bytes.push(u8::try_from(*code).unwrap()),
                    }
                }
                bytes.extend(std::iter::repeat_n(0xA5, padding));
            }
            bytes.truncate(bytes.len() - padding);
            planes.push((bytes, stride));
        }
        VecPlanes { planes }
    }
}

/// What a component means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Red,
    Green,
    Blue,
    Alpha,
    Luma,
    Cb,
    Cr,
}

/// Which number a pattern is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Texel {
    pub channel: Channel,
    /// In texels of its plane.
    pub x: u32,
    pub y: u32,
    /// The plane's size.
    pub size: Size,
}

/// What component `component` of plane `plane` is.
pub fn channel(pixel: PixelFormat, plane: usize, component: usize) -> Channel {
    if pixel.is_rgb() {
        return [Channel::Red, Channel::Green, Channel::Blue, Channel::Alpha][component];
    }
    match (plane, component) {
        (0, _) => Channel::Luma,
        (1, 0) if pixel == PixelFormat::Nv21 => Channel::Cr,
        (1, 1) if pixel == PixelFormat::Nv21 => Channel::Cb,
        (1, 0) => Channel::Cb,
        _ => Channel::Cr,
    }
}

/// Rubbish that is the same every time.
pub fn noise(x: u32, y: u32, salt: u32) -> u32 {
    let mut it = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ salt.wrapping_mul(0xC2B2_AE3D);
    it = (it ^ (it >> 15)).wrapping_mul(0x2C1B_3C6D);
    it = (it ^ (it >> 12)).wrapping_mul(0x297A_2D39);
    it ^ (it >> 15)
}

/// A third noise over the whole code range, a third ramps, a third bars of saturated colours.
pub fn hard(bits: u32) -> impl Fn(Texel) -> u16 {
    let top = (1u32 << bits) - 1;
    move |it| {
        let (x, y) = (it.x, it.y);
        let salt = it.channel as u32;
        let code = match 3 * y / it.size.height {
            0 => noise(x, y, salt) & top,
            1 => (x * (salt + 1) * top / it.size.width.max(2) + y * 3) & top,
            _ => top * (1 + noise(8 * x / it.size.width, 0, salt) % 9) / 10,
        };
        u16::try_from(code).unwrap()
    }
}

/// Soft shapes all over, as scaling is judged by: no frequency that bilinear filters argue about.
pub fn soft(bits: u32) -> impl Fn(Texel) -> u16 {
    let top = f64::from((1u32 << bits) - 1);
    move |it| {
        let (x, y) = (f64::from(it.x) / f64::from(it.size.width), f64::from(it.y) / f64::from(it.size.height));
        let phase = f64::from(it.channel as u32);
        let wave = (x * 9.0 + phase).sin() * (y * 7.0 + phase * 2.0).cos();
        (top * (0.5 + 0.3 * wave)).round() as u16
    }
}
