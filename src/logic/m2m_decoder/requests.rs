//! What its owner asks of a decoder: to finish, and to forget.
use super::places::Place;
use super::{Command, Drain, M2mDecoder, State};
use crate::base::time::MonoTime;

impl M2mDecoder {
    /// Finish what was queued, then say `Drained`.
    pub fn drain(&mut self, now: MonoTime) {
        if self.drain != Drain::No || self.state == State::Failed {
            return;
        }
        if self.fed == 0 {
            return self.drained();
        }
        self.drain = Drain::Asked;
        self.alive_at = now;
        let is_fed_up = self.state == State::Initialising && self.output.count(Place::Device) == 0;
        if is_fed_up || (self.state == State::Decoding && !self.start_capture) {
            self.stop(now);
        }
    }

    pub(super) fn stop(&mut self, now: MonoTime) {
        self.drain = Drain::Given { eos: false };
        self.alive_at = now;
        self.commands.push_back(Command::Stop);
    }

    /// Forget what was queued. Pictures made of it may still come; whoever asks for them knows them by their packets.
    pub fn flush(&mut self, now: MonoTime) {
        if self.state == State::Failed {
            return;
        }
        // What was to be said of the drain is not said any more.
        self.commands.retain(|it| !matches!(it, Command::Drained | Command::Stop));
        if self.fed > 0 {
            self.output.all_ours();
            self.commands.push_back(Command::RestartOutput);
        }
        if matches!(self.drain, Drain::Given { .. } | Drain::Done) && self.fed > 0 && self.state != State::Initialising
        {
            // Restarting OUTPUT ends the drain; this lets CAPTURE go on after its last buffer.
            self.is_stop_stale = self.drain != Drain::Done;
            self.is_unsure = self.drain == Drain::Done;
            self.commands.push_back(Command::Start);
        }
        self.drain = Drain::No;
        self.fed = 0;
        self.made = 0;
        self.swallowed = 0;
        self.has_guessed = false;
        self.alive_at = now;
        self.picture_at = now;
    }
}
