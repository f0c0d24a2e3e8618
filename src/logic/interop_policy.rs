//! Which way a frame takes to the screen, and when to give one up.
//!
//! The ways stand on a ladder, best first: `plane`, `dmabuf`, `software_upload`. Each is asked once for each configuration
//! (format, memory, place, mode), and the first that accepts is used: that another does not is no failure. One that refuses
//! for now, or what it has shown before, is asked again (`verdicts.rs`). Failures count for each way by itself, for the session:
//!
//! ```text
//!              12 frames in a row            3 failures in a row
//!   OnTrial ----------------------> Trusted ---------------------+
//!      ^   \                                                     |
//!      |    `-- 3 failures in a row --> GivenUp                  |
//!      |                                                         |
//!      +----------- set up anew, on trial again -----------------+
//! ```
use crate::base::offer::Severity;
use crate::base::time::MonoTime;

mod verdicts;

pub use verdicts::{Objection, Verdicts};

/// One lost frame is a hiccup, two may be; at 60 Hz the third comes 50 ms after the first.
const FAILURES_IN_A_ROW: u32 = 3;
/// A way that has shown so many frames works here: when it fails later, something happened to it, and setting it up anew
/// may help. A fifth of a second, more than the buffers of any decoder, so that each was shown at least once.
const GOOD_FRAMES: u32 = 12;

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InteropMode {
    /// The best that works.
    #[default]
    Auto,
    /// Software only.
    ForceSoftware,
    /// Zero-copy.
    ForceZeroCopy(OnFailure),
}

/// What becomes of `force_zero_copy` when there is none, or it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Refuse to play.
    Fail,
    /// Go on in software.
    Downgrade,
}

/// One way there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// "plane", "dmabuf", "software_upload".
    pub name: &'static str,
    /// Its frames are not copied.
    pub zero_copy: bool,
}

/// Nothing is left to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InteropGaveUp {
    /// `force_zero_copy`, and no candidate does it here.
    #[error("no zero-copy way to the screen: {reason}; play with --on-zero-copy-failure downgrade")]
    NoZeroCopy {
        /// What each candidate said, or why the last one was given up.
        reason: String,
    },
    /// No candidate can be used at all.
    #[error("no way to the screen: {reason}")]
    NoCandidate {
        /// What each candidate said.
        reason: String,
    },
    /// The last resort failed for this item.
    #[error("{backend} cannot show it: {reason}")]
    LastResort {
        /// The backend.
        backend: &'static str,
        /// Why, in words.
        reason: String,
    },
}

/// What to do after a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// This frame takes the next way; the one after it may try this way again.
    StepAside,
    /// Set the same way up again, then try this frame again.
    Rebuild,
    /// The way does not take this configuration after all: the next does, as long as that lasts.
    Refuse,
    /// The way is given up for the session, for this reason: the next takes over.
    GiveUp(String),
    /// It is the last way: the frame is lost, and the picture before it stays.
    DropFrame,
    /// It is the last way, and this item will not be shown. The next may be.
    SkipItem(InteropGaveUp),
}

/// What is known of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trust {
    /// So many frames in a row got through.
    OnTrial { good: u32 },
    /// It works here.
    Trusted,
    /// It failed too often.
    GivenUp(String),
}

#[derive(Debug, Clone)]
struct Way {
    candidate: Candidate,
    trust: Trust,
    failures_in_a_row: u32,
    /// Its context was lost, and no frame has got through since it was set up anew.
    is_rebuilt: bool,
}

/// Chooses among ways, which are named by their places on the ladder.
#[derive(Debug)]
pub struct InteropPolicy {
    mode: InteropMode,
    ways: Vec<Way>,
    /// Zero-copy ways that there are not here, with their names.
    missing: Vec<String>,
}

impl InteropPolicy {
    /// A ladder of `candidates`, best first, of which the mode may forbid some. Fails where none is left. `missing`: why there
    /// are no other zero-copy ways here, in words.
    pub fn new(mode: InteropMode, candidates: &[Candidate], missing: Vec<String>) -> Result<Self, InteropGaveUp> {
        let way = |it: &Candidate| Way {
            candidate: *it,
            trust: Trust::OnTrial { good: 0 },
            failures_in_a_row: 0,
            is_rebuilt: false,
        };
        let it = Self { mode, ways: candidates.iter().map(way).collect(), missing };
        if it.allowed().next().is_some() {
            return Ok(it);
        }
        let reason = it.missing.join("; ");
        let reason = if reason.is_empty() { "there is no such backend here".to_owned() } else { reason };
        Err(match mode {
            InteropMode::ForceZeroCopy(_) => InteropGaveUp::NoZeroCopy { reason },
            InteropMode::Auto | InteropMode::ForceSoftware => InteropGaveUp::NoCandidate { reason },
        })
    }

