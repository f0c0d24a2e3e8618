//! Deciding, drawing, committing, and what comes of a commit.
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::time::MonoTime;
use crate::logic::interop_policy::InteropGaveUp;
use crate::logic::lead::AFTER_VBLANK;
use crate::logic::playsync::{VblankQuery, Verdict};
use crate::logic::seams::Shown;
use crate::pipeline::player::ahead::Due;
use crate::pipeline::player::flip::{Drawn, Flip, FlipFrame};
use crate::pipeline::player::interop::Made;
use crate::pipeline::player::observer::PresentedFrame;
use crate::pipeline::player::{Ended, Pace, Player, Turn};
use crate::render::readback::{read_rgba, rgba_len};
use crate::seam::presenter::{Layer, PresentError};

/// A screen whose buffers are all on their way is asked again after this long: a fraction of any refresh.
const BUSY: Duration = Duration::from_millis(1);
/// Shown later than this counts as late.
const LATE: Duration = Duration::from_millis(50);

impl Player {
    /// A frame had its time and was not seen; the programme goes on as if it had been.
    fn pass_unseen(&mut self, now: MonoTime, vblank: MonoTime, frame: Option<FlipFrame>) {
        self.lose_sight();
        self.redraw = true;
        if let Some(it) = frame {
            self.sync.presented(it.pts, vblank);
            self.on_screen_pts = Some(it.pts);
            self.programme.unseen(now, it.deck, &mut self.stats);
        }
    }

    /// A commit became visible.
    pub(super) fn flipped(&mut self, now: MonoTime, flip: Flip, at: MonoTime) {
        let refresh = self.refresh();
        if let Some(vblank) = &mut self.vblank {
            vblank.observe(at);
        }
        if self.is_off {
            return self.flipped_unseen(now, &flip, at);
        }
        let Some(frame) = flip.frame else { return };
        if self.clock.is_running()
            && let Some(vblank) = &self.vblank
        {
            self.stats.missed(u64::from(vblank.missed(flip.wanted, at)));
        }
        self.sync.presented(frame.pts, at);
        let begun = *self.begun.get_or_insert(at);
        if self.presented == 0 {
            let real = self.env.real.now();
            self.stats.first_frame = Some(real.saturating_since(self.options.started));
        }
        if !self.clock.is_running() {
            self.first_shown.get_or_insert(at);
        }
        if let Some(due) = frame.due {
            let lag = at.saturating_since(due);
            self.stats.queued_lag.record(lag);
            self.stats.late_frames += u64::from(LATE < lag);
        }
        if self.heard.trusted
            && self.clock.is_running()
            && let Some((media, heard_at)) = self.heard.heard
        {
            let audible = media.offset_by(at.delta_nanos(heard_at));
            let offset = frame.pts.delta_nanos(audible);
            self.stats.av_offset.record_nanos_abs(offset);
            log::trace!("picture {} was {} us ahead of the sound", self.presented, offset / 1000);
        }
        let planned = self.programme.planned(&frame);
        let shown = Shown { deck: frame.deck, lap: frame.lap, pts: frame.pts, planned, at };
        self.seams.shown(shown, refresh);
        let index = self.presented;
        self.presented += 1;
        self.stats.frames_presented += 1;
        if frame.zero_copy {
            self.stats.zero_copy_frames += 1;
        } else {
            self.stats.software_frames += 1;
        }
        let Some(item) = self.programme.shown(now, &frame, &mut self.stats) else { return };
        self.observer.presented(PresentedFrame {
            index,
            item: item.input,
            lap: item.lap,
            pts: item.pts,
            presented: MonoTime::ZERO + at.saturating_since(begun),
            backend: frame.backend,
            zero_copy: frame.zero_copy,
            pixels: frame.pixels.map(|size| (self.pixels.as_slice(), size)),
        });
        self.start_clock(now);
    }

    pub(super) fn refresh(&self) -> Duration {
        let refresh = self.screen.as_ref().map(|it| it.presenter.mode().refresh);
        refresh.filter(|it| !it.is_zero()).unwrap_or(Duration::from_millis(16))
    }

