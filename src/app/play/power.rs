//! The display's power: a screen, and the television behind it, switched together.
use std::sync::Arc;

use crate::app::cli::CecChoice;
use crate::pipeline::player::Player;
use crate::platform::{Platform, StopSignals};
use crate::seam::television::Televisions;

/// Switches displays when a signal says so, and the televisions on when there is something to see.
pub struct Power {
    signals: StopSignals,
    televisions: Option<Box<dyn Televisions>>,
    /// The televisions were told of the first picture, or the operator was faster.
    told: bool,
}

impl std::fmt::Debug for Power {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Power").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Power {
    /// With televisions, where `choice` wants them on a display of this kind and there are any.
    pub fn open(signals: StopSignals, choice: Option<CecChoice>, display: &str, platform: &Platform) -> Self {
        let usual = if display == "kms" { CecChoice::Auto } else { CecChoice::Off };
        let televisions = match choice.unwrap_or(usual) {
            CecChoice::Off => None,
            CecChoice::Auto => (platform.televisions)(Arc::clone(&platform.clock)).unwrap_or_else(|error| {
                log::warn!("cannot talk to the television: {error}; playing on without");
                None
            }),
        };
        Self { signals, televisions, told: false }
    }

    /// Between turns.
    pub fn tick(&mut self, players: &mut [Player]) {
        if let Some(on) = self.signals.take_power() {
            self.told = true;
            players.iter_mut().for_each(|it| it.set_power(on));
            self.tell(on);
        }
        if !self.told && players.iter().any(|it| 0 < it.frames_presented()) {
            self.told = true;
            self.tell(true);
        }
    }

    fn tell(&self, on: bool) {
        if let Some(it) = &self.televisions {
            it.switch(on);
        }
    }
}
