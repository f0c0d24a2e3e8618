//! What plays now and what is cued behind it: two decks, a playlist, and one timeline without a gap.
use std::sync::Arc;
use std::time::Duration;

use crate::base::format::Ratio;
use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::PlayStats;
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::playlist::{Looping, Next, Pick, Playlist};
use crate::pipeline::deck::Deck;
use crate::pipeline::elements::sound::board::Segment;
use crate::pipeline::env::Env;
use crate::pipeline::player::ahead::Due;
use crate::pipeline::player::flip::FlipFrame;
use crate::pipeline::player::slot::Slot;
use crate::pipeline::runner::Bell;
use crate::pipeline::status_picture;
use crate::seam::wait::Wake;

/// Retired decks are given this many chances to end by themselves; more would be a leak.
pub(super) const GRAVES: usize = 64;

/// One item of a playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayItem {
    /// A path or URL.
    pub input: String,
    /// A film is cut to this.
    pub duration: Option<Duration>,
    /// A single picture stays for this long.
    pub still: Duration,
    /// Instead of the run's own.
    pub fit: Option<Fit>,
    /// Instead of the run's own.
    pub rotation: Option<Rotation>,
}

/// What to play, and how items follow each other.
#[derive(Debug, Clone)]
pub struct ProgrammeOptions {
    /// The items.
    pub items: Vec<PlayItem>,
    /// Turns of the whole list; `None` for ever.
    pub turns: Option<u32>,
    /// Open the next item before the present one ends.
    pub preroll: bool,
    /// What to say when there is nothing to play yet.
    pub waiting_text: String,
    /// An empty list is a reason to wait rather than to end.
    pub waits_when_empty: bool,
}

/// What `tend` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tended {
    /// There is something to show, or there will be.
    Playing,
    /// The last picture is over, and nothing follows.
    Finished,
}

/// A frame's item, for the frame log.
#[derive(Debug)]
pub struct ShownItem<'a> {
    /// The item's path or URL.
    pub input: &'a str,
    /// Which time round.
    pub lap: u64,
    /// The frame's time from the item's first picture.
    pub pts: MediaTime,
}

/// See the module's text.
pub struct Programme {
    pub(super) env: Env,
    pub(super) options: ProgrammeOptions,
    pub(super) playlist: Playlist<PlayItem>,
    pub(super) current: Option<Slot>,
    pub(super) next: Option<Slot>,
    pub(super) graveyard: Vec<Deck>,
    pub(super) dead_allocations: u64,
    pub(super) present: Arc<dyn Wake>,
    pub(super) sound: Arc<Bell>,
    pub(super) decks: u64,
    /// Where the item before ended on the programme's timeline.
    pub(super) end: Option<MediaTime>,
    /// The user jumped, or there was nothing to play: the next item begins at once, and that is not late.
    pub(super) jumped: bool,
    /// What the user went back to.
    pub(super) back: Option<Pick<PlayItem>>,
    pub(super) status_shown: bool,
}

impl Drop for Programme {
    /// Every deck is told before the first is waited for, so that the waits for blocked I/O are one.
    fn drop(&mut self) {
        for slot in [&self.current, &self.next].into_iter().flatten() {
            slot.deck.stop();
        }
    }
}

impl std::fmt::Debug for Programme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programme").field("current", &self.current).field("next", &self.next).finish_non_exhaustive()
    }
}

impl Programme {
    /// A programme nothing of which is loaded. `present` and `sound` are woken by the decks.
    pub fn new(env: Env, options: ProgrammeOptions, present: Arc<dyn Wake>, sound: Arc<Bell>) -> Self {
        // A single item goes round on its own deck, without a seam between decks.
        let looping = match options.turns {
            None => Looping::Forever,
            Some(_) if options.items.len() == 1 => Looping::Times(1),
            Some(turns) => Looping::Times(turns),
        };
        let playlist = Playlist::new(options.items.clone(), looping);
        Self {
            env,
            options,
            playlist,
            current: None,
            next: None,
            graveyard: Vec::with_capacity(GRAVES),
            dead_allocations: 0,
            present,
            sound,
            decks: 0,
            end: None,
            jumped: false,
            back: None,
            status_shown: false,
        }
    }

