//! Whether one output has a display, from what the kernel says about its connector.
//!
//! A connector is not a switch. Hot-plug detect bounces while a plug goes in, televisions pulse it when they change their
//! input, some are there before they answer with their modes, and a uevent may be lost. So nothing is believed from one
//! look: whoever has just come or gone is looked at again.
//!
//! ```text
//!              ready               the same for SETTLE, or ready for SETTLE_LIMIT: BringUp
//!   Absent --------------> Arriving ------------------------------------------------> Up
//!    |  ^                   |   ^                                          not ready | ^
//!    |  `----- absent ------´   | ready                                              v | ready
//!    `--empty--> Unready <------+------------------------------------------------ Leaving
//!                                          not ready for HOLD: TakeDown (Absent, or Unready when it is empty)
//! ```
//! A mode list that changes while the display is up is passed on (`ModesChanged`); the picture stays.
//!
//! The machine never scans by itself: it says `Rescan`, the backend reads the connector and hands in what it found.
use std::collections::VecDeque;
use std::time::Duration;

use crate::base::time::MonoTime;

/// A display that is gone for less is not taken down: a low of hot-plug detect that means something, a new EDID, lasts at
/// least this long (HDMI 1.4b, 8.5).
pub const HOLD: Duration = Duration::from_millis(100);
/// A display that has come is shown on when two looks this far apart agree: plugs bounce for some tens of milliseconds.
pub const SETTLE: Duration = Duration::from_millis(100);
/// A display whose mode list never settles is shown on after this long; half of the second that a viewer is promised.
pub const SETTLE_LIMIT: Duration = Duration::from_millis(500);
/// Two looks because of uevents are at least this far apart: a look can take a read of the EDID, 20 ms and more, on the
/// thread that feeds the other output.
pub const SPACING: Duration = Duration::from_millis(50);
/// How often an absent display is looked for although uevents would tell; a look at nothing is cheap, one is rarely lost.
pub const ABSENT_PERIOD: Duration = Duration::from_secs(2);
/// The same where there are no uevents, so that a display is still shown on within a second.
pub const BLIND_ABSENT_PERIOD: Duration = Duration::from_millis(500);
/// How often a display that is up is checked where there are no uevents.
pub const BLIND_UP_PERIOD: Duration = Duration::from_secs(2);
/// A connected display without modes is asked again after this long, then after twice as long each time...
pub const FIRST_RETRY: Duration = Duration::from_millis(50);
/// ...up to this, which with `SETTLE` is still less than a second.
pub const LONGEST_RETRY: Duration = Duration::from_millis(800);

/// What a look at the connector found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Nothing is connected, or nobody knows.
    Absent,
    /// A display without modes: it is there, and not ready.
    Empty,
    /// A display that can be shown on. `modes` is any fingerprint of its mode list.
    Ready {
        /// The same list has the same fingerprint.
        modes: u64,
    },
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What the kernel knows already; costs nothing.
    Known,
    /// Ask the display, which reads its EDID.
    Probe,
}

/// What happens to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A uevent says that something about this connector, or about some connector of its card, has changed.
    Hint,
    /// The answer to a `Rescan`.
    Scanned(Scan),
}

/// What the machine wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Look at the connector and answer with `Scanned`.
    Rescan(Depth),
    /// Choose a mode and show.
    BringUp,
    /// Nobody can see anything any more.
    TakeDown,
    /// The display that is up offers other modes now.
    ModesChanged,
    /// A display is connected and offers no modes. Said once for as long as that lasts.
    Unready,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No display.
    Absent { since: MonoTime },
    /// A display without modes, asked this often so far.
    Unready { tries: u32 },
    /// A display with modes, not yet trusted: ready since `began`, with this list since `since`.
    Arriving { began: MonoTime, since: MonoTime, modes: u64 },
    /// A display that is shown on.
    Up { modes: u64 },
    /// A display that is shown on and was not found at `since` nor after.
    Leaving { since: MonoTime, modes: u64 },
}

/// One output's connection.
#[derive(Debug)]
pub struct Hotplug {
    state: State,
    /// Uevents arrive.
    has_uevents: bool,
    /// When to look by itself.
    scan_at: Option<MonoTime>,
    /// That look answers a uevent.
    is_hinted: bool,
    last_scan: MonoTime,
    /// `Unready` was said and still holds.
    told_unready: bool,
    outputs: VecDeque<Output>,
}

impl Hotplug {
    /// An output as it was found when it was opened. One that was `Ready` counts as up: nobody waits for the first picture
    /// to see whether it will stay. `has_uevents` is false where the kernel does not tell.
    pub fn new(now: MonoTime, found: Scan, has_uevents: bool) -> Self {
        let mut it = Self {
            state: State::Absent { since: now },
            has_uevents,
            scan_at: None,
            is_hinted: false,
            last_scan: now,
            told_unready: false,
            outputs: VecDeque::new(),
        };
        match found {
            Scan::Ready { modes } => it.stay_up(now, modes),
            Scan::Empty => it.be_unready(now, 0),
            Scan::Absent => it.be_absent(now, now),
        }
        it
    }