    /// Decides for the next vblank.
    pub(super) fn show(&mut self, now: MonoTime) -> Turn {
        self.start_clock(now);
        let Some(screen) = &self.screen else {
            return Turn::Wait { until: None, starving: true };
        };
        if self.flip.is_some() {
            return Turn::Wait { until: screen.presenter.deadline(), starving: false };
        }
        let refresh = self.refresh();
        if let Some(drawn) = self.drawn.take() {
            return self.commit(now, refresh, drawn);
        }
        // A screen that fails is tried with the pictures that come; where none come, with the one that should be on it.
        let is_worth_it = self.visible || self.paused || self.ahead.is_empty();
        if self.redraw && self.connected && is_worth_it && self.on_screen.is_some() {
            self.redraw = false;
            let vblank = self.next_vblank(now);
            return self.draw_again(now, vblank);
        }
        if self.paused {
            return Turn::Wait { until: None, starving: true };
        }
        if self.first_shown.is_some() && !self.clock.is_running() {
            // The first picture is on the screen; its clock starts with the sound.
            return Turn::Wait { until: Some(now + Duration::from_millis(2)), starving: false };
        }
        if self.ahead.is_empty() {
            return self.show_nothing(now, refresh);
        }
        let vblank = self.next_vblank(now);
        let Some(media) = self.clock.media_at(vblank) else {
            return self.present_next(now, vblank);
        };
        let query = VblankQuery { vblank, media, refresh };
        match self.sync.decide(query, self.on_screen_pts, self.ahead.due()) {
            Verdict::Present { drop } => {
                if 0 < drop && matches!(self.options.pace, Pace::Realtime) {
                    // Asked again with what the decks have behind them: after a stall more has come due than is kept here.
                    self.discard(drop);
                    return Turn::Again;
                }
                self.present_next(now, vblank)
            }
            Verdict::Discard { count } => {
                self.discard(count);
                Turn::Again
            }
            Verdict::HoldUntil(at) => {
                let wake = self.cost.begin(at, refresh);
                let lead = now + Duration::from_nanos(1);
                // A frame far away may be overtaken by news: a jump, a pause, another clock.
                let until = wake.max(lead).min(now + Duration::from_millis(500));
                Turn::Wait { until: Some(until), starving: false }
            }
        }
    }

    fn next_vblank(&self, now: MonoTime) -> MonoTime {
        self.vblank.as_ref().map_or(now, |it| it.next_after(now + self.lead()))
    }

    /// How long before its vblank a picture must be begun.
    fn lead(&self) -> Duration {
        match self.options.pace {
            Pace::Realtime => self.cost.lead(self.refresh()),
            Pace::Fast(_) => Duration::ZERO,
        }
    }

    /// No frame is ready: either the programme waits for one, or the last picture has some time left.
    fn show_nothing(&mut self, now: MonoTime, refresh: Duration) -> Turn {
        if let Some(end) = self.programme.last_end()
            && let Some(at) = self.clock.mono_at(end)
        {
            // The last picture stays until it is over; then `tend` finishes or goes on.
            let until = at.max(now + refresh / 2);
            return Turn::Wait { until: Some(until), starving: self.programme.is_cueing() };
        }
        if let Some(picture) = self.programme.status_picture(now, self.on_screen.is_some()) {
            let vblank = self.next_vblank(now);
            self.seams.forget();
            self.forget_shown();
            self.on_screen = Some(picture);
            return self.draw_again(now, vblank);
        }
        let until = self.programme.deadline(now);
        Turn::Wait { until, starving: true }
    }

    /// Frames that will never be shown.
    fn discard(&mut self, count: usize) {
        for _ in 0..count {
            if self.ahead.pop().is_some() {
                self.stats.frames_dropped_stale += 1;
            }
        }
    }

    /// Shows the oldest frame.
    fn present_next(&mut self, now: MonoTime, vblank: MonoTime) -> Turn {
        let Some(Due { frame, pts, deck }) = self.ahead.pop() else { return Turn::Again };
        let described = FlipFrame {
            deck,
            lap: frame.lap,
            pts,
            due: self.clock.mono_at(pts),
            backend: "",
            zero_copy: false,
            pixels: None,
        };
        self.draw(now, vblank, frame, Some(described))
    }

    fn draw_again(&mut self, now: MonoTime, vblank: MonoTime) -> Turn {
        match self.on_screen.clone() {
            Some(frame) => self.draw(now, vblank, frame, None),
            None => Turn::Again,
        }
    }