    /// Another list from here on (a watched folder changed), in which the inputs in `renewed` have other contents than
    /// before. What plays goes on to its end.
    pub fn replace_items(&mut self, items: Vec<PlayItem>, renewed: &[String]) {
        let is_new = |it: &PlayItem| renewed.contains(&it.input);
        // A deck goes on for ever only with the one item there is, as it was when it was opened.
        if let Some(slot) = &self.current
            && (items.len() != 1 || items[0] != *slot.item() || is_new(slot.item()))
        {
            slot.deck.finish_lap();
        }
        // What has shown nothing yet was opened before its file was whole: that must not count against the new one.
        if let Some(slot) = self.current.take_if(|it| it.shown == 0 && is_new(it.item())) {
            self.bury(slot.deck);
        }
        if let Some(next) = &self.next
            && next.taken == 0
            && (!items.contains(next.item()) || is_new(next.item()))
            && let Some(next) = self.next.take()
        {
            self.bury(next.deck);
        }
        self.playlist.replace_items(items.clone());
        items.iter().filter(|it| is_new(it)).for_each(|it| self.playlist.forgive(it));
        self.present.wake();
    }

    /// Heap allocations of all decks, living and dead.
    pub fn allocations(&self) -> u64 {
        let slots = [&self.current, &self.next];
        let living: u64 = slots.into_iter().flatten().map(|it| it.deck.allocations()).sum();
        living + self.graveyard.iter().map(Deck::allocations).sum::<u64>() + self.dead_allocations
    }

    /// Brings every deck's counters into the statistics.
    pub fn settle(&mut self, stats: &mut PlayStats) {
        for slot in [&mut self.current, &mut self.next].into_iter().flatten() {
            slot.count(stats);
        }
    }

    /// Sound of the decks, in the order they play.
    pub fn write_segments(&self, into: &mut Vec<Segment>) {
        let slots = [&self.current, &self.next];
        let same = into.len() == slots.iter().filter(|it| it.is_some()).count()
            && slots.iter().copied().flatten().zip(into.iter()).all(|(slot, it)| slot.deck.id == it.deck);
        if same {
            for (slot, it) in slots.into_iter().flatten().zip(into) {
                it.offset = slot.offset;
            }
        } else {
            into.clear();
            into.extend(slots.into_iter().flatten().map(Slot::segment));
        }
    }

    /// The next frame in the order they are due, over the seam.
    pub fn take_frame(&mut self) -> Option<Due> {
        let current = self.current.as_mut()?;
        if !current.ended
            && let Some(frame) = current.take_frame()
        {
            return Some(frame);
        }
        if !current.ended {
            return None;
        }
        self.next.as_mut()?.take_frame()
    }

    fn slot(&self, deck: u64) -> Option<&Slot> {
        [&self.current, &self.next].into_iter().flatten().find(|it| it.deck.id == deck)
    }

    fn slot_mut(&mut self, deck: u64) -> Option<&mut Slot> {
        [&mut self.current, &mut self.next].into_iter().flatten().find(|it| it.deck.id == deck)
    }

    /// Moves a deck so that its frame at `pts` is due at `media`; returns the frame's new place.
    pub fn reanchor(&mut self, deck: u64, media: MediaTime, pts: MediaTime) -> MediaTime {
        let Some(slot) = self.slot_mut(deck) else { return pts };
        let by = media.delta_nanos(pts);
        slot.offset = slot.offset.map(|it| it.saturating_add(by));
        // What is cued behind it moves with it.
        if self.current.as_ref().is_some_and(|it| it.deck.id == deck)
            && let Some(next) = &mut self.next
            && next.shown == 0
        {
            next.offset = None;
        }
        media
    }

    /// When the frame would have been due, had its item been ready in time.
    pub fn planned(&self, deck: u64, lap: u32, pts: MediaTime) -> MediaTime {
        let late_by = self.slot(deck).filter(|_| lap == 0).map_or(0, |it| it.late_by);
        pts.offset_by(-late_by)
    }

