//! What the screen says, and what its user wants.
use crate::base::time::MonoTime;
use crate::logic::sight::Loss;
use crate::logic::vblank::VblankClock;
use crate::pipeline::player::Player;
use crate::seam::presenter::{PresentEvent, UserInput};

impl Player {
    /// Hears what the screen has to say.
    pub(super) fn screen_events(&mut self, now: MonoTime) {
        // The bound is against a screen that never stops talking.
        for _ in 0..64 {
            let Some(screen) = &mut self.screen else { return };
            match screen.presenter.poll(now) {
                Ok(Some(PresentEvent::Presented { id, at, .. })) => {
                    if self.flip.as_ref().is_some_and(|it| it.id <= id)
                        && let Some(flip) = self.flip.take()
                    {
                        self.flipped(now, flip, at);
                    }
                }
                Ok(Some(PresentEvent::ModeChanged(mode))) => {
                    // What shows now has chosen its mode anew, and is to be told again what for.
                    self.rate_told &= self.sight.has_display();
                    self.sight.connected();
                    screen.interops.forget_configurations();
                    self.redraw = true;
                    self.draw_anew();
                    self.vblank = Some(VblankClock::new(mode.refresh));
                }
                Ok(Some(PresentEvent::Disconnected)) => self.disconnected(now),
                Ok(Some(PresentEvent::Input(input))) => self.user(now, input),
                Ok(Some(PresentEvent::Captured { id })) => {
                    if let Some((index, size)) = self.captures.take(id, screen.presenter.as_mut()) {
                        self.observer.captured(index, self.captures.pixels(), size);
                    }
                }
                Ok(Some(PresentEvent::Checked { id, checksum })) => {
                    if let Some(index) = self.captures.checked(id) {
                        self.observer.checked(index, checksum);
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    log::warn!("{error}");
                    return;
                }
            }
        }
    }

    pub(super) fn disconnected(&mut self, now: MonoTime) {
        let loss = self.sight.disconnected();
        self.stats.display_lost += u64::from(loss == Loss::Lost);
        self.tell_loss(loss);
        self.captures.clear();
        self.draw_anew();
        // Nobody will tell of this flip any more.
        if let Some(frame) = self.flip.take().and_then(|it| it.frame) {
            self.went_unseen(now, frame.deck);
        }
    }

    fn tell_loss(&self, loss: Loss) {
        if let Some(screen) = &self.screen {
            screen.tell_loss(loss);
        }
    }

    fn user(&mut self, now: MonoTime, input: UserInput) {
        match input {
            UserInput::Quit => self.asked_to_stop = true,
            UserInput::TogglePause => {
                self.paused = !self.paused;
                if self.paused {
                    self.clock.pause(now);
                } else {
                    self.clock.resume(now);
                }
            }
            UserInput::Next | UserInput::Previous => self.jump_asked = Some(input == UserInput::Next),
            UserInput::ToggleFullscreen => {
                self.fullscreen = !self.fullscreen;
                if let Some(screen) = &mut self.screen {
                    screen.presenter.set_fullscreen(self.fullscreen);
                }
            }
        }
    }

    /// Leaves the item for another one; what was on the screen stays until that is ready.
    pub(super) fn jump_if_asked(&mut self, now: MonoTime) {
        if self.flip.is_some() {
            return;
        }
        let Some(forward) = self.jump_asked.take() else { return };
        self.ahead.clear();
        self.drawn = None;
        self.forget_shown();
        self.seams.forget();
        self.mirrors.forget();
        if self.paused {
            self.paused = false;
            self.clock.resume(now);
        }
        self.programme.jump(now, forward, &mut self.stats);
        let mut programme = self.board.programme();
        programme.flushes = programme.flushes.wrapping_add(1);
    }

    /// What comes next does not follow what is on the screen: it is due at once.
    pub(super) fn forget_shown(&mut self) {
        self.sync.reset();
        self.on_screen_pts = None;
        if !self.clock.is_running() {
            // The clock starts with the next picture instead.
            self.first_shown = None;
        }
    }

    /// A picture that is drawn but not committed was drawn for a screen that is another one now.
    fn draw_anew(&mut self) {
        if let Some(it) = self.drawn.take() {
            self.give_back(it.picture, it.frame);
        }
    }
}
