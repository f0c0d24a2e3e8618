//! What a plane can do and how it is told to: formats, levels, turns, colours.
use std::io;

use drm::control::{Device as _, plane, property};

use crate::backend::kms::connectors::Plane;
use crate::backend::kms::planes::config::Config;
use crate::backend::kms::properties::{PlaneProperties, Properties};
use crate::base::color::{ChromaSiting, Matrix, Range};
use crate::base::dmabuf::MODIFIER_LINEAR;
use crate::base::format::Rect;
use crate::logic::plane_choice::{Level, PlaneFacts, ROTATE_0};
use crate::sys::kms::{AtomicRequest, Card};

/// A property and what it is set to.
type Setting = (property::Handle, u64);

/// The kernel's names of matrices (`drm_plane_create_color_properties`).
const MATRICES: [(Matrix, &str); 3] = [
    (Matrix::Bt601, "ITU-R BT.601 YCbCr"),
    (Matrix::Bt709, "ITU-R BT.709 YCbCr"),
    (Matrix::Bt2020, "ITU-R BT.2020 YCbCr"),
];
/// The kernel's names of ranges.
const RANGES: [(Range, &str); 2] = [(Range::Limited, "YCbCr limited range"), (Range::Full, "YCbCr full range")];
/// Half a pixel, as the chroma siting properties count: 16.16 fixed point, 0 being on the first luma sample.
const HALF: u64 = 0x8000;

/// A plane that can show frames, or what is above them.
#[derive(Debug)]
pub struct VideoPlane {
    /// Its number.
    pub handle: plane::Handle,
    /// What it offers.
    pub facts: PlaneFacts,
    properties: PlaneProperties,
    rotation: Option<property::Handle>,
    /// `zpos`, where it can be set.
    level: Option<property::Handle>,
    matrices: [Option<Setting>; 3],
    ranges: [Option<Setting>; 2],
    /// Raspberry Pi's kernel: CHROMA_SITING_H and CHROMA_SITING_V.
    siting: Option<[property::Handle; 2]>,
    /// What is above is premultiplied by its alpha.
    blending: Option<Setting>,
}

impl VideoPlane {
    /// Asks the kernel about a plane.
    pub fn of(card: &Card, plane: &Plane) -> io::Result<Self> {
        let all = Properties::of(card, plane.handle)?;
        let settings = |name: &'static str, value: &'static str| all.setting(name, value);
        let matrices = MATRICES.map(|(_, name)| settings("COLOR_ENCODING", name));
        let ranges = RANGES.map(|(_, name)| settings("COLOR_RANGE", name));
        let level = all.level();
        let rotations = all.bits(card, "rotation")?;
        let formats = match all.value("IN_FORMATS").filter(|it| *it != 0) {
            Some(blob) => in_formats(&card.get_property_blob(blob)?),
            None => plane.formats.iter().map(|it| (*it, MODIFIER_LINEAR)).collect(),
        };
        let facts = PlaneFacts {
            is_primary: plane.is_primary,
            is_taken: false,
            formats,
            rotations: rotations.unwrap_or(ROTATE_0),
            matrices: MATRICES.iter().zip(&matrices).filter(|it| it.1.is_some()).map(|it| it.0.0).collect(),
            ranges: RANGES.iter().zip(&ranges).filter(|it| it.1.is_some()).map(|it| it.0.0).collect(),
            level,
        };
        Ok(Self {
            handle: plane.handle,
            facts,
            properties: PlaneProperties::of(card, plane.handle)?,
            rotation: rotations.and_then(|_| all.id("rotation")),
            level: all.id("zpos").filter(|_| matches!(level, Level::Free { .. })),
            matrices,
            ranges,
            siting: all.id("CHROMA_SITING_H").zip(all.id("CHROMA_SITING_V")).map(|(h, v)| [h, v]),
            blending: all.setting("pixel blend mode", "Pre-multiplied"),
        })
    }

    /// Shows a frame of `config`.
    pub fn show(&self, request: &mut AtomicRequest, crtc: u64, framebuffer: u64, config: &Config, level: u64) {
        self.place(request, crtc, framebuffer, config.source, config.target, level);
        let mut set = |setting: Option<Setting>| {
            if let Some((property, value)) = setting {
                request.set(self.handle, property, value);
            }
        };
        set(self.rotation.zip(self.facts.rotation(config.turn)));
        if let Some((matrix, range)) = config.color {
            set(MATRICES.iter().position(|it| it.0 == matrix).and_then(|it| self.matrices[it]));
            set(RANGES.iter().position(|it| it.0 == range).and_then(|it| self.ranges[it]));
        }
        if let (Some([h, v]), Some(siting)) = (self.siting, config.siting) {
            let (x, y) = match siting {
                ChromaSiting::Left => (0, HALF),
                ChromaSiting::Center => (HALF, HALF),
                ChromaSiting::TopLeft => (0, 0),
            };
            set(Some((h, x)));
            set(Some((v, y)));
        }
    }

