//! The player's mirrors, all together.
use std::collections::VecDeque;

use crate::base::geometry::{Fit, Rotation};
use crate::pipeline::player::mirror::{Lead, Mirror, Offered, Parked};
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::screen::Screen;
use crate::pipeline::player::{Player, Turn};

/// The screens that show the same as a player's own.
#[derive(Debug, Default)]
pub(super) struct Mirrors {
    all: Vec<Mirror>,
    /// What is left of those whose screens were taken away, in their order.
    parked: VecDeque<Parked>,
    /// For pictures that are no item's.
    look: (Fit, Rotation),
}

impl Mirrors {
    /// None yet; pictures that are no item's are shown like this.
    pub(super) fn new(look: (Fit, Rotation)) -> Self {
        Self { look, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn offer(&mut self, it: &Offered) {
        for mirror in &mut self.all {
            mirror.offer(it.clone());
        }
    }

    pub(super) fn show_still(&mut self, picture: &Picture) {
        for mirror in &mut self.all {
            mirror.show_still(picture, self.look);
        }
    }

    pub(super) fn forget(&mut self) {
        self.all.iter_mut().for_each(Mirror::forget);
    }

    pub(super) fn prefer_rate(&mut self, frames_per_second: f64) {
        self.all.iter_mut().for_each(|it| it.prefer_rate(frames_per_second));
    }

    pub(super) fn set_power(&mut self, on: bool) {
        self.all.iter_mut().for_each(|it| it.set_power(on));
    }

    pub(super) fn settle_stats(&mut self, late_starts: u64) {
        self.all.iter_mut().for_each(|it| it.settle_stats(late_starts));
    }

    /// Takes all their screens away.
    pub(super) fn detach(&mut self) {
        self.parked.extend(self.all.drain(..).map(Mirror::park));
    }

    /// What is left of one whose screen was taken away, by its place.
    pub(super) fn parked(&self, index: usize) -> Option<&Parked> {
        self.parked.get(index.checked_sub(self.all.len())?)
    }
}

impl Player {
    /// Shows the same on another screen. Its figures are its own; after `detach` they go on.
    pub fn mirror_on(&mut self, screen: Screen) {
        let parked = self.mirrors.parked.pop_front();
        let mut mirror = Mirror::new(screen);
        if let Some(it) = parked {
            mirror.take_up(it);
            if let Some(picture) = &self.on_screen {
                mirror.show_still(picture, self.look(None));
            }
            // Those that were taken off the decks while there was no mirror.
            self.ahead.iter().for_each(|it| mirror.offer(self.as_offered(it)));
        }
        self.mirrors.all.push(mirror);
    }

    /// The screens that show the same.
    pub fn mirrors(&self) -> &[Mirror] {
        &self.mirrors.all
    }

    /// A turn of every mirror, after a turn of the player's own.
    pub(super) fn lead_mirrors(&mut self, turn: Turn, over: bool) -> Turn {
        if self.mirrors.is_empty() || matches!(turn, Turn::Ended(_)) {
            return turn;
        }
        let lead = Lead {
            now: self.clock_now.now(),
            clock: &self.clock,
            paused: self.paused,
            over,
            heard: self.heard.heard.filter(|_| self.heard.trusted),
            real: &*self.env.real,
        };
        self.mirrors.all.iter_mut().fold(turn, |turn, it| turn.sooner(it.step(&lead)))
    }
}
