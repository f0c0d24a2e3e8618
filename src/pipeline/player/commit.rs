//! Drawing a picture, committing it, and what is done when either does not work.
use crate::base::time::MonoTime;
use crate::logic::interop_policy::InteropGaveUp;
use crate::pipeline::player::ahead::Due;
use crate::pipeline::player::drawing::{BUSY, Look, Painted, earliest_commit};
use crate::pipeline::player::flip::{Drawn, Flip, FlipFrame};
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::{Ended, Player, Turn};
use crate::seam::presenter::{Layer, PresentError};

impl Player {
    pub(super) fn draw_again(&mut self, now: MonoTime) -> Turn {
        self.redraw = false;
        let vblank = self.next_vblank(now);
        match self.on_screen.clone() {
            Some(picture) => self.draw(now, vblank, picture, None),
            None => Turn::Again,
        }
    }

    pub(super) fn draw(
        &mut self,
        now: MonoTime,
        vblank: MonoTime,
        picture: Picture,
        mut described: Option<FlipFrame>,
    ) -> Turn {
        let look = self.look(described.as_ref().map(|it| it.deck));
        let index = self.presented;
        let Some(screen) = &mut self.screen else { return Turn::Again };
        // A status picture is none of the programme's frames: however the user wants those shown.
        let mut drawn = described.is_none() && picture.is_ours();
        // The screen's own answers cost nothing; what has to be read back has to be drawn.
        if let Some(it) = &mut described {
            let (picture, pixels) = (self.observer.wants_picture(index), self.observer.wants_pixels(index));
            it.captured = picture && screen.presenter.capture_next();
            it.checked = self.observer.wants_checksum(index) && screen.presenter.check_next();
            drawn = (pixels && !it.checked) || (picture && !it.captured);
        }
        match screen.paint(now, &*self.env.real, &picture, Look { look, drawn }, &mut self.stats) {
            Painted::Done { layer, way, zero_copy, cost } => {
                if let Some(it) = &mut described {
                    (it.backend, it.zero_copy) = (way.map_or("", |it| it.name), zero_copy);
                    if let Layer::Composed(target) = &layer
                        && drawn
                        && screen.read_back(target, &mut self.pixels)
                    {
                        it.pixels = Some(target.size);
                    }
                }
                self.drawn = Some(Drawn { layer, way, vblank, frame: described, picture, cost });
            }
            Painted::Busy => {
                // The picture waits for the next turn.
                self.give_back(picture, described);
                return Turn::Wait { until: Some(now + BUSY), starving: false };
            }
            Painted::Refused(error) => {
                self.on_screen = Some(picture);
                self.refused(now, vblank, described, &error);
                return Turn::Wait { until: Some(now + self.refresh()), starving: false };
            }
            Painted::Lost => {}
            Painted::GaveUp(why @ InteropGaveUp::LastResort { .. }) => match described {
                Some(it) => self.programme.give_up(it.deck, &why.to_string()),
                None => log::warn!("cannot draw the picture again: {why}"),
            },
            Painted::GaveUp(why) => {
                log::debug!("{why}");
                self.gave_up = Some(why.to_string());
                self.over = Some(Ended::GaveUp);
            }
        }
        Turn::Again
    }

    /// Commits a drawn picture, but not so early that it would be seen a vblank before its time.
    pub(super) fn commit(&mut self, now: MonoTime, drawn: Drawn) -> Turn {
        let not_before = earliest_commit(drawn.vblank, self.refresh());
        if now < not_before {
            self.drawn = Some(drawn);
            return Turn::Wait { until: Some(not_before), starving: false };
        }
        let Some(screen) = &mut self.screen else { return Turn::Again };
        let Drawn { layer, way, vblank, frame, picture, cost } = drawn;
        let is_plane = matches!(layer, Layer::Plane(_));
        let started = self.env.real.now();
        let committed = screen.presenter.present(now, layer);
        let present = self.env.real.now().saturating_since(started);
        self.stats.present.record(present);
        self.cost.spent(cost + present);
        match (committed, way) {
            (Ok(id), way) => {
                if let Some(way) = way {
                    screen.interops.seen(way);
                }
                self.redraw = false;
                if let Some(it) = &frame {
                    self.sync.presented(it.pts, vblank);
                    self.on_screen_pts = Some(it.pts);
                }
                let is_freeze = self.is_on_plane && matches!(picture, Picture::Kept(_));
                self.stats.freeze_frames += u64::from(is_freeze);
                self.is_on_plane = is_plane;
                self.on_screen = Some(picture);
                self.flip = Some(Flip { id, wanted: vblank, frame });
            }
            (Err(PresentError::Busy), _) => {
                self.give_back(picture, frame);
                return Turn::Wait { until: Some(now + BUSY), starving: false };
            }
            (Err(error @ PresentError::PlaneRefused { .. }), Some(way)) => {
                self.stats.submit_failed += 1;
                let came_late = picture.is_wanted_back();
                screen.interops.refused(way, &error.to_string(), came_late, now);
                // By the next way, and for the same vblank; there are only so many ways.
                let turn = self.draw(now, vblank, picture, frame);
                return match self.drawn.take() {
                    Some(drawn) => self.commit(now, drawn),
                    None => turn,
                };
            }
            (Err(error), _) => {
                self.on_screen = Some(picture);
                self.refused(now, vblank, frame, &error);
            }
        }
        Turn::Again
    }

    /// A frame that could not be drawn yet goes back to the front.
    pub(super) fn give_back(&mut self, picture: Picture, described: Option<FlipFrame>) {
        match (described, picture) {
            (Some(it), Picture::Frame(frame)) => self.ahead.push_front(Due { frame, pts: it.pts, deck: it.deck }),
            _ => self.redraw = true,
        }
    }
}
