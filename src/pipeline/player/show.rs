//! Deciding, drawing, committing, and what comes of a commit.
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::logic::playsync::{VblankQuery, Verdict};
use crate::logic::seams::Shown;
use crate::pipeline::player::ahead::Due;
use crate::pipeline::player::drawing::wake_for;
use crate::pipeline::player::flip::{Flip, FlipFrame};
use crate::pipeline::player::observer::PresentedFrame;
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::run::earlier;
use crate::pipeline::player::screen::Screen;
use crate::pipeline::player::{Pace, Player, Turn};
use crate::seam::presenter::PresentError;

/// Shown later than this counts as late.
const LATE: Duration = Duration::from_millis(50);

impl Player {
    /// The screen takes no pictures: a frame had its time and was not seen.
    pub(super) fn refused(&mut self, now: MonoTime, vblank: MonoTime, frame: Option<FlipFrame>, why: &PresentError) {
        if let Some(screen) = &self.screen {
            screen.tell_refusal(&self.sight, why);
        }
        self.stats.display_lost += u64::from(self.sight.refused());
        self.pass_unseen(now, vblank, frame);
    }

    /// A frame had its time and was not seen; the programme goes on as if it had been.
    fn pass_unseen(&mut self, now: MonoTime, vblank: MonoTime, frame: Option<FlipFrame>) {
        self.redraw = true;
        let Some(frame) = frame else { return };
        self.sync.presented(frame.pts, vblank);
        self.on_screen_pts = Some(frame.pts);
        self.begun.get_or_insert(vblank);
        if !self.clock.is_running() {
            self.first_shown.get_or_insert(vblank);
        }
        self.went_unseen(now, frame.deck);
    }

    /// Counts a frame that nobody saw as what it is. What follows it on the screen follows nothing.
    pub(super) fn went_unseen(&mut self, now: MonoTime, deck: u64) {
        self.stats.frames_unseen += 1;
        self.seams.forget();
        self.programme.unseen(now, deck, &mut self.stats);
    }

