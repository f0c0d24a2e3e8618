//! A display that is switched off on purpose. It keeps its place, the programme goes on and is heard, nobody sees it.
use crate::base::time::MonoTime;
use crate::pipeline::player::Player;
use crate::pipeline::player::flip::Flip;

impl Player {
    /// Switches the display off, or on again. A screen that cannot be switched stays as it is; the log says so.
    pub fn set_power(&mut self, on: bool) {
        let Some(screen) = &mut self.screen else { return };
        if let Err(error) = screen.presenter.set_power(on) {
            let advice = error.advice().map(|it| format!("; {it}")).unwrap_or_default();
            log::warn!("cannot switch the display {}: {error}{advice}", if on { "on" } else { "off" });
            return;
        }
        log::info!("{}: the display is switched {}", screen.presenter.output(), if on { "on" } else { "off" });
        let was_off = std::mem::replace(&mut self.is_off, !on);
        let now = self.clock_now.now();
        // What was on its way while nobody could see need not be told of any more.
        if was_off
            && on
            && let Some(flip) = self.flip.take()
        {
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
        self.seams.forget();
        self.programme.unseen(now, frame.deck, &mut self.stats);
        self.start_clock(now);
    }
}
