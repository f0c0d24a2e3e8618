//! What the pipeline is given by the layers above: factories, clocks, meters. It finds nothing by itself.
use std::sync::Arc;
use std::time::Duration;

use crate::pipeline::elements::decode::Health;
use crate::pipeline::runner::MakeWaiter;
use crate::seam::audio_decoder::AudioDecoderFactory;
use crate::seam::audio_sink::AudioSinkFactory;
use crate::seam::clock::Clock;
use crate::seam::decoder::DecoderFactory;
use crate::seam::demuxer::DemuxerFactory;

/// Where sound goes.
#[derive(Clone)]
pub struct SinkChoice {
    /// Opens it.
    pub factory: Arc<dyn AudioSinkFactory>,
    /// The device's name.
    pub device: String,
    /// 0..=1.
    pub volume: f32,
    /// Nobody asked for this device: that there is none is nothing to warn of.
    pub is_optional: bool,
}

/// The machine, as the pipeline sees it.
#[derive(Clone)]
pub struct Env {
    /// CLOCK_MONOTONIC, always.
    pub real: Arc<dyn Clock>,
    /// Opens inputs.
    pub demuxers: Arc<dyn DemuxerFactory>,
    /// Video decoders, best first.
    pub decoders: Vec<Arc<dyn DecoderFactory>>,
    /// Sound decoders.
    pub audio_decoders: Arc<dyn AudioDecoderFactory>,
    /// Where sound goes; `None`: nowhere, and it is not read.
    pub sink: Option<SinkChoice>,
    /// Longest silence of an input before it counts as dead.
    pub io_timeout: Duration,
    /// Heap allocations of the calling thread so far.
    pub allocations: fn() -> u64,
    /// Makes what a thread waits for devices by.
    pub waiter: MakeWaiter,
    /// How the decoders have done so far.
    pub health: Arc<Health>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decoders: Vec<&str> = self.decoders.iter().map(|it| it.name()).collect();
        f.debug_struct("Env").field("decoders", &decoders).field("io_timeout", &self.io_timeout).finish_non_exhaustive()
    }
}
