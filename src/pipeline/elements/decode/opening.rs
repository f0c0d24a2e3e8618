//! Which decoder a stream gets.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::stream::VideoStream;
use crate::base::time::MonoTime;
use crate::logic::fallback::Rests;
use crate::seam::decoder::{DecodeError, Decoder, DecoderFactory};

/// A kind that failed while it was opened, and how.
pub(super) type Failed = (&'static str, DecodeError);

/// The kind that was opened, its decoder, and what failed before it.
pub(super) type Opened = (usize, Box<dyn Decoder>, Option<Failed>);

/// How the kinds of decoders have done so far, over all streams.
#[derive(Debug, Default)]
pub struct Health(Mutex<Rests>);

impl Health {
    /// A panic elsewhere leaves it whole: it is changed by single steps that do not panic.
    pub(super) fn rests(&self) -> MutexGuard<'_, Rests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makers of decoders, best first.
pub struct Candidates {
    factories: Vec<Arc<dyn DecoderFactory>>,
    pub(super) health: Arc<Health>,
}

impl Candidates {
    /// These, which have done so far as `health` knows.
    pub fn new(factories: Vec<Arc<dyn DecoderFactory>>, health: Arc<Health>) -> Self {
        Self { factories, health }
    }

    /// The name of a kind.
    pub(super) fn name(&self, kind: usize) -> &'static str {
        self.factories.get(kind).map_or("", |it| it.name())
    }

    /// Whether this kind says that it gives the stream's frames in dma-bufs.
    pub(super) fn gives_dmabufs(&self, kind: usize, stream: &VideoStream) -> bool {
        self.factories.get(kind).is_some_and(|it| it.gives_dmabufs(stream).is_ok())
    }

    /// Another kind could take over from this one.
    pub(super) fn has_next(&self, kind: usize) -> bool {
        kind + 1 < self.factories.len()
    }

    /// The best kind gave up, and may be tried again.
    pub(super) fn is_back(&self, now: MonoTime) -> bool {
        self.health.rests().is_back(self.name(0), now)
    }

    /// Opens the first kind at or behind `from` that takes the stream; those that rest only where no other does. With it
    /// comes the first that should have taken it and failed, and why. The error has the reasons of all.
    pub(super) fn open(&self, stream: &VideoStream, from: usize, now: MonoTime) -> Result<Opened, String> {
        let mut refusals = String::new();
        let mut failed = None;
        for resting in [false, true] {
            for (kind, factory) in self.factories.iter().enumerate().skip(from) {
                let name = factory.name();
                if self.health.rests().is_resting(name, now) != resting {
                    continue;
                }
                match factory.probe(stream).and_then(|()| factory.open(stream)) {
                    Ok(decoder) => {
                        log::debug!("{name} decodes {}", stream.parameters.codec);
                        return Ok((kind, decoder, failed));
                    }
                    Err(error) => {
                        log::debug!("{name} does not decode {}: {error}", stream.parameters.codec);
                        let separator = if refusals.is_empty() { "" } else { "; " };
                        refusals.push_str(&format!("{separator}{name}: {error}"));
                        if !matches!(error, DecodeError::Unsupported { .. }) {
                            failed.get_or_insert((name, error));
                        }
                    }
                }
            }
        }
        Err(refusals)
    }
}
