//! A deck: one item of the programme, opened, decoding ahead and waiting for its cue, as the decks of a playout
//! machine do. Two threads (feed and decode) and three links belong to it; the present thread takes the frames, the
//! sound thread the coded sound.
//!
//! ```text
//!            +-- video link --> decode --> frame link --> present thread
//! input -> feed
//!            +-- audio link ---------------------------> sound thread
//! ```
//! A deck plays its item once or for some laps on one continuous timeline of its own: lap 1 begins where lap 0 ended.
//! The player moves that timeline onto the programme's.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::cancel::Cancel;
use crate::base::frame::VideoFrame;
use crate::base::offer::FlowPolicy;
use crate::base::packet::Packet;
use crate::base::stats::Fallback;
use crate::base::stream::{AudioStream, MediaInfo, VideoStream};
use crate::base::time::MediaTime;
use crate::logic::flow::Limits;
use crate::pipeline::elements::decode::{Candidates, Decode};
use crate::pipeline::elements::feed::{Feed, FeedOptions};
use crate::pipeline::env::Env;
use crate::pipeline::link::Link;
use crate::pipeline::runner::{Bell, Hooks, Outcome, Runner};
use crate::seam::decoder::DecoderStats;
use crate::seam::wait::Wake;

/// What travels from the feed to a decoder.
#[derive(Debug)]
pub enum Coded<S> {
    /// Packets from here on belong to this stream; a decoder for the same parameters may stay.
    Open(Box<S>),
    /// One access unit.
    Packet(Packet),
    /// The lap is over: everything submitted must come out before the next lap begins.
    LapEnd,
    /// Nothing follows.
    End,
}

/// What travels from the decoder to the present thread.
#[derive(Debug)]
pub enum Picture {
    /// A frame, in display order, on the deck's own timeline.
    Frame(VideoFrame),
    /// Nothing follows.
    End,
}

/// Coded pictures towards the decoder.
pub type VideoLink = Link<Coded<VideoStream>>;
/// Coded sound towards the sound thread.
pub type AudioLink = Link<Coded<AudioStream>>;
/// Pictures towards the present thread.
pub type FrameLink = Link<Picture>;

/// Two seconds of coded pictures survive a slow disk; 32 MiB is two seconds at 128 Mbit/s.
const VIDEO_LIMITS: Limits = Limits { items: 512, bytes: 32 << 20, span: Duration::from_secs(2) };
/// Sound is small; its span is a little longer so that it never starves before the picture does.
const AUDIO_LIMITS: Limits = Limits { items: 1024, bytes: 4 << 20, span: Duration::from_secs(3) };
/// One frame ready while the next is decoded and one more against jitter. Pictures are large.
const FRAME_LIMITS: Limits = Limits { items: 3, bytes: usize::MAX, span: Duration::MAX };

/// Where a deck is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// The input is being opened.
    #[default]
    Opening,
    /// Opened; frames come or have come.
    Playing,
    /// A live input dropped; the feed is trying to get it back.
    Reconnecting,
    /// Nothing more will come: the reason in one line.
    Failed(String),
}

/// How many lap ends are remembered. The feed runs ahead of the screen by what `VIDEO_LIMITS` lets it, which is 240 laps
/// of one picture at 120 a second.
const LAP_ENDS: usize = 256;

/// Has all the room there will ever be from the start: a lap that ends while the deck plays allocates nothing.
#[derive(Debug)]
struct LapEnds(Vec<(u32, MediaTime)>);

impl Default for LapEnds {
    fn default() -> Self {
        Self(Vec::with_capacity(LAP_ENDS))
    }
}

