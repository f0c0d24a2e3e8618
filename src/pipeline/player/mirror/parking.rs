//! A mirror between two screens.
use crate::base::stats::PlayStats;
use crate::logic::seams::Seams;
use crate::logic::sight::Sight;
use crate::pipeline::player::mirror::Mirror;

/// What is left of a mirror whose screen was taken away. Its figures stand still.
#[derive(Debug)]
pub struct Parked {
    /// Its output's name.
    pub(in crate::pipeline::player) name: String,
    /// What it counted.
    pub(in crate::pipeline::player) stats: PlayStats,
    sight: Sight,
    seams: Seams,
    rate: Option<f64>,
}

impl Mirror {
    /// Gives up its screen.
    pub(in crate::pipeline::player) fn park(mut self) -> Parked {
        self.disconnected();
        // A copy that the GPU keeps goes before its context.
        (self.drawn, self.on_screen) = (None, None);
        let name = self.screen.presenter.output().to_owned();
        Parked { name, stats: self.stats, sight: self.sight, seams: self.seams, rate: self.rate }
    }

    /// Goes on where one without a screen was. Should this one have no display, it says so first of all.
    pub(in crate::pipeline::player) fn take_up(&mut self, parked: Parked) {
        (self.stats, self.sight, self.seams, self.rate) = (parked.stats, parked.sight, parked.seams, parked.rate);
        self.sight.connected();
        if let Some(rate) = self.rate {
            self.screen.presenter.prefer_rate(rate);
        }
        if self.sight.is_off() {
            self.screen.switch(false, &mut self.sight);
        }
    }
}
