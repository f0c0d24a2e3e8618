//! What to say to a television over HDMI's control line, and when (HDMI 1.4, supplement 1: CEC).
//!
//! One `Television` is one adapter's conversation. Each message is offered again after a while when nobody acknowledged
//! it, since a television that wakes up is deaf meanwhile; the kernel has by then repeated it on the wire on its own.
//! The kernel itself answers questions about versions, names and addresses.
//!
//! ```text
//!                 switched on, or found again              taken                        taken
//!        Done ----------------------------------> ImageViewOn ------> ActiveSource ---------------> Done
//!         |                                        (Owed <---> OnTheBus, until it is taken or
//!         '---- switched off ----> Standby -------> was refused too often)  -------------------> Done
//! ```
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::logic::backoff::Backoff;

/// What we are called on the television's list of inputs.
pub const OSD_NAME: &str = "Lucarne";
/// Refusals in a row before we leave it: with the pauses of `Backoff` that is a minute, and televisions boot in less.
const TRIES: u32 = 8;
/// An outcome that has not come after this long never will; the kernel gives each message ten seconds at most.
const OUTCOME_LOST: Duration = Duration::from_secs(15);

/// The television's logical address.
const TV: u8 = 0;
/// Everybody's, as a destination; nobody's in particular, as an initiator.
const BROADCAST: u8 = 15;

const FEATURE_ABORT: u8 = 0x00;
const IMAGE_VIEW_ON: u8 = 0x04;
const STANDBY: u8 = 0x36;
const ROUTING_CHANGE: u8 = 0x80;
const ACTIVE_SOURCE: u8 = 0x82;
const REQUEST_ACTIVE_SOURCE: u8 = 0x85;
const SET_STREAM_PATH: u8 = 0x86;
const GIVE_POWER_STATUS: u8 = 0x8f;
const REPORT_POWER_STATUS: u8 = 0x90;
/// Messages that only tell something (names, vendors, versions, states): refusing them would be noise.
const STATEMENTS: [u8; 6] = [0x1b, 0x47, 0x7e, 0x87, 0x9d, 0x9e];
/// Power states of `REPORT_POWER_STATUS`.
const POWER_ON: u8 = 0;
const POWER_STANDBY: u8 = 1;
const POWER_TO_ON: u8 = 2;
/// A `FEATURE_ABORT`'s reason: the message is not one of those we know.
const UNRECOGNISED: u8 = 0;

/// A message: a header, then up to 15 bytes; none of ours has more than three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    bytes: [u8; 4],
    len: usize,
}

impl Message {
    fn new(from: u8, to: u8, body: &[u8]) -> Self {
        let mut it = Self { bytes: [from << 4 | to, 0, 0, 0], len: 1 };
        for (room, byte) in it.bytes[1..].iter_mut().zip(body) {
            *room = *byte;
            it.len += 1;
        }
        it
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Who and where we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Our logical address.
    pub logical: u8,
    /// Our place in the tree of cables.
    pub physical: u16,
}

/// What we have to say of our own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// Switch on, and show what comes.
    ImageViewOn,
    /// What is to be shown comes from here.
    ActiveSource,
    /// Switch off.
    Standby,
}

impl Saying {
    fn message(self, place: Place) -> Message {
        let [high, low] = place.physical.to_be_bytes();
        match self {
            Saying::ImageViewOn => Message::new(place.logical, TV, &[IMAGE_VIEW_ON]),
            Saying::ActiveSource => Message::new(place.logical, BROADCAST, &[ACTIVE_SOURCE, high, low]),
            Saying::Standby => Message::new(place.logical, TV, &[STANDBY]),
        }
    }
}

