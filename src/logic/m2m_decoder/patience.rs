//! How long the machine waits for what.
use super::places::Place;
use super::{Drain, Failure, M2mDecoder, State};
use crate::base::time::MonoTime;

/// Packets a sound decoder may swallow before it gives a picture: sixteen pictures of two fields each wait for their
/// order, and a few packets are in its pipeline.
pub(super) const MOST_SWALLOWED: u64 = 40;

impl M2mDecoder {
    /// When `tick` has something to say, if nothing happens before.
    pub fn deadline(&self) -> Option<MonoTime> {
        let limits = &self.limits;
        let has_room = self.capture.count(Place::Device) > 0;
        match self.state {
            State::SettingUp | State::Failed => None,
            State::Initialising if self.fed == 0 => None,
            State::Initialising if self.has_guessed => Some(self.alive_at + limits.stall),
            State::Initialising | State::Changing | State::Rescuing | State::Parting => {
                Some(self.alive_at + limits.word)
            }
            State::Retiring => Some(self.alive_at + limits.homecoming),
            State::Decoding => match self.drain {
                Drain::Done => None,
                Drain::Asked | Drain::Given { .. } => has_room.then(|| self.alive_at + limits.stall),
                Drain::No if !has_room => None,
                Drain::No => {
                    let is_full = self.output.first(Place::Ours).is_none();
                    let is_swallowing = MOST_SWALLOWED <= self.swallowed;
                    let still = is_full.then(|| self.alive_at + limits.stall);
                    let blank = is_swallowing.then(|| self.picture_at + limits.stall);
                    still.into_iter().chain(blank).min()
                }
            },
        }
    }

    /// Time passed, and nothing was ready.
    pub fn tick(&mut self, now: MonoTime) {
        if self.deadline().is_none_or(|it| now < it) {
            return;
        }
        match self.state {
            State::Initialising if !self.has_guessed => {
                self.has_guessed = true;
                self.alive_at = now;
                if self.drain == Drain::Asked {
                    self.stop(now);
                } else {
                    self.is_unannounced = true;
                    self.set_up();
                }
            }
            State::Changing => self.rescue(now),
            State::Rescuing => self.retire(now),
            State::Parting => self.want_back(now),
            State::Retiring => self.fail(Failure::Kept { after: self.limits.homecoming }),
            State::Decoding if self.drain == (Drain::Given { eos: true }) => self.drained(),
            _ => {
                // Packets without a picture, those that only wait for their order among them.
                let packets = self.fed.saturating_sub(self.made).max(self.swallowed);
                self.fail(Failure::Stalled { after: self.limits.stall, packets });
            }
        }
    }
}
