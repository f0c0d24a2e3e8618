//! Decode: coded pictures in, frames out. The decoder stays from lap to lap, and over a dropped live source.
use std::sync::Arc;
use std::time::Duration;

use crate::base::frame::VideoFrame;
use crate::base::offer::{Offer, Severity};
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::flow::ItemMeta;
use crate::pipeline::deck::{Coded, DeckShared, FrameLink, Phase, Picture, VideoLink};
use crate::pipeline::runner::{Progress, Step};
use crate::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderFactory, DecoderStats};
use crate::seam::wait::{Waitable, Wake};

/// After this many undecodable packets without one frame between them the rest of the item is given up: ten seconds
/// of a 60 fps stream that lost its keyframes may still recover.
const MAX_UNDECODABLE: u32 = 600;
/// Moves per step, so that the runner sees a stop request soon.
const MOVES_PER_STEP: usize = 32;

/// What to do when the decoder has drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// A new lap begins.
    Lap,
    /// A new stream begins with another decoder.
    Reopen,
}

/// The element.
pub struct Decode {
    /// The path or URL, for what goes wrong.
    name: String,
    shared: Arc<DeckShared>,
    input: VideoLink,
    output: FrameLink,
    factories: Vec<Arc<dyn DecoderFactory>>,
    player: Arc<dyn Wake>,
    feed: Arc<dyn Wake>,
    decoder: Option<Box<dyn Decoder>>,
    /// Counters of decoders that are gone.
    before: DecoderStats,
    stream: Option<Box<VideoStream>>,
    draining: Option<After>,
    /// Frames wait here for room in the link.
    frame: Option<VideoFrame>,
    /// Packets wait here for room in the decoder.
    packet: Option<Packet>,
    lap: u32,
    frames: u64,
    /// Of the lap being decoded.
    lap_frames: u64,
    lap_end: Option<MediaTime>,
    newest: Option<MediaTime>,
    undecodable: u32,
    ended: bool,
}

fn sum(a: DecoderStats, b: DecoderStats) -> DecoderStats {
    DecoderStats {
        frames: a.frames + b.frames,
        converted: a.converted + b.converted,
        deinterlaced: a.deinterlaced + b.deinterlaced,
        corrupt: a.corrupt + b.corrupt,
        ordinary: a.ordinary + b.ordinary,
    }
}

impl Decode {
    /// A stage with no decoder yet: the link's first event names the stream. `player` and `feed` are woken when the
    /// deck's state changes in a way they wait for.
    pub fn new(
        name: String,
        shared: Arc<DeckShared>,
        input: VideoLink,
        output: FrameLink,
        factories: Vec<Arc<dyn DecoderFactory>>,
        player: Arc<dyn Wake>,
        feed: Arc<dyn Wake>,
    ) -> Self {
        Self {
            name,
            shared,
            input,
            output,
            factories,
            player,
            feed,
            decoder: None,
            before: DecoderStats::default(),
            stream: None,
            draining: None,
            frame: None,
            packet: None,
            lap: 0,
            frames: 0,
            lap_frames: 0,
            lap_end: None,
            newest: None,
            undecodable: 0,
            ended: false,
        }
    }

    fn open(&mut self, stream: Box<VideoStream>) -> Result<(), String> {
        let mut refusals = String::new();
        for factory in &self.factories {
            match factory.probe(&stream).and_then(|()| factory.open(&stream)) {
                Ok(decoder) => {
                    self.decoder = Some(decoder);
                    self.stream = Some(stream);
                    let mut state = self.shared.state();
                    state.decoder_name = Some(factory.name());
                    state.decoders_opened += 1;
                    return Ok(());
                }
                Err(error) => {
                    if !refusals.is_empty() {
                        refusals.push_str("; ");
                    }
                    refusals.push_str(&format!("{}: {error}", factory.name()));
                }
            }
        }
        Err(format!("no decoder takes it ({refusals}); convert it to H.264 first"))
    }

    /// Gives the deck up. What was decoded before still plays.
    fn fail(&mut self, reason: &str) {
        let reason = format!("{}: {reason}", self.name);
        // First of all: from here on the feed no longer says where the deck ends.
        self.shared.cancel.cancel();
        self.publish();
        if self.frames == 0 {
            self.shared.fail(reason);
        } else {
            log::warn!("{reason}; the rest of the item is left out");
            let mut state = self.shared.state();
            state.complaint = Some(reason);
            state.last_lap = Some(self.lap);
            if let Some(end) = self.lap_end {
                state.set_lap_end(self.lap, end);
            }
        }
        self.finish();
    }

    fn finish(&mut self) {
        self.decoder = None;
        self.ended = true;
        let _taken = self.output.offer(Picture::End, ItemMeta::event());
        self.player.wake();
        self.feed.wake();
    }

    fn publish(&mut self) {
        let now = self.decoder.as_ref().map_or(DecoderStats::default(), |it| it.stats());
        self.shared.state().decoder = sum(self.before, now);
    }

    /// Offers the waiting frame; `false` while the link is full.
    fn hand_on(&mut self) -> bool {
        let Some(frame) = self.frame.take() else { return true };
        let meta = ItemMeta::frame(frame.pts, frame.duration, 0);
        match self.output.offer(Picture::Frame(frame), meta).0 {
            Offer::Refused(Picture::Frame(frame)) => {
                self.frame = Some(frame);
                false
            }
            _ => true,
        }
    }