    /// A commit became visible.
    pub(super) fn flipped(&mut self, now: MonoTime, flip: Flip, at: MonoTime) {
        let refresh = self.refresh();
        if let Some(vblank) = &mut self.vblank {
            vblank.observe(at);
        }
        if self.sight.is_off() {
            return self.flipped_unseen(now, &flip, at);
        }
        let was_clear = self.sight.is_clear();
        if self.sight.flipped() {
            self.stats.display_regained += 1;
        }
        if !was_clear {
            self.in_sight_since = Some(at);
        }
        let Some(frame) = flip.frame else { return };
        if was_clear
            && self.clock.is_running()
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
        if let Some(due) = frame.due.filter(|_| was_clear) {
            let lag = at.saturating_since(due);
            self.stats.queued_lag.record(lag);
            self.stats.late_frames += u64::from(LATE < lag);
        }
        if was_clear
            && self.heard.trusted
            && self.clock.is_running()
            && let Some((media, heard_at)) = self.heard.heard
        {
            let audible = media.offset_by(at.delta_nanos(heard_at));
            let offset = frame.pts.delta_nanos(audible);
            self.stats.av_offset.record_nanos_abs(offset);
            log::trace!("picture {} was {} us ahead of the sound", self.presented, offset / 1000);
        }
        let planned = self.programme.planned(frame.deck, frame.lap, frame.pts);
        let shown = Shown { deck: frame.deck, lap: frame.lap, pts: frame.pts, planned, at };
        self.seams.shown(shown, refresh);
        let index = self.presented;
        self.presented += 1;
        self.stats.frames_presented += 1;
        let reason = self.screen.as_ref().and_then(|it| it.interops.reason());
        self.stats.shown_by(frame.backend, frame.zero_copy, reason);
        if frame.captured {
            self.captures.announce(flip.id, index);
        }
        if frame.checked {
            self.captures.announce_check(flip.id, index);
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
            captured: frame.captured,
            checked: frame.checked,
        });
        self.start_clock(now);
    }

    pub(super) fn refresh(&self) -> Duration {
        self.screen.as_ref().map_or(Duration::from_millis(16), Screen::refresh)
    }

    /// Decides for the next vblank.
    pub(super) fn show(&mut self, now: MonoTime) -> Turn {
        self.start_clock(now);
        // One that was taken away had no display at last: what is due passes unseen.
        if self.screen.is_none() && self.sight.has_display() {
            return Turn::Wait { until: None, starving: true };
        }
        if let (Some(_), Some(screen)) = (&self.flip, &self.screen) {
            // What has its time while a mode is set is left out then, so that the newest is there after it.
            let look = (!self.sight.is_clear()).then(|| now + screen.refresh());
            return Turn::Wait { until: earlier(screen.presenter.deadline(), look), starving: false };
        }
        let refresh = self.refresh();
        if let Some(drawn) = self.drawn.take() {
            return self.commit(now, drawn);
        }
        if self.paused {
            let turn = Turn::Wait { until: None, starving: true };
            return self.draw_again_or(now, turn);
        }
        if self.first_shown.is_some() && !self.clock.is_running() {
            // The first picture is on the screen; its clock starts with the sound.
            let turn = Turn::Wait { until: Some(now + Duration::from_millis(2)), starving: false };
            return self.draw_again_or(now, turn);
        }
        if self.ahead.is_empty() {
            if self.wants_redraw() {
                return self.draw_again(now);
            }
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
            // A screen that fails is tried with the pictures that come.
            Verdict::HoldUntil(_) if self.wants_redraw() && !self.sight.is_failing() => self.draw_again(now),
            Verdict::HoldUntil(at) => {
                Turn::Wait { until: Some(wake_for(self.cost(), at, now, refresh)), starving: false }
            }
        }
    }

    /// What is on the screen must be drawn again, and can be.
    fn wants_redraw(&self) -> bool {
        self.redraw && self.sight.has_display() && self.on_screen.is_some()
    }

    fn draw_again_or(&mut self, now: MonoTime, turn: Turn) -> Turn {
        if self.wants_redraw() { self.draw_again(now) } else { turn }
    }

    /// The programme is over; its last picture stays on the screen, whatever happens to that.
    pub(super) fn keep_showing(&mut self, now: MonoTime) -> Turn {
        let Some(screen) = &self.screen else { return Turn::Wait { until: None, starving: false } };
        if self.flip.is_some() {
            return Turn::Wait { until: screen.presenter.deadline(), starving: false };
        }
        if let Some(drawn) = self.drawn.take() {
            return self.commit(now, drawn);
        }
        self.draw_again_or(now, Turn::Wait { until: None, starving: false })
    }

    pub(super) fn next_vblank(&self, now: MonoTime) -> MonoTime {
        self.vblank.as_ref().map_or(now, |it| it.next_after(now + self.lead()))
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
            self.seams.forget();
            self.forget_shown();
            let picture = Picture::Frame(picture);
            self.mirrors.show_still(&picture);
            self.on_screen = Some(picture);
            self.redraw = true;
            return Turn::Again;
        }
        let until = self.programme.deadline(now);
        Turn::Wait { until, starving: true }
    }

    /// Frames that will never be shown.
    fn discard(&mut self, count: usize) {
        for _ in 0..count {
            let Some(it) = self.ahead.pop() else { return };
            self.sync.discarded(it.pts);
            // What was due before the display was back is no judder.
            let due = self.clock.mono_at(it.pts);
            let was_hidden = self.in_sight_since.zip(due).is_some_and(|(since, due)| due <= since);
            if was_hidden || !self.sight.is_clear() {
                self.stats.frames_unseen += 1;
                self.programme.note_unseen(it.deck);
            } else {
                self.stats.frames_dropped_stale += 1;
            }
        }
    }

    /// While a flip is on its way, frames whose successors are due by now will never be shown.
    pub(super) fn shed_overdue(&mut self, now: MonoTime) {
        let Some(media) = self.clock.media_at(now) else { return };
        while let [_, next, ..] = self.ahead.due()
            && *next <= media
        {
            self.discard(1);
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
            captured: false,
            checked: false,
        };
        if !self.sight.has_display() {
            self.on_screen = Some(Picture::Frame(frame));
            self.pass_unseen(now, vblank, Some(described));
            return Turn::Again;
        }
        self.draw(now, vblank, Picture::Frame(frame), Some(described))
    }
}