/// Something a person may want to read in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The television acknowledged that it is to switch on and show us.
    SwitchedOn,
    /// The television acknowledged that it is to switch off.
    SwitchedOff,
    /// The television heard what was said, and answered that it does not do that.
    Declined(Saying),
    /// Another source is being watched, so the television was not switched off.
    LeftAlone,
    /// Nobody acknowledged it, however often it was said.
    Unanswered(Saying),
    /// The television was switched off by somebody else. That is their right.
    SleepsByItself,
}

/// What is to be said, and how far that has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// The television knows all it should, or is not there.
    Done,
    /// This is to be said, when the pause after the last refusal is over.
    Owed(Saying),
    /// This was given to the adapter; whether anybody acknowledged it is not known before `until` at the latest.
    OnTheBus {
        /// What.
        saying: Saying,
        /// Then its outcome is lost.
        until: MonoTime,
    },
}

/// What we want of the television.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Nothing has been shown yet: leave it as it is.
    Nothing,
    /// It is to show us.
    On,
    /// It is to be off.
    Off,
}

/// Who the television shows, as far as we have heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nobody has said.
    Unknown,
    /// Us.
    Us,
    /// Another device.
    Another,
}

/// See the module's text.
#[derive(Debug)]
pub struct Television {
    place: Option<Place>,
    wish: Wish,
    source: Source,
    /// It said that it goes to sleep, and nobody has woken it since.
    sleeps: bool,
    errand: Errand,
    refusals: u32,
    pause: Backoff,
    note: Option<Note>,
}

impl Default for Television {
    fn default() -> Self {
        Self::new()
    }
}

impl Television {
    /// One that is not there yet, of which nothing is wanted.
    pub fn new() -> Self {
        Self {
            place: None,
            wish: Wish::Nothing,
            source: Source::Unknown,
            sleeps: false,
            errand: Errand::Done,
            refusals: 0,
            pause: Backoff::new(),
            note: None,
        }
    }

    /// Switches it on, showing us, or off. Saying it again says it again to the television.
    pub fn switch(&mut self, on: bool) {
        self.wish = if on { Wish::On } else { Wish::Off };
        self.sleeps = false;
        if self.place.is_none() {
            return;
        }
        if on {
            self.owe(Saying::ImageViewOn);
        } else if self.source == Source::Another {
            self.errand = Errand::Done;
            self.note = Some(Note::LeftAlone);
        } else {
            self.owe(Saying::Standby);
        }
    }

    /// We have addresses, others than before, or none any more. A television that is found while it should show us is
    /// told so, unless it was switched off by somebody: many drop the line when they go to sleep.
    pub fn placed(&mut self, place: Option<Place>) {
        if self.place == place {
            return;
        }
        self.place = place;
        self.errand = Errand::Done;
        if place.is_some() && self.wish == Wish::On && !self.sleeps {
            self.owe(Saying::ImageViewOn);
        }
    }

    /// Where we are, while we have addresses.
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    fn owe(&mut self, saying: Saying) {
        self.errand = Errand::Owed(saying);
        self.refusals = 0;
        self.pause.succeeded();
    }

    /// What to send now, if anything. Its outcome is told by `sent`.
    pub fn next(&mut self, now: MonoTime) -> Option<Message> {
        if let Errand::OnTheBus { until, .. } = self.errand
            && until <= now
        {
            self.sent(now, false);
        }
        let (Errand::Owed(saying), Some(place)) = (self.errand, self.place) else { return None };
        if !self.pause.is_due(now) {
            return None;
        }
        self.errand = Errand::OnTheBus { saying, until: now + OUTCOME_LOST };
        Some(saying.message(place))
    }

    /// When `next` has something by itself.
    pub fn deadline(&self) -> Option<MonoTime> {
        match self.errand {
            Errand::Done => None,
            Errand::Owed(_) => self.pause.deadline(),
            Errand::OnTheBus { until, .. } => Some(until),
        }
    }

