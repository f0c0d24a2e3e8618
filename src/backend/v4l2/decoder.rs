//! One stream's decoder on an open codec.
use std::sync::Arc;
use std::time::Duration;

use crate::backend::v4l2::coded::Coder;
use crate::backend::v4l2::factory::Shelf;
use crate::backend::v4l2::instance::{Instance, Made, Said};
use crate::base::color::Range;
use crate::base::format::Ratio;
use crate::base::frame::{Memory, VideoFormat, VideoFrame};
use crate::base::offer::Offer;
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::base::time::MediaTime;
use crate::seam::clock::Clock;
use crate::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderStats};
use crate::seam::wait::Waitable;

/// How long a picture lasts when nobody says: one at 25 per second.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(40);

/// See the module's text.
pub(super) struct V4l2Decoder {
    stream: VideoStream,
    coder: Coder,
    /// Given back when this is dropped.
    instance: Option<Instance>,
    shelf: Arc<Shelf>,
    clock: Arc<dyn Clock>,
    /// The pool that `format` is of.
    pool: Option<u64>,
    /// The driver's first word on the shape of pixels, which the stream's own stands for.
    aspect: Option<(u32, u32)>,
    format: Option<VideoFormat>,
    /// Its format has been announced.
    ready: Option<VideoFrame>,
    last: Option<(MediaTime, Duration)>,
    stats: DecoderStats,
}

impl V4l2Decoder {
    pub(super) fn new(
        stream: &VideoStream,
        instance: Instance,
        shelf: Arc<Shelf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DecodeError> {
        let coder = match Coder::new(stream) {
            Ok(it) => it,
            Err(error) => {
                shelf.put(instance);
                return Err(error);
            }
        };
        Ok(Self {
            stream: stream.clone(),
            coder,
            instance: Some(instance),
            shelf,
            clock,
            pool: None,
            aspect: None,
            format: None,
            ready: None,
            last: None,
            stats: DecoderStats::default(),
        })
    }

    /// What this pool's pictures are. The stream's own tags say what its colours mean: drivers know less of them.
    fn format_of(&mut self) -> Option<VideoFormat> {
        let instance = self.instance.as_ref()?;
        let pool = instance.pool()?;
        if self.pool == Some(pool.state.id()) {
            return self.format;
        }
        self.pool = Some(pool.state.id());
        let mut tags = self.stream.color;
        if self.stream.pixel_format.as_deref() == Some("yuvj420p") {
            tags.range = Some(Range::Full);
        }
        let layout = &pool.layout;
        let aspect = instance.pixel_aspect();
        let first = *self.aspect.get_or_insert(aspect.unwrap_or((1, 1)));
        let sar = match aspect.filter(|it| *it != first).and_then(|(width, height)| Ratio::new(width, height)) {
            Some(changed) => changed,
            None => self.stream.sar,
        };
        Some(VideoFormat {
            pixel: layout.pixel,
            coded: layout.coded,
            visible: layout.visible,
            sar,
            rotation: self.stream.rotation,
            color: tags.resolve(layout.visible.size(), false),
        })
    }

    fn frame(&mut self, made: Made) -> Result<DecodeEvent, DecodeError> {
        if made.is_interlaced && self.stats.frames == 0 {
            let reason = "its pictures are interlaced, which the software deinterlaces".to_owned();
            return Err(DecodeError::Unsupported { codec: self.stream.parameters.codec.clone(), reason });
        }
        let Some(format) = self.format_of() else {
            return Err(DecodeError::Device { call: "VIDIOC_DQBUF", reason: "a picture of no format".to_owned() });
        };
        let facts = made.facts;
        let pts = facts.pts.unwrap_or_else(|| self.guess());
        self.last = Some((pts, facts.duration));
        self.stats.corrupt += u64::from(made.is_corrupt);
        let frame = VideoFrame {
            format,
            pts,
            duration: facts.duration,
            corrupt: made.is_corrupt,
            lap: facts.lap,
            discontinuity: facts.discontinuity,
            memory: Memory::Dmabuf(made.lease),
        };
        if self.format == Some(format) {
            self.stats.frames += 1;
            return Ok(DecodeEvent::Frame(frame));
        }
        self.format = Some(format);
        self.ready = Some(frame);
        Ok(DecodeEvent::FormatChanged(format))
    }

    /// When a picture without a time is due: after the one before.
    fn guess(&self) -> MediaTime {
        let Some((pts, duration)) = self.last else { return MediaTime::ZERO };
        let by_rate = || self.stream.frame_rate.map(|it| Duration::from_secs_f64(1.0 / it.to_f64()));
        pts + if duration.is_zero() { by_rate().unwrap_or(DEFAULT_INTERVAL) } else { duration }
    }
}

impl Decoder for V4l2Decoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        let now = self.clock.now();
        let Some(instance) = &mut self.instance else { return Ok(Offer::Refused(packet)) };
        if !instance.has_room(now)? {
            return Ok(Offer::Refused(packet));
        }
        let Some((headers, packet)) = self.coder.prepare(packet)? else { return Ok(Offer::Taken) };
        let length = headers.len() + packet.data.bytes().len();
        if instance.largest() < length {
            let reason = format!("a packet of {length} bytes, {} takes {}", instance.card(), instance.largest());
            return Err(DecodeError::Unsupported { codec: self.stream.parameters.codec.clone(), reason });
        }
        if length > 0 {
            instance.queue(headers, &packet, now)?;
        }
        Ok(Offer::Taken)
    }

    fn poll(&mut self) -> Result<Option<DecodeEvent>, DecodeError> {
        if let Some(frame) = self.ready.take() {
            self.stats.frames += 1;
            return Ok(Some(DecodeEvent::Frame(frame)));
        }
        let now = self.clock.now();
        let Some(instance) = &mut self.instance else { return Ok(None) };
        match instance.step(now)? {
            Some(Said::Picture(made)) => self.frame(made).map(Some),
            Some(Said::Retiring) => Ok(Some(DecodeEvent::Retiring)),
            Some(Said::Drained) => Ok(Some(DecodeEvent::Drained)),
            None => Ok(None),
        }
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        if let Some(it) = &mut self.instance {
            it.drain(self.clock.now());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        self.coder.flush();
        self.ready = None;
        self.last = None;
        match &mut self.instance {
            Some(it) => it.flush(self.clock.now()),
            None => Ok(()),
        }
    }

    fn stats(&self) -> DecoderStats {
        self.stats
    }

    fn waitable(&self) -> Waitable<'_> {
        self.instance.as_ref().map_or(Waitable::Ready, |it| Waitable::Fd(it.fd()))
    }
}

impl Drop for V4l2Decoder {
    fn drop(&mut self) {
        self.ready = None;
        let Some(mut instance) = self.instance.take() else { return };
        if let Err(error) = instance.flush(self.clock.now()) {
            log::debug!("{error}");
        }
        self.shelf.put(instance);
    }
}
