//! One deck with its item, and its place on the programme's timeline.
use std::time::Duration;

use crate::base::format::Ratio;
use crate::base::stats::ItemId;
use crate::base::stats::PlayStats;
use crate::base::time::{MediaTime, nanos_of};
use crate::logic::playlist::Pick;
use crate::pipeline::deck::{Deck, DeckState, Phase, Picture};
use crate::pipeline::elements::sound::board::Segment;
use crate::pipeline::player::ahead::Due;
use crate::pipeline::player::programme::PlayItem;
use crate::seam::decoder::DecoderStats;

/// How long a frame lasts where nothing says: 25 a second.
const USUAL_FRAME: Duration = Duration::from_millis(40);

/// A deck in use.
#[derive(Debug)]
pub struct Slot {
    /// The deck.
    pub deck: Deck,
    /// What it plays, and where that stands in the playlist.
    pub pick: Pick<PlayItem>,
    /// Laps on this deck; `None` for ever.
    pub laps: Option<u32>,
    /// Its entry in the statistics.
    pub id: ItemId,
    /// Added to the deck's timeline to get the programme's.
    pub offset: Option<i64>,
    /// Where on the programme's timeline it was to begin, when it got its place.
    pub planned: MediaTime,
    /// How much later than planned it began, in nanoseconds.
    pub late_by: i64,
    /// The deck has said that nothing follows.
    pub ended: bool,
    /// Frames of it that were taken off the deck.
    pub taken: u64,
    /// Frames of it that reached the screen.
    pub shown: u64,
    /// Frames of it that had their time while nobody could see the screen.
    pub unseen: u64,
    /// Why it is given up though it decodes: no way to the screen takes its frames.
    pub given_up: Option<String>,
    /// The lap of the newest frame on the screen.
    pub lap: u32,
    /// The lap of the newest frame that was taken off the deck, and when that is due on the programme's timeline.
    pub newest: Option<(u32, MediaTime)>,
    /// Its first frame is decoded, and it was seen whether that was in time.
    pub was_judged: bool,
    counted: Counted,
}

/// What a deck has counted so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    decoder: DecoderStats,
    undecodable: u64,
    decoders_opened: u64,
    reconnects: u64,
}

impl Counted {
    fn of(it: &DeckState) -> Self {
        Self {
            decoder: it.decoder,
            undecodable: it.undecodable,
            decoders_opened: it.decoders_opened,
            reconnects: it.reconnects,
        }
    }
}

impl Slot {
    /// A deck that has just been loaded.
    pub fn new(deck: Deck, pick: Pick<PlayItem>, laps: Option<u32>, id: ItemId) -> Self {
        Self {
            deck,
            pick,
            laps,
            id,
            offset: None,
            planned: MediaTime::ZERO,
            late_by: 0,
            ended: false,
            taken: 0,
            shown: 0,
            unseen: 0,
            given_up: None,
            lap: 0,
            newest: None,
            was_judged: false,
            counted: Counted::default(),
        }
    }

    /// What it plays.
    pub fn item(&self) -> &PlayItem {
        &self.pick.id
    }

    /// When its first frame is due on its own timeline, once one is decoded.
    pub fn start(&self) -> Option<MediaTime> {
        self.deck.state().start
    }

    /// When it ends on the programme's timeline, once that is known.
    pub fn end(&self) -> Option<MediaTime> {
        let end = self.deck.state().end()?;
        self.offset.map(|it| end.offset_by(it))
    }

    /// When a lap of it ends on the programme's timeline, once that is known.
    pub fn lap_end(&self, lap: u32) -> Option<MediaTime> {
        let end = self.deck.state().lap_end(lap)?;
        self.offset.map(|it| end.offset_by(it))
    }

    /// When what follows a lap has to be decoded, so that its seam is not late: when the lap's last frame becomes due. A
    /// frame that stays longer than a usual one (a still's only one; the last of a film that rests on it) leaves the time
    /// until the usual one before its end. `None` as long as the lap's last frame was not taken, or its end is not known.
    pub fn to_be_followed_by(&self, lap: u32) -> Option<MediaTime> {
        let (_, last) = self.newest.filter(|(it, _)| *it == lap)?;
        if !self.ended && !self.is_decoded(lap) {
            return None;
        }
        let state = self.deck.state();
        let info = state.info.as_ref().filter(|it| !it.still);
        let rate = info.and_then(|it| it.video.as_ref()?.frame_rate).map(Ratio::to_f64);
        let frame = rate.filter(|it| 1.0 <= *it).map_or(nanos_of(USUAL_FRAME), |it| (1e9 / it) as i64);
        drop(state);
        Some(last.max(self.lap_end(lap)?.offset_by(-frame)))
    }

