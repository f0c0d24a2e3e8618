//! Which deck plays and which is cued: loading in time, promoting, retiring, and a place on the timeline for each.
use std::sync::Arc;
use std::time::Duration;

use crate::base::stats::PlayStats;
use crate::base::time::{MediaTime, MonoTime, nanos_of};
use crate::logic::playlist::{Next, Outcome, Pick};
use crate::logic::seams::Seams;
use crate::pipeline::deck::{Deck, DeckItem};
use crate::pipeline::player::programme::{GRAVES, PlayItem, Programme, Tended};
use crate::pipeline::player::slot::Slot;
use crate::seam::wait::Wake;

/// The next item is opened when this much of the present one is left: longer than a slow network open, and short
/// enough that a changed folder is seen in time.
const CUE_BEFORE: Duration = Duration::from_secs(10);
/// A first frame is late when it comes this long after it had to: less than any refresh.
const LATE_AFTER: i64 = 2_000_000;

/// Where the programme stands on its timeline; `None` before its clock runs.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Now.
    pub media: Option<MediaTime>,
    /// At the next vblank that a picture can still be made for.
    pub soonest: Option<MediaTime>,
}

impl Programme {
    /// Loads, cues, promotes and retires. `idle` says that no frame of ours is waiting to be shown.
    pub fn tend(
        &mut self,
        now: MonoTime,
        times: Times,
        idle: bool,
        seams: &mut Seams,
        stats: &mut PlayStats,
    ) -> Tended {
        let media = times.media;
        self.sweep();
        // Each round deals with one item; a list of broken ones is gone through over several turns.
        for _ in 0..16 {
            if self.current.is_none() && !self.begin_next(now, stats) {
                break;
            }
            self.judge_next(media, seams);
            self.place(times, seams);
            let Some(slot) = &self.current else { continue };
            if slot.is_dead() || slot.given_up.is_some() || slot.is_over(media, idle) {
                self.retire(now, media, stats);
                continue;
            }
            self.note_late_lap(media, seams);
            self.cue(now, media, stats);
            return Tended::Playing;
        }
        match self.playlist.peek_next(now) {
            Next::End if self.current.is_none() && idle => Tended::Finished,
            _ => Tended::Playing,
        }
    }

    /// Makes the cued deck the present one, or loads one; `false` when there is none now.
    fn begin_next(&mut self, now: MonoTime, stats: &mut PlayStats) -> bool {
        if self.next.is_some() {
            self.promote(stats);
            return true;
        }
        let pick = match self.back.take() {
            Some(pick) => pick,
            None => match self.playlist.advance(now) {
                Next::Play(pick) => pick,
                Next::Wait { .. } => {
                    // What ends this wait could not have been cued: it begins when it is ready, and is not late.
                    self.jumped = true;
                    return false;
                }
                Next::End => return false,
            },
        };
        stats.loops = stats.loops.max(u64::from(pick.lap));
        self.current = self.load(pick, stats);
        self.current.is_some()
    }

    pub(super) fn promote(&mut self, stats: &mut PlayStats) {
        self.current = self.next.take();
        if let Some(slot) = &self.current {
            self.playlist.begin(&slot.pick);
            stats.loops = stats.loops.max(u64::from(slot.pick.lap));
        }
    }

    /// Opens the item behind the present one in time.
    fn cue(&mut self, now: MonoTime, media: Option<MediaTime>, stats: &mut PlayStats) {
        if let Some(next) = &self.next
            && next.is_dead()
            && let Some(mut next) = self.next.take()
        {
            next.count(stats);
            self.skipped(now, &next, stats);
            self.bury(next.deck);
        }
        if self.next.is_some() || !self.options.preroll {
            return;
        }
        let Some(slot) = &self.current else { return };
        // Before the clock runs the programme stands at its beginning.
        let left = slot.remaining(media.unwrap_or_default());
        let is_near = left.map_or(slot.is_read(), |it| it <= nanos_of(CUE_BEFORE));
        if slot.start().is_none() || !is_near {
            return;
        }
        if let Next::Play(pick) = self.playlist.peek_next(now) {
            self.next = self.load(pick, stats);
        }
    }

    pub(super) fn load(&mut self, pick: Pick<PlayItem>, stats: &mut PlayStats) -> Option<Slot> {
        let id = stats.items.begin(pick.index, &pick.id.input);
        self.decks += 1;
        let laps = if self.playlist.len() == 1 { self.options.turns } else { Some(1) };
        let item = &pick.id;
        let what = DeckItem { input: item.input.clone(), duration: item.duration, still: item.still, laps };
        let sound: Arc<dyn Wake> = self.sound.clone();
        match Deck::load(self.decks, &what, &self.env, &self.present, &sound) {
            Ok(deck) => Some(Slot::new(deck, pick, laps, id)),
            Err(error) => {
                log::error!("{}: cannot start its threads: {error}", pick.id.input);
                stats.items.failed(id, &error.to_string());
                None
            }
        }
    }

    pub(super) fn bury(&mut self, deck: Deck) {
        deck.stop();
        self.graveyard.push(deck);
    }

