//! Pictures of before a change, and the memory under them.
use super::places::{Place, Places};
use super::{Command, Impossible, M2mDecoder, State};
use crate::base::time::MonoTime;

impl M2mDecoder {
    /// Whoever shows pictures of memory that is wanted back has to copy them, so that waits until they are shown, but for
    /// the last, which stays on the screen.
    pub(super) fn retire(&mut self, now: MonoTime) {
        self.state = State::Parting;
        self.is_stop_stale = false;
        self.alive_at = now;
        if self.capture.count(Place::Out) <= 1 {
            self.want_back(now);
        }
    }

    pub(super) fn want_back(&mut self, now: MonoTime) {
        self.state = State::Retiring;
        self.alive_at = now;
        self.commands.push_back(Command::Retire);
    }

    /// Nobody holds this buffer's picture any more.
    pub fn came_home(&mut self, index: u32, now: MonoTime) -> Result<(), Impossible> {
        if self.capture.of(index) != Place::Out {
            return Err(self.misplaced("the homecoming", index, &self.capture));
        }
        if matches!(self.state, State::Parting | State::Retiring) {
            self.alive_at = now;
        } else if self.capture.count(Place::Device) == 0 {
            // It had nothing to write into until now.
            self.alive_at = now;
            self.picture_at = now;
        }
        self.capture.set(index, Place::Ours);
        if self.state == State::Parting && self.capture.count(Place::Out) <= 1 {
            self.want_back(now);
        }
        Ok(())
    }

    /// Nobody holds anything of the pool that is wanted back.
    pub fn all_home(&mut self) -> Result<(), Impossible> {
        if self.state != State::Retiring || self.capture.count(Place::Out) != 0 {
            return Err(self.impossible("all buffers came home"));
        }
        self.capture = Places::new(0);
        self.commands.push_back(Command::TakeDownCapture);
        self.set_up();
        Ok(())
    }
}
