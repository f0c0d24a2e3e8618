//! A screen whose commits take their time.
use std::sync::Arc;

use crate::backend::inject::costs::{Costs, Jitter};
use crate::backend::inject::hold::hold;
use crate::base::capability::Capability;
use crate::base::format::Size;
use crate::base::time::MonoTime;
use crate::seam::presenter::{DisplayMode, Layer, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId};
use crate::seam::wait::Waitable;

/// See the module's text.
pub struct CostlyPresenter {
    inner: Box<dyn Presenter>,
    costs: Arc<Costs>,
    jitter: Jitter,
}

impl CostlyPresenter {
    /// `inner`, and what it costs.
    pub fn new(inner: Box<dyn Presenter>, costs: Arc<Costs>) -> Self {
        let jitter = Jitter::new(costs.seed, 0);
        Self { inner, costs, jitter }
    }
}

impl Presenter for CostlyPresenter {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn output(&self) -> &str {
        self.inner.output()
    }

    fn mode(&self) -> DisplayMode {
        self.inner.mode()
    }

    fn describe(&self) -> Vec<Capability> {
        self.inner.describe()
    }

    fn acquire(&mut self, now: MonoTime) -> Result<Option<RenderTarget>, PresentError> {
        self.inner.acquire(now)
    }

    fn present(&mut self, now: MonoTime, layer: Layer) -> Result<SubmissionId, PresentError> {
        let cost = self.jitter.of(self.costs.commit);
        hold(cost);
        self.inner.present(now + cost, layer)
    }

    fn poll(&mut self, now: MonoTime) -> Result<Option<PresentEvent>, PresentError> {
        self.inner.poll(now)
    }

    fn deadline(&self) -> Option<MonoTime> {
        self.inner.deadline()
    }

    fn waitable(&self) -> Waitable<'_> {
        self.inner.waitable()
    }

    fn is_gone(&self) -> bool {
        self.inner.is_gone()
    }

    fn set_fullscreen(&mut self, on: bool) {
        self.inner.set_fullscreen(on);
    }

    fn prefer_rate(&mut self, frames_per_second: f64) {
        self.inner.prefer_rate(frames_per_second);
    }

    fn capture_next(&mut self) -> bool {
        self.inner.capture_next()
    }

    fn take_capture(&mut self, into: &mut Vec<u8>) -> Option<Size> {
        self.inner.take_capture(into)
    }

    fn check_next(&mut self) -> bool {
        self.inner.check_next()
    }

    fn set_power(&mut self, on: bool) -> Result<(), PresentError> {
        self.inner.set_power(on)
    }
}
