//! Which planes of a display controller can show a frame as it is, and how they are to be arranged.
//!
//! ```text
//!      above   |   a picture drawn by GL, where there is one                      level 2
//!      video   |   the frame: on an overlay, or on the primary plane itself       level 1, or 0
//!      ground  |   the primary plane: off, or black where it must be on           level 0
//! ```
//!
//! Only the hardware knows whether it takes an arrangement (its scaler, its memory for lines, its bandwidth); what is said
//! here is which are worth asking it about, in order, or why none is.
use std::fmt::Write;

use crate::base::color::{Matrix, Range};
use crate::base::geometry::Rotation;

/// DRM_MODE_ROTATE_0.
pub const ROTATE_0: u64 = 1 << 0;
/// DRM_MODE_ROTATE_180.
const ROTATE_180: u64 = 1 << 2;
/// DRM_MODE_REFLECT_X and DRM_MODE_REFLECT_Y, which together turn a picture upside down.
const REFLECT_BOTH: u64 = 1 << 4 | 1 << 5;

/// Where a plane lies among the others: `zpos`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// The driver does not say; planes lie in the order they are listed in.
    #[default]
    AsListed,
    /// It is there for ever.
    Fixed(u64),
    /// It can be chosen.
    Free {
        /// The lowest.
        min: u64,
        /// The highest.
        max: u64,
    },
}

/// What a plane offers.
#[derive(Debug, Clone, Default)]
pub struct PlaneFacts {
    /// It is the output's primary plane.
    pub is_primary: bool,
    /// Another output has it.
    pub is_taken: bool,
    /// Formats with each modifier they are taken with.
    pub formats: Vec<(u32, u64)>,
    /// Bits of the rotation property; upright only where there is none.
    pub rotations: u64,
    /// Matrices it can be set to.
    pub matrices: Vec<Matrix>,
    /// Ranges it can be set to.
    pub ranges: Vec<Range>,
    /// Where it lies.
    pub level: Level,
}

/// What a frame needs of its plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// The format's four letters.
    pub fourcc: u32,
    /// How its pixels lie.
    pub modifier: u64,
    /// The turn.
    pub turn: Rotation,
    /// Matrix and range; none for RGB.
    pub color: Option<(Matrix, Range)>,
    /// The picture fills the screen.
    pub covers: bool,
    /// The format of a picture above it, where there is one.
    pub above: Option<u32>,
}

/// What the primary plane does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It is off; what no plane covers is black.
    Off,
    /// It shows the frame.
    Video,
    /// It shows black.
    Black,
}

/// Planes by their places in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrangement {
    /// What the primary plane does.
    pub ground: Ground,
    /// Shows the frame.
    pub video: usize,
    /// Shows the picture above it.
    pub above: Option<usize>,
}

impl std::fmt::Display for Arrangement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.ground {
            Ground::Off => "on an overlay plane, with nothing below it",
            Ground::Video => "on the primary plane",
            Ground::Black => "on an overlay plane, with black below it",
        })
    }
}

impl Arrangement {
    /// What is set on the frame's plane.
    pub fn video_level(&self) -> u64 {
        if self.ground == Ground::Video { 0 } else { 1 }
    }
}

/// What is set on the plane of a picture above.
pub const ABOVE_LEVEL: u64 = 2;

impl PlaneFacts {
    /// What the rotation property is set to for a turn, where the plane can do it. Quarter turns are never left to a plane:
    /// few can, and those read memory across its rows.
    pub fn rotation(&self, turn: Rotation) -> Option<u64> {
        match turn {
            Rotation::None => Some(ROTATE_0),
            Rotation::Half if self.rotations & ROTATE_180 != 0 => Some(ROTATE_180),
            Rotation::Half if self.rotations & REFLECT_BOTH == REFLECT_BOTH => Some(ROTATE_0 | REFLECT_BOTH),
            Rotation::Half | Rotation::Clockwise90 | Rotation::Clockwise270 => None,
        }
    }

