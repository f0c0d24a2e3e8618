//! Decode: coded pictures in, frames out. The decoder stays from lap to lap, and over a dropped live source.
//!
//! A decoder that fails is followed by another ([`crate::logic::fallback`]), which is given what the first one was given
//! since the last resume point; what it makes of that is left out up to the newest frame that was handed on.
use std::sync::Arc;
use std::time::Duration;

use crate::base::frame::{Memory, VideoFrame};
use crate::base::offer::{Offer, Severity};
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::fallback::Fallback;
use crate::logic::flow::ItemMeta;
use crate::pipeline::deck::{DeckShared, FrameLink, Phase, Picture, VideoLink};
use crate::pipeline::runner::{Progress, Step};
use crate::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderStats};
use crate::seam::wait::{Waitable, Wake};

mod feeding;
mod opening;
mod recovery;
mod replay;

pub use opening::{Candidates, Health};

use replay::Replay;

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
    candidates: Candidates,
    player: Arc<dyn Wake>,
    feed: Arc<dyn Wake>,
    decoder: Option<Box<dyn Decoder>>,
    /// Which of the candidates it is from.
    kind: usize,
    fallback: Fallback,
    replay: Replay,
    /// The newest frame that was handed on, as the decoder said it: what another decoder makes up to it is left out.
    handed_on: Option<MediaTime>,
    /// Frames up to this were handed on by the decoder before.
    resume_after: Option<MediaTime>,
    /// Frames of this decoder that were left out for that.
    repeated: u64,
    /// The decoder said that its frames are in dma-bufs, and none has come yet.
    claims_dmabufs: bool,
    /// Counters of decoders that are gone.
    before: DecoderStats,
    stream: Option<Box<VideoStream>>,
    /// The stream to be decoded when the decoder has drained.
    next_stream: Option<Box<VideoStream>>,
    draining: Option<After>,
    /// The decoder was to drain when it failed: so is the one after it, once it has been given everything.
    to_drain: Option<After>,
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
    /// Only news of the decoder's device help.
    waits_for_decoder: bool,
    now: MonoTime,
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
        candidates: Candidates,
        player: Arc<dyn Wake>,
        feed: Arc<dyn Wake>,
    ) -> Self {
        Self {
            name,
            shared,
            input,
            output,
            candidates,
            player,
            feed,
            decoder: None,
            kind: 0,
            fallback: Fallback::new(),
            replay: Replay::default(),
            handed_on: None,
            resume_after: None,
            repeated: 0,
            claims_dmabufs: false,
            before: DecoderStats::default(),
            stream: None,
            next_stream: None,
            draining: None,
            to_drain: None,
            frame: None,
            packet: None,
            lap: 0,
            frames: 0,
            lap_frames: 0,
            lap_end: None,
            newest: None,
            undecodable: 0,
            ended: false,
            waits_for_decoder: false,
            now: MonoTime::ZERO,
        }
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
        let now = DecoderStats { frames: now.frames.saturating_sub(self.repeated), ..now };
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
        if frame.discontinuity {
            self.resume_after = None;
        }
        if self.resume_after.is_some_and(|newest| frame.pts <= newest) {
            self.repeated += 1;
            return;
        }
        self.resume_after = None;
        if std::mem::take(&mut self.claims_dmabufs) && matches!(frame.memory, Memory::Cpu(_)) {
            self.look_into_broken_claim();
        }
        self.handed_on = Some(frame.pts);
        self.replay.came_out(frame.pts);
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
        let name = self.candidates.name(self.kind);
        if state.makers.last().is_none_or(|it| it.0 != name) {
            state.makers.push((name, frame.pts));
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
        self.replay.clear();
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
                self.candidates.health.rests().worked(self.candidates.name(self.kind));
                // A better kind that gave up, on this stream or another, may be back.
                let is_last = self.shared.state().last_lap.is_some_and(|it| it <= self.lap);
                if 0 < self.kind
                    && !is_last
                    && self.candidates.is_back(self.now)
                    && let Some(stream) = self.stream.take()
                {
                    self.close_decoder();
                    return self.open_new(stream);
                }
                if let Some(Err(error)) = self.decoder.as_mut().map(|it| it.flush()) {
                    self.broke(&error);
                }
            }
            After::Reopen => {
                self.close_decoder();
                if let Some(stream) = self.next_stream.take() {
                    self.open_new(stream);
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
            _ => self.broke(&error),
        }
    }
}

impl Step for Decode {
    fn step(&mut self, now: MonoTime) -> Progress {
        (self.now, self.waits_for_decoder) = (now, false);
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
                self.waits_for_decoder = true;
                let every = match self.decoder.as_ref().map(|it| it.waitable()) {
                    Some(Waitable::Every(every)) => Some(every),
                    _ => None,
                };
                return Progress::Wait { until: every.map(|it| now + it) };
            }
        }
        Progress::Again
    }

    fn waitable(&self) -> Waitable<'_> {
        match self.decoder.as_ref().map(|it| it.waitable()) {
            Some(on @ Waitable::Fd(_)) if self.waits_for_decoder => on,
            // How often the others are to be asked was answered with the step.
            _ => Waitable::Ready,
        }
    }
}
