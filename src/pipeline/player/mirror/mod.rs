//! A second screen that shows what the player shows, at its own size and rhythm, from the same decoded frames.
//!
//! The player offers every frame it takes off a deck, some frames before it is due. The mirror keeps the last few of them
//! and decides for each of its own vblanks by the player's clock, as the player does for its own screen (`PlaySync`): so
//! each screen shows the newest picture that is due, in the steadiest cadence its refresh allows. Nothing that happens to
//! a mirror's screen reaches the player, and the player's own screen may be unplugged while the mirror goes on.
use std::collections::VecDeque;
use std::time::Duration;

use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::PlayStats;
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::lead::FrameCost;
use crate::logic::master_clock::MasterClock;
use crate::logic::playsync::{PlaySync, VblankQuery, Verdict};
use crate::logic::seams::{Seams, Shown};
use crate::logic::sight::Sight;
use crate::logic::vblank::VblankClock;
use crate::pipeline::player::Turn;
use crate::pipeline::player::ahead::AHEAD;
use crate::pipeline::player::drawing::{BUSY, Look, Painted, wake_for};
use crate::pipeline::player::interop::Way;
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::screen::Screen;
use crate::seam::clock::Clock;
use crate::seam::presenter::{DisplayMode, Layer, SubmissionId};

mod commit;
mod events;
mod freeze;
mod parking;

pub(super) use parking::Parked;

/// Frames kept: those the player has ahead, and as many behind, for a screen of half its refresh.
const KEPT: usize = 2 * AHEAD;

/// A frame on its way through the mirror.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    /// The picture: a frame, but for what is on the screen.
    pub(super) picture: Picture,
    /// Which turn of its deck it belongs to.
    pub(super) lap: u32,
    /// When it is due, on the programme's timeline.
    pub(super) pts: MediaTime,
    /// When it would have been due, had its item been ready in time.
    pub(super) planned: MediaTime,
    /// Its deck.
    pub(super) deck: u64,
    /// How its item wants to be shown.
    pub(super) look: (Fit, Rotation),
}

/// What a mirror is told of the player with each turn.
pub(super) struct Lead<'a> {
    /// The time on the display's clock.
    pub(super) now: MonoTime,
    /// What the pictures follow.
    pub(super) clock: &'a MasterClock,
    /// The user holds the picture.
    pub(super) paused: bool,
    /// The programme is over; the last picture stays.
    pub(super) over: bool,
    /// What is heard when, from a device that keeps time.
    pub(super) heard: Option<(MediaTime, MonoTime)>,
    /// CLOCK_MONOTONIC, for what things cost.
    pub(super) real: &'a dyn Clock,
}

/// A picture that is drawn and not yet committed. `is_new`: it was not on the screen before.
#[derive(Debug)]
struct Drawn {
    layer: Layer,
    way: Option<Way>,
    zero_copy: bool,
    vblank: MonoTime,
    picture: Offered,
    is_new: bool,
    /// How long drawing it took.
    cost: Duration,
}

/// What was committed, until the screen says that it is visible.
#[derive(Debug)]
struct Flip {
    id: SubmissionId,
    wanted: MonoTime,
    /// What it shows for the first time.
    shows: Option<Shown>,
    /// How that got there.
    way: Option<Way>,
    zero_copy: bool,
}

/// See the module's text.
#[derive(Debug)]
pub struct Mirror {
    screen: Screen,
    vblank: VblankClock,
    sync: PlaySync,
    sight: Sight,
    cost: FrameCost,
    seams: Seams,
    queue: VecDeque<Offered>,
    drawn: Option<Drawn>,
    flip: Option<Flip>,
    on_screen: Option<Offered>,
    /// The display controller reads that frame itself.
    is_on_plane: bool,
    /// `None` for a picture that is not the programme's.
    on_screen_pts: Option<MediaTime>,
    redraw: bool,
    /// The display is back since then: what was due before is no judder.
    in_sight_since: Option<MonoTime>,
    /// Frames a second of what is shown, where that is known.
    rate: Option<f64>,
    /// No way is left to get frames onto this screen.
    given_up: bool,
    stats: PlayStats,
}

impl Mirror {
    /// A mirror on this screen.
    pub(super) fn new(screen: Screen) -> Self {
        let vblank = VblankClock::new(screen.presenter.mode().refresh);
        let stats = PlayStats::new(screen.counts_vblanks());
        Self {
            screen,
            vblank,
            sync: PlaySync::new(),
            sight: Sight::default(),
            cost: FrameCost::default(),
            seams: Seams::default(),
            queue: VecDeque::with_capacity(KEPT),
            drawn: None,
            flip: None,
            on_screen: None,
            is_on_plane: false,
            on_screen_pts: None,
            redraw: false,
            in_sight_since: None,
            rate: None,
            given_up: false,
            stats,
        }
    }

    /// Its screen.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// What it counted. It plays no items of its own.
    pub fn stats(&self) -> &PlayStats {
        &self.stats
    }

    /// The display's mode, while there is one.
    pub fn mode(&self) -> Option<DisplayMode> {
        self.sight.has_display().then(|| self.screen.presenter.mode())
    }

    pub(super) fn settle_stats(&mut self, late_starts: u64) {
        self.stats.seams.count = self.seams.count;
        self.stats.seams.worst_gap_frames = self.seams.worst_gap_frames;
        // Whether an item was ready in time is the programme's affair, and the same on every screen.
        self.stats.seams.late_starts = late_starts;
    }

    pub(super) fn prefer_rate(&mut self, frames_per_second: f64) {
        self.rate = Some(frames_per_second);
        self.screen.presenter.prefer_rate(frames_per_second);
    }

