//! Pictures by libavcodec, on the CPU.
//!
//! ```text
//! packet -> codec -> (bwdif, from the first interlaced picture on) -> kept as it is | converted once -> frame
//! ```
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::software::describe::sane_aspect;
use crate::backend::software::framer::{Facts, Framer, is_picture_codec};
use crate::backend::software::limits;
use crate::backend::software::opening::{check_size, decode_error, from_token, open_error, token_of, with_parameters};
use crate::backend::software::state::State;
use crate::base::color::{ColorTags, Luminance};
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::base::geometry::Rotation;
use crate::base::offer::Offer;
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::base::time::MediaTime;
use crate::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderStats};
use crate::sys::ffmpeg::{
    self, AvError, AvFrame, Codec, CodecOptions, Deinterlacer, FrameMemory, FrameMemorySource, Received, Recycle, Sent,
};

/// How long a picture lasts when nobody says: one at 25 per second.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(40);

/// Pictures that others hold at once: three in queue B, one on its way into it, and on the present thread the next one, the
/// one of the commit under way, the one on the screen and the same for a mirror of it.
const HELD_OUTSIDE: u32 = 10;

/// One stream's software decoder.
#[derive(Debug)]
pub struct SoftwareDecoder {
    stream: VideoStream,
    /// The codec's own aspect ratio was used, so that its frames may change it.
    follows_sar: bool,
    threads: u32,
    codec: Codec,
    memory: Option<Arc<dyn FrameMemory>>,
    state: State,
    /// Receives from the codec or the deinterlacer.
    decoded: AvFrame,
    framer: Framer,
    deinterlacer: Option<Deinterlacer>,
    /// bwdif does not take this stream's format: said once.
    cannot_deinterlace: bool,
    /// Facts of the pictures inside the deinterlacer, in order.
    inside: VecDeque<Facts>,
    /// A picture of another size waits here for the deinterlacer to run empty.
    waiting: AvFrame,
    waiting_facts: Option<Facts>,
    format: Option<VideoFormat>,
    /// Its format has been announced.
    ready: Option<VideoFrame>,
    last: Option<(MediaTime, Duration)>,
    stats: DecoderStats,
}

/// Nothing is gained by decoding several such pictures at once, and FFmpeg 5.1 aborts the process when a decoder on a
/// frame thread finds an error behind a picture that it has already finished: a WebP with something at its end.
/// Films are made of motion JPEG.
pub(super) fn stands_alone(codec: &str) -> bool {
    is_picture_codec(codec) && codec != "mjpeg"
}

/// The most pictures a codec refers to, with the one it writes.
fn n_references(codec: &str) -> u32 {
    match codec {
        // H.264 A.3.1, H.265 A.4.2: 16 in the decoded picture buffer.
        "h264" | "hevc" | "vvc" => 17,
        // Eight reference slots.
        "vp9" | "av1" => 9,
        "vp8" => 4,
        // At most two, as MPEG-2 has; pictures that stand alone need none.
        _ => 3,
    }
}

/// Pictures there are at once: those the codec refers to, one that each thread writes and one that it keeps until its turn
/// comes, and those that have been handed out.
fn n_pictures(codec: &str, threads: u32) -> usize {
    (n_references(codec) + 2 * threads + HELD_OUTSIDE) as usize
}

