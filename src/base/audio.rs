//! Sound: what a device takes, and where it has got to.
use crate::base::time::MonoTime;

/// Interleaved `f32` sample frames in -1..=1, in the device's rate and channel count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioFormat {
    /// Sample frames per second.
    pub rate: u32,
    /// Channels: 1 mono, 2 stereo, 6 is 5.1 in FFmpeg's default order.
    pub channels: u16,
}

/// Sample frames heard since `configure`, and when that was true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioPosition {
    /// Sample frames that have left the loudspeaker.
    pub heard: u64,
    /// When that was so.
    pub at: MonoTime,
}