    /// What became of the message that `next` gave last: acknowledged, or not (nobody there, a busy bus, another who
    /// spoke first). Ignored when it has been overtaken by another wish.
    pub fn sent(&mut self, now: MonoTime, taken: bool) {
        let Errand::OnTheBus { saying, .. } = self.errand else { return };
        if !taken {
            self.refusals += 1;
            self.pause.failed(now);
            self.errand = Errand::Owed(saying);
            if self.refusals == TRIES {
                self.errand = Errand::Done;
                self.note = Some(Note::Unanswered(saying));
            }
            return;
        }
        match saying {
            Saying::ImageViewOn => self.owe(Saying::ActiveSource),
            Saying::ActiveSource => {
                self.errand = Errand::Done;
                self.source = Source::Us;
                self.note = Some(Note::SwitchedOn);
            }
            Saying::Standby => {
                self.errand = Errand::Done;
                self.note = Some(Note::SwitchedOff);
            }
        }
    }

    /// Somebody said something: what to answer, once, if anything.
    pub fn heard(&mut self, bytes: &[u8]) -> Option<Message> {
        let (&[header, opcode], operands) = bytes.split_first_chunk()?;
        let (from, to) = (header >> 4, header & 0x0f);
        if opcode == STANDBY && from == TV {
            // Also where we have no place any more: the line may drop before anybody has read this.
            self.sleeps = true;
            self.errand = Errand::Done;
            self.note = Some(Note::SleepsByItself);
            return None;
        }
        let place = self.place?;
        let path = |at: usize| operands.get(at..at + 2).map(|it| u16::from_be_bytes([it[0], it[1]]));
        match opcode {
            GIVE_POWER_STATUS => {
                let status = match self.wish {
                    Wish::Nothing => POWER_TO_ON,
                    Wish::On => POWER_ON,
                    Wish::Off => POWER_STANDBY,
                };
                return (from != BROADCAST).then(|| Message::new(place.logical, from, &[REPORT_POWER_STATUS, status]));
            }
            REPORT_POWER_STATUS if from == TV => self.sleeps &= operands.first() != Some(&POWER_ON),
            ACTIVE_SOURCE => self.source = if path(0) == Some(place.physical) { Source::Us } else { Source::Another },
            REQUEST_ACTIVE_SOURCE => {
                self.sleeps = false;
                return (self.wish == Wish::On && self.source == Source::Us)
                    .then(|| Saying::ActiveSource.message(place));
            }
            SET_STREAM_PATH => return self.routed(place, path(0)?),
            ROUTING_CHANGE => return self.routed(place, path(2)?),
            FEATURE_ABORT if from == TV => {
                self.note = match operands.first() {
                    Some(&IMAGE_VIEW_ON) => Some(Note::Declined(Saying::ImageViewOn)),
                    Some(&STANDBY) => Some(Note::Declined(Saying::Standby)),
                    _ => None,
                };
            }
            _ => return refusal(place, from, to, opcode),
        }
        None
    }

    /// The television shows what is at `path` from now on.
    fn routed(&mut self, place: Place, path: u16) -> Option<Message> {
        self.sleeps = false;
        if path != place.physical {
            self.source = Source::Another;
            return None;
        }
        self.source = Source::Us;
        (self.wish == Wish::On).then(|| Saying::ActiveSource.message(place))
    }

    /// What there is to log since the last call.
    pub fn take_note(&mut self) -> Option<Note> {
        self.note.take()
    }
}

/// Whoever asks a device for what it cannot do is owed an answer; broadcasts, statements and refusals are not.
fn refusal(place: Place, from: u8, to: u8, opcode: u8) -> Option<Message> {
    let is_question = to == place.logical
        && from != BROADCAST
        && ![FEATURE_ABORT, STANDBY, REPORT_POWER_STATUS].contains(&opcode)
        && !STATEMENTS.contains(&opcode);
    is_question.then(|| Message::new(place.logical, from, &[FEATURE_ABORT, opcode, UNRECOGNISED]))
}

#[cfg(test)]
mod tests;