    /// Why nothing more will come of it.
    pub fn failure(&self) -> Option<String> {
        if self.given_up.is_some() {
            return self.given_up.clone();
        }
        let phase = match &self.deck.state().phase {
            Phase::Failed(reason) => Some(reason.clone()),
            _ => None,
        };
        phase.or_else(|| self.deck.panicked().map(|it| format!("{}: our own bug: {it}", self.item().input)))
    }

    /// Nothing of it will ever be shown.
    pub fn is_dead(&self) -> bool {
        let nothing_comes = self.start().is_none() && self.failure().is_some();
        nothing_comes || (self.given_up.is_some() && self.shown == 0)
    }

    /// Its last picture has had its time, or will never come; `idle` says that none of its frames waits to be shown.
    pub fn is_over(&self, media: Option<MediaTime>, idle: bool) -> bool {
        if !idle || !self.ended {
            return false;
        }
        match (self.end(), media) {
            (Some(end), Some(media)) => end <= media,
            // The clock starts soon after the first picture, and then that has all its time before it.
            (Some(_), None) => self.shown == 0,
            (None, _) => true,
        }
    }

    /// Some of it had its time on the screen.
    pub fn was_played(&self) -> bool {
        0 < self.shown + self.unseen
    }

    /// Every packet is read: what is left is in the links.
    pub fn is_read(&self) -> bool {
        self.deck.state().last_lap.is_some()
    }

    /// All pictures of a lap have come out of the decoder, and were taken off the deck.
    pub fn is_decoded(&self, lap: u32) -> bool {
        let all_came = self.deck.state().decoded.is_some_and(|(it, _)| lap <= it);
        all_came && self.deck.frames.is_empty()
    }

    /// How much of the programme is left on it, where it says.
    pub fn remaining(&self, media: MediaTime) -> Option<i64> {
        if let Some(end) = self.end() {
            return Some(end.delta_nanos(media));
        }
        let state = self.deck.state();
        let (start, offset) = (state.start?, self.offset?);
        let length = state.info.as_ref()?.duration?;
        // Only a deck on its last lap is near its end.
        if self.laps.is_none_or(|laps| self.lap.saturating_add(1) < laps) {
            return None;
        }
        let length = length.saturating_mul(self.lap.saturating_add(1));
        Some((start + length).offset_by(offset).delta_nanos(media))
    }

    /// The next frame, with its place on the programme's timeline.
    pub fn take_frame(&mut self) -> Option<Due> {
        let offset = self.offset.filter(|_| self.given_up.is_none())?;
        match self.deck.frames.take() {
            Some(Picture::Frame(frame)) => {
                let pts = frame.pts.offset_by(offset);
                self.taken += 1;
                self.newest = Some((frame.lap, pts));
                Some(Due { frame, pts, deck: self.deck.id })
            }
            Some(Picture::End) => {
                self.ended = true;
                None
            }
            None => {
                // A thread that panicked cannot say that nothing follows.
                self.ended |= self.deck.panicked().is_some() && self.deck.frames.is_empty();
                None
            }
        }
    }

    /// The decoder that made the frame with this place on the programme's timeline.
    pub fn maker_of(&self, pts: MediaTime) -> Option<&'static str> {
        let offset = self.offset?;
        self.deck.state().maker_of(pts.offset_by(offset.saturating_neg()))
    }

    /// Its sound.
    pub fn segment(&self) -> Segment {
        Segment {
            deck: self.deck.id,
            link: self.deck.audio.clone(),
            shared: self.deck.shared.clone(),
            offset: self.offset,
        }
    }

    /// Brings the deck's counters into the statistics.
    pub fn count(&mut self, stats: &mut PlayStats) {
        let all = {
            let mut state = self.deck.state();
            state.fallbacks.drain(..).for_each(|it| stats.fell_back(it));
            Counted::of(&state)
        };
        let (now, before) = (all.decoder, self.counted.decoder);
        stats.items.decoded(self.id, now.frames - before.frames);
        stats.frames_decoded += now.frames - before.frames;
        stats.frames_converted += now.converted - before.converted;
        stats.frames_deinterlaced += now.deinterlaced - before.deinterlaced;
        stats.frames_ordinary += now.ordinary - before.ordinary;
        stats.frames_corrupt += now.corrupt - before.corrupt + (all.undecodable - self.counted.undecodable);
        stats.decoders_opened += all.decoders_opened - self.counted.decoders_opened;
        stats.reconnects += all.reconnects - self.counted.reconnects;
        self.counted = all;
    }
}
