//! Decoders that take their time, as hardware does: one frame after the other, while nobody waits for them.
//!
//! The wrapped decoder answers at once; its frame is held back until the decoder it stands for would have it. That
//! decoder works on while its frames wait to be taken, as far as it has been given packets.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::inject::costs::{Cost, Costs, Jitter};
use crate::base::capability::Capability;
use crate::base::format::PixelFormat;
use crate::base::frame::VideoFrame;
use crate::base::offer::Offer;
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::base::time::MonoTime;
use crate::seam::clock::Clock;
use crate::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderFactory, DecoderStats};
use crate::seam::wait::Waitable;

/// Makes slow decoders.
pub struct CostlyDecoderFactory {
    inner: Arc<dyn DecoderFactory>,
    costs: Arc<Costs>,
    clock: Arc<dyn Clock>,
    /// Decoders opened so far: each has its own row of the jitter.
    opened: AtomicU64,
}

impl CostlyDecoderFactory {
    /// `inner`, and what it costs on `clock`.
    pub fn new(inner: Arc<dyn DecoderFactory>, costs: Arc<Costs>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, costs, clock, opened: AtomicU64::new(0) }
    }
}

impl DecoderFactory for CostlyDecoderFactory {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn codecs(&self) -> Vec<&'static str> {
        self.inner.codecs()
    }

    fn describe(&self) -> Vec<Capability> {
        self.inner.describe()
    }

    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError> {
        self.inner.probe(stream)
    }

    fn gives_dmabufs(&self, stream: &VideoStream) -> Result<PixelFormat, String> {
        self.inner.gives_dmabufs(stream)
    }

    fn open(&self, stream: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        let inner = self.inner.open(stream)?;
        let now = self.clock.now();
        Ok(Box::new(CostlyDecoder {
            inner,
            costs: self.costs.clone(),
            clock: self.clock.clone(),
            jitter: Jitter::new(self.costs.seed, self.opened.fetch_add(1, Ordering::Relaxed)),
            start_up: self.costs.first_frame,
            held: None,
            free_at: now,
            fed_at: now,
        }))
    }
}

/// See the module's text.
struct CostlyDecoder {
    inner: Box<dyn Decoder>,
    costs: Arc<Costs>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    /// What the next frame costs besides: only the first does.
    start_up: Cost,
    /// The frame that is being decoded, or waits to be taken.
    held: Option<VideoFrame>,
    /// When the held frame is ready; without one, when the last was.
    free_at: MonoTime,
    /// When the newest packet was taken.
    fed_at: MonoTime,
}

impl CostlyDecoder {
    /// Begins to decode the frame: when the one before it was done and its packet was there.
    fn hold(&mut self, frame: VideoFrame) {
        let decode = self.jitter.of(self.costs.for_picture(self.costs.decode, frame.format.coded));
        let start_up = self.jitter.of(std::mem::take(&mut self.start_up));
        self.free_at = self.free_at.max(self.fed_at) + start_up + decode;
        self.held = Some(frame);
    }
}

impl Decoder for CostlyDecoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        let offer = self.inner.submit(packet)?;
        if matches!(offer, Offer::Taken) {
            self.fed_at = self.clock.now();
        }
        Ok(offer)
    }

    fn poll(&mut self) -> Result<Option<DecodeEvent>, DecodeError> {
        if self.held.is_none() {
            match self.inner.poll()? {
                Some(DecodeEvent::Frame(frame)) => self.hold(frame),
                other => return Ok(other),
            }
        }
        if self.clock.now() < self.free_at {
            return Ok(None);
        }
        Ok(self.held.take().map(DecodeEvent::Frame))
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        self.inner.drain()
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        if self.held.take().is_some() {
            // What was begun for nothing is given up on.
            self.free_at = self.free_at.min(self.clock.now());
        }
        self.inner.flush()
    }

    fn stats(&self) -> DecoderStats {
        let it = self.inner.stats();
        DecoderStats { frames: it.frames.saturating_sub(u64::from(self.held.is_some())), ..it }
    }

    fn waitable(&self) -> Waitable<'_> {
        match self.held {
            Some(_) => Waitable::Every(self.free_at.saturating_since(self.clock.now())),
            None => self.inner.waitable(),
        }
    }
}
