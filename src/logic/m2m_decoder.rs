//! The kernel's interface to stateful decoders as a machine
//! ([dev-decoder](https://docs.kernel.org/userspace-api/media/v4l/dev-decoder.html)).
//!
//! ```text
//!                        source_changed, or no word of it for a while
//!   Initialising ------------------------------------------------------> SettingUp <------- all home ------+
//!        ^                                                               |       |                         |
//!        +------------------ not yet ------------------------------------+       | capture_ready           |
//!                                                                                v                         |
//!                       +------------------------ source_changed ------------ Decoding                     |
//!                       v                                                     |      |                     |
//!                   Changing ----- end without LAST, or nothing more          |      |                     |
//!                       |          for a while ---> Rescuing <--- end without-+      |                     |
//!                       |                              |                      LAST   |                     |
//!                       +--- LAST ---> Parting <-------+--- nothing left             |                     |
//!                                       |  ^                                         |                     |
//!                                       |  +------------------ LAST without a drain -+                     |
//!                                       +--- all but one shown, or no more for a while ---> Retiring ------+
//! ```
//!
//! A drain ([`Drain`]) goes on beside it, whatever the source does meanwhile. From any state a stall, a decoder's
//! impossible answer or a buffer that is kept too long leads to `Failed`.
//!
//! The owner reports what happened and carries out [`Command`]s until there are none. Nothing here knows a device or a
//! clock; what a driver does in its own way is a [`Quirks`] flag.
use std::collections::VecDeque;

use crate::base::time::MonoTime;

mod parting;
mod patience;
mod places;
mod quirks;
mod requests;
#[cfg(test)]
mod tests;
mod words;

pub use places::{MAX_BUFFERS, Place};
pub use quirks::Quirks;
pub use words::{Command, Drain, Failure, Impossible, Limits, State};

use places::Places;

/// The machine.
#[derive(Debug)]
pub struct M2mDecoder {
    quirks: Quirks,
    limits: Limits,
    state: State,
    drain: Drain,
    output: Places,
    capture: Places,
    commands: VecDeque<Command>,
    /// CAPTURE has its buffers and is to be started when they are queued.
    start_capture: bool,
    /// CAPTURE was set up without a word from the driver, and no picture has come since.
    is_unannounced: bool,
    /// The driver was asked once without a word from it.
    has_guessed: bool,
    /// The decoder may still stop for a drain that a flush ended.
    is_stop_stale: bool,
    /// Whether the decoder goes on after a drain is not known yet: it gets no packets, whose pictures would be lost.
    is_unsure: bool,
    /// Packets since the last flush.
    fed: u64,
    /// Pictures since then.
    made: u64,
    /// Packets since the last picture.
    swallowed: u64,
    /// The last sign of life, or when the decoder last got what it lacked.
    alive_at: MonoTime,
    /// The same, where only pictures count.
    picture_at: MonoTime,
}

