//! Inputs that take their time to open and to rewind: a slow card, a busy network.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::inject::costs::{Costs, Jitter};
use crate::backend::inject::hold::hold_unless;
use crate::base::cancel::Cancel;
use crate::base::stream::MediaInfo;
use crate::seam::demuxer::{DemuxError, Demuxed, Demuxer, DemuxerFactory, OpenOptions};

/// Opens inputs, slowly.
pub struct CostlyDemuxerFactory {
    inner: Arc<dyn DemuxerFactory>,
    costs: Arc<Costs>,
    /// Inputs opened so far: each has its own row of the jitter.
    opened: AtomicU64,
}

impl CostlyDemuxerFactory {
    /// `inner`, and what it costs.
    pub fn new(inner: Arc<dyn DemuxerFactory>, costs: Arc<Costs>) -> Self {
        Self { inner, costs, opened: AtomicU64::new(0) }
    }
}

impl DemuxerFactory for CostlyDemuxerFactory {
    fn open(&self, input: &str, options: &OpenOptions) -> Result<Box<dyn Demuxer>, DemuxError> {
        let mut jitter = Jitter::new(self.costs.seed, self.opened.fetch_add(1, Ordering::Relaxed));
        let cost = jitter.of(self.costs.open);
        if !hold_unless(cost.min(options.timeout), Some(&options.cancel)) {
            return Err(DemuxError::Cancelled { input: input.to_owned() });
        }
        if options.timeout < cost {
            return Err(DemuxError::TimedOut { input: input.to_owned(), after: options.timeout });
        }
        let inner = self.inner.open(input, options)?;
        let (input, cancel) = (input.to_owned(), options.cancel.clone());
        Ok(Box::new(CostlyDemuxer { inner, costs: self.costs.clone(), jitter, input, cancel }))
    }
}

/// An input that takes its time to go back to its start.
struct CostlyDemuxer {
    inner: Box<dyn Demuxer>,
    costs: Arc<Costs>,
    jitter: Jitter,
    /// Its path or URL.
    input: String,
    cancel: Cancel,
}

impl Demuxer for CostlyDemuxer {
    fn info(&self) -> &MediaInfo {
        self.inner.info()
    }

    fn read(&mut self) -> Result<Demuxed, DemuxError> {
        self.inner.read()
    }

    fn rewind(&mut self) -> Result<(), DemuxError> {
        if !hold_unless(self.jitter.of(self.costs.seek), Some(&self.cancel)) {
            return Err(DemuxError::Cancelled { input: self.input.clone() });
        }
        self.inner.rewind()
    }
}