impl SoftwareDecoder {
    /// Opens a decoder with at most `threads` threads, whose pictures are in memory of `source`, where it can be.
    pub fn open(
        stream: &VideoStream,
        threads: u32,
        source: Option<&dyn FrameMemorySource>,
    ) -> Result<Self, DecodeError> {
        check_size(stream)?;
        let threads = if stands_alone(&stream.parameters.codec) { 1 } else { threads };
        let options = CodecOptions { threads, max_pixels: limits::MAX_PIXELS };
        let codec_name = stream.parameters.codec.as_str();
        let failed = |it: AvError| open_error(codec_name, it);
        ffmpeg::forget_complaints();
        // A still is one picture: buffers for it cost more than they save.
        let memory =
            source.filter(|_| !stands_alone(codec_name)).and_then(|it| it.memory(n_pictures(codec_name, threads)));
        let (codec, own_sar) = with_parameters(&stream.parameters, stream.size, |it| {
            Ok((Codec::open(it, options, memory.clone()).map_err(failed)?, it.sar()))
        })?;
        Ok(Self {
            follows_sar: sane_aspect(own_sar) == stream.sar,
            threads,
            codec,
            state: State::Decoding,
            decoded: AvFrame::empty().map_err(failed)?,
            framer: Framer::new(codec_name, memory.clone()).map_err(failed)?,
            memory,
            deinterlacer: None,
            cannot_deinterlace: false,
            inside: VecDeque::new(),
            waiting: AvFrame::empty().map_err(failed)?,
            waiting_facts: None,
            format: None,
            ready: None,
            last: None,
            stats: DecoderStats::default(),
            stream: stream.clone(),
        })
    }

    fn failed(&self, error: AvError) -> DecodeError {
        decode_error(&self.stream.parameters.codec, error)
    }

    /// Leaves the next picture in `decoded`. `None`: nothing now, or, when draining, nothing more.
    fn next_picture(&mut self) -> Result<Option<Facts>, DecodeError> {
        loop {
            if let Some(deinterlacer) = &mut self.deinterlacer {
                self.decoded.clear();
                match deinterlacer.pull(&mut self.decoded) {
                    Ok(Received::Frame) => match self.inside.pop_front() {
                        Some(facts) => return Ok(Some(facts)),
                        None => continue,
                    },
                    Ok(Received::Nothing) => {}
                    Ok(Received::End) => {
                        self.deinterlacer = None;
                        self.inside.clear();
                        let Some(facts) = self.waiting_facts.take() else { continue };
                        std::mem::swap(&mut self.decoded, &mut self.waiting);
                        if let Some(facts) = self.admit(facts)? {
                            return Ok(Some(facts));
                        }
                        continue;
                    }
                    Err(it) => {
                        self.deinterlacer = None;
                        self.inside.clear();
                        return Err(self.failed(it));
                    }
                }
            }
            match self.codec.receive(&mut self.decoded).map_err(|it| self.failed(it))? {
                Received::Nothing if self.state == State::Ending => {
                    self.state = State::Draining;
                    self.codec.drain().map_err(|it| self.failed(it))?;
                }
                Received::Nothing => return Ok(None),
                Received::End => match &mut self.deinterlacer {
                    Some(it) => it.push(None).map_err(|it| self.failed(it))?,
                    None => return Ok(None),
                },
                Received::Frame if self.decoded.is_discard() => {}
                Received::Frame => {
                    let facts = self.facts();
                    if let Some(facts) = self.admit(facts)? {
                        return Ok(Some(facts));
                    }
                }
            }
        }
    }

    /// Decides whether the picture in `decoded` goes through the deinterlacer. If not, its facts come back.
    fn admit(&mut self, facts: Facts) -> Result<Option<Facts>, DecodeError> {
        let interlaced = self.decoded.is_interlaced();
        if self.deinterlacer.is_none() && interlaced && !self.cannot_deinterlace {
            match Deinterlacer::new(&self.decoded, self.threads) {
                Ok(it) => self.deinterlacer = Some(it),
                Err(it) => {
                    log::warn!("{}: shown interlaced: {it}", self.stream.parameters.codec);
                    self.cannot_deinterlace = true;
                }
            }
        }
        let Some(deinterlacer) = &mut self.deinterlacer else { return Ok(Some(facts)) };
        let pushed = if deinterlacer.takes(&self.decoded) {
            self.inside.push_back(facts);
            self.stats.deinterlaced += u64::from(interlaced);
            deinterlacer.push(Some(&mut self.decoded))
        } else {
            std::mem::swap(&mut self.decoded, &mut self.waiting);
            self.waiting_facts = Some(facts);
            deinterlacer.push(None)
        };
        pushed.map_err(|it| self.failed(it)).map(|()| None)
    }