    /// Switches the display off, or on again.
    pub(super) fn set_power(&mut self, on: bool) {
        let was_off = self.sight.is_off();
        if !self.screen.switch(on, &mut self.sight) {
            return;
        }
        // What was on its way while nobody could see need not be told of any more.
        if was_off && on && self.flip.take().is_some_and(|it| it.shows.is_some()) {
            self.stats.frames_unseen += 1;
        }
        // What was shown last has been overtaken by what nobody saw.
        self.redraw |= on;
    }

    /// The player will show this frame.
    pub(super) fn offer(&mut self, it: Offered) {
        // The timeline was set back: what was to come after this one never will.
        while self.queue.back().is_some_and(|last| it.pts <= last.pts) {
            self.queue.pop_back();
        }
        if self.queue.len() == KEPT {
            self.discard(1, None);
        }
        self.queue.push_back(it);
    }

    /// This is to be seen now, and is no frame of the programme.
    pub(super) fn show_still(&mut self, picture: &Picture, look: (Fit, Rotation)) {
        self.forget();
        let (picture, pts) = (picture.clone(), picture.pts());
        self.on_screen = Some(Offered { picture, lap: 0, pts, planned: pts, deck: 0, look });
        self.redraw = true;
    }

    /// What comes next does not follow what is on the screen: it is due at once.
    pub(super) fn forget(&mut self) {
        self.queue.clear();
        self.drawn = None;
        self.sync.reset();
        self.on_screen_pts = None;
        self.seams.forget();
    }

    /// One turn; never ends.
    pub(super) fn step(&mut self, lead: &Lead<'_>) -> Turn {
        self.screen_events(lead);
        self.let_go(lead);
        let now = lead.now;
        let wait = |until| Turn::Wait { until, starving: false };
        if self.given_up {
            return wait(None);
        }
        if self.flip.is_some() {
            return wait(self.screen.presenter.deadline());
        }
        let refresh = self.screen.refresh();
        if let Some(drawn) = self.drawn.take() {
            return self.commit(lead, drawn);
        }
        let vblank = self.vblank.next_after(now + self.cost.lead(refresh));
        let until = match self.decide(lead, vblank) {
            Some(Verdict::Present { drop }) => {
                self.discard(drop, Some(lead.clock));
                let Some(it) = self.queue.pop_front() else { return Turn::Again };
                return self.draw(lead, vblank, it, true);
            }
            Some(Verdict::Discard { count }) => {
                self.discard(count, Some(lead.clock));
                return Turn::Again;
            }
            Some(Verdict::HoldUntil(at)) => Some(wake_for(self.cost, at, now, refresh)),
            None => None,
        };
        let tries = until.is_none() || !self.sight.is_failing();
        if self.redraw
            && tries
            && self.sight.has_display()
            && let Some(it) = self.on_screen.clone()
        {
            self.redraw = false;
            return self.draw(lead, vblank, it, false);
        }
        wait(until)
    }

    /// What to do for a vblank; `None` while nothing of the programme moves.
    fn decide(&mut self, lead: &Lead<'_>, vblank: MonoTime) -> Option<Verdict> {
        if lead.paused || lead.over || self.queue.is_empty() {
            return None;
        }
        let Some(media) = lead.clock.media_at(vblank) else {
            // The clock starts with the first picture.
            return self.on_screen_pts.is_none().then_some(Verdict::Present { drop: 0 });
        };
        let mut due = [MediaTime::ZERO; KEPT];
        let count = self.queue.len().min(KEPT);
        for (pts, it) in due.iter_mut().zip(&self.queue) {
            *pts = it.pts;
        }
        let query = VblankQuery { vblank, media, refresh: self.screen.refresh() };
        Some(self.sync.decide(query, self.on_screen_pts, &due[..count]))
    }

    fn draw(&mut self, lead: &Lead<'_>, vblank: MonoTime, it: Offered, is_new: bool) -> Turn {
        let now = lead.now;
        if !self.sight.has_display() {
            self.pass_unseen(vblank, it, is_new);
            return Turn::Again;
        }
        let look = Look { look: it.look, drawn: !is_new && it.picture.is_ours() };
        match self.screen.paint(now, lead.real, &it.picture, look, &mut self.stats) {
            Painted::Done { layer, way, cost, zero_copy } => {
                self.drawn = Some(Drawn { layer, way, zero_copy, vblank, picture: it, is_new, cost });
            }
            Painted::Busy => {
                self.give_back(it, is_new);
                return Turn::Wait { until: Some(now + BUSY), starving: false };
            }
            Painted::Refused(error) => return self.refused(now, vblank, it, is_new, &error),
            Painted::Lost => {}
            Painted::GaveUp(why) => {
                log::warn!("{}: the mirror stays as it is: {why}", self.screen.presenter.output());
                self.given_up = true;
                // What it will never show is needed elsewhere.
                self.forget();
            }
        }
        Turn::Again
    }

    /// Frames that will never be shown.
    fn discard(&mut self, count: usize, clock: Option<&MasterClock>) {
        for _ in 0..count {
            let Some(it) = self.queue.pop_front() else { return };
            self.sync.discarded(it.pts);
            self.count_dropped(it.pts, clock);
        }
    }

    fn count_dropped(&mut self, pts: MediaTime, clock: Option<&MasterClock>) {
        let due = clock.and_then(|it| it.mono_at(pts));
        let was_hidden = self.in_sight_since.zip(due).is_some_and(|(since, due)| due <= since);
        if was_hidden || !self.sight.is_clear() {
            self.stats.frames_unseen += 1;
        } else {
            self.stats.frames_dropped_stale += 1;
        }
    }
}