    /// Drops the decks whose threads have ended, so that dropping waits for nobody.
    pub(super) fn sweep(&mut self) {
        let mut kept = 0;
        while kept < self.graveyard.len() {
            if self.graveyard[kept].has_stopped() || GRAVES <= self.graveyard.len() {
                let deck = self.graveyard.swap_remove(kept);
                self.dead_allocations += deck.allocations();
            } else {
                kept += 1;
            }
        }
    }

    /// Nothing more is played: the decks' threads end.
    pub(super) fn close(&mut self, stats: &mut PlayStats) {
        for mut slot in [self.current.take(), self.next.take()].into_iter().flatten() {
            slot.count(stats);
            self.bury(slot.deck);
        }
        self.sweep();
    }

    /// Ends the present item, for better or worse.
    pub(super) fn retire(&mut self, now: MonoTime, media: Option<MediaTime>, stats: &mut PlayStats) {
        let Some(mut slot) = self.current.take() else { return };
        slot.count(stats);
        // What broke off without saying where ends now; what never was takes no time.
        let end = if slot.given_up.is_some() { None } else { slot.end() };
        if slot.was_played() {
            self.end = end.or(media).or(self.end);
        }
        if self.next.as_ref().is_some_and(|it| it.taken == 0 && Some(it.planned) != self.end)
            && let Some(next) = &mut self.next
        {
            next.offset = None;
        }
        if slot.was_played() {
            let complaint = slot.failure().or_else(|| slot.deck.state().complaint.clone());
            if let Some(reason) = complaint {
                stats.items.failed(slot.id, &reason);
            }
            self.playlist.report(&slot.pick, Outcome::Played, now);
        } else {
            self.skipped(now, &slot, stats);
        }
        self.bury(slot.deck);
    }

    pub(super) fn skipped(&mut self, now: MonoTime, slot: &Slot, stats: &mut PlayStats) {
        let reason = slot.failure().unwrap_or_else(|| format!("{}: no picture came out of it", slot.item().input));
        log::warn!("skipped {reason}");
        stats.items.failed(slot.id, &reason);
        self.playlist.report(&slot.pick, Outcome::Failed, now);
    }

    /// Gives decks their place on the programme's timeline as soon as it is known.
    fn place(&mut self, times: Times, seams: &mut Seams) {
        let media = times.media;
        if let Some(slot) = &mut self.current
            && slot.offset.is_none()
        {
            let planned = if self.jumped { times.soonest } else { self.end };
            place(slot, planned.unwrap_or(MediaTime::ZERO), times, seams);
            if slot.offset.is_some() {
                self.jumped = false;
            }
        }
        // What has pictures left to show when it should be over is going to be moved, and its end with it.
        let is_behind = |slot: &Slot, end| !slot.ended && media.is_some_and(|media| end <= media);
        if let Some(slot) = &self.current
            && let Some(end) = slot.end()
            && !is_behind(slot, end)
            && let Some(next) = &mut self.next
        {
            // What breaks off early ends earlier than it said.
            if next.taken == 0 && next.planned != end {
                next.offset = None;
            }
            if next.offset.is_none() {
                place(next, end, times, seams);
            }
        }
    }

    /// Once the first frame of the item behind this one is decoded: was it in time? What is not decoded when the present
    /// item is over is found when it gets its place.
    fn judge_next(&mut self, media: Option<MediaTime>, seams: &mut Seams) {
        let (Some(slot), Some(next)) = (&self.current, &mut self.next) else { return };
        if next.was_judged || next.start().is_none() {
            return;
        }
        next.was_judged = true;
        let in_time = slot.newest.filter(|_| slot.ended).and_then(|(lap, _)| slot.to_be_followed_by(lap));
        if in_time.zip(media).is_some_and(|(in_time, media)| LATE_AFTER < media.delta_nanos(in_time)) {
            seams.late(next.deck.id, 0);
        }
    }

    /// Whether the next lap's first frame should have been decoded by now and is not.
    fn note_late_lap(&self, media: Option<MediaTime>, seams: &mut Seams) {
        let (Some(slot), Some(media)) = (&self.current, media) else { return };
        let Some((lap, _)) = slot.newest.filter(|_| !slot.ended) else { return };
        if slot.deck.state().last_lap.is_some_and(|it| it <= lap) {
            return;
        }
        // A stall in the middle of a lap is no late start of the next.
        if slot.to_be_followed_by(lap).is_some_and(|in_time| LATE_AFTER < media.delta_nanos(in_time)) {
            seams.late(slot.deck.id, lap + 1);
        }
    }
}

/// Moves a deck whose first frame is decoded to begin at `planned`, or where that has passed, as soon as may be.
fn place(slot: &mut Slot, planned: MediaTime, times: Times, seams: &mut Seams) {
    let has_passed = times.media.is_some_and(|it| LATE_AFTER < it.delta_nanos(planned));
    if has_passed {
        seams.late(slot.deck.id, 0);
    }
    let Some(start) = slot.start() else { return };
    slot.planned = planned;
    slot.late_by = times.soonest.filter(|_| has_passed).map_or(0, |it| it.delta_nanos(planned));
    slot.offset = Some(planned.offset_by(slot.late_by).delta_nanos(start));
}
