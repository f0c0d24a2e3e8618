//! Which of the house's formats a decoded picture becomes.
use crate::base::format::PixelFormat;
use crate::sys::ffmpeg::pixel;

/// What happens to pictures of one of FFmpeg's formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// They are of that format already.
    Keep(PixelFormat),
    /// They are converted, once.
    Convert(PixelFormat),
}

impl Plan {
    /// What comes out.
    pub(super) fn target(self) -> PixelFormat {
        match self {
            Plan::Keep(it) | Plan::Convert(it) => it,
        }
    }
}

/// What a decoder must know about one of FFmpeg's formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handling {
    /// FFmpeg's number.
    pub format: i32,
    /// Where it goes.
    pub plan: Plan,
    /// The components are R, G and B before conversion.
    pub is_rgb: bool,
    /// It has only luma.
    pub is_gray: bool,
    /// Opacity must be worked in: what is transparent is black on a screen.
    pub has_alpha: bool,
    /// The format's name says "full range".
    pub is_full_range: bool,
}

/// How pictures of FFmpeg's `format` are handled; `None` where nothing on the CPU can.
pub(super) fn handling(format: i32) -> Option<Handling> {
    let it = pixel::describe(format).filter(|it| !it.is_hardware)?;
    let native = pixel::native(format);
    let plan = native.map_or_else(|| Plan::Convert(nearest(&it)), |(pixel, _)| Plan::Keep(pixel));
    Some(Handling {
        format,
        plan,
        is_rgb: it.is_rgb,
        is_gray: !it.is_rgb && it.components <= 2,
        has_alpha: it.has_alpha,
        is_full_range: it.name.starts_with("yuvj"),
    })
}

/// The format that keeps the most of one that is not ours. Chroma is never thrown away at 8 bits; beyond 8 bits depth is
/// kept first, so 4:2:2 and 4:4:4 of 10 bits and more become 4:2:0 of 10: banding shows on a wall, halved chroma does not.
fn nearest(it: &pixel::PixelDescription) -> PixelFormat {
    match *it {
        pixel::PixelDescription { has_alpha: true, .. } => PixelFormat::Rgba,
        pixel::PixelDescription { is_rgb: true, .. } => PixelFormat::Rgb24,
        // X'Y'Z' (digital cinema) has three components of 12 bits and no chroma; libswscale turns it into RGB.
        _ if it.name.starts_with("xyz") => PixelFormat::Rgb24,
        _ if it.components <= 2 => PixelFormat::Gray8,
        _ if it.depth > 8 => PixelFormat::Yuv420p10,
        _ => match it.chroma_shift {
            (0, _) => PixelFormat::Yuv444p,
            (_, 0) => PixelFormat::Yuv422p,
            _ => PixelFormat::Yuv420p,
        },
    }
}

/// Lays an RGBA picture over black and makes it opaque. Answers whether anything was transparent.
pub(super) fn lay_over_black(bytes: &mut [u8], stride: usize, width: usize) -> bool {
    let mut was_transparent = false;
    for row in bytes.chunks_mut(stride.max(1)) {
        for texel in row.chunks_exact_mut(4).take(width) {
            let alpha = u32::from(texel[3]);
            if alpha == 255 {
                continue;
            }
            was_transparent = true;
            for component in &mut texel[..3] {
                // Rounded to nearest; never more than the component itself.
                *component = ((u32::from(*component) * alpha + 127) / 255) as u8;
            }
            texel[3] = 255;
        }
    }
    was_transparent
}

/// Whether any texel of an RGBA picture is not opaque.
pub(super) fn is_transparent(bytes: &[u8], stride: usize, width: usize) -> bool {
    bytes.chunks(stride.max(1)).any(|row| row.chunks_exact(4).take(width).any(|it| it[3] != 255))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, want: Plan) {
        let format = pixel::by_name(name).expect("FFmpeg has it");
        assert_eq!(handling(format).map(|it| it.plan), Some(want), "{name}");
    }

    #[test]
    fn the_house_s_own_formats_are_kept() {
        for pixel in PixelFormat::ALL {
            check(pixel.name(), Plan::Keep(pixel));
        }
        check("yuvj420p", Plan::Keep(PixelFormat::Yuv420p));
    }

    #[test]
    fn other_formats_lose_as_little_as_can_be() {
        for (name, want) in [
            ("yuv411p", PixelFormat::Yuv422p),
            ("yuvj411p", PixelFormat::Yuv422p),
            ("yuv410p", PixelFormat::Yuv420p),
            ("yuv440p", PixelFormat::Yuv444p),
            ("yuyv422", PixelFormat::Yuv422p),
            ("nv16", PixelFormat::Yuv422p),
            ("nv24", PixelFormat::Yuv444p),
            ("yuv420p12le", PixelFormat::Yuv420p10),
            ("yuv420p10be", PixelFormat::Yuv420p10),
            ("yuv422p10le", PixelFormat::Yuv420p10),
            ("yuv444p12le", PixelFormat::Yuv420p10),
            ("gray10le", PixelFormat::Gray8),
            ("gray16be", PixelFormat::Gray8),
            ("monow", PixelFormat::Gray8),
            ("gbrp", PixelFormat::Rgb24),
            ("bgr24", PixelFormat::Rgb24),
            ("bgr0", PixelFormat::Rgb24),
            ("rgb48be", PixelFormat::Rgb24),
            ("pal8", PixelFormat::Rgba),
            ("bgra", PixelFormat::Rgba),
            ("yuva420p", PixelFormat::Rgba),
            ("ya8", PixelFormat::Rgba),
            ("gbrap", PixelFormat::Rgba),
        ] {
            check(name, Plan::Convert(want));
        }
    }

    #[test]
    fn what_is_in_a_device_s_memory_is_not_ours_to_convert() {
        assert_eq!(handling(pixel::by_name("vaapi").expect("known")), None);
        assert_eq!(handling(-1), None);
    }

    #[test]
    fn transparency_becomes_black() {
        let mut bytes = [200, 100, 50, 255, 200, 100, 50, 0, 200, 100, 50, 128, 9, 9, 9, 9];
        assert!(is_transparent(&bytes, 16, 3));
        assert!(lay_over_black(&mut bytes, 16, 3));
        assert_eq!(bytes, [200, 100, 50, 255, 0, 0, 0, 255, 100, 50, 25, 255, 9, 9, 9, 9]);
        assert!(!is_transparent(&bytes, 16, 3));
    }
}
