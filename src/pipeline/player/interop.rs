//! Which way a frame takes to become textures, and what happens when that way fails.
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::base::stats::{Fallback, PlayStats};
use crate::logic::interop_policy::{Candidate, InteropGaveUp, InteropMode, InteropPolicy, Reaction};
use crate::seam::interop::{InteropError, Renderable, VideoInterop};

/// What became of a frame.
#[derive(Debug)]
pub enum Made {
    /// Its textures.
    Ready(Renderable),
    /// It is lost; the picture before it stays.
    Lost,
    /// The way in use was given up for another; this frame can be tried again.
    Again(Fallback),
    /// No way is left.
    GaveUp(InteropGaveUp),
}

/// The ways there are, and the policy that chooses.
pub struct InteropSwitch {
    ways: Vec<Box<dyn VideoInterop>>,
    policy: InteropPolicy,
    /// What the way in use was made ready for.
    format: Option<VideoFormat>,
    shown: Option<&'static str>,
}

impl std::fmt::Debug for InteropSwitch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InteropSwitch")
            .field("policy", &self.policy)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl InteropSwitch {
    /// Chooses among `ways` (best first) as `mode` says.
    pub fn new(ways: Vec<Box<dyn VideoInterop>>, mode: InteropMode) -> Result<Self, InteropGaveUp> {
        let candidates: Vec<Candidate> = ways
            .iter()
            .map(|it| Candidate { name: it.name(), zero_copy: it.capabilities().zero_copy, verdict: Ok(()) })
            .collect();
        let policy = InteropPolicy::new(mode, &candidates)?;
        Ok(Self { ways, policy, format: None, shown: None })
    }

    /// The way the last shown frame took: what happened, not what was meant to.
    pub fn shown(&self) -> Option<&'static str> {
        self.shown
    }

    /// The name of the way in use.
    pub fn current(&self) -> &'static str {
        self.policy.current()
    }

    /// A downgrade that was decided before the first frame.
    pub fn first_fallback(&self) -> Option<Fallback> {
        self.policy.fallback().map(owned)
    }

    fn way(&mut self) -> Option<&mut Box<dyn VideoInterop>> {
        let name = self.policy.current();
        self.ways.iter_mut().find(|it| it.name() == name)
    }

    /// Makes textures of a frame, by the way in use.
    pub fn make(&mut self, frame: &VideoFrame, stats: &mut PlayStats) -> Made {
        match self.try_make(frame, stats) {
            Ok(Some(renderable)) => {
                self.policy.succeeded();
                self.shown = Some(self.policy.current());
                Made::Ready(renderable)
            }
            Ok(None) => Made::Lost,
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &InteropError) -> Made {
        // Whatever comes next begins from nothing.
        self.format = None;
        match self.policy.failed(error.severity(), &error.to_string()) {
            Reaction::DropFrame | Reaction::Rebuild => {
                log::debug!("{error}");
                Made::Lost
            }
            Reaction::Downgrade(it) => Made::Again(owned(&it)),
            Reaction::GiveUp(it) => Made::GaveUp(it),
        }
    }

    fn try_make(&mut self, frame: &VideoFrame, stats: &mut PlayStats) -> Result<Option<Renderable>, InteropError> {
        let is_new = self.format != Some(frame.format);
        let Some(way) = self.way() else { return Ok(None) };
        if is_new {
            way.init(&frame.format).inspect_err(|_| stats.submit_failed += 1)?;
        }
        way.submit_decoded_frame(frame.clone()).inspect_err(|_| stats.submit_failed += 1)?;
        let renderable = way.acquire_renderable_frame().inspect_err(|_| stats.acquire_failed += 1)?;
        stats.submit_ok += 1;
        self.format = Some(frame.format);
        Ok(renderable)
    }

    /// The frame's drawing has been submitted.
    pub fn release(&mut self, renderable: Renderable) {
        if let Some(way) = self.way() {
            way.release_frame(renderable);
        }
    }
}

fn owned(it: &crate::logic::interop_policy::Fallback) -> Fallback {
    Fallback { from: it.from.to_owned(), to: it.to.to_owned(), reason: it.reason.clone() }
}
