//! Feed: opens an input and deals its packets out to the decoders, lap after lap, through drops of a live source.
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use log::Level;

use crate::base::offer::{Offer, Severity};
use crate::base::packet::{Packet, Track};
use crate::base::stream::{AudioStream, MediaInfo, VideoStream};
use crate::base::time::MonoTime;
use crate::logic::backoff::Backoff;
use crate::logic::flow::ItemMeta;
use crate::logic::laps::Laps;
use crate::pipeline::deck::{AudioLink, Coded, DeckItem, DeckShared, Phase, VideoLink};
use crate::pipeline::link::Link;
use crate::pipeline::runner::{Progress, Step};
use crate::seam::demuxer::{DemuxError, Demuxed, Demuxer, DemuxerFactory, OpenOptions};
use crate::seam::wait::Wake;

/// Packets dealt out before the runner looks up: short enough to stop promptly.
const PACKETS_PER_STEP: usize = 64;

/// How to feed.
#[derive(Debug, Clone)]
pub struct FeedOptions {
    /// What to play.
    pub item: DeckItem,
    /// Longest silence of the input.
    pub timeout: Duration,
    /// Sound goes nowhere.
    pub without_audio: bool,
}

/// What the feed is doing.
#[derive(Debug)]
enum State {
    /// Opening the input for the first time.
    Opening,
    /// Reading packets.
    Reading,
    /// All packets of a lap are out; the next lap's place depends on what the decoder has yet to say.
    BetweenLaps,
    /// A live input has just dropped, for this reason. Reading took its time, so the wait is counted from the next step.
    Dropped(String),
    /// A live input dropped; try again at this time.
    Reconnecting(MonoTime),
    /// Everything is out.
    Ended,
}

/// The element.
pub struct Feed {
    options: FeedOptions,
    shared: Arc<DeckShared>,
    video: VideoLink,
    audio: AudioLink,
    factory: Arc<dyn DemuxerFactory>,
    player: Arc<dyn Wake>,
    state: State,
    demuxer: Option<Box<dyn Demuxer>>,
    streams: (Option<VideoStream>, Option<AudioStream>),
    laps: Laps,
    backoff: Backoff,
    waiting: Option<Packet>,
    /// Why the live input dropped the last time, so that a reason is told once and not twice a minute for days.
    told: String,
}

impl Feed {
    /// A feed that has not opened its input yet. `player` is woken when the deck's state changes.
    pub fn new(
        options: FeedOptions,
        shared: Arc<DeckShared>,
        video: VideoLink,
        audio: AudioLink,
        factory: Arc<dyn DemuxerFactory>,
        player: Arc<dyn Wake>,
    ) -> Self {
        let laps = Laps::new(options.item.laps);
        Self {
            options,
            shared,
            video,
            audio,
            factory,
            player,
            state: State::Opening,
            demuxer: None,
            streams: (None, None),
            laps,
            backoff: Backoff::new(),
            waiting: None,
            told: String::new(),
        }
    }

    fn open(&self) -> Result<Box<dyn Demuxer>, DemuxError> {
        let options = OpenOptions {
            timeout: self.options.timeout,
            without_audio: self.options.without_audio,
            cancel: self.shared.cancel.clone(),
        };
        self.factory.open(&self.options.item.input, &options)
    }

    /// Tells the decoders what is coming, unless it is what they are doing already.
    fn announce(&mut self, info: &MediaInfo) {
        let same = |old: &VideoStream, new: &VideoStream| {
            old.parameters.is_same_as(&new.parameters) && old.size == new.size && old.pixel_format == new.pixel_format
        };
        if let Some(video) = &info.video
            && !self.streams.0.as_ref().is_some_and(|old| same(old, video))
        {
            send(&self.video, Coded::Open(Box::new(video.clone())));
        }
        if let Some(audio) = &info.audio
            && !self
                .streams
                .1
                .as_ref()
                .is_some_and(|old| old.parameters.is_same_as(&audio.parameters) && old.format == audio.format)
        {
            send(&self.audio, Coded::Open(Box::new(audio.clone())));
        }
        self.streams = (info.video.clone(), info.audio.clone());
    }