    /// A way's name.
    pub fn name(&self, way: usize) -> &'static str {
        self.ways.get(way).map_or("", |it| it.candidate.name)
    }

    /// A user who asked for zero-copy and allows another way is to be told that `way` is one.
    pub fn is_downgrade(&self, way: usize) -> bool {
        let is_software = self.ways.get(way).is_some_and(|it| !it.candidate.zero_copy);
        is_software && self.mode == InteropMode::ForceZeroCopy(OnFailure::Downgrade)
    }

    /// The first way at or behind `from` that takes the configuration whose verdicts these are. `ask` says what a way has
    /// against it. What must be `drawn` (its pixels are wanted, or its memory is) may take ways that the mode forbids.
    pub fn choose(
        &self,
        from: usize,
        drawn: bool,
        verdicts: &mut Verdicts,
        now: MonoTime,
        mut ask: impl FnMut(usize) -> Result<(), Objection>,
    ) -> Result<usize, InteropGaveUp> {
        verdicts.resize(self.ways.len());
        let allowed = self.ways.iter().map(|it| drawn || self.is_allowed(it));
        for (way, _) in allowed.enumerate().filter(|(way, allowed)| from <= *way && *allowed && !self.is_given_up(*way))
        {
            if verdicts.takes(way, now, &mut ask) {
                return Ok(way);
            }
        }
        let said = self.allowed().filter_map(|it| self.objection(it, verdicts));
        let missing = self.missing.iter().filter(|_| self.must_be_zero_copy()).cloned();
        let said: Vec<String> = said.chain(missing).collect();
        let reason = said.join("; ");
        Err(match self.allowed().last() {
            _ if self.must_be_zero_copy() => InteropGaveUp::NoZeroCopy { reason },
            Some(last) => InteropGaveUp::LastResort { backend: self.name(last), reason },
            None => InteropGaveUp::NoCandidate { reason },
        })
    }

    /// Why a frame does not take the best way there is but `way`: the first reason on the ladder.
    pub fn reason(&self, way: usize, verdicts: &Verdicts) -> Option<String> {
        if self.mode == InteropMode::ForceSoftware {
            return self.ways.iter().any(|it| it.candidate.zero_copy).then(|| "--interop force_software".to_owned());
        }
        let is_software = self.ways.get(way).is_some_and(|it| !it.candidate.zero_copy);
        let missing = self.missing.first().filter(|_| is_software).cloned();
        (0..way).find_map(|it| self.objection(it, verdicts)).or(missing)
    }

    /// A frame got through: failures before it are forgiven.
    pub fn succeeded(&mut self, way: usize) {
        let Some(it) = self.ways.get_mut(way) else { return };
        it.failures_in_a_row = 0;
        it.is_rebuilt = false;
        it.trust = match std::mem::replace(&mut it.trust, Trust::Trusted) {
            Trust::OnTrial { good } if good + 1 < GOOD_FRAMES => Trust::OnTrial { good: good + 1 },
            Trust::OnTrial { .. } | Trust::Trusted => Trust::Trusted,
            given_up @ Trust::GivenUp(_) => given_up,
        };
    }

    /// `init`, `submit` or `acquire` failed. `severity` is the error's own.
    pub fn failed(&mut self, way: usize, severity: Severity, reason: &str) -> Reaction {
        let is_last = self.is_last(way);
        let may_skip = is_last && !self.must_be_zero_copy();
        let Some(it) = self.ways.get_mut(way) else { return Reaction::DropFrame };
        it.failures_in_a_row = it.failures_in_a_row.saturating_add(1);
        let is_enough = match severity {
            // A way that cannot show such frames works all the same.
            Severity::FallBack if may_skip => true,
            Severity::FallBack => {
                it.failures_in_a_row = 0;
                return Reaction::Refuse;
            }
            Severity::Retry => FAILURES_IN_A_ROW <= it.failures_in_a_row,
            // A context that is lost again right after it was set up anew will not get better.
            Severity::Reconfigure if !std::mem::replace(&mut it.is_rebuilt, true) => return Reaction::Rebuild,
            Severity::Reconfigure | Severity::Fatal => true,
        };
        if !is_enough {
            // What is on trial has to begin again.
            if let Trust::OnTrial { good } = &mut it.trust {
                *good = 0;
            }
            return if is_last { Reaction::DropFrame } else { Reaction::StepAside };
        }
        let reason = match severity {
            Severity::Retry => format!("{reason} ({FAILURES_IN_A_ROW} times in a row)"),
            _ => reason.to_owned(),
        };
        it.failures_in_a_row = 0;
        if may_skip {
            it.is_rebuilt = false;
            let backend = it.candidate.name;
            return Reaction::SkipItem(InteropGaveUp::LastResort { backend, reason });
        }
        if severity == Severity::Retry && it.trust == Trust::Trusted {
            it.trust = Trust::OnTrial { good: 0 };
            return Reaction::Rebuild;
        }
        it.trust = Trust::GivenUp(reason.clone());
        Reaction::GiveUp(reason)
    }

    fn is_allowed(&self, way: &Way) -> bool {
        match self.mode {
            InteropMode::Auto | InteropMode::ForceZeroCopy(OnFailure::Downgrade) => true,
            InteropMode::ForceSoftware => !way.candidate.zero_copy,
            InteropMode::ForceZeroCopy(OnFailure::Fail) => way.candidate.zero_copy,
        }
    }

    /// The ways that the mode allows.
    fn allowed(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.ways.iter().enumerate().filter(|(_, it)| self.is_allowed(it)).map(|(place, _)| place)
    }

    fn must_be_zero_copy(&self) -> bool {
        self.mode == InteropMode::ForceZeroCopy(OnFailure::Fail)
    }

    fn is_given_up(&self, way: usize) -> bool {
        self.ways.get(way).is_none_or(|it| matches!(it.trust, Trust::GivenUp(_)))
    }

    /// No other way is left behind it.
    fn is_last(&self, way: usize) -> bool {
        !self.allowed().any(|it| way < it && !self.is_given_up(it))
    }

    /// What stands against a way, in words.
    fn objection(&self, way: usize, verdicts: &Verdicts) -> Option<String> {
        let it = self.ways.get(way)?;
        let why = match &it.trust {
            Trust::GivenUp(why) => why,
            Trust::OnTrial { .. } | Trust::Trusted => verdicts.objection(way)?,
        };
        Some(with_name(it.candidate.name, why))
    }
}

/// Backends' errors mostly begin with their name.
fn with_name(name: &str, why: &str) -> String {
    if why.strip_prefix(name).is_some_and(|it| it.starts_with(':')) { why.to_owned() } else { format!("{name}: {why}") }
}

#[cfg(test)]
mod tests;