/// What the deck's threads tell the player.
#[derive(Debug, Default)]
pub struct DeckState {
    /// Where it is in its life.
    pub phase: Phase,
    /// A lap is cut to this.
    pub limit: Option<Duration>,
    /// What the input is, once opened.
    pub info: Option<MediaInfo>,
    /// Timestamp of the first frame that came out of the decoder.
    pub start: Option<MediaTime>,
    /// The newest lap that has wholly come out of the decoder, and the end of its last frame.
    pub decoded: Option<(u32, MediaTime)>,
    /// When the newest laps end on the deck's timeline: (lap, end).
    lap_ends: LapEnds,
    /// The last lap, once the feed knows it.
    pub last_lap: Option<u32>,
    /// Everything the decoder says of itself.
    pub decoder: DecoderStats,
    /// The decoders that made the frames so far, and the first frame of each; the newest last.
    pub makers: Vec<(&'static str, MediaTime)>,
    /// Decoders that gave up, and what took over; whoever counts them takes them out.
    pub fallbacks: Vec<Fallback>,
    /// Packets that could not be decoded.
    pub undecodable: u64,
    /// Times a live input came back.
    pub reconnects: u64,
    /// Times a decoder was opened.
    pub decoders_opened: u64,
    /// What went wrong without ending the item, worst last.
    pub complaint: Option<String>,
}

impl DeckState {
    /// Moves on. Nothing follows a failure: both threads of a deck report here, and the one that comes second knows less.
    fn enter(&mut self, phase: Phase) {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.phase = phase;
        }
    }
    /// Says when a lap ends.
    pub fn set_lap_end(&mut self, lap: u32, end: MediaTime) {
        match self.lap_ends.0.get_mut(lap as usize % LAP_ENDS) {
            Some(it) => *it = (lap, end),
            // Laps end one after the other, so that this is the next place.
            None => self.lap_ends.0.push((lap, end)),
        }
    }
    /// When a lap ends, where it is known and not long past.
    pub fn lap_end(&self, lap: u32) -> Option<MediaTime> {
        self.lap_ends.0.get(lap as usize % LAP_ENDS).filter(|it| it.0 == lap).map(|it| it.1)
    }
    /// When a lap must be over because its item is cut to a length, once it is known when the lap begins.
    pub fn cut(&self, lap: u32) -> Option<MediaTime> {
        let begin = match lap.checked_sub(1) {
            None => self.start,
            Some(before) => self.lap_end(before),
        };
        begin.zip(self.limit).map(|(begin, limit)| begin + limit)
    }
    /// The end of the last frame of a lap, once all of the lap's frames have come out of the decoder.
    pub fn decoded_end_of(&self, lap: u32) -> Option<MediaTime> {
        self.decoded.filter(|(it, _)| *it == lap).map(|(_, end)| end)
    }
    /// The decoder that made the frame of this time.
    pub fn maker_of(&self, pts: MediaTime) -> Option<&'static str> {
        self.makers.iter().rev().find(|it| it.1 <= pts).or(self.makers.first()).map(|it| it.0)
    }
    /// When the last lap ends, once that is known.
    pub fn end(&self) -> Option<MediaTime> {
        self.last_lap.and_then(|it| self.lap_end(it))
    }
}

/// Shared by a deck's two threads, the present thread and the sound thread.
#[derive(Debug, Default)]
pub struct DeckShared {
    state: Mutex<DeckState>,
    /// Stop looping when the present lap ends.
    pub last_lap_asked: AtomicBool,
    /// Ends blocking I/O.
    pub cancel: Cancel,
}

impl DeckShared {
    /// The state. A thread that panicked while holding it leaves it readable: it is plain values.
    pub fn state(&self) -> MutexGuard<'_, DeckState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The input is open. A deck whose decoder has refused the stream meanwhile stays failed.
    pub fn playing(&self, info: MediaInfo) {
        let mut state = self.state();
        state.info = Some(info);
        state.enter(Phase::Playing);
    }
    /// The live input dropped.
    pub fn reconnecting(&self) {
        self.state().enter(Phase::Reconnecting);
    }
    /// Ends the deck with a reason, unless it has one.
    pub fn fail(&self, reason: String) {
        self.state().enter(Phase::Failed(reason));
    }
}

/// What to play on a deck.
#[derive(Debug, Clone)]
pub struct DeckItem {
    /// A path or URL.
    pub input: String,
    /// A film is cut to this.
    pub duration: Option<Duration>,
    /// A single picture stays for this long.
    pub still: Duration,
    /// Laps: `None` for ever.
    pub laps: Option<u32>,
}

/// One item, opened and decoding ahead.
#[derive(Debug)]
pub struct Deck {
    /// Names this deck among all of a run.
    pub id: u64,
    /// Its state.
    pub shared: Arc<DeckShared>,
    /// Frames ready.
    pub frames: FrameLink,
    /// Coded sound.
    pub audio: AudioLink,
    video: VideoLink,
    feed: Runner,
    decode: Runner,
}

