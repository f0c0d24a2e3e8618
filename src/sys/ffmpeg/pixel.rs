//! FFmpeg's pixel formats, by number.
use std::ffi::{CStr, CString};

use ffmpeg_sys_next as ff;

use crate::base::format::PixelFormat;

/// What FFmpeg says about one of its pixel formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelDescription {
    /// FFmpeg's name.
    pub name: &'static str,
    /// Components are R, G and B (or one of them through a palette or a Bayer mosaic).
    pub is_rgb: bool,
    /// One of the components is opacity, or its palette may have some.
    pub has_alpha: bool,
    /// Components in all.
    pub components: u8,
    /// Bits of the deepest component.
    pub depth: u32,
    /// Chroma subsampling as powers of two: (across, down).
    pub chroma_shift: (u8, u8),
    /// The pixels are in some device's memory.
    pub is_hardware: bool,
}

/// The format FFmpeg numbers `format`, where it has one.
pub fn describe(format: i32) -> Option<PixelDescription> {
    let mut descriptor = std::ptr::null();
    loop {
        // SAFETY: null starts the walk; every other value came from this call. The list is static.
        descriptor = unsafe { ff::av_pix_fmt_desc_next(descriptor) };
        if descriptor.is_null() {
            return None;
        }
        // SAFETY: a descriptor of FFmpeg's own list.
        let id = unsafe { ff::av_pix_fmt_desc_get_id(descriptor) };
        if id as i32 == format {
            // SAFETY: not null, static and never written; it has no enum fields.
            return Some(summary(unsafe { &*descriptor }));
        }
    }
}

fn summary(it: &'static ff::AVPixFmtDescriptor) -> PixelDescription {
    let has = |flag: i32| it.flags & flag as u64 != 0;
    // SAFETY: the name is a static string that ends in nul.
    let name = unsafe { CStr::from_ptr(it.name) };
    let components = usize::from(it.nb_components).min(it.comp.len());
    PixelDescription {
        name: name.to_str().unwrap_or("?"),
        is_rgb: has(ff::AV_PIX_FMT_FLAG_RGB) || has(ff::AV_PIX_FMT_FLAG_PAL) || has(ff::AV_PIX_FMT_FLAG_BAYER),
        has_alpha: has(ff::AV_PIX_FMT_FLAG_ALPHA) || has(ff::AV_PIX_FMT_FLAG_PAL),
        components: it.nb_components,
        depth: it.comp[..components].iter().map(|it| u32::try_from(it.depth).unwrap_or(0)).max().unwrap_or(0),
        chroma_shift: (it.log2_chroma_w, it.log2_chroma_h),
        is_hardware: has(ff::AV_PIX_FMT_FLAG_HWACCEL),
    }
}

/// FFmpeg's number for one of the formats a renderer samples.
pub fn number_of(pixel: PixelFormat) -> i32 {
    use ff::AVPixelFormat as Av;
    let format = match pixel {
        PixelFormat::Nv12 => Av::AV_PIX_FMT_NV12,
        PixelFormat::Nv21 => Av::AV_PIX_FMT_NV21,
        PixelFormat::Yuv420p => Av::AV_PIX_FMT_YUV420P,
        PixelFormat::Yuv422p => Av::AV_PIX_FMT_YUV422P,
        PixelFormat::Yuv444p => Av::AV_PIX_FMT_YUV444P,
        PixelFormat::P010 => Av::AV_PIX_FMT_P010LE,
        PixelFormat::Yuv420p10 => Av::AV_PIX_FMT_YUV420P10LE,
        PixelFormat::Gray8 => Av::AV_PIX_FMT_GRAY8,
        PixelFormat::Rgb24 => Av::AV_PIX_FMT_RGB24,
        PixelFormat::Rgba => Av::AV_PIX_FMT_RGBA,
    };
    format as i32
}

/// The format of the house that FFmpeg's `format` is in memory, and whether its name alone says "full range" (the old
/// JPEG formats do).
pub fn native(format: i32) -> Option<(PixelFormat, bool)> {
    use ff::AVPixelFormat as Av;
    let jpeg = [
        (Av::AV_PIX_FMT_YUVJ420P, PixelFormat::Yuv420p),
        (Av::AV_PIX_FMT_YUVJ422P, PixelFormat::Yuv422p),
        (Av::AV_PIX_FMT_YUVJ444P, PixelFormat::Yuv444p),
    ];
    let plain = PixelFormat::ALL.into_iter().find(|it| number_of(*it) == format).map(|it| (it, false));
    plain.or_else(|| jpeg.into_iter().find(|(it, _)| *it as i32 == format).map(|(_, it)| (it, true)))
}

/// Whether a format's name alone says "full range".
pub fn is_jpeg_range(format: i32) -> bool {
    describe(format).is_some_and(|it| it.name.starts_with("yuvj"))
}

/// The number of a format by FFmpeg's name, for tests and tables.
pub fn by_name(name: &str) -> Option<i32> {
    let name = CString::new(name).ok()?;
    // SAFETY: a string that ends in nul.
    let format = unsafe { ff::av_get_pix_fmt(name.as_ptr()) };
    Some(format as i32).filter(|it| *it >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_of_the_house_is_known_by_its_name() {
        for pixel in PixelFormat::ALL {
            let number = by_name(pixel.name()).expect("FFmpeg has it");
            assert_eq!(number, number_of(pixel));
            assert_eq!(native(number), Some((pixel, false)));
            let it = describe(number).expect("described");
            assert_eq!((it.name, it.is_rgb, it.depth), (pixel.name(), pixel.is_rgb(), pixel.bit_depth()));
        }
    }

    #[test]
    fn jpeg_formats_are_full_range() {
        assert_eq!(native(by_name("yuvj422p").expect("known")), Some((PixelFormat::Yuv422p, true)));
        assert!(is_jpeg_range(by_name("yuvj411p").expect("known")));
        assert!(!is_jpeg_range(by_name("yuv411p").expect("known")));
    }

    #[test]
    fn numbers_nobody_gave_away_are_nothing() {
        for number in [-1, i32::MAX, i32::MIN, 100_000] {
            assert_eq!(describe(number), None);
            assert_eq!(native(number), None);
        }
    }
}