    fn draw(&mut self, now: MonoTime, vblank: MonoTime, frame: VideoFrame, described: Option<FlipFrame>) -> Turn {
        let look = self.programme.look(described.as_ref().map(|it| it.deck));
        let (fit, rotation) = (look.0.unwrap_or(self.options.fit), look.1.unwrap_or(self.options.rotation));
        let Some(screen) = &mut self.screen else { return Turn::Again };
        let target = match screen.presenter.acquire(now) {
            Ok(Some(target)) => target,
            Ok(None) | Err(PresentError::Busy) => {
                // Every back buffer is on its way: the picture waits for the next turn.
                self.give_back(frame, described);
                return Turn::Wait { until: Some(now + BUSY), starving: false };
            }
            Err(error) => {
                log::debug!("{error}");
                self.on_screen = Some(frame);
                self.pass_unseen(now, vblank, described);
                return Turn::Wait { until: Some(now + self.refresh()), starving: false };
            }
        };
        let real = &self.env.real;
        let started = real.now();
        let size = target.size;
        let renderable = match screen.interops.make(&frame, &mut self.stats) {
            Made::Ready(renderable) => renderable,
            // The picture before it stays.
            Made::Lost => return Turn::Again,
            Made::Again(fallback) => {
                self.fell_back(fallback);
                self.give_back(frame, described);
                return Turn::Again;
            }
            Made::GaveUp(why @ InteropGaveUp::LastResort { .. }) => {
                match described {
                    Some(it) => self.programme.give_up(it.deck, &why.to_string()),
                    None => log::warn!("cannot draw the picture again: {why}"),
                }
                return Turn::Again;
            }
            Made::GaveUp(why) => {
                log::error!("{why}");
                self.over = Some(Ended::GaveUp);
                return Turn::Again;
            }
        };
        let uploaded = real.now();
        let backend = screen.interops.current();
        let composed = screen.compositor.compose(&target, Some((&renderable, fit, rotation)));
        let mut described = described;
        if let Some(it) = &mut described {
            it.backend = backend;
            it.zero_copy = renderable.zero_copy;
            if self.observer.wants_pixels(self.presented) {
                self.pixels.resize(rgba_len(size), 0);
                match read_rgba(screen.compositor.gl(), &target, &mut self.pixels) {
                    Ok(()) => it.pixels = Some(size),
                    Err(error) => log::warn!("cannot read the picture back: {error}"),
                }
            }
        }
        screen.interops.release(renderable);
        if let Err(error) = composed {
            log::warn!("cannot draw: {error}");
        }
        let drawn = real.now();
        let zero_copy = described.as_ref().is_some_and(|it| it.zero_copy);
        let upload = if zero_copy { &mut self.stats.import } else { &mut self.stats.upload };
        upload.record(uploaded.saturating_since(started));
        self.stats.draw.record(drawn.saturating_since(uploaded));
        let cost = drawn.saturating_since(started);
        self.drawn = Some(Drawn { target, vblank, frame: described, picture: frame, cost });
        Turn::Again
    }

    /// Commits a drawn picture, but not so early that it would be seen a vblank before its time.
    fn commit(&mut self, now: MonoTime, refresh: Duration, drawn: Drawn) -> Turn {
        let not_before = (drawn.vblank + AFTER_VBLANK / 2) - refresh;
        if now < not_before {
            self.drawn = Some(drawn);
            return Turn::Wait { until: Some(not_before), starving: false };
        }
        let Some(screen) = &mut self.screen else { return Turn::Again };
        let Drawn { target, vblank, frame, picture, cost } = drawn;
        let started = self.env.real.now();
        let committed = screen.presenter.present(now, Layer::Composed(target));
        let present = self.env.real.now().saturating_since(started);
        self.stats.present.record(present);
        self.cost.spent(cost + present);
        match committed {
            Ok(id) => {
                self.regain_sight();
                self.redraw = false;
                if let Some(it) = &frame {
                    self.sync.presented(it.pts, vblank);
                    self.on_screen_pts = Some(it.pts);
                }
                self.on_screen = Some(picture);
                self.flip = Some(Flip { id, wanted: vblank, frame });
            }
            Err(PresentError::Busy) => {
                self.give_back(picture, frame);
                return Turn::Wait { until: Some(now + BUSY), starving: false };
            }
            Err(error) => {
                log::warn!("{error}; the picture before it stays");
                self.on_screen = Some(picture);
                self.pass_unseen(now, vblank, frame);
            }
        }
        Turn::Again
    }

    /// A frame that could not be drawn yet goes back to the front.
    pub(super) fn give_back(&mut self, frame: VideoFrame, described: Option<FlipFrame>) {
        match described {
            Some(it) => self.ahead.push_front(Due { frame, pts: it.pts, deck: it.deck }),
            None => self.redraw = true,
        }
    }
}
