//! Frames whose memory is wanted back, as the player lets go of its own.
use crate::pipeline::player::freeze::{SOON, copy};
use crate::pipeline::player::mirror::{Lead, Mirror};
use crate::pipeline::player::picture::{Picture, move_home};

impl Mirror {
    /// Lets go of memory that is wanted back. Called at every turn.
    pub(super) fn let_go(&mut self, lead: &Lead<'_>) {
        let stands_still = lead.paused || lead.over || self.given_up;
        if stands_still {
            for it in &mut self.queue {
                if let Picture::Frame(frame) = &mut it.picture {
                    move_home(frame);
                }
            }
        }
        let is_followed = self.queue.front().is_some_and(|it| match lead.clock.mono_at(it.pts) {
            Some(due) => due <= lead.now + SOON,
            None => true,
        });
        let is_moving = self.flip.is_some() || self.drawn.is_some() || (is_followed && !stands_still);
        if let Some(it) = &mut self.on_screen
            && it.picture.is_wanted_back()
            && !is_moving
        {
            let screen = Some(&mut self.screen).filter(|_| self.sight.has_display());
            copy(lead.now, &mut it.picture, it.look, screen, &mut self.stats);
            self.redraw |= self.is_on_plane;
        }
        self.screen.interops.tidy();
    }
}
