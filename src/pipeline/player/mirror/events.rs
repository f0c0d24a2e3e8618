//! What a mirror's screen says.
use crate::base::time::MonoTime;
use crate::logic::seams::Shown;
use crate::logic::sight::Loss;
use crate::logic::vblank::VblankClock;
use crate::pipeline::player::mirror::{Flip, Lead, Mirror};
use crate::seam::presenter::PresentEvent;

impl Mirror {
    pub(super) fn screen_events(&mut self, lead: &Lead<'_>) {
        // The bound is against a screen that never stops talking.
        for _ in 0..64 {
            match self.screen.presenter.poll(lead.now) {
                Ok(Some(PresentEvent::Presented { id, at, .. })) => {
                    if self.flip.as_ref().is_some_and(|it| it.id <= id)
                        && let Some(flip) = self.flip.take()
                    {
                        self.flipped(lead, &flip, at);
                    }
                }
                Ok(Some(PresentEvent::ModeChanged(mode))) => {
                    if !self.sight.has_display()
                        && let Some(rate) = self.rate
                    {
                        self.screen.presenter.prefer_rate(rate);
                    }
                    self.sight.connected();
                    self.screen.interops.forget_configurations();
                    self.redraw = true;
                    self.draw_anew();
                    self.vblank = VblankClock::new(mode.refresh);
                }
                Ok(Some(PresentEvent::Disconnected)) => self.disconnected(),
                // A mirror asks for no captures and no checksums, and takes no orders.
                Ok(Some(PresentEvent::Captured { .. } | PresentEvent::Checked { .. } | PresentEvent::Input(_))) => {}
                Ok(None) => return,
                Err(error) => {
                    log::warn!("{error}");
                    return;
                }
            }
        }
    }

    /// A commit became visible.
    fn flipped(&mut self, lead: &Lead<'_>, flip: &Flip, at: MonoTime) {
        self.vblank.observe(at);
        if self.sight.is_off() {
            let Some(shown) = flip.shows else { return };
            self.sync.presented(shown.pts, at);
            self.stats.frames_unseen += 1;
            return self.seams.forget();
        }
        let was_clear = self.sight.is_clear();
        self.stats.display_regained += u64::from(self.sight.flipped());
        if !was_clear {
            self.in_sight_since = Some(at);
        }
        let Some(shown) = flip.shows else { return };
        self.sync.presented(shown.pts, at);
        self.seams.shown(Shown { at, ..shown }, self.screen.refresh());
        self.stats.frames_presented += 1;
        let ways = self.screen.interops.reason();
        self.stats.shown_by(flip.way.map_or("", |it| it.name), flip.zero_copy, ways);
        if !was_clear || !lead.clock.is_running() {
            return;
        }
        self.stats.missed(u64::from(self.vblank.missed(flip.wanted, at)));
        if let Some((media, heard_at)) = lead.heard {
            let audible = media.offset_by(at.delta_nanos(heard_at));
            self.stats.av_offset.record_nanos_abs(shown.pts.delta_nanos(audible));
        }
    }

    pub(super) fn disconnected(&mut self) {
        let loss = self.sight.disconnected();
        self.stats.display_lost += u64::from(loss == Loss::Lost);
        self.screen.tell_loss(loss);
        self.draw_anew();
        // Nobody will tell of this flip any more.
        if self.flip.take().is_some_and(|it| it.shows.is_some()) {
            self.stats.frames_unseen += 1;
            self.seams.forget();
        }
    }

    /// A picture that is drawn but not committed was drawn for a screen that is another one now.
    fn draw_anew(&mut self) {
        if let Some(it) = self.drawn.take() {
            self.give_back(it.picture, it.is_new);
        }
    }
}
