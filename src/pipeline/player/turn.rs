//! One turn of a player, and the turns after its end.
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::seams::Seams;
use crate::pipeline::player::ahead::Due;
use crate::pipeline::player::cueing::Times;
use crate::pipeline::player::mirror::Offered;
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::programme::Tended;
use crate::pipeline::player::run::earlier;
use crate::pipeline::player::{Ended, Pace, Player, Turn};

/// Later than this, frames are no longer dropped to catch up: nobody wants to see a second of pictures in a blur.
const HOPELESSLY_LATE: i64 = 1_000_000_000;
/// At the end a picture from the wire is waited for this long: many times what a controller takes.
const LAST_CAPTURE: Duration = Duration::from_millis(500);

impl Turn {
    /// What to do when both are to be heeded; ends only where there is nothing else to do.
    pub(super) fn sooner(self, other: Turn) -> Turn {
        match (self, other) {
            (Turn::Wait { until, starving }, Turn::Wait { until: other, starving: also }) => {
                Turn::Wait { until: earlier(until, other), starving: starving || also }
            }
            (Turn::Ended(how), Turn::Ended(_)) => Turn::Ended(how),
            _ => Turn::Again,
        }
    }
}

impl Player {
    pub(super) fn turn(&mut self) -> Turn {
        let now = self.clock_now.now();
        self.screen_events(now);
        self.jump_if_asked(now);
        self.listen(now);
        self.tend(now);
        if self.tell_rate() {
            return Turn::Again;
        }
        // Mirrors go on while a flip is on its way, and setting a mode may take as long as many frames last.
        if self.flip.is_some() && !(self.mirrors.is_empty() && self.sight.is_clear()) {
            self.shed_overdue(now);
        }
        let had_ended = self.programme.has_ended();
        self.gather(now);
        if !had_ended && self.programme.has_ended() {
            // The item behind it must be cued before a virtual clock may run on to the seam.
            self.tend(now);
            self.gather(now);
        }
        self.tell_sound();
        self.let_go(now);
        match self.is_over(now) {
            Some(ended) => self.end(now, ended),
            None => self.show(now),
        }
    }

    /// It is over, but for pictures from the wire that are still on their way.
    fn end(&mut self, now: MonoTime, ended: Ended) -> Turn {
        let until = *self.done_since.get_or_insert(now) + LAST_CAPTURE;
        if ended == Ended::Done && !self.captures.is_empty() && now < until {
            return Turn::Wait { until: Some(until), starving: false };
        }
        self.over = Some(ended);
        Turn::Ended(ended)
    }

    /// A turn after the end: the last picture stays on its screen while others play on.
    pub fn linger(&mut self) -> Turn {
        let now = self.clock_now.now();
        self.screen_events(now);
        if self.drawn.as_ref().is_some_and(|it| it.frame.is_some()) {
            self.drawn = None;
        }
        self.ahead.clear();
        self.programme.close(&mut self.stats);
        self.tell_sound();
        self.let_go(now);
        let turn = self.keep_showing(now);
        self.lead_mirrors(turn, true)
    }

    /// Tells the screens how many frames a second are to come, before the first of them is drawn. A screen that chooses its
    /// mode by that says so, and must be heard before.
    fn tell_rate(&mut self) -> bool {
        let (false, Some(rate), Some(screen)) = (self.rate_told, self.programme.frame_rate(), &mut self.screen) else {
            return false;
        };
        self.rate_told = true;
        if let Some(rate) = rate {
            screen.presenter.prefer_rate(rate);
            self.mirrors.prefer_rate(rate);
        }
        rate.is_some()
    }

    fn is_over(&mut self, now: MonoTime) -> Option<Ended> {
        if self.asked_to_stop {
            return Some(Ended::Asked);
        }
        if self.over.is_some() {
            return self.over;
        }
        let enough = self.options.frames.is_some_and(|it| it <= self.presented)
            || self.options.duration.is_some_and(|it| it <= now.saturating_since(self.begun.unwrap_or(self.made)));
        if enough {
            return Some(Ended::Done);
        }
        None
    }

    /// Loads, cues and retires decks.
    pub(super) fn tend(&mut self, now: MonoTime) {
        // A deck that is gone takes its frames with it.
        self.ahead.retain(|deck| self.programme.knows(deck));
        let times = Times { media: self.clock.media_at(now), soonest: self.soonest(now) };
        let idle = self.ahead.is_empty() && self.drawn.is_none() && self.flip.is_none();
        // Nobody waits for an item that nobody can see, nor on a clock that waits itself.
        let mut unseen = Seams::default();
        let is_awaited = self.sight.is_clear() && matches!(self.options.pace, Pace::Realtime);
        let seams = if is_awaited { &mut self.seams } else { &mut unseen };
        match self.programme.tend(now, times, idle, seams, &mut self.stats) {
            Tended::Playing => {}
            Tended::Finished => {
                let played = 0 < self.presented + self.stats.frames_unseen;
                self.over.get_or_insert(if played { Ended::Done } else { Ended::NothingPlayable });
            }
        }
    }

    /// The programme's time at the next vblank that a picture can still be made for. What has missed its time is moved
    /// there, and not to the time it is now, or the picture behind it would be due at that vblank too.
    fn soonest(&self, now: MonoTime) -> Option<MediaTime> {
        // The vblank of the flip on its way is taken.
        let from = self.flip.as_ref().map_or(now, |it| now.max(it.wanted));
        self.clock.media_at(self.next_vblank(from))
    }

    /// Takes frames off the decks while there is room.
    fn gather(&mut self, now: MonoTime) {
        while self.ahead.has_room() {
            let Some(Due { frame, pts, deck }) = self.programme.take_frame() else { break };
            let times = self.clock.media_at(now).zip(self.soonest(now));
            let pts = match times {
                Some((media, soonest)) if self.needs_new_place(&frame, media, pts) => {
                    self.programme.reanchor(deck, soonest, pts)
                }
                _ => pts,
            };
            let due = Due { frame, pts, deck };
            if !self.mirrors.is_empty() {
                self.mirrors.offer(&self.as_offered(&due));
            }
            self.ahead.push(due);
        }
    }

    /// A frame as mirrors take it.
    pub(super) fn as_offered(&self, due: &Due) -> Offered {
        let planned = self.programme.planned(due.deck, due.frame.lap, due.pts);
        let look = self.look(Some(due.deck));
        let picture = Picture::Frame(due.frame.clone());
        Offered { picture, lap: due.frame.lap, pts: due.pts, planned, deck: due.deck, look }
    }

    /// How a deck's item is to be shown; the present one's without a deck.
    pub(super) fn look(&self, deck: Option<u64>) -> (Fit, Rotation) {
        let (fit, rotation) = self.programme.look(deck);
        (fit.unwrap_or(self.options.fit), rotation.unwrap_or(self.options.rotation))
    }

    /// A frame so late that the timeline is moved rather than the frame dropped: a stalled disk or network must not
    /// cost the pictures that follow the stall. After a break of the timeline any lateness counts.
    fn needs_new_place(&self, frame: &VideoFrame, media: MediaTime, pts: MediaTime) -> bool {
        let limit = if frame.discontinuity { 0 } else { HOPELESSLY_LATE };
        self.ahead.is_empty() && limit < media.delta_nanos(pts)
    }
}
