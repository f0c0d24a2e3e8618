//! What ways say to a configuration, and when one that refused it is asked again.
//!
//! ```text
//!   Unasked --asked--> Takes --refused, for now or after it was seen--> Rests
//!      |                 | ^                                              |
//!      |   never seen    | '------ asked again when its time has come ----'
//!      '---------------> Refuses
//! ```
use super::GOOD_FRAMES;
use crate::base::time::MonoTime;
use crate::logic::backoff::Backoff;

/// What a way has against a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Why, in words.
    pub reason: String,
    /// It is for now: memory or descriptors are short, somebody else has the device.
    pub passes: bool,
}

/// One way's word on one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Verdict {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It takes it.
    Takes,
    /// It does not, as long as the screen is what it is.
    Refuses(String),
    /// It does not now, and is asked again.
    Rests(String),
}

/// One way and one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Opinion {
    verdict: Verdict,
    /// Frames of it were on the screen: it can, so what stands against it passes.
    was_seen: bool,
    /// Those since it rested last.
    good: u32,
    backoff: Backoff,
}

impl Opinion {
    fn object(&mut self, objection: Objection, now: MonoTime) {
        let Objection { reason, passes } = objection;
        if !passes && !self.was_seen {
            self.verdict = Verdict::Refuses(reason);
            return;
        }
        self.good = 0;
        self.backoff.failed(now);
        self.verdict = Verdict::Rests(reason);
    }
}

/// What the ways say to one configuration. Each is asked once, and again after it refused it for a while only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdicts(Vec<Opinion>);

impl Verdicts {
    /// Room for so many ways.
    pub(super) fn resize(&mut self, n_ways: usize) {
        self.0.resize_with(n_ways, Opinion::default);
    }

    /// Whether a way takes it. Asks where that is not known, or not any more.
    pub(super) fn takes(
        &mut self,
        way: usize,
        now: MonoTime,
        ask: impl FnOnce(usize) -> Result<(), Objection>,
    ) -> bool {
        let Some(it) = self.0.get_mut(way) else { return false };
        match &it.verdict {
            Verdict::Takes => return true,
            Verdict::Refuses(_) => return false,
            Verdict::Rests(_) if !it.backoff.is_due(now) => return false,
            Verdict::Unasked | Verdict::Rests(_) => {}
        }
        match ask(way) {
            Ok(()) => it.verdict = Verdict::Takes,
            Err(objection) => it.object(objection, now),
        }
        it.verdict == Verdict::Takes
    }

    /// A way that took the configuration does not after all. What it has shown before it is tried with again, ever more
    /// seldom.
    pub fn object(&mut self, way: usize, objection: Objection, now: MonoTime) {
        if let Some(it) = self.0.get_mut(way) {
            it.object(objection, now);
        }
    }

    /// A frame of the configuration is on the screen by this way.
    pub fn seen(&mut self, way: usize) {
        let Some(it) = self.0.get_mut(way) else { return };
        it.was_seen = true;
        it.good = it.good.saturating_add(1);
        if it.good == GOOD_FRAMES {
            it.backoff.succeeded();
        }
    }

    /// A way that has shown it rests, and will be asked again.
    pub fn may_come_back(&self) -> bool {
        self.0.iter().any(|it| it.was_seen && matches!(it.verdict, Verdict::Rests(_)))
    }

    /// What a way has against it, in words.
    pub(super) fn objection(&self, way: usize) -> Option<&str> {
        match &self.0.get(way)?.verdict {
            Verdict::Refuses(why) | Verdict::Rests(why) => Some(why),
            Verdict::Unasked | Verdict::Takes => None,
        }
    }
}