    /// Whether the output is to be shown on.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. } | State::Leaving { .. })
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: MonoTime, input: Input) {
        match input {
            Input::Hint => self.hint(now),
            Input::Scanned(scan) => self.scanned(now, scan),
        }
    }

    /// Time has passed: looks if that is due.
    pub fn handle_timeout(&mut self, now: MonoTime) {
        if self.scan_at.is_some_and(|it| it <= now) {
            let is_calm = matches!(self.state, State::Up { .. }) && !self.is_hinted;
            self.rescan(now, if is_calm { Depth::Known } else { Depth::Probe });
        }
    }

    /// When `handle_timeout` has something to do; `None` only while a display is up.
    pub const fn deadline(&self) -> Option<MonoTime> {
        self.scan_at
    }

    /// What is to be done next, or `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn hint(&mut self, now: MonoTime) {
        // Something changed that the looks, being spaced, may have missed: what is being watched is not at rest.
        if let State::Arriving { since, .. } | State::Leaving { since, .. } = &mut self.state {
            *since = now;
        }
        let earliest = self.last_scan + SPACING;
        if earliest <= now {
            self.rescan(now, Depth::Probe);
        } else {
            self.is_hinted = true;
            self.scan_at = Some(self.scan_at.map_or(earliest, |it| it.min(earliest)));
        }
    }

    fn rescan(&mut self, now: MonoTime, depth: Depth) {
        self.last_scan = now;
        self.is_hinted = false;
        // Should no answer come, the question is asked again.
        self.scan_at = Some(now + LONGEST_RETRY);
        self.outputs.push_back(Output::Rescan(depth));
    }

    fn scanned(&mut self, now: MonoTime, scan: Scan) {
        match (self.state, scan) {
            (State::Absent { .. } | State::Unready { .. }, Scan::Ready { modes }) => {
                self.arriving(now, now, now, modes)
            }
            (State::Arriving { began, since, modes: before }, Scan::Ready { modes }) => {
                let is_settled = before == modes && now.saturating_since(since) >= SETTLE;
                if is_settled || now.saturating_since(began) >= SETTLE_LIMIT {
                    self.outputs.push_back(Output::BringUp);
                    self.told_unready = false;
                    self.stay_up(now, modes);
                } else {
                    let since = if before == modes { since } else { now };
                    self.arriving(now, began, since, modes);
                }
            }
            (State::Up { modes: before } | State::Leaving { modes: before, .. }, Scan::Ready { modes }) => {
                if before != modes {
                    self.outputs.push_back(Output::ModesChanged);
                }
                self.stay_up(now, modes);
            }
            (State::Absent { since }, Scan::Absent) => self.be_absent(now, since),
            (State::Unready { .. } | State::Arriving { .. }, Scan::Absent) => self.be_absent(now, now),
            (State::Unready { tries }, Scan::Empty) => self.be_unready(now, tries.saturating_add(1)),
            (State::Absent { .. } | State::Arriving { .. }, Scan::Empty) => self.be_unready(now, 0),
            (State::Up { modes }, Scan::Absent | Scan::Empty) => self.leaving(now, now, modes),
            (State::Leaving { since, modes }, Scan::Absent | Scan::Empty) => {
                if now.saturating_since(since) < HOLD {
                    self.leaving(now, since, modes);
                    return;
                }
                self.outputs.push_back(Output::TakeDown);
                if scan == Scan::Empty { self.be_unready(now, 0) } else { self.be_absent(now, now) }
            }
        }
    }

    fn arriving(&mut self, now: MonoTime, began: MonoTime, since: MonoTime, modes: u64) {
        self.state = State::Arriving { began, since, modes };
        self.look_at(now, (since + SETTLE).min(began + SETTLE_LIMIT));
    }

    fn stay_up(&mut self, now: MonoTime, modes: u64) {
        self.state = State::Up { modes };
        self.keep_looking(if self.has_uevents { None } else { Some(now + BLIND_UP_PERIOD) });
    }

    fn leaving(&mut self, now: MonoTime, since: MonoTime, modes: u64) {
        self.state = State::Leaving { since, modes };
        self.look_at(now, since + HOLD);
    }

    fn be_absent(&mut self, now: MonoTime, since: MonoTime) {
        // A plug that bounces is not gone; somebody who pulled it and plugs another display in wants to be told again.
        if now.saturating_since(since) >= SETTLE_LIMIT {
            self.told_unready = false;
        }
        self.state = State::Absent { since };
        self.look_at(now, now + if self.has_uevents { ABSENT_PERIOD } else { BLIND_ABSENT_PERIOD });
    }

    fn be_unready(&mut self, now: MonoTime, tries: u32) {
        if !std::mem::replace(&mut self.told_unready, true) {
            self.outputs.push_back(Output::Unready);
        }
        self.state = State::Unready { tries };
        // Five doublings reach the longest.
        let wait = FIRST_RETRY.saturating_mul(1 << tries.min(5)).min(LONGEST_RETRY);
        self.look_at(now, now + wait);
    }

    /// Looks at `at`, or at once when that has passed.
    fn look_at(&mut self, now: MonoTime, at: MonoTime) {
        self.keep_looking(Some(at.max(now)));
    }

    /// A look that a uevent asked for and that is still to come stays.
    fn keep_looking(&mut self, at: Option<MonoTime>) {
        let hinted = self.scan_at.filter(|_| self.is_hinted);
        self.scan_at = match (hinted, at) {
            (Some(hinted), Some(at)) => Some(hinted.min(at)),
            (hinted, at) => hinted.or(at),
        };
    }
}

#[cfg(test)]
mod tests;
