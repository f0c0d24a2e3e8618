//! One adapter and its conversation: addresses, messages and outcomes carried between the kernel and the machine.
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::base::time::MonoTime;
use crate::logic::backoff::Backoff;
use crate::logic::cec::{Message, Note, OSD_NAME, Place, Saying, Television};
use crate::sys::cec::{Adapter, Addresses, Received};

/// Things taken from the kernel in one turn: it queues at most 18 messages and a few events.
const MAX_TAKEN: usize = 32;
/// The physical address of a television itself: an adapter there belongs to an HDMI input, not to an output of ours.
const ROOT: u16 = 0;

/// An adapter, and the television behind it.
#[derive(Debug)]
pub struct TalkingAdapter {
    adapter: Adapter,
    path: PathBuf,
    television: Television,
    physical: Option<u16>,
    /// When to ask for a logical address again, while we have none.
    claims: Backoff,
    /// The number of the message whose outcome the machine waits for.
    on_the_bus: Option<u32>,
}

impl TalkingAdapter {
    /// Opens an adapter for a television; says why not, where it is none.
    pub fn open(path: PathBuf) -> Option<Self> {
        let unusable = |why: &dyn std::fmt::Display| {
            log::info!("{}: {why}; the television is switched by its connector only", path.display());
        };
        let adapter = match Adapter::open(&path) {
            Ok(it) if it.can_send() => it,
            Ok(it) => {
                unusable(&format_args!("{} lets no program send", it.name()));
                return None;
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                unusable(&format_args!("{error}: add the user to the group of the device, mostly video"));
                return None;
            }
            Err(error) => {
                unusable(&error);
                return None;
            }
        };
        let physical = match adapter.addresses() {
            Ok(it) => it.physical,
            Err(error) => {
                unusable(&error);
                return None;
            }
        };
        match physical {
            None => log::info!("{} ({}): nothing is connected", path.display(), adapter.name()),
            Some(ROOT) => log::debug!("{} ({}): a television's own end", path.display(), adapter.name()),
            Some(_) => {}
        }
        let (television, claims) = (Television::new(), Backoff::new());
        Some(Self { adapter, path, television, physical, claims, on_the_bus: None })
    }

    /// For the wait; it stays open as long as `self`.
    pub fn raw_fd(&self) -> RawFd {
        self.adapter.as_fd().as_raw_fd()
    }

    /// Switches the television on, showing us, or off.
    pub fn switch(&mut self, on: bool) {
        self.television.switch(on);
    }

    /// When `turn` has something to do by itself.
    pub fn deadline(&self) -> Option<MonoTime> {
        let claim = if self.wants_address() { self.claims.deadline() } else { None };
        claim.into_iter().chain(self.television.deadline()).min()
    }

    /// Takes what came in, says what is to be said. `false` when the adapter has gone.
    pub fn turn(&mut self, now: MonoTime) -> bool {
        let done = self.hear(now).and_then(|()| self.claim(now)).and_then(|()| self.speak(now));
        self.tell();
        match done {
            Ok(()) => true,
            Err(error) => {
                log::warn!("{}: {error}: its television is left alone from here on", self.path.display());
                false
            }
        }
    }

    fn hear(&mut self, now: MonoTime) -> nix::Result<()> {
        for _ in 0..MAX_TAKEN {
            let Some(addresses) = self.adapter.changed()? else { break };
            self.placed(addresses);
        }
        for _ in 0..MAX_TAKEN {
            match self.adapter.receive()? {
                None => break,
                Some(Received::Outcome { sequence, taken }) => {
                    if self.on_the_bus.take_if(|it| *it == sequence).is_some() {
                        self.television.sent(now, taken);
                        self.tell();
                    }
                }
                Some(Received::Message { bytes, len }) => {
                    log::trace!("{}: heard {:02x?}", self.path.display(), &bytes[..len]);
                    if let Some(answer) = self.television.heard(&bytes[..len]) {
                        // An answer that is lost is asked for again.
                        self.send(&answer)?;
                    }
                    self.tell();
                }
            }
        }
        Ok(())
    }

    fn placed(&mut self, it: Addresses) {
        if self.physical.is_some() && it.physical.is_none() {
            log::info!("{}: the television is gone", self.path.display());
        }
        self.physical = it.physical;
        let place = it.physical.zip(it.playback).map(|(physical, logical)| Place { logical, physical });
        if let Some(place) = place
            && self.television.place() != Some(place)
        {
            self.claims.succeeded();
            let [high, low] = place.physical.to_be_bytes();
            let (a, b, c, d) = (high >> 4, high & 15, low >> 4, low & 15);
            log::info!("{}: a television, and we are {} at {a}.{b}.{c}.{d}", self.path.display(), place.logical);
        }
        self.television.placed(place);
    }

    fn wants_address(&self) -> bool {
        self.television.place().is_none() && self.physical.is_some_and(|it| it != ROOT)
    }

    fn claim(&mut self, now: MonoTime) -> nix::Result<()> {
        if !self.wants_address() || !self.claims.is_due(now) {
            return Ok(());
        }
        self.claims.failed(now);
        match self.adapter.claim_playback(OSD_NAME) {
            // Somebody has it to himself, or the last attempt is still under way; or the cable was pulled just now.
            Err(Errno::EBUSY | Errno::ENONET) => Ok(()),
            other => other,
        }
    }

    fn speak(&mut self, now: MonoTime) -> nix::Result<()> {
        while let Some(message) = self.television.next(now) {
            self.on_the_bus = self.send(&message)?;
            if self.on_the_bus.is_none() {
                self.television.sent(now, false);
            }
        }
        Ok(())
    }

    /// Queues a message; `None` where the bus does not take it now.
    fn send(&self, message: &Message) -> nix::Result<Option<u32>> {
        log::trace!("{}: says {:02x?}", self.path.display(), message.bytes());
        match self.adapter.transmit(message.bytes()) {
            Ok(sequence) => Ok(Some(sequence)),
            // Its queue is full, somebody has it to himself, or the cable was pulled just now.
            Err(Errno::EBUSY | Errno::ENONET) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn tell(&mut self) {
        let Some(note) = self.television.take_note() else { return };
        tell(&self.path, note);
    }
}

fn tell(path: &Path, note: Note) {
    let path = path.display();
    match note {
        Note::SwitchedOn => log::info!("{path}: the television was told to switch on and show us"),
        Note::SwitchedOff => log::info!("{path}: the television was told to switch off"),
        Note::Declined(saying) => log::info!("{path}: the television does not want to; {}", by_hand(saying)),
        Note::LeftAlone => log::info!("{path}: the television shows another source and is left on"),
        Note::SleepsByItself => log::info!("{path}: the television was switched off by somebody; playing on"),
        Note::Unanswered(saying) => log::info!("{path}: the television does not answer; {}", by_hand(saying)),
    }
}

fn by_hand(saying: Saying) -> &'static str {
    match saying {
        Saying::ImageViewOn | Saying::ActiveSource => "switch it on by hand, or allow CEC in its settings",
        Saying::Standby => "switch it off by hand, or allow CEC in its settings",
    }
}
