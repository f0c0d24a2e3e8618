//! What the numbers of a picture mean as light.
use crate::base::format::Size;

/// The YCbCr matrix (ITU-T H.273 `MatrixCoefficients`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// BT.601 (H.273 values 5 and 6).
    Bt601,
    /// BT.709 (1).
    Bt709,
    /// BT.2020 non-constant luminance (9).
    Bt2020,
}

impl Matrix {
    /// The luma weights of red and blue: (Kr, Kb).
    pub const fn weights(self) -> (f64, f64) {
        match self {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// Which codes are black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// 16..235 luma, 16..240 chroma (times 4 at 10 bits).
    Limited,
    /// 0..255 (0..1023 at 10 bits).
    Full,
}

/// The transfer function (H.273 `TransferCharacteristics`), as far as a screen must treat it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// Everything made for an ordinary screen: shown as it is.
    Sdr,
    /// SMPTE ST 2084 (16).
    Pq,
    /// ARIB STD-B67 hybrid log-gamma (18).
    Hlg,
}

/// The colour primaries (H.273 `ColourPrimaries`), as far as a screen must treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Primaries {
    /// BT.709, and the older ones near enough to be shown as they are.
    Bt709,
    /// BT.2020 (9): wider than the screen.
    Bt2020,
}

/// Where a chroma sample lies among its luma samples (H.273 `ChromaLocType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChromaSiting {
    /// On the left luma column, between two rows: MPEG-2, H.264, HEVC (type 0).
    Left,
    /// In the middle of its luma samples: JPEG, MPEG-1 (type 1).
    Center,
    /// On the top left luma sample: BT.2020 (type 2).
    TopLeft,
}

impl ChromaSiting {
    /// The position of a chroma sample relative to the middle of its luma samples, in luma pixels (x, y), before
    /// subsampling is taken into account: (-0.5, 0), (0, 0) or (-0.5, -0.5).
    pub const fn offset(self) -> (f64, f64) {
        match self {
            ChromaSiting::Left => (-0.5, 0.0),
            ChromaSiting::Center => (0.0, 0.0),
            ChromaSiting::TopLeft => (-0.5, -0.5),
        }
    }
}

/// How bright an HDR source says it gets, in cd/m².
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Luminance {
    /// Maximum content light level (CTA-861.3), where the stream says.
    pub max_cll: Option<f32>,
    /// Peak of the mastering display (SMPTE ST 2086), where the stream says.
    pub mastering_peak: Option<f32>,
}

impl Luminance {
    /// The peak to tone-map from: MaxCLL, else the mastering display's, else 1000 cd/m².
    pub fn source_peak(self) -> f32 {
        self.max_cll.or(self.mastering_peak).filter(|it| it.is_finite() && *it > 0.0).unwrap_or(1000.0)
    }
}

/// A stream's own tags; `None` where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ColorTags {
    /// Matrix coefficients.
    pub matrix: Option<Matrix>,
    /// Range.
    pub range: Option<Range>,
    /// Transfer characteristics.
    pub transfer: Option<Transfer>,
    /// Primaries.
    pub primaries: Option<Primaries>,
    /// Chroma location.
    pub siting: Option<ChromaSiting>,
    /// HDR side data.
    pub luminance: Luminance,
}

/// What a picture's numbers mean, with no question left open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color {
    /// Matrix coefficients.
    pub matrix: Matrix,
    /// Range.
    pub range: Range,
    /// Transfer characteristics.
    pub transfer: Transfer,
    /// Primaries.
    pub primaries: Primaries,
    /// Chroma location.
    pub siting: ChromaSiting,
    /// HDR side data.
    pub luminance: Luminance,
}

impl ColorTags {
    /// Fills the gaps the way players agree on: BT.601 up to 576 lines, BT.709 above; limited range unless RGB;
    /// chroma to the left; BT.2020 brings its matrix and primaries along. Never HDR unless tagged.
    pub fn resolve(self, visible: Size, is_rgb: bool) -> Color {
        let wide = self.primaries == Some(Primaries::Bt2020);
        let by_size = if visible.height <= 576 && visible.width <= 1024 { Matrix::Bt601 } else { Matrix::Bt709 };
        let matrix = self.matrix.unwrap_or(if wide { Matrix::Bt2020 } else { by_size });
        let primaries =
            self.primaries.unwrap_or(if matrix == Matrix::Bt2020 { Primaries::Bt2020 } else { Primaries::Bt709 });
        Color {
            matrix,
            range: self.range.unwrap_or(if is_rgb { Range::Full } else { Range::Limited }),
            transfer: self.transfer.unwrap_or(Transfer::Sdr),
            primaries,
            siting: self.siting.unwrap_or(ChromaSiting::Left),
            luminance: self.luminance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untagged_streams_go_by_their_size() {
        let tags = ColorTags::default();
        assert_eq!(tags.resolve(Size::new(720, 576), false).matrix, Matrix::Bt601);
        assert_eq!(tags.resolve(Size::new(1280, 720), false).matrix, Matrix::Bt709);
        assert_eq!(tags.resolve(Size::new(1280, 720), true).range, Range::Full);
        assert_eq!(tags.resolve(Size::new(3840, 2160), false).transfer, Transfer::Sdr);
    }

    #[test]
    fn the_source_peak_prefers_what_the_content_says() {
        let it = Luminance { max_cll: Some(600.0), mastering_peak: Some(4000.0) };
        assert_eq!(it.source_peak(), 600.0);
        assert_eq!(Luminance { max_cll: None, ..it }.source_peak(), 4000.0);
        assert_eq!(Luminance::default().source_peak(), 1000.0);
    }
}