    fn facts(&mut self) -> Facts {
        let it = &self.decoded;
        let duration = Duration::from_nanos(u64::try_from(it.duration()).unwrap_or(0));
        let pts = it.pts().map(MediaTime::from_nanos).unwrap_or_else(|| self.guess());
        let (lap, discontinuity) = from_token(it.token());
        let stream = &self.stream;
        let facts = Facts {
            pts,
            duration,
            corrupt: it.is_corrupt(),
            lap,
            discontinuity,
            visible: it.visible_rect(),
            sar: it.sar().filter(|_| self.follows_sar).map_or(stream.sar, |it| sane_aspect(Some(it))),
            rotation: if stream.rotation == Rotation::None {
                it.rotation().unwrap_or_default()
            } else {
                stream.rotation
            },
            tags: overlay(stream.color, it.color()),
        };
        self.last = Some((pts, duration));
        facts
    }

    /// When a picture without a time is due: after the one before.
    fn guess(&self) -> MediaTime {
        let Some((pts, duration)) = self.last else { return MediaTime::ZERO };
        let by_rate = || self.stream.frame_rate.map(|it| Duration::from_secs_f64(1.0 / it.to_f64()));
        pts + if duration.is_zero() { by_rate().unwrap_or(DEFAULT_INTERVAL) } else { duration }
    }
}

/// A frame's own tags before its stream's.
fn overlay(stream: ColorTags, frame: ColorTags) -> ColorTags {
    ColorTags {
        matrix: frame.matrix.or(stream.matrix),
        range: frame.range.or(stream.range),
        transfer: frame.transfer.or(stream.transfer),
        primaries: frame.primaries.or(stream.primaries),
        siting: frame.siting.or(stream.siting),
        luminance: Luminance {
            max_cll: frame.luminance.max_cll.or(stream.luminance.max_cll),
            mastering_peak: frame.luminance.mastering_peak.or(stream.luminance.mastering_peak),
        },
    }
}

impl Decoder for SoftwareDecoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        if self.state != State::Decoding || self.ready.is_some() {
            return Ok(Offer::Refused(packet));
        }
        ffmpeg::forget_complaints();
        match self.codec.send(&packet, token_of(&packet)).map_err(|it| self.failed(it))? {
            Sent::Taken => Ok(Offer::Taken),
            Sent::Full => Ok(Offer::Refused(packet)),
        }
    }

    fn poll(&mut self) -> Result<Option<DecodeEvent>, DecodeError> {
        if let Some(frame) = self.ready.take() {
            self.stats.frames += 1;
            return Ok(Some(DecodeEvent::Frame(frame)));
        }
        if self.state == State::Drained {
            return Ok(None);
        }
        let Some(facts) = self.next_picture()? else {
            if self.state != State::Draining {
                return Ok(None);
            }
            self.state = State::Drained;
            return Ok(Some(DecodeEvent::Drained));
        };
        let frame = self.framer.frame(&mut self.decoded, facts)?;
        self.stats.corrupt += u64::from(frame.corrupt);
        if self.format == Some(frame.format) {
            self.stats.frames += 1;
            return Ok(Some(DecodeEvent::Frame(frame)));
        }
        self.format = Some(frame.format);
        let format = frame.format;
        self.ready = Some(frame);
        Ok(Some(DecodeEvent::FormatChanged(format)))
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        if self.state == State::Decoding {
            self.state = State::Ending;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        self.codec.flush();
        self.deinterlacer = None;
        self.inside.clear();
        self.waiting.clear();
        self.waiting_facts = None;
        self.ready = None;
        self.last = None;
        self.state = State::Decoding;
        Ok(())
    }

    fn stats(&self) -> DecoderStats {
        let ordinary = self.memory.as_ref().map_or(0, |it| it.n_refused());
        DecoderStats { converted: self.framer.converted(), ordinary, ..self.stats }
    }
}
