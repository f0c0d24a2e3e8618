//! What a frame on a plane is set to, apart from its memory: equal for all frames of a film.
use drm::buffer::DrmFourcc;

use crate::base::color::{ChromaSiting, Matrix, Primaries, Range, Transfer};
use crate::base::dmabuf::{Lease, MODIFIER_LINEAR};
use crate::base::format::{PixelFormat, Rect, Size};
use crate::base::frame::{Memory, VideoFormat, VideoFrame};
use crate::base::geometry::{Rotation, place};
use crate::logic::plane_choice::Need;
use crate::seam::interop::Place;

/// One in 16.16 fixed point, which SRC_X and its like are in.
const ONE: f64 = 65536.0;

/// How a picture lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// How components lie.
    pub fourcc: DrmFourcc,
    /// How pixels lie.
    pub modifier: u64,
    /// The framebuffer's pixels.
    pub coded: Size,
}

/// A configuration. Decided on once, by the hardware.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// How frames lie in memory.
    pub pixels: Pixels,
    /// SRC_X, SRC_Y, SRC_W, SRC_H.
    pub source: [u64; 4],
    /// CRTC_X, CRTC_Y, CRTC_W, CRTC_H.
    pub target: Rect,
    /// The screen.
    pub screen: Size,
    /// The turn; none or half.
    pub turn: Rotation,
    /// Matrix and range; none for RGB.
    pub color: Option<(Matrix, Range)>,
    /// Where chroma samples lie; none where there are none.
    pub siting: Option<ChromaSiting>,
    /// There is a picture above it.
    pub has_above: bool,
}

/// DRM's name for pictures that lie so in memory, where there is one that a screen shows as it should.
pub fn fourcc(pixel: PixelFormat) -> Option<DrmFourcc> {
    match pixel {
        PixelFormat::Nv12 => Some(DrmFourcc::Nv12),
        PixelFormat::Nv21 => Some(DrmFourcc::Nv21),
        PixelFormat::Yuv420p => Some(DrmFourcc::Yuv420),
        PixelFormat::Yuv422p => Some(DrmFourcc::Yuv422),
        PixelFormat::Yuv444p => Some(DrmFourcc::Yuv444),
        PixelFormat::P010 => Some(DrmFourcc::P010),
        // DRM names components from the word's top; memory is little-endian. Films are opaque.
        PixelFormat::Rgb24 => Some(DrmFourcc::Bgr888),
        PixelFormat::Rgba => Some(DrmFourcc::Xbgr8888),
        PixelFormat::Yuv420p10 | PixelFormat::Gray8 => None,
    }
}

impl Pixels {
    /// Those of pictures of such a format, rows one after the other; the error names what no plane takes.
    pub fn in_rows(format: &VideoFormat) -> Result<Self, String> {
        let fourcc = fourcc(format.pixel).ok_or_else(|| format.pixel.name().to_owned())?;
        Ok(Self { fourcc, modifier: MODIFIER_LINEAR, coded: format.coded })
    }

    /// A frame's, with what holds its memory; the error names what no plane takes.
    pub fn of(frame: &VideoFrame) -> Result<(Self, &Lease), String> {
        let Memory::Dmabuf(lease) = &frame.memory else { return Err("a frame in ordinary memory".to_owned()) };
        Ok((Self { modifier: lease.picture().modifier(), ..Self::in_rows(&frame.format)? }, lease))
    }

    /// The modifier to make the framebuffer with. Drivers without modifiers take rows one after the other.
    pub fn modifier_for(&self, driver_has_modifiers: bool) -> Option<u64> {
        Some(self.modifier).filter(|it| driver_has_modifiers || *it != MODIFIER_LINEAR)
    }
}

impl Config {
    /// What a frame in such a place needs; the error names what no plane takes.
    pub fn of(frame: &VideoFrame, place_: &Place, has_above: bool) -> Result<Self, String> {
        let (pixels, _) = Pixels::of(frame)?;
        Self::with(pixels, &frame.format, place_, has_above)
    }

    /// What frames of such a format need whose pixels lie so; the error names what no plane takes.
    pub fn with(pixels: Pixels, format: &VideoFormat, place_: &Place, has_above: bool) -> Result<Self, String> {
        let color = &format.color;
        if color.transfer != Transfer::Sdr {
            return Err(format!("a frame that needs tone mapping ({:?})", color.transfer));
        }
        if color.primaries != Primaries::Bt709 {
            return Err(format!("the primaries {:?}", color.primaries));
        }
        if format.pixel.is_rgb() && color.range != Range::Full {
            return Err("RGB of limited range".to_owned());
        }
        let turn = format.rotation.then(place_.rotation);
        if turn.swaps_axes() {
            return Err(format!("a picture turned by {} degrees", turn.degrees()));
        }
        if format.visible.size().is_empty() {
            return Err("a frame of which nothing is visible".to_owned());
        }
        let placement = place(format.visible, format.sar, turn, place_.fit, place_.screen);
        let is_subsampled = format.pixel.planes().iter().any(|it| it.sub_x > 1 || it.sub_y > 1);
        Ok(Self {
            pixels,
            source: placement.source.map(|it| (it * ONE).round().max(0.0) as u64),
            target: placement.target,
            screen: place_.screen,
            turn,
            color: (!format.pixel.is_rgb()).then_some((color.matrix, color.range)),
            siting: is_subsampled.then_some(color.siting),
            has_above,
        })
    }

    /// What its plane must be able to do. `above` is the format of what is above it.
    pub fn need(&self, above: Option<DrmFourcc>) -> Need {
        Need {
            fourcc: self.pixels.fourcc as u32,
            modifier: self.pixels.modifier,
            turn: self.turn,
            color: self.color,
            covers: self.target == Rect::of(self.screen),
            above: above.map(|it| it as u32),
        }
    }

    /// Source and target, where they differ in size: `640x480 scaled to 1280x720`.
    pub fn scaling(&self) -> Option<String> {
        let (from, to) = (Size::new((self.source[2] >> 16) as u32, (self.source[3] >> 16) as u32), self.target.size());
        let is_scaled = self.source[2] != u64::from(to.width) << 16 || self.source[3] != u64::from(to.height) << 16;
        is_scaled.then(|| format!("{from} scaled to {to}"))
    }
}

#[cfg(test)]
mod tests;
