//! The codec that a rig has: the Pi's own, or its twin on the virtual board, in one of its characters.
use std::fmt;

/// How the codec at `/dev/video10` behaves. Only the board lets one choose; what differs is described in
/// `hw-tests/boards/virtual.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// As the Pi's driver and firmware, whose versions differ in this:
    Pi {
        /// The first `SOURCE_CHANGE` of a stream comes: 0 if its size, colour or aspect are not what was set, 1 always,
        /// 2 never when its size was set.
        src_change: u8,
        /// It comes with the first picture, not with the headers.
        event_late: bool,
    },
    /// As the kernel's specification of stateful decoders says.
    Strict,
}

impl Codec {
    /// As a Pi, as far as is known.
    pub const PI: Self = Self::Pi { src_change: 0, event_late: true };

    /// Every character that a player must get on with.
    pub const ALL: [Self; 7] = [
        Self::PI,
        Self::Pi { src_change: 0, event_late: false },
        Self::Pi { src_change: 1, event_late: true },
        Self::Pi { src_change: 1, event_late: false },
        Self::Pi { src_change: 2, event_late: true },
        Self::Pi { src_change: 2, event_late: false },
        Self::Strict,
    ];
}

/// As `hw-tests/board run -c` takes it.
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Pi { src_change, event_late } => {
                write!(f, "pi,src_change={src_change},event_late={}", u8::from(event_late))
            }
            Self::Strict => f.write_str("strict"),
        }
    }
}
