//! A display that is switched off on purpose. It keeps its place, the programme goes on and is heard, nobody sees it.
use crate::base::time::MonoTime;
use crate::logic::sight::Sight;
use crate::pipeline::player::Player;
use crate::pipeline::player::flip::Flip;
use crate::pipeline::player::screen::Screen;

impl Player {
    /// Switches its displays off, or on again. A screen that cannot be switched stays as it is; the log says so.
    pub fn set_power(&mut self, on: bool) {
        self.mirrors.set_power(on);
        let Some(screen) = &mut self.screen else { return self.sight.switched(on) };
        let was_off = self.sight.is_off();
        if !screen.switch(on, &mut self.sight) {
            return;
        }
        // What was on its way while nobody could see need not be told of any more.
        if was_off
            && on
            && let Some(flip) = self.flip.take()
        {
            let now = self.clock_now.now();
            self.flipped_unseen(now, &flip, now);
        }
        // What was shown last has been overtaken by what nobody saw.
        self.redraw |= on;
    }

    /// A picture had its time on a display that is off.
    pub(super) fn flipped_unseen(&mut self, now: MonoTime, flip: &Flip, at: MonoTime) {
        let Some(frame) = &flip.frame else { return };
        self.sync.presented(frame.pts, at);
        self.begun.get_or_insert(at);
        if !self.clock.is_running() {
            self.first_shown.get_or_insert(at);
        }
        self.went_unseen(now, frame.deck);
        self.start_clock(now);
    }
}

impl Screen {
    /// Switches the display. `false` where that cannot be done, with a line in the log.
    pub(super) fn switch(&mut self, on: bool, sight: &mut Sight) -> bool {
        let word = if on { "on" } else { "off" };
        if let Err(error) = self.presenter.set_power(on) {
            let advice = error.advice().map(|it| format!("; {it}")).unwrap_or_default();
            log::warn!("cannot switch the display {word}: {error}{advice}");
            return false;
        }
        log::info!("{}: the display is switched {word}", self.presenter.output());
        sight.switched(on);
        true
    }
}
