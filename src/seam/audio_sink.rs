//! The loudspeaker, and where it has got to.
use std::time::Duration;

use crate::base::audio::{AudioFormat, AudioPosition};
use crate::base::offer::Severity;
use crate::seam::wait::Waitable;

/// What can go wrong with a sound device.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The device ran dry; it has been restarted and goes on with the next write.
    #[error("{device}: ran dry")]
    Xrun {
        /// The device's name.
        device: String,
    },
    /// The device is not there, or has gone.
    #[error("{device}: {call}: {reason}")]
    Device {
        /// The device's name.
        device: String,
        /// The call that failed.
        call: &'static str,
        /// Why.
        reason: String,
    },
}

impl AudioError {
    /// What it asks of the caller.
    pub fn severity(&self) -> Severity {
        match self {
            AudioError::Xrun { .. } => Severity::Retry,
            AudioError::Device { .. } => Severity::Reconfigure,
        }
    }
}

/// Opens sound devices of one kind.
pub trait AudioSinkFactory: Send + Sync {
    /// "alsa", "headless".
    fn name(&self) -> &'static str;
    /// Opens `device` by name ("default" for the system's own).
    fn open(&self, device: &str) -> Result<Box<dyn AudioSink>, AudioError>;
}

/// One sound device. Owned by one thread. Never waits.
pub trait AudioSink: Send {
    /// The name it was opened by.
    fn device(&self) -> &str;
    /// Asks for `want`, answers with what the device does. Sample counts start at 0 from here.
    fn configure(&mut self, want: AudioFormat) -> Result<AudioFormat, AudioError>;
    /// Sample frames the device holds at most, once configured.
    fn capacity(&self) -> usize;
    /// Takes as many whole sample frames as fit; returns how many. Starts playing by itself when it has enough.
    fn write(&mut self, interleaved: &[f32]) -> Result<usize, AudioError>;
    /// Sample frames heard since `configure`, counting only what was written.
    fn position(&mut self) -> Result<AudioPosition, AudioError>;
    /// How long after now a sample frame written now would be heard.
    fn delay(&mut self) -> Result<Duration, AudioError>;
    /// Stops the sound where it is, or goes on.
    fn pause(&mut self, paused: bool) -> Result<(), AudioError>;
    /// Plays out what was written; returns at once. `position` tells when it is done.
    fn drain(&mut self) -> Result<(), AudioError>;
    /// Throws away what was written and not yet heard. Counts start at 0 again.
    fn flush(&mut self) -> Result<(), AudioError>;
    /// What fires when there is room.
    fn waitable(&self) -> Waitable<'_>;
}