impl M2mDecoder {
    /// A decoder with `n_output` free OUTPUT buffers, whose queue streams.
    pub fn new(quirks: Quirks, limits: Limits, n_output: u32, now: MonoTime) -> Self {
        Self {
            quirks,
            limits,
            state: State::Initialising,
            drain: Drain::No,
            output: Places::new(n_output),
            capture: Places::new(0),
            commands: VecDeque::with_capacity(16),
            start_capture: false,
            is_unannounced: false,
            has_guessed: false,
            is_stop_stale: false,
            is_unsure: false,
            fed: 0,
            made: 0,
            swallowed: 0,
            alive_at: now,
            picture_at: now,
        }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// How far the drain is.
    pub fn drain_state(&self) -> Drain {
        self.drain
    }

    /// Where a CAPTURE buffer is.
    pub fn place(&self, index: u32) -> Place {
        self.capture.of(index)
    }

    /// A free OUTPUT buffer for the next packet.
    pub fn free_output(&self) -> Option<u32> {
        let takes = self.state != State::Failed && self.drain == Drain::No && !self.is_unsure;
        if takes { self.output.first(Place::Ours) } else { None }
    }

    /// Whether pictures may be asked for now.
    pub fn wants_pictures(&self) -> bool {
        let streams = matches!(self.state, State::Decoding | State::Changing | State::Rescuing);
        streams && !self.start_capture && self.drain != Drain::Done
    }

    /// Whether some packets are with the driver, which gives them back.
    pub fn is_feeding(&self) -> bool {
        self.output.count(Place::Device) > 0
    }

    /// Whether the device's own signals mean something now. One that has no buffers, or whose queue has ended, is ready or
    /// in error for ever.
    pub fn is_listening(&self) -> bool {
        match self.state {
            State::Initialising => self.is_feeding(),
            State::Decoding | State::Changing | State::Rescuing => {
                self.wants_pictures() && (self.is_feeding() || self.capture.count(Place::Device) > 0)
            }
            State::SettingUp | State::Parting | State::Retiring | State::Failed => false,
        }
    }

    /// What to do next.
    pub fn command(&mut self) -> Option<Command> {
        if let Some(it) = self.commands.pop_front() {
            return Some(it);
        }
        let feeds = matches!(self.state, State::Decoding | State::Changing) && self.drain != Drain::Done;
        if feeds && let Some(index) = self.capture.first(Place::Ours) {
            self.capture.set(index, Place::Device);
            return Some(Command::Queue(index));
        }
        if std::mem::take(&mut self.start_capture) {
            return Some(Command::StartCapture);
        }
        None
    }

    fn impossible(&self, event: &'static str) -> Impossible {
        Impossible { event, buffer: None, state: self.state }
    }

    fn misplaced(&self, event: &'static str, index: u32, places: &Places) -> Impossible {
        Impossible { event, buffer: Some((index, places.of(index))), state: self.state }
    }

    /// A packet was queued in this OUTPUT buffer.
    pub fn packet_queued(&mut self, index: u32, now: MonoTime) -> Result<(), Impossible> {
        if self.state == State::Failed || self.drain != Drain::No {
            return Err(self.impossible("a packet was queued"));
        }
        if self.output.of(index) != Place::Ours {
            return Err(self.misplaced("queueing", index, &self.output));
        }
        if self.output.count(Place::Device) == 0 {
            self.alive_at = now;
        }
        if self.swallowed == 0 {
            self.picture_at = now;
        }
        self.output.set(index, Place::Device);
        self.fed += 1;
        self.swallowed += 1;
        Ok(())
    }

    /// The driver gave an OUTPUT buffer back.
    pub fn packet_taken(&mut self, index: u32, now: MonoTime) -> Result<(), Impossible> {
        if self.output.of(index) != Place::Device {
            return Err(self.misplaced("the return", index, &self.output));
        }
        self.output.set(index, Place::Ours);
        self.alive_at = now;
        if self.drain == Drain::Asked && self.state == State::Initialising && self.output.count(Place::Device) == 0 {
            // It has everything and says nothing of its pictures: the first is held back until it knows of the end.
            self.stop(now);
        }
        Ok(())
    }

    /// The driver gave a CAPTURE buffer back. `picture`: there is one in it that is to be shown; `last`: flagged as last.
    pub fn picture_made(&mut self, index: u32, picture: bool, last: bool, now: MonoTime) -> Result<(), Impossible> {
        if !self.wants_pictures() || self.capture.of(index) != Place::Device {
            return Err(self.misplaced("the return", index, &self.capture));
        }
        self.alive_at = now;
        self.is_unsure = false;
        if picture {
            self.capture.set(index, Place::Out);
            self.commands.push_back(Command::Emit(index));
            self.made += 1;
            self.swallowed = 0;
            self.picture_at = now;
            self.is_unannounced = false;
        } else {
            self.capture.set(index, Place::Ours);
        }
        if last {
            self.end(true, now);
        }
        Ok(())
    }

    /// No picture is ready.
    pub fn nothing_ready(&mut self, now: MonoTime) {
        self.is_unsure = false;
        if self.state == State::Rescuing {
            self.retire(now);
        }
    }

    /// No picture will be ready before the queue is started again.
    pub fn no_more(&mut self, now: MonoTime) -> Result<(), Impossible> {
        if !self.wants_pictures() {
            return Err(self.impossible("the end of the pictures"));
        }
        self.end(false, now);
        Ok(())
    }

    /// The queue ended, with a buffer flagged as last or without.
    fn end(&mut self, last: bool, now: MonoTime) {
        match (self.state, self.drain) {
            (State::Decoding, Drain::Given { eos }) if last || eos => self.drained(),
            // Told to go on, it does not: some drivers forget half of it. Its queue must be started anew.
            (State::Decoding, _) if self.is_unsure => self.retire(now),
            (State::Decoding, _) if self.is_stop_stale => {
                self.is_stop_stale = false;
                self.commands.push_back(Command::Start);
            }
            (State::Decoding | State::Changing | State::Rescuing, _) if last => self.retire(now),
            (State::Rescuing, _) => self.retire(now),
            (State::Decoding | State::Changing, _) => self.rescue(now),
            _ => {}
        }
    }

    fn drained(&mut self) {
        self.drain = Drain::Done;
        self.is_stop_stale = false;
        self.swallowed = 0;
        self.commands.push_back(Command::Drained);
    }

    fn rescue(&mut self, now: MonoTime) {
        self.state = State::Rescuing;
        self.alive_at = now;
        self.commands.push_back(Command::Start);
    }

    /// The driver says that the source changed. `as_set_up`: its answer for CAPTURE is what the queue was set up for.
    pub fn source_changed(&mut self, as_set_up: bool, now: MonoTime) {
        match self.state {
            State::Initialising => self.set_up(),
            // It comes late for what the driver was asked already.
            State::Decoding if self.is_unannounced && as_set_up => self.is_unannounced = false,
            State::Decoding => {
                self.state = State::Changing;
                self.alive_at = now;
            }
            State::SettingUp | State::Changing | State::Rescuing | State::Parting | State::Retiring | State::Failed => {
            }
        }
    }

    /// The driver says that the last picture is made.
    pub fn end_of_stream(&mut self) {
        if let Drain::Given { eos } = &mut self.drain {
            *eos = true;
        }
    }

    fn set_up(&mut self) {
        self.state = State::SettingUp;
        self.commands.push_back(Command::SetUpCapture);
    }

    /// CAPTURE has `count` buffers.
    pub fn capture_ready(&mut self, count: u32, now: MonoTime) -> Result<(), Impossible> {
        if self.state != State::SettingUp || count == 0 {
            return Err(self.impossible("CAPTURE got buffers"));
        }
        self.state = State::Decoding;
        self.capture = Places::new(count);
        self.start_capture = true;
        self.is_unsure = false;
        self.alive_at = now;
        self.picture_at = now;
        if matches!(self.drain, Drain::Given { .. }) && !self.quirks.drain_outlives_restart {
            self.drain = Drain::Asked;
        }
        Ok(())
    }

    /// The driver does not know yet what the pictures will be.
    pub fn not_ready(&mut self) -> Result<(), Impossible> {
        if self.state != State::SettingUp {
            return Err(self.impossible("CAPTURE got no buffers"));
        }
        self.state = State::Initialising;
        self.is_unannounced = false;
        Ok(())
    }

    /// The CAPTURE queue was started, with its buffers in it.
    pub fn capture_started(&mut self, now: MonoTime) {
        if self.drain == Drain::Asked {
            self.stop(now);
        }
    }

    /// The driver does not take this CAPTURE buffer: it is too small for what comes, and the change is on its way.
    pub fn queue_refused(&mut self, index: u32, now: MonoTime) -> Result<(), Impossible> {
        if self.capture.of(index) != Place::Device {
            return Err(self.misplaced("the refusal", index, &self.capture));
        }
        self.capture.set(index, Place::Useless);
        self.source_changed(false, now);
        Ok(())
    }

    /// It will not go on: the drain that a flush ended is not over for it. It will stop, and be told again.
    pub fn start_refused(&mut self, now: MonoTime) {
        match self.state {
            State::Rescuing => self.retire(now),
            State::Decoding => self.is_stop_stale = true,
            _ => {}
        }
    }

    /// Something beyond this machine failed.
    pub fn give_up(&mut self) {
        self.state = State::Failed;
        self.commands.clear();
    }

    fn fail(&mut self, failure: Failure) {
        self.give_up();
        self.commands.push_back(Command::Fail(failure));
    }
}
