//! DRM's names for pixel formats and for single planes of them (`drm_fourcc.h`).
use crate::base::format::{PixelFormat, PlaneLayout};
use crate::seam::interop::Sampling;

/// What decoders put into dma-bufs and shaders of ours can sample.
pub const FORMATS: [PixelFormat; 6] = [
    PixelFormat::Nv12,
    PixelFormat::Nv21,
    PixelFormat::Yuv420p,
    PixelFormat::Yuv422p,
    PixelFormat::Yuv444p,
    PixelFormat::P010,
];

/// Some of `FORMATS`, one after the other.
#[derive(Clone, Copy)]
struct Subset {
    formats: [PixelFormat; FORMATS.len()],
    len: usize,
}

/// Every choice of some of them, by its bits: capabilities are static lists, and which one it is turns out by trials.
static SUBSETS: [Subset; 1 << FORMATS.len()] = subsets();

const fn subsets() -> [Subset; 1 << FORMATS.len()] {
    let mut all = [Subset { formats: FORMATS, len: 0 }; 1 << FORMATS.len()];
    let mut bits = 0;
    while bits < all.len() {
        let mut at = 0;
        while at < FORMATS.len() {
            if bits >> at & 1 == 1 {
                all[bits].formats[all[bits].len] = FORMATS[at];
                all[bits].len += 1;
            }
            at += 1;
        }
        bits += 1;
    }
    all
}

/// Those of `FORMATS` that pass, in that order.
pub fn subset(passes: impl Fn(PixelFormat) -> bool) -> &'static [PixelFormat] {
    let bits = (0..).zip(FORMATS).map(|(at, it)| usize::from(passes(it)) << at).sum::<usize>();
    SUBSETS.get(bits).map_or(&[], |it| &it.formats[..it.len])
}

const fn letters(it: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*it)
}

/// The format of a whole picture; `None` where DRM has no such format.
pub const fn of_picture(pixel: PixelFormat) -> Option<u32> {
    Some(match pixel {
        PixelFormat::Nv12 => letters(b"NV12"),
        PixelFormat::Nv21 => letters(b"NV21"),
        PixelFormat::Yuv420p => letters(b"YU12"),
        PixelFormat::Yuv422p => letters(b"YU16"),
        PixelFormat::Yuv444p => letters(b"YU24"),
        PixelFormat::P010 => letters(b"P010"),
        _ => return None,
    })
}

/// The format of one plane as a picture of its own; `None` where it cannot be one.
pub const fn of_plane(layout: PlaneLayout, sampling: Sampling) -> Option<u32> {
    Some(match (layout.components, layout.bytes_per_component, sampling) {
        (1, 1, Sampling::Planes) => letters(b"R8  "),
        (2, 1, Sampling::Planes) => letters(b"GR88"),
        (1, 2, Sampling::Planes) => letters(b"R16 "),
        (2, 2, Sampling::Planes) => letters(b"GR32"),
        // The low byte is R, the high byte G; the second component's are B and A.
        (1, 2, Sampling::SplitPlanes) => letters(b"GR88"),
        (2, 2, Sampling::SplitPlanes) => letters(b"AB24"),
        _ => return None,
    })
}

/// A format's four letters, to be read.
pub fn name(fourcc: u32) -> String {
    String::from_utf8_lossy(&fourcc.to_le_bytes()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_is_what_passes_in_order() {
        assert_eq!(subset(|_| true), FORMATS);
        assert_eq!(subset(|_| false), []);
        assert_eq!(subset(|it| it.bit_depth() > 8 || it == PixelFormat::Nv21), [PixelFormat::Nv21, PixelFormat::P010]);
    }

    #[test]
    fn every_format_has_a_name_as_a_whole_and_by_its_planes() {
        for pixel in FORMATS {
            assert!(of_picture(pixel).is_some(), "{pixel:?}");
            assert!(pixel.planes().iter().all(|it| of_plane(*it, Sampling::Planes).is_some()), "{pixel:?}");
            let split = pixel.planes().iter().all(|it| of_plane(*it, Sampling::SplitPlanes).is_some());
            assert_eq!(split, pixel == PixelFormat::P010, "{pixel:?}");
        }
        assert_eq!(name(letters(b"R8  ")), "R8");
    }
}
