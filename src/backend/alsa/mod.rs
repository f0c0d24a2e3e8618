//! Sound through ALSA: any device alsa-lib can open by name, "default" among them.
//!
//! A PCM is a ring that the device empties while we fill it. Three counts describe it: `written` (ours, since
//! `configure`), the free room (`avail`), and the delay, which is what lies in the ring plus what is still on its way to the
//! loudspeaker. What was heard is `written - delay`, true at the timestamp the kernel took with it.
//!
//! ```text
//!  Setup --prepare--> Prepared --start threshold--> Running --drain--> Draining --all played--> Setup
//!                        ^                           |   ^
//!                        '----- prepare ---- XRun <--'   '--pause--> Paused, or stopped with the rest kept (see `sink`)
//! ```
//! Every call is non-blocking, and none allocates once configured.
pub mod pcm;
pub mod sample;
pub mod sink;

use std::ffi::CString;

use alsa::{Direction, Output};

use crate::backend::alsa::pcm::AlsaPcm;
use crate::backend::alsa::sink::AlsaSink;
use crate::seam::audio_sink::{AudioError, AudioSink, AudioSinkFactory};

/// Opens ALSA devices.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlsaSinkFactory;

impl AudioSinkFactory for AlsaSinkFactory {
    fn name(&self) -> &'static str {
        "alsa"
    }

    fn open(&self, device: &str) -> Result<Box<dyn AudioSink>, AudioError> {
        let failed = |reason: String| AudioError::Device { device: device.to_owned(), call: "snd_pcm_open", reason };
        let name = CString::new(device).map_err(|_| failed("the name has a zero byte in it".to_owned()))?;
        // alsa-lib writes its complaints to stderr otherwise, several lines for each absent device.
        let complaints = Output::local_error_handler();
        let opened = alsa::PCM::open(&name, Direction::Playback, true);
        if let Ok(complaints) = complaints {
            for line in complaints.borrow().to_string().lines() {
                log::debug!("{device}: {line}");
            }
        }
        let pcm = opened.map_err(|error| failed(sink::reason_of(error.errno())))?;
        Ok(Box::new(AlsaSink::new(device, AlsaPcm::new(pcm))))
    }
}
