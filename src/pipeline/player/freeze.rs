//! Frames whose memory is wanted back: a decoder's pool goes when the picture's size changes, or when the decoder does.
//!
//! What is still to be shown is shown first; it is a few frames. Then the last of them is on the screen, and nothing
//! follows before its memory is home. The GPU copies it; where the display controller reads the frame itself, the copy
//! takes its place on the screen as well (the *freeze frame*).
use std::rc::Rc;
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::PlayStats;
use crate::base::time::MonoTime;
use crate::pipeline::player::Player;
use crate::pipeline::player::picture::{Picture, move_home};
use crate::pipeline::player::screen::Screen;
use crate::render::Kept;

/// What is due within this takes the place of what is on the screen soon enough: a decoder waits longer than that.
pub(super) const SOON: Duration = Duration::from_millis(100);

impl Player {
    /// Lets go of memory that is wanted back. Called at every turn.
    pub(super) fn let_go(&mut self, now: MonoTime) {
        let stands_still = self.paused || self.over.is_some();
        if stands_still {
            self.ahead.iter_mut().for_each(|it| move_home(&mut it.frame));
        }
        let is_followed = self.ahead.iter().next().is_some_and(|it| match self.clock.mono_at(it.pts) {
            Some(due) => due <= now + SOON,
            None => true,
        });
        let is_wanted_back = self.on_screen.as_ref().is_some_and(Picture::is_wanted_back);
        let is_moving = self.flip.is_some() || self.drawn.is_some() || (is_followed && !stands_still);
        if is_wanted_back && !is_moving {
            let look = self.look(None);
            let screen = self.screen.as_mut().filter(|_| self.sight.has_display());
            if let Some(picture) = &mut self.on_screen {
                copy(now, picture, look, screen, &mut self.stats);
                self.redraw |= self.is_on_plane;
            }
        }
        if let Some(screen) = &mut self.screen {
            screen.interops.tidy();
        }
    }

    /// The screen goes, and its GL context: what it keeps is brought into ordinary memory.
    pub(super) fn leave_gpu(&mut self) {
        if let (Some(Picture::Kept(kept)), Some(screen)) = (&self.on_screen, &self.screen) {
            self.on_screen = screen.fetch(kept).map(Picture::Frame);
        }
    }
}

impl Screen {
    /// The same picture in ordinary memory.
    fn fetch(&self, kept: &Kept) -> Option<VideoFrame> {
        let read = self.compositor.read_kept(kept);
        read.inspect_err(|error| log::warn!("the picture on the screen is lost: {error}")).ok()
    }
}

/// Copies a picture whose memory is wanted back: by the GPU where there is a `screen`, else by the CPU.
pub(super) fn copy(
    now: MonoTime,
    picture: &mut Picture,
    look: (Fit, Rotation),
    screen: Option<&mut Screen>,
    stats: &mut PlayStats,
) {
    let Picture::Frame(frame) = picture else { return };
    match screen.and_then(|it| it.keep(now, frame, look, stats)) {
        Some(kept) => *picture = Picture::Kept(Rc::new(kept)),
        None => move_home(frame),
    }
}
