//! Committing what a mirror has drawn, and what is done when that does not work.
use crate::base::time::MonoTime;
use crate::logic::seams::Shown;
use crate::pipeline::player::Turn;
use crate::pipeline::player::drawing::{BUSY, earliest_commit};
use crate::pipeline::player::mirror::{Drawn, Flip, KEPT, Lead, Mirror, Offered};
use crate::pipeline::player::picture::Picture;
use crate::seam::presenter::{Layer, PresentError};

impl Mirror {
    /// Commits a drawn picture, but not so early that it would be seen a vblank before its time.
    pub(super) fn commit(&mut self, lead: &Lead<'_>, drawn: Drawn) -> Turn {
        let now = lead.now;
        let not_before = earliest_commit(drawn.vblank, self.screen.refresh());
        if now < not_before {
            self.drawn = Some(drawn);
            return Turn::Wait { until: Some(not_before), starving: false };
        }
        let Drawn { layer, way, zero_copy, vblank, picture, is_new, cost } = drawn;
        let is_plane = matches!(layer, Layer::Plane(_));
        let started = lead.real.now();
        let committed = self.screen.presenter.present(now, layer);
        let present = lead.real.now().saturating_since(started);
        self.stats.present.record(present);
        self.cost.spent(cost + present);
        match (committed, way) {
            (Ok(id), _) => {
                if let Some(way) = way {
                    self.screen.interops.seen(way);
                }
                self.redraw = false;
                let is_freeze = self.is_on_plane && matches!(picture.picture, Picture::Kept(_));
                self.stats.freeze_frames += u64::from(is_freeze);
                self.is_on_plane = is_plane;
                let (deck, lap) = (picture.deck, picture.lap);
                let (pts, planned) = (picture.pts, picture.planned);
                let shows = is_new.then_some(Shown { deck, lap, pts, planned, at: vblank });
                self.now_showing(vblank, picture, is_new);
                self.flip = Some(Flip { id, wanted: vblank, shows, way, zero_copy });
                Turn::Again
            }
            (Err(PresentError::Busy), _) => {
                self.give_back(picture, is_new);
                Turn::Wait { until: Some(now + BUSY), starving: false }
            }
            (Err(error @ PresentError::PlaneRefused { .. }), Some(way)) => {
                self.stats.submit_failed += 1;
                let came_late = picture.picture.is_wanted_back();
                self.screen.interops.refused(way, &error.to_string(), came_late, now);
                // By the next way, and for the same vblank; there are only so many ways.
                let turn = self.draw(lead, vblank, picture, is_new);
                match self.drawn.take() {
                    Some(drawn) => self.commit(lead, drawn),
                    None => turn,
                }
            }
            (Err(error), _) => self.refused(now, vblank, picture, is_new, &error),
        }
    }

    pub(super) fn refused(
        &mut self,
        now: MonoTime,
        vblank: MonoTime,
        it: Offered,
        is_new: bool,
        why: &PresentError,
    ) -> Turn {
        self.screen.tell_refusal(&self.sight, why);
        self.stats.display_lost += u64::from(self.sight.refused());
        self.pass_unseen(vblank, it, is_new);
        Turn::Wait { until: Some(now + self.screen.refresh()), starving: false }
    }

    pub(super) fn pass_unseen(&mut self, vblank: MonoTime, it: Offered, is_new: bool) {
        self.redraw = true;
        if is_new {
            self.stats.frames_unseen += 1;
            self.seams.forget();
        }
        self.now_showing(vblank, it, is_new);
    }

    fn now_showing(&mut self, vblank: MonoTime, it: Offered, is_new: bool) {
        if is_new {
            self.sync.presented(it.pts, vblank);
            self.on_screen_pts = Some(it.pts);
        }
        self.on_screen = Some(it);
    }

    pub(super) fn give_back(&mut self, it: Offered, is_new: bool) {
        if is_new && self.queue.len() < KEPT {
            self.queue.push_front(it);
        } else if is_new {
            self.sync.discarded(it.pts);
            self.count_dropped(it.pts, None);
        } else {
            self.redraw = true;
        }
    }
}
