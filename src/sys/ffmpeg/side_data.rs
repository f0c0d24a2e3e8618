//! What streams and frames carry beside themselves: the turn a file asks for, how bright it gets.
use ffmpeg_sys_next as ff;

use super::abi::{ContentLight, MasteringDisplay};
use super::color::nits;
use crate::base::color::Luminance;
use crate::base::geometry::Rotation;

/// How far from a quarter turn a display matrix may be, in degrees: fixed-point noise, not a tilt.
const TILT_TOLERANCE: f64 = 1.0;

/// A block of side data as FFmpeg stores it. The bytes are as aligned as `av_malloc` makes them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blob<'a> {
    bytes: &'a [u8],
}

impl<'a> Blob<'a> {
    /// # Safety
    /// `data` is null, or `size` readable bytes from `av_malloc` that live and stay unchanged for `'a`.
    pub(super) unsafe fn new(data: *const u8, size: usize) -> Option<Self> {
        if data.is_null() || size == 0 {
            return None;
        }
        // SAFETY: not null, and readable for `'a` as the caller promises.
        let bytes = unsafe { std::slice::from_raw_parts(data, size) };
        Some(Self { bytes })
    }

    /// The struct it starts with, if it is long enough.
    fn read<T: Copy>(self) -> Option<T> {
        if self.bytes.len() < size_of::<T>() {
            return None;
        }
        // SAFETY: long enough, as just checked; `T` is one of the plain structs of numbers below; any alignment will do.
        Some(unsafe { self.bytes.as_ptr().cast::<T>().read_unaligned() })
    }

    /// `AV_*_DATA_DISPLAYMATRIX`: the turn to apply to show it upright.
    pub(super) fn rotation(self) -> Option<Rotation> {
        let matrix: [i32; 9] = self.read()?;
        // SAFETY: reads the nine numbers of the array passed.
        let anticlockwise = unsafe { ff::av_display_rotation_get(matrix.as_ptr()) };
        quarter_turn(-anticlockwise)
    }

    /// `AV_*_DATA_MASTERING_DISPLAY_METADATA`: the mastering display's peak.
    pub(super) fn mastering_peak(self) -> Option<f32> {
        let it: MasteringDisplay = self.read()?;
        if it.has_luminance == 0 || it.max_luminance.den <= 0 {
            return None;
        }
        nits(f64::from(it.max_luminance.num) / f64::from(it.max_luminance.den))
    }

    /// `AV_*_DATA_CONTENT_LIGHT_LEVEL`: MaxCLL.
    pub(super) fn max_cll(self) -> Option<f32> {
        let it: ContentLight = self.read()?;
        nits(f64::from(it.max_cll))
    }
}

/// Both figures together.
pub(super) fn luminance(content_light: Option<Blob<'_>>, mastering: Option<Blob<'_>>) -> Luminance {
    Luminance {
        max_cll: content_light.and_then(Blob::max_cll),
        mastering_peak: mastering.and_then(Blob::mastering_peak),
    }
}

/// Degrees clockwise as a quarter turn; `None` for tilts and for matrices that turn nothing into nothing.
fn quarter_turn(clockwise: f64) -> Option<Rotation> {
    let nearest = (clockwise / 90.0).round() * 90.0;
    if !clockwise.is_finite() || (clockwise - nearest).abs() > TILT_TOLERANCE {
        return None;
    }
    Rotation::from_degrees(nearest as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quarter_turns_are_taken() {
        for (degrees, want) in [
            (0.0, Some(Rotation::None)),
            (89.99, Some(Rotation::Clockwise90)),
            (-90.0, Some(Rotation::Clockwise270)),
            (180.0, Some(Rotation::Half)),
            (-180.0, Some(Rotation::Half)),
            (45.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(quarter_turn(degrees), want, "{degrees}");
        }
    }
}