impl Deck {
    /// Starts opening `item`; returns at once. `present` and `sound` are woken when there is news for them.
    pub fn load(
        id: u64,
        item: &DeckItem,
        env: &Env,
        present: &Arc<dyn Wake>,
        sound: &Arc<dyn Wake>,
    ) -> std::io::Result<Deck> {
        let shared = Arc::new(DeckShared::default());
        let video: VideoLink = Link::new(FlowPolicy::Block, VIDEO_LIMITS);
        let audio: AudioLink = Link::new(FlowPolicy::Block, AUDIO_LIMITS);
        let frames: FrameLink = Link::new(FlowPolicy::Block, FRAME_LIMITS);
        let (feed_bell, decode_bell) = (Arc::new(Bell::new()), Arc::new(Bell::new()));
        video.set_producer(feed_bell.clone());
        video.set_consumer(decode_bell.clone());
        audio.set_producer(feed_bell.clone());
        audio.set_consumer(sound.clone());
        frames.set_producer(decode_bell.clone());
        frames.set_consumer(present.clone());
        shared.state().limit = item.duration;
        let options = FeedOptions { item: item.clone(), timeout: env.io_timeout, without_audio: env.sink.is_none() };
        let decode = Decode::new(
            item.input.clone(),
            shared.clone(),
            video.clone(),
            frames.clone(),
            Candidates::new(env.decoders.clone(), env.health.clone()),
            present.clone(),
            feed_bell.clone(),
        );
        let feed =
            Feed::new(options, shared.clone(), video.clone(), audio.clone(), env.demuxers.clone(), present.clone());
        let hooks = Hooks { allocations: env.allocations, on_end: Some(present.clone()), waiter: Some(env.waiter) };
        let decode = Runner::spawn("decode", env.real.clone(), decode_bell, hooks.clone(), Box::new(decode))?;
        // Last, because a thread that may be blocked in I/O cannot be ended at once.
        let feed = Runner::spawn("feed", env.real.clone(), feed_bell, hooks, Box::new(feed))?;
        Ok(Deck { id, shared, feed, decode, frames, audio, video })
    }

    /// The state.
    pub fn state(&self) -> MutexGuard<'_, DeckState> {
        self.shared.state()
    }

    /// No further lap after the present one.
    pub fn finish_lap(&self) {
        self.shared.last_lap_asked.store(true, Ordering::Release);
    }

    /// Asks both threads to end; returns at once.
    pub fn stop(&self) {
        self.shared.cancel.cancel();
        self.feed.stop();
        self.decode.stop();
        self.video.close();
        self.audio.close();
        self.frames.close();
        // Their memory may be wanted back.
        self.frames.clear();
    }

    /// Both threads have ended, so that dropping the deck waits for nobody.
    pub fn has_stopped(&self) -> bool {
        self.feed.has_ended() && self.decode.has_ended()
    }

    /// Heap allocations of both threads so far.
    pub fn allocations(&self) -> u64 {
        self.feed.allocations() + self.decode.allocations()
    }

    /// A thread of this deck that ended by a panic, in words. Nothing follows what is in the links by then.
    pub fn panicked(&self) -> Option<String> {
        [self.feed.outcome(), self.decode.outcome()].into_iter().find_map(|it| match it {
            Outcome::Panicked(words) => Some(words),
            _ => None,
        })
    }
}

impl Drop for Deck {
    /// The threads are joined as the runners are dropped; blocked I/O must have been told before.
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_failure() {
        let mut it = DeckState::default();
        for phase in [Phase::Playing, Phase::Failed("first".into()), Phase::Playing, Phase::Failed("second".into())] {
            it.enter(phase);
        }
        assert_eq!(it.phase, Phase::Failed("first".into()));
    }

    #[test]
    fn a_cut_is_known_as_soon_as_a_lap_has_begun() {
        let (second, at) = (Duration::from_secs(1), |ms: i64| Some(MediaTime::from_nanos(ms * 1_000_000)));
        let mut it = DeckState { limit: Some(second), ..DeckState::default() };
        assert_eq!(it.cut(0), None);
        it.start = at(40);
        assert_eq!((it.cut(0), it.cut(1)), (at(1040), None));
        it.set_lap_end(0, MediaTime::from_nanos(1_040_000_000));
        assert_eq!(it.cut(1), at(2040));
        it.limit = None;
        assert_eq!(it.cut(0), None);
    }

    #[test]
    fn lap_ends_are_forgotten_in_order() {
        let mut it = DeckState::default();
        for lap in 0..300 {
            it.set_lap_end(lap, MediaTime::from_nanos(i64::from(lap)));
        }
        assert_eq!(it.lap_end(299), Some(MediaTime::from_nanos(299)));
        assert_eq!(it.lap_end(44), Some(MediaTime::from_nanos(44)));
        assert_eq!((it.lap_end(43), it.lap_end(300)), (None, None));
        assert_eq!(it.end(), None);
        it.last_lap = Some(299);
        assert_eq!(it.end(), Some(MediaTime::from_nanos(299)));
    }
}
