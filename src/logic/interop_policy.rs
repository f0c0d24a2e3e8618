//! Which way from frame to texture, and when to give one up.
//!
//! ```text
//!              3 failures in a row, or one that is final
//!   zero-copy ------------------------------------------> software ----> given up (this item)
//!       |                       (once, for the session)
//!       `--- force_zero_copy that must not downgrade ---> given up (for good)
//! ```
use crate::base::offer::Severity;

/// One lost frame is a hiccup, two may be; at 60 Hz the third comes 50 ms after the first and is still no visible freeze.
const FAILURES_IN_A_ROW: u32 = 3;

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

/// One backend, as probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// "plane", "dmabuf", "software_upload".
    pub name: &'static str,
    /// Its frames are not copied.
    pub zero_copy: bool,
    /// Why it cannot be used here; `Ok` when it can.
    pub verdict: Result<(), String>,
}

/// A change of backend, for the log and the statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The backend given up.
    pub from: &'static str,
    /// The one used instead.
    pub to: &'static str,
    /// Why, in words.
    pub reason: String,
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
    /// Drop the frame, count it, go on.
    DropFrame,
    /// Set the same backend up again (the context was lost), then go on.
    Rebuild,
    /// Use `to` from here on, for the session. Said once: log it.
    Downgrade(Fallback),
    /// Stop showing this item.
    GiveUp(InteropGaveUp),
}

/// Chooses among candidates.
#[derive(Debug)]
pub struct InteropPolicy {
    current: Candidate,
    /// What `current` would be given up for; `None` when it is the last resort.
    software: Option<&'static str>,
    may_downgrade: bool,
    failures_in_a_row: u32,
    rebuilt: bool,
    fallback: Option<Fallback>,
}

impl InteropPolicy {
    /// Chooses the first usable of `candidates`, best first, that the mode allows.
    pub fn new(mode: InteropMode, candidates: &[Candidate]) -> Result<Self, InteropGaveUp> {
        let usable = |zero_copy: bool| candidates.iter().find(|it| it.zero_copy == zero_copy && it.verdict.is_ok());
        let software = usable(false);
        let zero_copy = if mode == InteropMode::ForceSoftware { None } else { usable(true) };
        let may_downgrade = mode != InteropMode::ForceZeroCopy(OnFailure::Fail);
        if zero_copy.is_none() && !may_downgrade {
            return Err(InteropGaveUp::NoZeroCopy { reason: refusals(candidates, true) });
        }
        let first_choice = match mode {
            InteropMode::Auto => candidates.iter().find(|it| it.verdict.is_ok()),
            InteropMode::ForceSoftware => software,
            InteropMode::ForceZeroCopy(_) => zero_copy.or(software),
        };
        let Some(current) = first_choice.cloned() else {
            let only_software = mode == InteropMode::ForceSoftware;
            let said = candidates.iter().filter(|it| !(only_software && it.zero_copy)).cloned().collect::<Vec<_>>();
            return Err(InteropGaveUp::NoCandidate { reason: refusals(&said, false) });
        };
        // A user who asked for zero-copy wants to know from the start why it is not.
        let wanted = candidates.iter().find(|it| it.zero_copy).map_or("zero_copy", |it| it.name);
        let fallback = match (mode, current.zero_copy) {
            (InteropMode::ForceZeroCopy(_), false) => {
                Some(Fallback { from: wanted, to: current.name, reason: refusals(candidates, true) })
            }
            _ => None,
        };
        let software = if current.zero_copy { software.map(|it| it.name) } else { None };
        Ok(Self { current, software, may_downgrade, failures_in_a_row: 0, rebuilt: false, fallback })
    }

    /// The backend to use.
    pub const fn current(&self) -> &'static str {
        self.current.name
    }

    /// The one change there was, if there was one.
    pub const fn fallback(&self) -> Option<&Fallback> {
        self.fallback.as_ref()
    }

    /// A frame got through: failures before it are forgiven.
    pub fn succeeded(&mut self) {
        self.failures_in_a_row = 0;
        self.rebuilt = false;
    }

    /// `init`, `submit` or `acquire` failed. `severity` is the error's own.
    pub fn failed(&mut self, severity: Severity, reason: &str) -> Reaction {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let is_final = match severity {
            Severity::Retry => false,
            // A context that is lost again right after it was rebuilt will not get better.
            Severity::Reconfigure if !self.rebuilt => {
                self.rebuilt = true;
                return Reaction::Rebuild;
            }
            Severity::Reconfigure | Severity::FallBack | Severity::Fatal => true,
        };
        if !is_final && self.failures_in_a_row < FAILURES_IN_A_ROW {
            return Reaction::DropFrame;
        }
        let reason =
            if is_final { reason.to_owned() } else { format!("{reason} ({FAILURES_IN_A_ROW} times in a row)") };
        self.leave_current(reason)
    }

    /// `init` failed for the session's first frame or a new format: final, whatever the error says.
    pub fn init_failed(&mut self, reason: &str) -> Reaction {
        self.failed(Severity::FallBack, reason)
    }

    fn leave_current(&mut self, reason: String) -> Reaction {
        self.succeeded();
        let from = self.current.name;
        match self.software {
            Some(to) if self.may_downgrade => {
                self.current = Candidate { name: to, zero_copy: false, verdict: Ok(()) };
                self.software = None;
                let fallback = Fallback { from, to, reason };
                self.fallback = Some(fallback.clone());
                Reaction::Downgrade(fallback)
            }
            _ if self.current.zero_copy && !self.may_downgrade => {
                Reaction::GiveUp(InteropGaveUp::NoZeroCopy { reason: format!("{from}: {reason}") })
            }
            _ => Reaction::GiveUp(InteropGaveUp::LastResort { backend: from, reason }),
        }
    }
}

/// Why the candidates (of that kind) cannot be used, in one line.
fn refusals(candidates: &[Candidate], only_zero_copy: bool) -> String {
    let asked = candidates.iter().filter(|it| it.zero_copy || !only_zero_copy);
    let said: Vec<String> =
        asked.filter_map(|it| it.verdict.as_ref().err().map(|why| format!("{}: {why}", it.name))).collect();
    if said.is_empty() { "there is no such backend here".to_owned() } else { said.join("; ") }
}

#[cfg(test)]
mod tests;
