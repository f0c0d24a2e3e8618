//! What the screen must show, computed in f64 straight from the codes and the standards. Shares nothing with the
//! renderer but where `place` puts the picture.
use lucarne::base::color::{Color, Primaries, Range, Transfer};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::geometry::{Fit, Placement, Rotation, place};

use crate::pictures::{Channel, Picture, channel};

/// Renders the picture on a black screen: RGB of 0..1, top row first.
pub fn render(picture: &Picture, fit: Fit, user: Rotation, screen: Size) -> Vec<[f64; 3]> {
    let format = &picture.format;
    let turn = format.rotation.then(user);
    let placement = place(format.visible, format.sar, turn, fit, screen);
    let target = placement.target;
    let mut out = Vec::new();
    for y in 0..screen.height {
        for x in 0..screen.width {
            let inside =
                (target.x..target.x + target.width).contains(&x) && (target.y..target.y + target.height).contains(&y);
            out.push(if inside { pixel(picture, &placement, turn, x - target.x, y - target.y) } else { [0.0; 3] });
        }
    }
    out
}

/// The pixel at (x, y) of the target.
fn pixel(picture: &Picture, placement: &Placement, turn: Rotation, x: u32, y: u32) -> [f64; 3] {
    let format = &picture.format;
    let [left, top, width, height] = placement.source;
    let (target_w, target_h) = (f64::from(placement.target.width), f64::from(placement.target.height));
    // From the middle of the target, turned back, to the middle of the picture.
    let (dx, dy) = ((f64::from(x) + 0.5) / target_w - 0.5, (f64::from(y) + 0.5) / target_h - 0.5);
    let (sin, cos) = match turn.degrees() {
        90 => (1.0, 0.0),
        180 => (0.0, -1.0),
        270 => (-1.0, 0.0),
        _ => (0.0, 1.0),
    };
    let at = (left + (0.5 + cos * dx + sin * dy) * width, top + (0.5 - sin * dx + cos * dy) * height);

    let mut signal = [0.0; 3];
    let neutral = if format.pixel.is_rgb() { 0.0 } else { f64::from(1 << (format.pixel.bit_depth() - 1)) };
    signal[1..].fill(neutral);
    for (plane, layout) in format.pixel.planes().iter().enumerate() {
        for component in 0..usize::from(layout.components) {
            let slot = match channel(format.pixel, plane, component) {
                Channel::Luma | Channel::Red => 0,
                Channel::Cb | Channel::Green => 1,
                Channel::Cr | Channel::Blue => 2,
                Channel::Alpha => continue,
            };
            signal[slot] = sample(picture, plane, component, at);
        }
    }
    shown(to_rgb(signal, format.pixel, &format.color), &format.color)
}

/// Bilinear, at a position in coded luma pixels, never reaching outside the visible part.
fn sample(picture: &Picture, plane: usize, component: usize, at: (f64, f64)) -> f64 {
    let format = &picture.format;
    let layout = format.pixel.planes()[plane];
    let size = layout.size(format.coded);
    let visible = format.visible;
    let siting = format.color.siting.offset();
    // Along an axis: the two texels and how much of the second.
    let axis = |at: f64, sub: u8, siting: f64, start: u32, length: u32| {
        let (sub, whole) = (f64::from(sub), u32::from(sub));
        // Texel i lies where the middle of its luma pixels is, moved by the siting.
        let index = if whole > 1 { (at - siting) / sub - 0.5 } else { at - 0.5 };
        let (first, last) = (start / whole, (start + length).div_ceil(whole) - 1);
        let index = index.clamp(f64::from(first), f64::from(last));
        // f64's own rounding must not turn a texel into a mix.
        let index = if (index - index.round()).abs() < 1e-9 { index.round() } else { index };
        (index.floor() as usize, (index.floor() as usize + 1).min(last as usize), index.fract())
    };
    let (x0, x1, fx) = axis(at.0, layout.sub_x, siting.0, visible.x, visible.width);
    let (y0, y1, fy) = axis(at.1, layout.sub_y, siting.1, visible.y, visible.height);
    let code = |x: usize, y: usize| {
        let texel = y * size.width as usize + x;
        f64::from(picture.codes[plane][texel * usize::from(layout.components) + component])
    };
    let above = code(x0, y0) * (1.0 - fx) + code(x1, y0) * fx;
    let below = code(x0, y1) * (1.0 - fx) + code(x1, y1) * fx;
    above * (1.0 - fy) + below * fy
}

/// Codes to R'G'B' in 0..1 (H.273 equations).
fn to_rgb(codes: [f64; 3], pixel: PixelFormat, color: &Color) -> [f64; 3] {
    let bits = pixel.bit_depth();
    let top = f64::from((1u32 << bits) - 1);
    let scale = f64::from(1u32 << (bits - 8));
    let luma = |code: f64| match color.range {
        Range::Limited => (code / scale - 16.0) / 219.0,
        Range::Full => code / top,
    };
    let chroma = |code: f64| match color.range {
        Range::Limited => (code / scale - 128.0) / 224.0,
        Range::Full => (code - 128.0 * scale) / top,
    };
    let rgb = if pixel.is_rgb() {
        codes.map(luma)
    } else {
        let (kr, kb) = color.matrix.weights();
        let (y, cb, cr) = (luma(codes[0]), chroma(codes[1]), chroma(codes[2]));
        let red = y + 2.0 * (1.0 - kr) * cr;
        let blue = y + 2.0 * (1.0 - kb) * cb;
        [red, (y - kr * red - kb * blue) / (1.0 - kr - kb), blue]
    };
    rgb.map(|it| it.clamp(0.0, 1.0))
}

