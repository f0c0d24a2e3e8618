//! The numbers of a colour conversion, computed in f64 and handed to the shader.
use crate::base::color::{Color, Range, Transfer};
use crate::base::format::PixelFormat;
use crate::seam::interop::Sampling;

/// R'G'B' = `matrix` * (sample - `zero`), for samples of 0..1 over a texture's whole code range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conversion {
    /// Column by column.
    pub matrix: [f32; 9],
    /// The sample that means zero: black, and no colour.
    pub zero: [f32; 3],
}

impl Conversion {
    const IDENTITY: Conversion = Conversion { matrix: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], zero: [0.0; 3] };

    /// For samples of `pixel` as `sampling` yields them.
    pub(super) fn new(pixel: PixelFormat, sampling: Sampling, color: &Color) -> Self {
        if sampling == Sampling::External {
            // The driver has applied matrix and range.
            return Self::IDENTITY;
        }
        let bits = pixel.bit_depth();
        let top = f64::from((1u32 << bits) - 1);
        // How much the sample grows from one code to the next.
        let step = match pixel {
            PixelFormat::P010 => 64.0 / 65535.0,
            PixelFormat::Yuv420p10 => 1.0 / 65535.0,
            _ => 1.0 / top,
        };
        // Limited range is defined at 8 bits and shifted up for more.
        let shift = f64::from(1u32 << (bits - 8));
        let (black, luma_span, chroma_span) = match color.range {
            Range::Limited => (16.0 * shift, 219.0 * shift, 224.0 * shift),
            Range::Full => (0.0, top, top),
        };
        let (luma_gain, chroma_gain) = (1.0 / (step * luma_span), 1.0 / (step * chroma_span));
        if pixel.is_rgb() {
            let matrix = [luma_gain, 0.0, 0.0, 0.0, luma_gain, 0.0, 0.0, 0.0, luma_gain];
            return Self { matrix: matrix.map(|it| it as f32), zero: [(black * step) as f32; 3] };
        }
        let (kr, kb) = color.matrix.weights();
        let kg = 1.0 - kr - kb;
        let (red, blue) = (2.0 * (1.0 - kr), 2.0 * (1.0 - kb));
        let columns = [
            [1.0, 1.0, 1.0].map(|it| it * luma_gain),
            [0.0, -blue * kb / kg, blue].map(|it| it * chroma_gain),
            [red, -red * kr / kg, 0.0].map(|it| it * chroma_gain),
        ];
        let middle = 128.0 * shift * step;
        Self {
            matrix: std::array::from_fn(|it| columns[it / 3][it % 3] as f32),
            zero: [black * step, middle, middle].map(|it| it as f32),
        }
    }
}

/// SDR's reference white and an SDR screen's peak, in cd/m² (BT.2408).
const WHITE: f64 = 203.0;
/// The nominal peak HLG is shown at, in cd/m² (BT.2100).
const HLG_PEAK: f64 = 1000.0;

/// The tone curve's numbers: the source's peak as a PQ signal, the screen's peak relative to it, and the knee. A source
/// no brighter than the screen gets a knee it never reaches.
pub(super) fn tone_curve(color: &Color) -> [f32; 3] {
    let peak = match color.transfer {
        Transfer::Hlg => HLG_PEAK,
        // ST 2084 ends there; a stream may claim anything.
        Transfer::Pq | Transfer::Sdr => f64::from(color.luminance.source_peak()).clamp(1.0, 10_000.0),
    };
    let source = pq_of_light(peak);
    let target = pq_of_light(WHITE) / source;
    let knee = if target >= 1.0 { 2.0 } else { (1.5 * target - 0.5).max(0.0) };
    [source, target.min(1.0), knee].map(|it| it as f32)
}

/// SMPTE ST 2084's inverse EOTF: cd/m² to a signal of 0..1.
fn pq_of_light(light: f64) -> f64 {
    const M1: f64 = 2610.0 / 16384.0;
    const M2: f64 = 2523.0 / 32.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 128.0;
    const C3: f64 = 2392.0 / 128.0;
    let root = (light / 10_000.0).powf(M1);
    ((C1 + C2 * root) / (1.0 + C3 * root)).powf(M2)
}