    /// What of the frame the plane cannot take.
    fn obstacle(&self, need: &Need) -> Option<String> {
        let mut formats = self.formats.iter().filter(|it| it.0 == need.fourcc).peekable();
        if formats.peek().is_none() {
            return Some(letters(need.fourcc));
        }
        if !formats.any(|it| it.1 == need.modifier) {
            return Some(format!("{} with modifier {:#x}", letters(need.fourcc), need.modifier));
        }
        if self.rotation(need.turn).is_none() {
            return Some(format!("a picture turned by {} degrees", need.turn.degrees()));
        }
        let (matrix, range) = need.color?;
        if !self.matrices.contains(&matrix) {
            return Some(format!("the matrix {matrix:?}"));
        }
        (!self.ranges.contains(&range)).then(|| format!("{} range", range_name(range)))
    }

    fn takes(&self, fourcc: u32) -> bool {
        self.formats.iter().any(|it| it.0 == fourcc)
    }
}

fn range_name(range: Range) -> &'static str {
    match range {
        Range::Limited => "limited",
        Range::Full => "full",
    }
}

/// A format as people write it: its four letters.
pub fn letters(fourcc: u32) -> String {
    let mut name = String::new();
    for byte in fourcc.to_le_bytes() {
        match byte {
            b' ' => {}
            it if it.is_ascii_graphic() => name.push(char::from(it)),
            // Writing to a String cannot fail.
            it => drop(write!(name, "\\x{it:02x}")),
        }
    }
    name
}

/// Whether a plane lies below another when their levels are set to these.
fn is_below(planes: &[PlaneFacts], low: (usize, u64), high: (usize, u64)) -> bool {
    let at = |(index, wish): (usize, u64)| match planes.get(index)?.level {
        Level::AsListed => None,
        Level::Fixed(at) => Some(at),
        Level::Free { min, max } => Some(wish.max(min).min(max)),
    };
    match (at(low), at(high)) {
        (Some(a), Some(b)) if a != b => a < b,
        _ => low.0 < high.0,
    }
}

/// The arrangements to ask the hardware about, best first: the frame alone costs the least memory bandwidth; the primary
/// plane is every driver's best tested; black below is for controllers that cannot be without the primary plane. The error
/// names what the first cannot take.
pub fn arrangements(planes: &[PlaneFacts], need: &Need) -> Result<Vec<Arrangement>, String> {
    let overlays = || planes.iter().enumerate().filter(|(_, it)| !it.is_primary && !it.is_taken);
    let primary = planes.iter().position(|it| it.is_primary);
    let mut reason = None;
    let mut fit = |it: &PlaneFacts| match it.obstacle(need) {
        Some(why) => {
            reason.get_or_insert(why);
            false
        }
        None => true,
    };
    let videos: Vec<usize> = overlays().filter(|(_, it)| fit(it)).map(|it| it.0).collect();
    let fits_primary = primary.filter(|it| planes.get(*it).is_some_and(&mut fit));
    let above = |video: (usize, u64)| match need.above {
        None => Some(None),
        Some(fourcc) => overlays()
            .find(|(index, it)| *index != video.0 && it.takes(fourcc) && is_below(planes, video, (*index, ABOVE_LEVEL)))
            .map(|it| Some(it.0)),
    };
    let mut found = Vec::new();
    for video in &videos {
        if let Some(above) = above((*video, 1)) {
            found.push(Arrangement { ground: Ground::Off, video: *video, above });
        }
    }
    if let (Some(video), true) = (fits_primary, need.covers)
        && let Some(above) = above((video, 0))
    {
        found.push(Arrangement { ground: Ground::Video, video, above });
    }
    for video in videos.iter().filter(|it| primary.is_some_and(|low| is_below(planes, (low, 0), (**it, 1)))) {
        if let Some(above) = above((*video, 1)) {
            found.push(Arrangement { ground: Ground::Black, video: *video, above });
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let no_plane = !videos.is_empty() || fits_primary.is_some();
    Err(match reason {
        Some(why) if !no_plane => why,
        _ if fits_primary.is_some() && !need.covers => {
            "a picture smaller than the screen, without an overlay".to_owned()
        }
        _ if need.above.is_some() => "a frame with a picture above it".to_owned(),
        _ => "a frame: no plane is free".to_owned(),
    })
}

#[cfg(test)]
mod tests;
