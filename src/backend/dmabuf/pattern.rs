//! Pictures for trials: small ones in memory of our own, with what must come out of them.
use std::io;
use std::os::fd::AsFd;

use crate::base::color::{Matrix, Range};
use crate::base::dmabuf::DmabufPlane;
use crate::base::format::{PixelFormat, Size};
use crate::sys::dmabuf::{Access, Dmabuf, Heap};
use crate::sys::mapping::Mapping;

/// Large enough for rows and columns to be told apart, small enough to be drawn in no time.
pub const SIZE: Size = Size::new(64, 32);
/// Bytes from row to row: more than any plane's row has, as decoders have it.
const STRIDE: usize = 256;
/// Pixels along the side of a patch of one colour: in its middle, no filter reaches its edge.
const PATCH: u32 = 8;
/// What a stream may ask a driver to convert.
pub const COLORS: [(Matrix, Range); 6] = [
    (Matrix::Bt601, Range::Limited),
    (Matrix::Bt709, Range::Limited),
    (Matrix::Bt2020, Range::Limited),
    (Matrix::Bt601, Range::Full),
    (Matrix::Bt709, Range::Full),
    (Matrix::Bt2020, Range::Full),
];

/// A picture that can be written again and again.
pub struct Pattern {
    pixel: PixelFormat,
    buffer: Dmabuf,
    mapping: Mapping,
}

impl Pattern {
    pub fn new(heap: &Heap, pixel: PixelFormat) -> io::Result<Self> {
        let rows: u32 = pixel.planes().iter().map(|it| it.size(SIZE).height).sum();
        let buffer = heap.allocate(rows as usize * STRIDE)?;
        let mapping = buffer.map()?;
        Ok(Self { pixel, buffer, mapping })
    }

    /// Where plane `index` begins, in bytes.
    fn offset(&self, index: usize) -> usize {
        let above = self.pixel.planes().iter().take(index);
        above.map(|it| it.size(SIZE).height as usize * STRIDE).sum()
    }

    /// Where plane `index` is; `None` past the last.
    pub fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        let offset = u32::try_from(self.offset(index)).ok()?;
        (index < self.pixel.planes().len()).then(|| DmabufPlane {
            fd: self.buffer.as_fd(),
            offset,
            stride: STRIDE as u32,
        })
    }

    /// Writes all planes; `byte` says what belongs at byte `x` of row `y` of a plane.
    fn write(&mut self, byte: impl Fn(usize, u32, u32) -> u8) -> io::Result<()> {
        self.buffer.begin(Access::Write)?;
        for (index, layout) in self.pixel.planes().iter().enumerate() {
            let (size, start) = (layout.size(SIZE), self.offset(index));
            let row_bytes = size.width as usize * layout.texel_bytes();
            let rows = self.mapping.bytes_mut()[start..].chunks_mut(STRIDE).take(size.height as usize);
            for (y, row) in (0..).zip(rows) {
                for (x, it) in (0..).zip(&mut row[..row_bytes]) {
                    *it = byte(index, x, y);
                }
            }
        }
        self.buffer.end(Access::Write)
    }

    /// Fills it with rubbish, another for each `round`.
    pub fn write_noise(&mut self, round: u32) -> io::Result<()> {
        self.write(|plane, x, y| noise_byte(plane, x, y, round))
    }

    /// Fills it with patches of colours, others for each `round`.
    pub fn write_patches(&mut self, round: u32) -> io::Result<()> {
        let pixel = self.pixel;
        self.write(|plane, x, y| {
            let layout = pixel.planes()[plane];
            let (component_bytes, texel) = (u32::from(layout.bytes_per_component), layout.texel_bytes() as u32);
            // Of a 16-bit component, the high byte comes second, and the low one is zero.
            if component_bytes == 2 && x % 2 == 0 {
                return 0;
            }
            let component = x % texel / component_bytes;
            let channel = match (plane, component, pixel) {
                (0, ..) => 0,
                (1, 0, PixelFormat::Nv21) => 2,
                (1, 1, PixelFormat::Nv21) => 1,
                (1, 0, _) => 1,
                _ => 2,
            };
            let at = (x / texel * u32::from(layout.sub_x) / PATCH, y * u32::from(layout.sub_y) / PATCH);
            patch(at, round)[channel]
        })
    }
}

/// Byte `x` of row `y` of a plane of noise.
pub fn noise_byte(plane: usize, x: u32, y: u32, round: u32) -> u8 {
    let mut it = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77);
    it ^= (plane as u32 * 2 + round + 1).wrapping_mul(0xC2B2_AE3D);
    it = (it ^ (it >> 15)).wrapping_mul(0x2C1B_3C6D);
    (it ^ (it >> 13)) as u8
}

/// A patch's Y', Cb and Cr. Strong enough for matrices and ranges to differ, weak enough for all of them to be colours.
fn patch(at: (u32, u32), round: u32) -> [u8; 3] {
    let byte = |channel: usize| noise_byte(channel, at.0, at.1, round);
    [100 + byte(0) % 51, 88 + byte(1) % 81, 88 + byte(2) % 81]
}

/// The middles of all patches, and what colours they have (H.273).
pub fn patches(matrix: Matrix, range: Range, round: u32) -> impl Iterator<Item = ((u32, u32), [f64; 3])> {
    let (across, down) = (SIZE.width / PATCH, SIZE.height / PATCH);
    (0..across * down).map(move |it| {
        let at = (it % across, it / across);
        let middle = (at.0 * PATCH + PATCH / 2, at.1 * PATCH + PATCH / 2);
        (middle, color(patch(at, round), matrix, range))
    })
}

/// R'G'B' of 0..255 from 8-bit Y'CbCr.
fn color(codes: [u8; 3], matrix: Matrix, range: Range) -> [f64; 3] {
    let [y, cb, cr] = codes.map(f64::from);
    let (y, cb, cr) = match range {
        Range::Limited => ((y - 16.0) / 219.0, (cb - 128.0) / 224.0, (cr - 128.0) / 224.0),
        Range::Full => (y / 255.0, (cb - 128.0) / 255.0, (cr - 128.0) / 255.0),
    };
    let (kr, kb) = matrix.weights();
    let (red, blue) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
    let green = (y - kr * red - kb * blue) / (1.0 - kr - kb);
    [red, green, blue].map(|it| it * 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_of_a_patch_is_cut_off() {
        for (matrix, range) in COLORS {
            for round in 0..2 {
                assert!(patches(matrix, range, round).all(|it| it.1.iter().all(|it| (0.0..=255.0).contains(it))));
            }
        }
    }

    #[test]
    fn patches_tell_matrices_and_ranges_apart_by_more_than_rounding() {
        for (index, one) in COLORS.iter().enumerate() {
            for other in &COLORS[..index] {
                let pairs = patches(one.0, one.1, 0).zip(patches(other.0, other.1, 0));
                let apart =
                    pairs.flat_map(|(a, b)| (0..3).map(move |it| (a.1[it] - b.1[it]).abs())).fold(0.0, f64::max);
                assert!(apart > 4.0, "{one:?} and {other:?}: {apart}");
            }
        }
    }

    #[test]
    fn the_second_round_is_another_picture() {
        let same = (0..64).filter(|it| noise_byte(1, *it, 3, 0) == noise_byte(1, *it, 3, 1)).count();
        assert!(same < 8, "{same} of 64");
    }
}
