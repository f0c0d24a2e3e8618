//! Another machine's costs, put around what this one offers (`play --inject`).
use std::sync::Arc;

use crate::backend::inject::costs::Costs;
use crate::backend::inject::decoder::CostlyDecoderFactory;
use crate::backend::inject::demuxer::CostlyDemuxerFactory;
use crate::backend::inject::interop::costly_ways;
use crate::backend::inject::presenter::CostlyPresenter;
use crate::platform::OpenScreen;
use crate::seam::clock::Clock;
use crate::seam::decoder::DecoderFactory;
use crate::seam::demuxer::DemuxerFactory;

/// Puts a table of costs around things.
#[derive(Clone)]
pub struct Injection {
    costs: Arc<Costs>,
    clock: Arc<dyn Clock>,
}

impl Injection {
    /// These costs, which pass on `clock`: CLOCK_MONOTONIC.
    pub fn new(costs: Costs, clock: Arc<dyn Clock>) -> Self {
        Self { costs: Arc::new(costs), clock }
    }

    /// Inputs, with what opening and rewinding cost.
    pub fn demuxers(&self, inner: Arc<dyn DemuxerFactory>) -> Arc<dyn DemuxerFactory> {
        Arc::new(CostlyDemuxerFactory::new(inner, self.costs.clone()))
    }

    /// Decoders, with what decoding costs.
    pub fn decoders(&self, inner: Vec<Arc<dyn DecoderFactory>>) -> Vec<Arc<dyn DecoderFactory>> {
        let wrap = |it| -> Arc<dyn DecoderFactory> {
            Arc::new(CostlyDecoderFactory::new(it, self.costs.clone(), self.clock.clone()))
        };
        inner.into_iter().map(wrap).collect()
    }

    /// A screen, with what drawing and committing cost.
    pub fn screen(&self, it: OpenScreen) -> OpenScreen {
        let interops = costly_ways(it.interops, &self.costs);
        let presenter = Box::new(CostlyPresenter::new(it.presenter, self.costs.clone()));
        OpenScreen { interops, presenter, ..it }
    }
}