    fn take_frame(&mut self, mut frame: VideoFrame) {
        self.undecodable = 0;
        self.lap_frames += 1;
        let mut state = self.shared.state();
        // Reordered pictures come in pairs with packets on either side of a cut; the feed cannot hold them back.
        let end = state.lap_end(frame.lap).or_else(|| state.cut(frame.lap));
        if end.is_some_and(|end| end <= frame.pts) {
            return;
        }
        if self.frames == 0 {
            state.start = Some(frame.pts);
            // A still has no duration of its own; it stays until its lap ends.
            self.feed.wake();
        }
        drop(state);
        self.frames += 1;
        if frame.lap != self.lap {
            self.lap = frame.lap;
            self.lap_end = None;
        }
        let lasts = if frame.duration.is_zero() { Duration::from_millis(40) } else { frame.duration };
        // Time never runs backwards through the queue, whatever the stream says.
        if let Some(newest) = self.newest
            && frame.pts <= newest
        {
            frame.pts = newest.offset_by(1);
        }
        self.newest = Some(frame.pts);
        self.lap_end = Some(frame.pts + lasts);
        self.frame = Some(frame);
        self.publish();
    }

    fn drained(&mut self, after: After) {
        self.draining = None;
        self.publish();
        match after {
            After::Lap if self.frames == 0 => {
                let why = self.shared.state().complaint.take().map_or(String::new(), |it| format!(" ({it})"));
                self.fail(&format!("no picture in it could be decoded{why}; copy the file again"));
            }
            After::Lap if self.lap_frames == 0 => {
                // Going round without a picture would never end, and where the lap ends nobody could say.
                self.fail("no picture of its last lap could be decoded");
            }
            After::Lap => {
                self.lap_frames = 0;
                if let Some(end) = self.lap_end {
                    self.shared.state().decoded = Some((self.lap, end));
                }
                self.feed.wake();
                if let Some(Err(error)) = self.decoder.as_mut().map(|it| it.flush()) {
                    self.fail(&error.to_string());
                }
            }
            After::Reopen => {
                self.before = self.shared.state().decoder;
                self.decoder = None;
                if let Some(stream) = self.stream.take()
                    && let Err(reason) = self.open(stream)
                {
                    self.fail(&reason);
                }
            }
        }
    }

    /// Takes what the decoder has; `true` when something moved.
    fn poll(&mut self) -> bool {
        let Some(decoder) = &mut self.decoder else { return false };
        match decoder.poll() {
            Ok(Some(DecodeEvent::Frame(frame))) => self.take_frame(frame),
            Ok(Some(DecodeEvent::FormatChanged(format))) => log::debug!("pictures are now {format:?}"),
            // Whoever shows frames looks whether they are wanted back.
            Ok(Some(DecodeEvent::Retiring)) => self.player.wake(),
            Ok(Some(DecodeEvent::Drained)) => {
                if let Some(after) = self.draining {
                    self.drained(after);
                }
            }
            Ok(None) => return false,
            Err(error) => self.complain(error),
        }
        true
    }

    fn complain(&mut self, error: DecodeError) {
        match error.severity() {
            Severity::Retry => {
                log::debug!("{error}");
                self.undecodable += 1;
                let mut state = self.shared.state();
                state.undecodable += 1;
                state.complaint = Some(error.to_string());
                drop(state);
                if MAX_UNDECODABLE <= self.undecodable {
                    self.fail(&format!("{error}; nothing decodable in {MAX_UNDECODABLE} packets"));
                }
            }
            _ => self.fail(&error.to_string()),
        }
    }

    fn drain(&mut self, after: After) {
        let Some(decoder) = &mut self.decoder else {
            return self.drained(after);
        };
        self.draining = Some(after);
        if let Err(error) = decoder.drain() {
            self.complain(error);
        }
    }

    /// Takes the next item of the link; `true` when something moved.
    fn feed_decoder(&mut self) -> bool {
        let packet = match self.packet.take() {
            Some(packet) => packet,
            None => match self.input.take() {
                Some(Coded::Packet(packet)) => packet,
                Some(Coded::LapEnd) => {
                    self.drain(After::Lap);
                    return true;
                }
                Some(Coded::End) => {
                    self.finish();
                    return true;
                }
                Some(Coded::Open(stream)) if self.decoder.is_some() => {
                    self.stream = Some(stream);
                    self.drain(After::Reopen);
                    return true;
                }
                Some(Coded::Open(stream)) => {
                    if let Err(reason) = self.open(stream) {
                        self.fail(&reason);
                    }
                    return true;
                }
                None => return false,
            },
        };
        let Some(decoder) = &mut self.decoder else { return true };
        match decoder.submit(packet) {
            Ok(Offer::Taken) => true,
            Ok(Offer::Refused(packet)) => {
                self.packet = Some(packet);
                false
            }
            Err(error) => {
                self.complain(error);
                true
            }
        }
    }
}

impl Step for Decode {
    fn step(&mut self, now: MonoTime) -> Progress {
        for _ in 0..MOVES_PER_STEP {
            if self.ended {
                return Progress::Done;
            }
            if matches!(self.shared.state().phase, Phase::Failed(_)) {
                self.finish();
                return Progress::Done;
            }
            if !self.hand_on() {
                return Progress::Wait { until: None };
            }
            if self.poll() || self.frame.is_some() {
                continue;
            }
            if self.draining.is_some() || !self.feed_decoder() {
                let every = match self.decoder.as_ref().map(|it| it.waitable()) {
                    Some(Waitable::Every(every)) => Some(every),
                    _ => None,
                };
                return Progress::Wait { until: every.map(|it| now + it) };
            }
        }
        Progress::Again
    }
}