    /// A frame reached the screen: from here on its deck is the present one. Describes it for the frame log.
    pub fn shown(&mut self, now: MonoTime, frame: &FlipFrame, stats: &mut PlayStats) -> Option<ShownItem<'_>> {
        self.reach(now, frame.deck, stats);
        self.status_shown = false;
        let slot = self.current.as_mut().filter(|it| it.deck.id == frame.deck)?;
        slot.shown += 1;
        stats.decoder = slot.maker_of(frame.pts).or(stats.decoder);
        stats.items.presented(slot.id);
        if slot.lap < frame.lap {
            stats.loops += u64::from(slot.laps != Some(1)) * u64::from(frame.lap - slot.lap);
            slot.lap = frame.lap;
        }
        let begin = match frame.lap.checked_sub(1) {
            None => slot.start().zip(slot.offset).map(|(start, offset)| start.offset_by(offset)),
            Some(before) => slot.lap_end(before),
        };
        let pts = MediaTime::from_nanos(begin.map_or(0, |it| frame.pts.delta_nanos(it)));
        Some(ShownItem { input: &slot.pick.id.input, lap: u64::from(slot.pick.lap) + u64::from(frame.lap), pts })
    }

    /// A frame had its time while nobody could see the screen: as good as shown, but not counted.
    pub fn unseen(&mut self, now: MonoTime, deck: u64, stats: &mut PlayStats) {
        self.reach(now, deck, stats);
        self.note_unseen(deck);
    }

    /// A frame was left out while nobody could see the screen.
    pub fn note_unseen(&mut self, deck: u64) {
        if let Some(slot) = self.slot_mut(deck) {
            slot.unseen += 1;
        }
    }

    /// Frames a second of the present item's stream: `None` while that is not open, `Some(None)` where it does not say.
    pub fn frame_rate(&self) -> Option<Option<f64>> {
        let state = self.current.as_ref()?.deck.state();
        let video = state.info.as_ref()?.video.as_ref();
        Some(video.and_then(|it| it.frame_rate).map(Ratio::to_f64))
    }

    /// From here on this deck is the present one.
    fn reach(&mut self, now: MonoTime, deck: u64, stats: &mut PlayStats) {
        if self.next.as_ref().is_some_and(|it| it.deck.id == deck) {
            self.retire(now, None, stats);
            self.promote(stats);
        }
    }

    /// No way to the screen takes this deck's frames: on to the next item.
    pub fn give_up(&mut self, deck: u64, why: &str) {
        if let Some(slot) = self.slot_mut(deck) {
            slot.given_up = Some(format!("{}: {why}", slot.item().input));
        }
    }

    /// The deck is in use.
    pub fn knows(&self, deck: u64) -> bool {
        self.slot(deck).is_some()
    }

    /// When the present item's last picture is over, while that is all there is left of it and nothing is cued.
    pub fn last_end(&self) -> Option<MediaTime> {
        self.current.as_ref().filter(|it| it.ended).and_then(Slot::end)
    }

    /// The item behind the present one is being opened, or its first picture has not come yet.
    pub fn is_cueing(&self) -> bool {
        self.next.as_ref().is_some_and(|it| it.offset.is_none() || it.taken == 0)
    }

    /// Every picture of the present item has been taken.
    pub fn has_ended(&self) -> bool {
        self.current.as_ref().is_some_and(|it| it.ended)
    }

    /// How an item wants to be shown, where it says.
    pub fn look(&self, deck: Option<u64>) -> (Option<Fit>, Option<Rotation>) {
        let slot = match deck {
            Some(deck) => self.slot(deck),
            None => self.current.as_ref(),
        };
        slot.map_or((None, None), |it| (it.item().fit, it.item().rotation))
    }

    /// A picture that says why there is none, where nothing better is on the screen; once.
    pub fn status_picture(&mut self, now: MonoTime, has_picture: bool) -> Option<VideoFrame> {
        let empty = self.playlist.is_empty();
        let waiting = self.current.is_none() && matches!(self.playlist.peek_next(now), Next::Wait { .. });
        if self.status_shown || !waiting || !self.options.waits_when_empty || (has_picture && !empty) {
            return None;
        }
        self.status_shown = true;
        // Whatever comes next begins when it comes, and is not late.
        self.jumped = true;
        Some(status_picture::draw(&self.options.waiting_text))
    }

    /// When `tend` has something to do by itself.
    pub fn deadline(&self, now: MonoTime) -> Option<MonoTime> {
        match self.playlist.peek_next(now) {
            Next::Wait { until, .. } => until,
            Next::Play(_) | Next::End => None,
        }
    }

    /// Leaves the present item for the next or the previous one.
    pub fn jump(&mut self, now: MonoTime, forward: bool, stats: &mut PlayStats) {
        if !forward {
            if let Next::Play(pick) = self.playlist.previous(now) {
                self.back = Some(pick);
            }
            if let Some(next) = self.next.take() {
                self.bury(next.deck);
            }
        }
        if let Some(slot) = &self.current
            && slot.shown == 0
        {
            // It never got as far as the screen; that is the user's doing, not the item's.
            if let Some(slot) = self.current.take() {
                self.bury(slot.deck);
            }
        } else {
            self.retire(now, None, stats);
        }
        if let Some(next) = &mut self.next {
            next.offset = None;
        }
        self.jumped = true;
    }
}