    fn opening(&mut self) -> Progress {
        match self.open() {
            Ok(demuxer) => {
                let info = demuxer.info().clone();
                self.announce(&info);
                let item = &self.options.item;
                self.laps.opened(&info, if info.still { Some(item.still) } else { item.duration });
                self.demuxer = Some(demuxer);
                self.state = State::Reading;
                self.shared.playing(info);
                self.player.wake();
                Progress::Again
            }
            Err(error) => self.fail(format!("{error}; {}", error.advice())),
        }
    }

    /// Nothing can be read. Where laps were read before, they are played to their end.
    fn fail(&mut self, reason: String) -> Progress {
        match self.laps.lap().checked_sub(1) {
            None => {
                self.shared.fail(reason);
                self.end()
            }
            Some(before) => {
                log::warn!("{reason}; the loop ends");
                self.shared.state().complaint = Some(reason);
                self.end_after(before)
            }
        }
    }

    /// The deck's last lap is known, and out.
    fn end_after(&mut self, lap: u32) -> Progress {
        {
            let mut state = self.shared.state();
            // A decoder that gave up has said itself where the deck ends.
            if !self.shared.cancel.is_cancelled() {
                state.last_lap = Some(lap);
            }
        }
        self.end()
    }

    fn end(&mut self) -> Progress {
        self.state = State::Ended;
        self.demuxer = None;
        send(&self.video, Coded::End);
        send(&self.audio, Coded::End);
        self.player.wake();
        Progress::Done
    }

    /// Hands a packet to its link, or keeps it until there is room.
    fn deal(&mut self, packet: Packet) -> bool {
        let meta = ItemMeta::packet(&packet);
        let has_audio = self.streams.1.is_some();
        self.waiting = match packet.track {
            Track::Video => offer(&self.video, packet, meta, has_audio && self.audio.level().items == 0),
            Track::Audio => {
                let pictures_starve = self.video.level().items == 0;
                // Sound that nobody takes, further ahead than even that allows, must not keep the pictures waiting.
                offer(&self.audio, packet, meta, pictures_starve).filter(|_| !pictures_starve)
            }
        };
        self.waiting.is_none()
    }

    fn reading(&mut self, now: MonoTime) -> Progress {
        if let Some(packet) = self.waiting.take()
            && !self.deal(packet)
        {
            return Progress::Wait { until: None };
        }
        for _ in 0..PACKETS_PER_STEP {
            let Some(demuxer) = &mut self.demuxer else { return self.lap_over(now) };
            match demuxer.read() {
                Ok(Demuxed::Packet(mut packet)) => {
                    let live = demuxer.info().live;
                    if live && self.laps.is_broken_by(&packet) {
                        self.laps.rebase();
                    }
                    if live {
                        self.backoff.succeeded();
                        self.told.clear();
                    }
                    if !self.laps.place(&mut packet) {
                        return self.lap_over(now);
                    }
                    if !self.deal(packet) {
                        return Progress::Wait { until: None };
                    }
                }
                Ok(Demuxed::EndOfStream) => {
                    return if demuxer.info().live {
                        let input = &self.options.item.input;
                        self.dropped(format!("{input}: the stream ended"))
                    } else {
                        self.lap_over(now)
                    };
                }
                Err(DemuxError::Cancelled { .. }) => return self.end(),
                Err(error) if demuxer.info().live => return self.dropped(error.to_string()),
                Err(error) if self.laps.is_empty() || error.severity() == Severity::Fatal => {
                    return self.fail(format!("{error}; {}", error.advice()));
                }
                Err(error) => {
                    log::warn!("{error}; the rest of it is left out: {}", error.advice());
                    self.shared.state().complaint = Some(error.to_string());
                    return self.lap_over(now);
                }
            }
        }
        Progress::Again
    }

    /// A live source went away: the picture stays, and the feed tries to get it back.
    fn dropped(&mut self, reason: String) -> Progress {
        if self.laps.is_empty() {
            // There is no picture of it that could stay.
            return self.fail(format!("{reason}, before the first picture"));
        }
        self.demuxer = None;
        self.state = State::Dropped(reason);
        self.shared.reconnecting();
        self.player.wake();
        Progress::Again
    }

    /// Decides when to try again.
    fn back_off(&mut self, now: MonoTime, reason: &str) -> Progress {
        let at = self.backoff.failed(now);
        let level = if self.told == reason { Level::Debug } else { Level::Warn };
        let wait = at.saturating_since(now).as_secs_f64();
        log::log!(level, "{reason}; the last picture stays; trying again in {wait:.1} s");
        reason.clone_into(&mut self.told);
        self.state = State::Reconnecting(at);
        Progress::Wait { until: Some(at) }
    }

