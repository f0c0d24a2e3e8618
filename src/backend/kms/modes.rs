//! The kernel's mode lines as the facts we choose by.
use std::time::Duration;

use drm::control::{Mode, ModeFlags, ModeTypeFlags};

use crate::base::format::Size;
use crate::logic::mode_choice::ModeFacts;
use crate::seam::presenter::DisplayMode;

/// What we choose by. The kernel's own refresh is rounded to whole Hertz, which cannot tell 59.94 from 60.
pub fn facts(mode: &Mode) -> ModeFacts {
    let nanos = refresh_nanos(mode);
    let refresh_mhz = (1_000_000_000_000 + nanos / 2).checked_div(nanos).unwrap_or(0);
    ModeFacts {
        size: size(mode),
        refresh_mhz: u32::try_from(refresh_mhz).unwrap_or(u32::MAX),
        preferred: mode.mode_type().contains(ModeTypeFlags::PREFERRED),
        interlaced: mode.flags().contains(ModeFlags::INTERLACE),
    }
}

/// What the presenter says of it.
pub fn display_mode(mode: &Mode) -> DisplayMode {
    DisplayMode { size: size(mode), refresh: Duration::from_nanos(refresh_nanos(mode)) }
}

/// Pixels.
pub fn size(mode: &Mode) -> Size {
    let (width, height) = mode.size();
    Size::new(u32::from(width), u32::from(height))
}

/// From one vblank to the next, rounded; 0 for a mode line that makes no sense.
fn refresh_nanos(mode: &Mode) -> u64 {
    let lines = u64::from(mode.vsync().2) * u64::from(mode.vscan().max(1));
    let mut pixels = u64::from(mode.hsync().2) * lines;
    if mode.flags().contains(ModeFlags::DBLSCAN) {
        pixels *= 2;
    }
    let mut clock_khz = u64::from(mode.clock());
    if mode.flags().contains(ModeFlags::INTERLACE) {
        // Half of the lines are in each field, and each field has its vblank.
        clock_khz *= 2;
    }
    (pixels * 1_000_000 + clock_khz / 2).checked_div(clock_khz).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::kms::mode_of_bytes;

    /// DRM_MODE_FLAG_INTERLACE.
    const INTERLACE: u32 = 1 << 4;

    /// A mode line: clock in kHz, both directions' visible and total sizes, flags. The crate makes modes of the kernel's
    /// struct only and does not name its type; so of its bytes.
    fn modeline(clock: u32, horizontal: (u16, u16), vertical: (u16, u16), flags: u32) -> Mode {
        let mut bytes = [0_u8; 68];
        bytes[0..4].copy_from_slice(&clock.to_ne_bytes());
        bytes[4..6].copy_from_slice(&horizontal.0.to_ne_bytes());
        bytes[10..12].copy_from_slice(&horizontal.1.to_ne_bytes());
        bytes[14..16].copy_from_slice(&vertical.0.to_ne_bytes());
        bytes[20..22].copy_from_slice(&vertical.1.to_ne_bytes());
        bytes[28..32].copy_from_slice(&flags.to_ne_bytes());
        mode_of_bytes(&bytes)
    }

    #[test]
    fn the_refresh_is_exact() {
        for (clock, horizontal, vertical, flags, nanos, mhz) in [
            (148_500, (1920, 2200), (1080, 1125), 0, 16_666_667, 60_000),
            (148_352, (1920, 2200), (1080, 1125), 0, 16_683_294, 59_940),
            (74_250, (1920, 2640), (1080, 1125), INTERLACE, 20_000_000, 50_000),
            (25_175, (640, 800), (480, 525), 0, 16_683_217, 59_940),
            (0, (640, 800), (480, 525), 0, 0, 0),
        ] {
            let mode = modeline(clock, horizontal, vertical, flags);
            assert_eq!(size(&mode), Size::new(u32::from(horizontal.0), u32::from(vertical.0)));
            assert_eq!(display_mode(&mode).refresh.as_nanos(), nanos, "{clock}");
            assert_eq!(facts(&mode).refresh_mhz, mhz, "{clock}");
        }
    }
}