/// R'G'B' to what an SDR screen is sent.
fn shown(rgb: [f64; 3], color: &Color) -> [f64; 3] {
    if color.transfer == Transfer::Sdr && color.primaries == Primaries::Bt709 {
        return rgb;
    }
    // Linear light, 1.0 at SDR white.
    let light = match color.transfer {
        Transfer::Sdr => rgb.map(|it| it.powf(2.4)),
        Transfer::Pq => {
            let peak = f64::from(color.luminance.source_peak());
            tone_map(rgb.map(pq_to_light), peak)
        }
        Transfer::Hlg => {
            let scene = rgb.map(hlg_to_scene);
            let luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2];
            tone_map(scene.map(|it| 1000.0 * luminance.powf(0.2) * it), 1000.0)
        }
    };
    let light = match color.primaries {
        Primaries::Bt709 => light,
        Primaries::Bt2020 => multiply(&bt2020_to_bt709(), light),
    };
    light.map(|it| it.clamp(0.0, 1.0).powf(1.0 / 2.4))
}

/// BT.2390-10 section 5.4.1 on the brightest component, the others along in proportion. cd/m² in, SDR white is 1 out.
fn tone_map(light: [f64; 3], source_peak: f64) -> [f64; 3] {
    const WHITE: f64 = 203.0;
    let brightest = light.into_iter().fold(0.0, f64::max);
    if brightest <= 0.0 {
        return [0.0; 3];
    }
    let source = light_to_pq(source_peak);
    let e1 = (light_to_pq(brightest) / source).min(1.0);
    let max_lum = light_to_pq(WHITE) / source;
    let e2 = if max_lum >= 1.0 {
        light_to_pq(brightest) / source
    } else {
        let knee = 1.5 * max_lum - 0.5;
        if e1 < knee {
            e1
        } else {
            let t = (e1 - knee) / (1.0 - knee);
            (2.0 * t.powi(3) - 3.0 * t.powi(2) + 1.0) * knee
                + (t.powi(3) - 2.0 * t.powi(2) + t) * (1.0 - knee)
                + (-2.0 * t.powi(3) + 3.0 * t.powi(2)) * max_lum
        }
    };
    let gain = pq_to_light(e2 * source) / brightest;
    light.map(|it| it * gain / WHITE)
}

/// SMPTE ST 2084: signal to cd/m².
fn pq_to_light(signal: f64) -> f64 {
    let root = signal.powf(32.0 / 2523.0);
    10_000.0 * ((root - 0.8359375).max(0.0) / (18.8515625 - 18.6875 * root)).powf(16384.0 / 2610.0)
}

/// SMPTE ST 2084: cd/m² to signal.
pub fn light_to_pq(light: f64) -> f64 {
    let power = (light / 10_000.0).powf(2610.0 / 16384.0);
    ((0.8359375 + 18.8515625 * power) / (1.0 + 18.6875 * power)).powf(2523.0 / 32.0)
}

/// BT.2100's HLG inverse OETF.
fn hlg_to_scene(signal: f64) -> f64 {
    const A: f64 = 0.17883277;
    let (b, c) = (1.0 - 4.0 * A, 0.5 - A * (4.0 * A).ln());
    if signal <= 0.5 { signal * signal / 3.0 } else { (((signal - c) / A).exp() + b) / 12.0 }
}

type Matrix3 = [[f64; 3]; 3];

/// From the chromaticities of both, over XYZ.
fn bt2020_to_bt709() -> Matrix3 {
    let wide = to_xyz([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)]);
    let narrow = inverse(&to_xyz([(0.640, 0.330), (0.300, 0.600), (0.150, 0.060)]));
    std::array::from_fn(|row| std::array::from_fn(|column| (0..3).map(|it| narrow[row][it] * wide[it][column]).sum()))
}

/// Linear RGB with these primaries and D65 white to XYZ.
fn to_xyz(primaries: [(f64, f64); 3]) -> Matrix3 {
    let xyz = |(x, y): (f64, f64)| [x / y, 1.0, (1.0 - x - y) / y];
    let columns = primaries.map(xyz);
    let matrix: Matrix3 = std::array::from_fn(|row| std::array::from_fn(|column| columns[column][row]));
    let scale = multiply(&inverse(&matrix), xyz((0.3127, 0.3290)));
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[row][column] * scale[column]))
}

fn multiply(matrix: &Matrix3, v: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|row| (0..3).map(|it| matrix[row][it] * v[it]).sum())
}

/// By cofactors.
fn inverse(m: &Matrix3) -> Matrix3 {
    let cofactor = |row: usize, column: usize| {
        let (r1, r2, c1, c2) = ((row + 1) % 3, (row + 2) % 3, (column + 1) % 3, (column + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|it| m[0][it] * cofactor(0, it)).sum();
    std::array::from_fn(|row| std::array::from_fn(|column| cofactor(column, row) / determinant))
}