    fn reconnecting(&mut self, now: MonoTime, at: MonoTime) -> Progress {
        if now < at {
            return Progress::Wait { until: Some(at) };
        }
        match self.open() {
            Ok(demuxer) => {
                log::info!("{}: it is back", self.options.item.input);
                let info = demuxer.info().clone();
                self.announce(&info);
                self.laps.rebase();
                self.demuxer = Some(demuxer);
                self.state = State::Reading;
                self.shared.state().reconnects += 1;
                self.shared.playing(info);
                self.player.wake();
                Progress::Again
            }
            Err(DemuxError::Cancelled { .. }) => self.end(),
            Err(error) => self.dropped(error.to_string()),
        }
    }

    /// Every packet of this lap is out.
    fn lap_over(&mut self, _now: MonoTime) -> Progress {
        if self.laps.is_empty() {
            let input = &self.options.item.input;
            return self.fail(format!("{input}: there is no picture data in it; copy the file again"));
        }
        send(&self.video, Coded::LapEnd);
        send(&self.audio, Coded::LapEnd);
        self.state = State::BetweenLaps;
        Progress::Again
    }

    fn between_laps(&mut self) -> Progress {
        let mut state = self.shared.state();
        // Asked again under the lock: a decoder that gives up says so before it says where the deck ends.
        if matches!(state.phase, Phase::Failed(_)) || self.shared.cancel.is_cancelled() {
            drop(state);
            return self.end();
        }
        let Some(end) = self.laps.end(state.start, state.decoded_end_of(self.laps.lap())) else {
            // The decoder rings when its first frame, or the lap's last, has come out.
            return Progress::Wait { until: None };
        };
        let (lap, is_last) = (self.laps.lap(), self.laps.is_last());
        let last = is_last || self.shared.last_lap_asked.load(Ordering::Acquire);
        state.set_lap_end(lap, end);
        let start = state.start;
        if last {
            state.last_lap = Some(lap);
        }
        drop(state);
        self.player.wake();
        let again = !last && start.is_some_and(|start| self.laps.next_lap(start, end)) && self.rewind();
        if again {
            self.state = State::Reading;
            return Progress::Again;
        }
        self.end_after(lap)
    }

    /// Back to the start, by seeking or, where the input cannot, by opening it again; the decoders stay.
    fn rewind(&mut self) -> bool {
        if let Some(Err(error)) = self.demuxer.as_mut().map(|it| it.rewind()) {
            log::debug!("{error}; opening it again instead");
            self.demuxer = None;
        }
        if self.demuxer.is_some() {
            return true;
        }
        match self.open() {
            Ok(demuxer) => {
                let info = demuxer.info().clone();
                self.announce(&info);
                self.demuxer = Some(demuxer);
                true
            }
            Err(DemuxError::Cancelled { .. }) => false,
            Err(error) => {
                log::warn!("{error}; the loop ends: {}", error.advice());
                self.shared.state().complaint = Some(error.to_string());
                false
            }
        }
    }
}

/// Puts an event on a link; links never refuse events.
fn send<S: Send>(link: &Link<Coded<S>>, event: Coded<S>) {
    let _taken = link.offer(event, ItemMeta::event());
}

/// Offers a packet; past the limits only while the other track starves. Gives it back when there is no room.
fn offer<S: Send>(link: &Link<Coded<S>>, packet: Packet, meta: ItemMeta, other_starves: bool) -> Option<Packet> {
    let it = Coded::Packet(packet);
    let answer = if other_starves { link.offer_over_limit(it, meta) } else { link.offer(it, meta) };
    match answer.0 {
        Offer::Refused(Coded::Packet(packet)) => Some(packet),
        _ => None,
    }
}

impl Step for Feed {
    fn step(&mut self, now: MonoTime) -> Progress {
        if self.shared.cancel.is_cancelled() && !matches!(self.state, State::Ended) {
            // The sound of a deck whose decoder gave up ends as well.
            return self.end();
        }
        match &self.state {
            State::Opening => self.opening(),
            State::Reading => self.reading(now),
            State::BetweenLaps => self.between_laps(),
            State::Dropped(reason) => {
                let reason = reason.clone();
                self.back_off(now, &reason)
            }
            State::Reconnecting(at) => self.reconnecting(now, *at),
            State::Ended => Progress::Done,
        }
    }
}
