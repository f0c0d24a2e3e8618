//! The statistics file's contents. Field names are the file's keys, in its order.
use std::time::Duration;

use serde::Serialize;

use crate::base::format::Size;
use crate::base::stats::histogram::Percentiles;
use crate::base::stats::items::ItemReport;
use crate::base::stats::play::{Fallback, PlayStats, SeamTally};

/// Sound, where there was any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudioReport {
    /// The device's name.
    pub device: String,
    /// Times the device ran dry.
    pub xruns: u64,
    /// Times the master clock changed between the device and the machine.
    pub clock_switches: u64,
}

/// What is known of a run besides what its present thread counted.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// The program's version.
    pub version: String,
    /// "headless", "window" or "kms".
    pub display: String,
    /// From start to end.
    pub elapsed: Duration,
    /// Sound, where there was any.
    pub audio: Option<AudioReport>,
    /// Peak resident memory, where the system tells.
    pub peak_rss_kib: Option<u64>,
    /// Our own heap allocations per presented frame in the steady state, where there was one.
    pub allocations_per_frame: Option<f64>,
}

/// One output's share of the statistics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputReport {
    /// Its name.
    pub name: String,
    /// Its mode at the end, as "1280x720"; `None` where no display is connected.
    pub mode: Option<String>,
    /// Its refreshes in a second.
    pub refresh_hz: Option<f64>,
    /// What became of each item; empty for an output that mirrors another.
    pub items: Vec<ItemReport>,
    /// Distinct source frames that reached it.
    pub frames_presented: u64,
    /// The way the newest frame took to it.
    pub interop: Option<String>,
    /// Why that did not take the best way there is.
    pub interop_reason: Option<String>,
    /// Frames that reached it without the CPU touching their bytes.
    pub zero_copy_frames: u64,
    /// Frames that were uploaded from memory for it.
    pub software_frames: u64,
    /// What gave up on the way to it, and what took over.
    pub fallbacks: Vec<Fallback>,
    /// Commits that flipped late.
    pub missed_vblanks: Option<u64>,
    /// Frames never shown because a newer one was due as well.
    pub frames_dropped_stale: u64,
    /// How items followed each other.
    pub seams: SeamTally,
    /// How far the picture was from the sound.
    pub av_offset_ms: Option<Percentiles<f64>>,
}

/// The statistics of a run. Top-level figures are the first output's; see `PlayStats` for what each counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)] // The fields are those of `PlayStats` and `RunFacts`, which say what they mean.
pub struct Report {
    pub version: String,
    pub display: String,
    pub decoder: Option<String>,
    pub interop: Option<String>,
    pub interop_reason: Option<String>,
    pub items: Vec<ItemReport>,
    pub frames_decoded: u64,
    pub frames_presented: u64,
    pub frames_dropped_stale: u64,
    pub frames_unseen: u64,
    pub late_frames: u64,
    pub missed_vblanks: Option<u64>,
    pub zero_copy_frames: u64,
    pub software_frames: u64,
    pub freeze_frames: u64,
    pub frames_corrupt: u64,
    pub frames_converted: u64,
    pub frames_deinterlaced: u64,
    pub frames_ordinary: u64,
    pub decoders_opened: u64,
    pub reconnects: u64,
    pub display_lost: u64,
    pub display_regained: u64,
    pub outputs: Vec<OutputReport>,
    pub submit_ok: u64,
    pub submit_failed: u64,
    pub acquire_failed: u64,
    pub fallbacks: Vec<Fallback>,
    pub queued_lag_ms: Option<Percentiles<f64>>,
    pub av_offset_ms: Option<Percentiles<f64>>,
    pub upload_us: Option<Percentiles<u64>>,
    pub draw_us: Option<Percentiles<u64>>,
    pub import_us: Option<Percentiles<u64>>,
    pub present_us: Option<Percentiles<u64>>,
    pub seams: SeamTally,
    pub loops: u64,
    pub first_frame_ms: Option<f64>,
    pub elapsed_s: f64,
    pub audio: Option<AudioReport>,
    pub peak_rss_kib: Option<u64>,
    pub allocations_per_frame: Option<f64>,
}

impl PlayStats {
    /// One output's share of the statistics. `shows` is its mode as pixels and refresh, while a display is connected.
    pub fn output(&self, name: &str, shows: Option<(Size, Duration)>) -> OutputReport {
        OutputReport {
            name: name.to_owned(),
            mode: shows.map(|(size, _)| size.to_string()),
            refresh_hz: shows.map(|(_, refresh)| refresh.as_secs_f64()).filter(|it| 0.0 < *it).map(f64::recip),
            items: self.items.report(),
            frames_presented: self.frames_presented,
            interop: self.interop.map(str::to_owned),
            interop_reason: self.interop_reason.clone(),
            zero_copy_frames: self.zero_copy_frames,
            software_frames: self.software_frames,
            fallbacks: self.fallbacks().to_vec(),
            missed_vblanks: self.missed_vblanks,
            frames_dropped_stale: self.frames_dropped_stale,
            seams: self.seams,
            av_offset_ms: self.av_offset.milliseconds(),
        }
    }

    /// The statistics of a run whose first output counted this. `outputs`: all of them, the first one first.
    pub fn report(&self, facts: RunFacts, outputs: Vec<OutputReport>) -> Report {
        let items = self.items.report();
        Report {
            version: facts.version,
            display: facts.display,
            decoder: self.decoder.map(str::to_owned),
            interop: self.interop.map(str::to_owned),
            interop_reason: self.interop_reason.clone(),
            items,
            frames_decoded: self.frames_decoded,
            frames_presented: self.frames_presented,
            frames_dropped_stale: self.frames_dropped_stale,
            frames_unseen: self.frames_unseen,
            late_frames: self.late_frames,
            missed_vblanks: self.missed_vblanks,
            zero_copy_frames: self.zero_copy_frames,
            software_frames: self.software_frames,
            freeze_frames: self.freeze_frames,
            frames_corrupt: self.frames_corrupt,
            frames_converted: self.frames_converted,
            frames_deinterlaced: self.frames_deinterlaced,
            frames_ordinary: self.frames_ordinary,
            decoders_opened: self.decoders_opened,
            reconnects: self.reconnects,
            display_lost: self.display_lost,
            display_regained: self.display_regained,
            outputs,
            submit_ok: self.submit_ok,
            submit_failed: self.submit_failed,
            acquire_failed: self.acquire_failed,
            fallbacks: self.fallbacks().to_vec(),
            queued_lag_ms: self.queued_lag.milliseconds(),
            av_offset_ms: self.av_offset.milliseconds(),
            upload_us: self.upload.microseconds(),
            draw_us: self.draw.microseconds(),
            import_us: self.import.microseconds(),
            present_us: self.present.microseconds(),
            seams: self.seams,
            loops: self.loops,
            first_frame_ms: self.first_frame.map(|it| it.as_micros() as f64 / 1000.0),
            elapsed_s: facts.elapsed.as_millis() as f64 / 1000.0,
            audio: facts.audio,
            peak_rss_kib: facts.peak_rss_kib,
            allocations_per_frame: facts.allocations_per_frame,
        }
    }
}