    /// Shows a picture of the whole screen, upright, blended by its alpha.
    pub fn show_above(&self, request: &mut AtomicRequest, crtc: u64, framebuffer: u64, screen: Rect, level: u64) {
        let source = [0, 0, u64::from(screen.width) << 16, u64::from(screen.height) << 16];
        self.place(request, crtc, framebuffer, source, screen, level);
        if let Some((property, value)) = self.blending {
            request.set(self.handle, property, value);
        }
    }

    fn place(
        &self,
        request: &mut AtomicRequest,
        crtc: u64,
        framebuffer: u64,
        source: [u64; 4],
        target: Rect,
        level: u64,
    ) {
        let it = &self.properties;
        request.set(self.handle, it.fb_id, framebuffer);
        request.set(self.handle, it.crtc_id, crtc);
        for (property, value) in it.source.into_iter().zip(source) {
            request.set(self.handle, property, value);
        }
        let target = [target.x, target.y, target.width, target.height];
        for (property, value) in it.target.into_iter().zip(target) {
            request.set(self.handle, property, u64::from(value));
        }
        for (property, value) in &it.fixed {
            request.set(self.handle, *property, *value);
        }
        self.raise(request, level);
    }

    fn raise(&self, request: &mut AtomicRequest, level: u64) {
        if let (Some(property), Level::Free { min, max }) = (self.level, self.facts.level) {
            request.set(self.handle, property, level.max(min).min(max));
        }
    }

    /// Goes below all others.
    pub fn sink(&self, request: &mut AtomicRequest) {
        self.raise(request, 0);
    }

    /// Another frame of the same configuration.
    pub fn flip(&self, request: &mut AtomicRequest, framebuffer: u64) {
        request.set(self.handle, self.properties.fb_id, framebuffer);
    }

    /// The kernel waits for `fence` before it shows what is on this plane.
    pub fn in_fence(&self) -> Option<property::Handle> {
        self.properties.in_fence
    }

    /// Off.
    pub fn hide(&self, request: &mut AtomicRequest) {
        request.set(self.handle, self.properties.fb_id, 0);
        request.set(self.handle, self.properties.crtc_id, 0);
    }
}

/// Formats with their modifiers: `struct drm_format_modifier_blob` of `include/uapi/drm/drm_mode.h`. What lies outside the
/// blob is left out.
fn in_formats(blob: &[u8]) -> Vec<(u32, u64)> {
    let u32_at = |at: usize| Some(u32::from_ne_bytes(blob.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let u64_at = |at: usize| Some(u64::from_ne_bytes(blob.get(at..at.checked_add(8)?)?.try_into().ok()?));
    // version, flags, count_formats, formats_offset, count_modifiers, modifiers_offset.
    let header = [8, 12, 16, 20].map(|at| u32_at(at).and_then(|it| usize::try_from(it).ok()));
    let [Some(n_formats), Some(formats_at), Some(n_modifiers), Some(modifiers_at)] = header else { return Vec::new() };
    // A modifier says by 64 bits which formats it is for, from `offset` on.
    const OF_FORMAT: usize = 4;
    const OF_MODIFIER: usize = 24;
    let at = |start: usize, index: usize, size: usize| index.checked_mul(size)?.checked_add(start);
    let mut all = Vec::new();
    for index in 0..n_modifiers {
        let Some(entry) = at(modifiers_at, index, OF_MODIFIER) else { break };
        let (Some(bits), Some(offset), Some(modifier)) = (u64_at(entry), u32_at(entry + 8), u64_at(entry + 16)) else {
            break;
        };
        for bit in (0..64).filter(|it| bits >> it & 1 == 1) {
            let format = offset as usize + bit;
            let found = at(formats_at, format, OF_FORMAT).filter(|_| format < n_formats).and_then(u32_at);
            all.extend(found.map(|it| (it, modifier)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A blob with three formats; the second modifier is for the last two.
    fn blob() -> Vec<u8> {
        let mut blob = Vec::new();
        for word in [1_u32, 0, 3, 24, 2, 40] {
            blob.extend(word.to_ne_bytes());
        }
        for format in [11_u32, 22, 33, 0] {
            blob.extend(format.to_ne_bytes());
        }
        for (bits, offset, modifier) in [(0b111_u64, 0_u32, 0_u64), (0b11, 1, 7)] {
            blob.extend(bits.to_ne_bytes());
            blob.extend(offset.to_ne_bytes());
            blob.extend(0_u32.to_ne_bytes());
            blob.extend(modifier.to_ne_bytes());
        }
        blob
    }

    #[test]
    fn formats_are_listed_with_each_of_their_modifiers() {
        assert_eq!(in_formats(&blob()), [(11, 0), (22, 0), (33, 0), (22, 7), (33, 7)]);
    }

    #[test]
    fn a_blob_that_lies_is_not_followed() {
        let whole = blob();
        for length in 0..whole.len() {
            assert!(in_formats(&whole[..length]).len() < 5);
        }
        for at in [8, 12, 16, 20, 48] {
            let mut bent = whole.clone();
            bent[at..at + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
            assert!(in_formats(&bent).iter().all(|it| [11, 22, 33, 0].contains(&it.0) || at == 12), "{at}");
        }
    }
}
