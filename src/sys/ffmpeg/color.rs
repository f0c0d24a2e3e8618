//! Colour numbers of files, in the house's words.
//!
//! The numbers are those of ITU-T H.273; files put anything there, so whatever is not known counts as not said.
use crate::base::color::{ChromaSiting, ColorTags, Luminance, Matrix, Primaries, Range, Transfer};

/// The numbers as a stream or frame carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColorNumbers {
    pub matrix: i32,
    pub range: i32,
    pub transfer: i32,
    pub primaries: i32,
    pub siting: i32,
}

impl ColorNumbers {
    pub(super) fn tags(self, luminance: Luminance) -> ColorTags {
        ColorTags {
            matrix: match self.matrix {
                1 => Some(Matrix::Bt709),
                // FCC's weights differ from BT.601's in the third digit.
                4..=6 => Some(Matrix::Bt601),
                // SMPTE 240M: nearest to BT.709.
                7 => Some(Matrix::Bt709),
                // Constant luminance (10) is treated as non-constant: nobody ships it.
                9 | 10 => Some(Matrix::Bt2020),
                _ => None,
            },
            // FFmpeg's own numbers: "MPEG" and "JPEG".
            range: match self.range {
                1 => Some(Range::Limited),
                2 => Some(Range::Full),
                _ => None,
            },
            transfer: match self.transfer {
                16 => Some(Transfer::Pq),
                18 => Some(Transfer::Hlg),
                1 | 4..=15 | 17 => Some(Transfer::Sdr),
                _ => None,
            },
            primaries: match self.primaries {
                9 => Some(Primaries::Bt2020),
                1 | 4..=8 | 10..=12 | 22 => Some(Primaries::Bt709),
                _ => None,
            },
            // FFmpeg counts from 1. The rarer three are nearest to one of ours in x, which is what shows.
            siting: match self.siting {
                1 | 5 => Some(ChromaSiting::Left),
                2 | 4 | 6 => Some(ChromaSiting::Center),
                3 => Some(ChromaSiting::TopLeft),
                _ => None,
            },
            luminance,
        }
    }
}

/// Brightness in cd/m², where the numbers make sense: up to the 10,000 that PQ can code.
pub(super) fn nits(value: f64) -> Option<f32> {
    (1.0..=10_000.0).contains(&value).then_some(value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_no_header_names_say_nothing() {
        for number in [-1, 0, 2, 99, 255, i32::MAX, i32::MIN] {
            let numbers =
                ColorNumbers { matrix: number, range: 77, transfer: number, primaries: number, siting: number };
            let tags = numbers.tags(Luminance::default());
            assert_eq!((tags.matrix, tags.range, tags.transfer, tags.primaries), (None, None, None, None));
        }
    }

    #[test]
    fn hdr_numbers_are_known() {
        let tags =
            ColorNumbers { matrix: 9, range: 1, transfer: 16, primaries: 9, siting: 3 }.tags(Luminance::default());
        assert_eq!(tags.matrix, Some(Matrix::Bt2020));
        assert_eq!(tags.range, Some(Range::Limited));
        assert_eq!(tags.transfer, Some(Transfer::Pq));
        assert_eq!(tags.primaries, Some(Primaries::Bt2020));
        assert_eq!(tags.siting, Some(ChromaSiting::TopLeft));
    }

    #[test]
    fn absurd_brightness_is_not_believed() {
        for (value, want) in [(0.0, None), (1000.0, Some(1000.0)), (1e9, None), (f64::NAN, None)] {
            assert_eq!(nits(value), want);
        }
    }
}
