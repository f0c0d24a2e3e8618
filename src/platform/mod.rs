//! What this machine offers, as named lists for `app` to choose from. One of the three files that may choose by
//! platform.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::base::audio::AudioFormat;
use crate::base::capability::Capability;
use crate::base::format::Size;
use crate::base::time::MonoTime;
use crate::render::Compositor;
use crate::seam::audio_decoder::AudioDecoderFactory;
use crate::seam::audio_sink::AudioSinkFactory;
use crate::seam::clock::{AdvanceClock, Clock};
use crate::seam::decoder::DecoderFactory;
use crate::seam::demuxer::DemuxerFactory;
use crate::seam::interop::VideoInterop;
use crate::seam::presenter::{PresentError, Presenter};
use crate::seam::television::Televisions;
use crate::seam::wait::Waiter;
use crate::seam::watch::FolderWatch;

mod headless;
#[cfg(target_os = "linux")]
mod injection;
#[cfg(target_os = "linux")]
mod linux;

pub use crate::backend::signals::{StopSignal, StopSignals};

#[cfg(target_os = "linux")]
pub use crate::backend::console::guard::run as guard_console;
#[cfg(target_os = "linux")]
pub use crate::backend::console::process as console;
#[cfg(not(target_os = "linux"))]
pub use crate::backend::headless::console;
#[cfg(not(target_os = "linux"))]
pub use crate::backend::headless::console::run as guard_console;
#[cfg(not(target_os = "linux"))]
pub use crate::backend::headless::journal;
#[cfg(target_os = "linux")]
pub use crate::backend::inject::costs;
#[cfg(target_os = "linux")]
pub use crate::backend::journal;
#[cfg(target_os = "linux")]
pub use injection::Injection;
#[cfg(target_os = "linux")]
pub use linux::open;

/// Screens to be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayRequest {
    /// Pixels; `None`: the display's own choice.
    pub size: Option<Size>,
    /// Refreshes in a second; `None`: the display's own choice.
    pub refresh_hz: Option<f64>,
    /// The outputs wanted, by their connectors' names; empty: one, the display's choice. Displays that have no outputs
    /// refuse names.
    pub outputs: Vec<String>,
    /// When the display's clock begins.
    pub now: MonoTime,
}

/// A screen, with everything that lives on the same thread and GL context.
pub struct OpenScreen {
    /// Ways from frames to textures, best first.
    pub interops: Vec<Box<dyn VideoInterop>>,
    /// Ways that there are not here, and why not.
    pub missing: Vec<Capability>,
    /// Draws.
    pub compositor: Compositor,
    /// Shows.
    pub presenter: Box<dyn Presenter>,
    /// What draws, in its own words.
    pub renderer: String,
}

/// What decoders are to be like.
#[derive(Debug, Clone, Default)]
pub struct DecoderWish {
    /// Threads each may use; 0: as it sees fit.
    pub threads: u32,
    /// Some screen shows dma-bufs without a copy: decoders that choose their memory take such.
    pub dmabuf: DmabufWish,
}

/// Whether the decoders that are opened from now on are to decode into dma-bufs. It may change: films are opened before it
/// is known what the screens show. Clones share it; at first it is not made.
#[derive(Debug, Clone, Default)]
pub struct DmabufWish(Arc<AtomicBool>);

impl DmabufWish {
    /// Wishes for it, or no longer.
    pub fn make(&self, wished: bool) {
        self.0.store(wished, Ordering::Relaxed);
    }

    /// Whether it is wished for.
    pub fn is_made(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One kind of display.
pub struct DisplayKind {
    /// "window", "headless", as in `--display`.
    pub name: &'static str,
    /// Whether it could be opened here, given what the environment says of a desktop; the error says why not.
    pub probe: fn(desktop: bool) -> Result<(), String>,
    /// Opens one screen for each output asked for, in that order, all with one GL context. Call it on the thread that
    /// will present: the main one.
    pub open: fn(&DisplayRequest) -> Result<Vec<OpenScreen>, PresentError>,
}

/// A synthetic sound device's habits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SyntheticSink {
    /// It moves on by this much at a time.
    pub period: Duration,
    /// Its position is off by up to this much.
    pub jitter: Duration,
    /// Its crystal is off by this much, in parts per million.
    pub drift_ppm: f64,
    /// What it takes.
    pub format: AudioFormat,
}

/// Televisions that listen; `None` where there are none. The log says what was found.
pub type OpenTelevisions = fn(Arc<dyn Clock>) -> std::io::Result<Option<Box<dyn Televisions>>>;

/// This machine.
pub struct Platform {
    /// CLOCK_MONOTONIC.
    pub clock: Arc<dyn Clock>,
    /// A clock that stands still until told, for `--pace fast`.
    pub stepped_clock: fn(MonoTime) -> Arc<dyn AdvanceClock>,
    /// Opens inputs.
    pub demuxers: Arc<dyn DemuxerFactory>,
    /// Video decoders, best first.
    pub decoders: fn(DecoderWish) -> Vec<Arc<dyn DecoderFactory>>,
    /// Sound decoders.
    pub audio_decoders: Arc<dyn AudioDecoderFactory>,
    /// Displays in the order `auto` tries them.
    pub displays: Vec<DisplayKind>,
    /// Sound devices in the order `auto` tries them.
    pub sinks: Vec<Arc<dyn AudioSinkFactory>>,
    /// A device that is none.
    pub synthetic_sink: fn(SyntheticSink, Arc<dyn Clock>) -> Arc<dyn AudioSinkFactory>,
    /// How the present thread waits. Call it on that thread.
    pub waiter: fn() -> std::io::Result<Box<dyn Waiter>>,
    /// Watches folders.
    pub watch: fn() -> std::io::Result<Box<dyn FolderWatch>>,
    /// Opens the televisions that listen.
    pub televisions: OpenTelevisions,
    /// Heap allocations of the calling thread so far.
    pub allocations: fn() -> u64,
    /// The process's peak resident memory, in KiB.
    pub peak_rss_kib: fn() -> Option<u64>,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let displays: Vec<&str> = self.displays.iter().map(|it| it.name).collect();
        let sinks: Vec<&str> = self.sinks.iter().map(|it| it.name()).collect();
        f.debug_struct("Platform").field("displays", &displays).field("sinks", &sinks).finish_non_exhaustive()
    }
}
