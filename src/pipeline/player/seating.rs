//! Which screens a player shows on: given to it, and taken away when what they stand on is gone.
use crate::base::stats::{OutputReport, PlayStats};
use crate::logic::vblank::VblankClock;
use crate::pipeline::player::Player;
use crate::pipeline::player::mirror::Mirror;
use crate::pipeline::player::screen::Screen;
use crate::seam::presenter::DisplayMode;

impl Player {
    /// Gives it the screen to show on; after `detach`, one in the place of that it had.
    pub fn attach(&mut self, screen: Screen) {
        self.stats.missed_vblanks = self.stats.missed_vblanks.or(screen.counts_vblanks().then_some(0));
        self.vblank = Some(VblankClock::new(screen.presenter.mode().refresh));
        if !self.sight.has_display() {
            // Should it have no display either, it says so first of all.
            self.sight.connected();
            self.rate_told = false;
            self.redraw = true;
        }
        let screen = self.screen.insert(screen);
        if self.sight.is_off() {
            screen.switch(false, &mut self.sight);
        }
    }

    /// Takes its screens away, and all they hold. It plays on unseen, and keeps its place, until `attach` and `mirror_on`
    /// give it others.
    pub fn detach(&mut self) {
        let now = self.now();
        // What the display showed before it went is counted.
        self.screen_events(now);
        self.disconnected(now);
        self.leave_gpu();
        self.is_on_plane = false;
        if let Some(screen) = self.screen.take() {
            screen.presenter.output().clone_into(&mut self.output);
        }
        self.mirrors.detach();
    }

    /// What a screen of its stands on is gone for good: time for `detach`.
    pub fn is_unseated(&self) -> bool {
        self.screens().any(|it| it.presenter.is_gone())
    }

    /// The screen it was given.
    pub fn screen(&mut self) -> Option<&mut Screen> {
        self.screen.as_mut()
    }

    /// The figures of its own screen; `None` where it never had one.
    pub fn own_output(&self) -> Option<OutputReport> {
        let name = self.screen.as_ref().map_or(self.output.as_str(), |it| it.presenter.output());
        (!name.is_empty()).then(|| output(&self.stats, name, self.mode()))
    }

    /// The figures of a mirror, by its place.
    pub fn mirror_output(&self, index: usize) -> Option<OutputReport> {
        match (self.mirrors().get(index), self.mirrors.parked(index)) {
            (Some(it), _) => Some(output(it.stats(), it.screen().presenter.output(), it.mode())),
            (None, Some(it)) => Some(output(&it.stats, &it.name, None)),
            (None, None) => None,
        }
    }

    pub(super) fn screens(&self) -> impl Iterator<Item = &Screen> {
        self.screen.iter().chain(self.mirrors().iter().map(Mirror::screen))
    }
}

fn output(stats: &PlayStats, name: &str, mode: Option<DisplayMode>) -> OutputReport {
    stats.output(name, mode.map(|it| (it.size, it.refresh)))
}
