//! How far a picture is from what it should be, and how far it may be.
use lucarne::base::format::PixelFormat;

/// How far two pictures are apart.
#[derive(Debug)]
pub struct Difference {
    /// The largest of any component, in 255ths.
    pub max: f64,
    /// The pixel that has it, counted from the first.
    pub worst: usize,
    /// Decibels; infinite for equal ones.
    pub psnr: f64,
}

/// Compares RGBA bytes with RGB of 0..1.
#[track_caller]
pub fn compare(got: &[u8], want: &[[f64; 3]]) -> Difference {
    assert_eq!(got.len(), want.len() * 4, "the picture's size");
    let (mut max, mut worst, mut squares) = (0.0f64, 0, 0.0);
    for (place, (got, want)) in got.chunks_exact(4).zip(want).enumerate() {
        for component in 0..3 {
            let apart = (f64::from(got[component]) - want[component] * 255.0).abs();
            (max, worst) = if apart > max { (apart, place) } else { (max, worst) };
            squares += apart * apart;
        }
    }
    let mean = squares / (want.len() * 3) as f64;
    Difference { max, worst, psnr: 10.0 * (255.0 * 255.0 / mean).log10() }
}

/// How near a picture must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Within {
    /// No component further off than this, in 255ths.
    Max(f64),
    /// At least so many decibels.
    Psnr(f64),
}

/// Where no filter is at work, or one that works in floats.
pub const EXACT: Within = Within::Max(2.0);
/// With 8-bit chroma between its texels: a GPU's filter may be one code off, and a code of Cb is worth 2.1 of blue.
const INTERPOLATED: Within = Within::Max(3.0);
/// Scaled.
pub const SCALED: Within = Within::Psnr(45.0);

impl Within {
    /// What a format must come up to when it is shown pixel by pixel.
    pub fn pixel_by_pixel(pixel: PixelFormat) -> Self {
        let subsampled = pixel.planes().iter().any(|it| it.sub_x > 1);
        if subsampled && pixel.bit_depth() == 8 { INTERPOLATED } else { EXACT }
    }

    /// Whether such a picture is near enough.
    pub fn allows(self, difference: &Difference) -> bool {
        match self {
            Within::Max(limit) => difference.max <= limit,
            Within::Psnr(limit) => difference.psnr >= limit,
        }
    }
}
