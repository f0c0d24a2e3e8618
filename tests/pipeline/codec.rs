//! Decoders that do what the first byte of a packet says.
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lucarne::base::audio::AudioFormat;
use lucarne::base::color::ColorTags;
use lucarne::base::format::{PixelFormat, Ratio, Rect, Size};
use lucarne::base::frame::{Memory, VecPlanes, VideoFormat, VideoFrame};
use lucarne::base::geometry::Rotation;
use lucarne::base::offer::Offer;
use lucarne::base::packet::Packet;
use lucarne::base::stream::{AudioStream, VideoStream};
use lucarne::base::time::MediaTime;
use lucarne::seam::audio_decoder::{AudioDecoder, AudioDecoderFactory, AudioEvent};
use lucarne::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderFactory, DecoderStats};

/// A picture comes of it.
pub const PLAIN: u8 = 128;
/// Nothing comes of it, and nobody says why.
pub const NOTHING: u8 = 1;
/// It is corrupt.
pub const CORRUPT: u8 = 2;
/// The decoder breaks over it.
pub const BREAKS: u8 = 3;
/// The decoder panics over it.
pub const PANICS: u8 = 4;
/// A picture comes of it that no interop takes.
pub const UNSHOWABLE: u8 = 5;

const SIZE: Size = Size::new(8, 8);

pub fn frame(pts: MediaTime, byte: u8) -> VideoFrame {
    // The planes are too small for what the format promises: the interop must notice.
    let coded = if byte == UNSHOWABLE { Size::new(1 << 20, 8) } else { SIZE };
    VideoFrame {
        format: VideoFormat {
            pixel: PixelFormat::Gray8,
            coded,
            visible: Rect::of(coded),
            sar: Ratio::ONE,
            rotation: Rotation::None,
            color: ColorTags::default().resolve(SIZE, false),
        },
        pts,
        duration: std::time::Duration::from_millis(40),
        corrupt: false,
        lap: 0,
        discontinuity: false,
        memory: Memory::Cpu(Arc::new(VecPlanes { planes: vec![(vec![byte; 64], 8)] })),
    }
}

/// Decoders for the codec "blocks", and no other.
#[derive(Debug)]
pub struct Blocks {
    /// Pictures held back until later ones have come, as B-frames do.
    pub delay: usize,
    /// Packets it takes before it must be polled.
    pub room: usize,
    /// Opening fails.
    pub refuses: bool,
    pub opened: AtomicUsize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { delay: 0, room: 2, refuses: false, opened: AtomicUsize::new(0) }
    }
}

struct BlockDecoder {
    delay: usize,
    room: usize,
    packets: VecDeque<Packet>,
    held: Vec<VideoFrame>,
    draining: bool,
    drained: bool,
    stats: DecoderStats,
}

fn unsupported(codec: &str) -> DecodeError {
    DecodeError::Unsupported { codec: codec.into(), reason: "not by this one".into() }
}

impl DecoderFactory for Blocks {
    fn name(&self) -> &'static str {
        "blocks"
    }
    fn codecs(&self) -> Vec<&'static str> {
        vec!["blocks"]
    }
    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError> {
        if stream.parameters.codec.starts_with("blocks") { Ok(()) } else { Err(unsupported(&stream.parameters.codec)) }
    }
    fn open(&self, _stream: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        if self.refuses {
            return Err(DecodeError::Device { call: "open", reason: "out of order".into() });
        }
        self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(BlockDecoder {
            delay: self.delay,
            room: self.room,
            packets: VecDeque::new(),
            held: Vec::new(),
            draining: false,
            drained: false,
            stats: DecoderStats::default(),
        }))
    }
}

impl BlockDecoder {
    fn take_oldest(&mut self, at_least: usize) -> Option<VideoFrame> {
        if self.held.len() <= at_least {
            return None;
        }
        let index = (0..self.held.len()).min_by_key(|it| self.held[*it].pts)?;
        self.stats.frames += 1;
        Some(self.held.remove(index))
    }
}

impl Decoder for BlockDecoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        assert!(!self.draining, "nothing is taken between drain and flush");
        if self.room <= self.packets.len() {
            return Ok(Offer::Refused(packet));
        }
        self.packets.push_back(packet);
        Ok(Offer::Taken)
    }

    fn poll(&mut self) -> Result<Option<DecodeEvent>, DecodeError> {
        loop {
            let keep = if self.draining && self.packets.is_empty() { 0 } else { self.delay };
            if let Some(frame) = self.take_oldest(keep) {
                return Ok(Some(DecodeEvent::Frame(frame)));
            }
            let Some(packet) = self.packets.pop_front() else {
                if self.draining && !std::mem::replace(&mut self.drained, true) {
                    return Ok(Some(DecodeEvent::Drained));
                }
                return Ok(None);
            };
            let byte = packet.data.bytes().first().copied().unwrap_or(PLAIN);
            match byte {
                NOTHING => {}
                CORRUPT => {
                    let reason = "bad block".into();
                    return Err(DecodeError::CorruptStream { codec: "blocks".into(), reason });
                }
                BREAKS => return Err(DecodeError::Device { call: "decode", reason: "it broke".into() }),
                PANICS => panic!("a decoder's bug"),
                _ if packet.discard => {}
                _ => {
                    let pts = packet.pts.or(packet.dts).unwrap_or_default();
                    let (lap, discontinuity) = (packet.lap, packet.discontinuity);
                    self.held.push(VideoFrame { lap, discontinuity, ..frame(pts, byte) });
                }
            }
        }
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        self.draining = true;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        self.packets.clear();
        self.held.clear();
        (self.draining, self.drained) = (false, false);
        Ok(())
    }

    fn stats(&self) -> DecoderStats {
        self.stats
    }
}

/// Sound decoders: each packet becomes 40 ms of a constant, its first byte in 256ths.
#[derive(Debug, Default)]
pub struct Tones;

struct ToneDecoder {
    output: AudioFormat,
    packets: VecDeque<Packet>,
    draining: bool,
}

impl AudioDecoderFactory for Tones {
    fn open(&self, _stream: &AudioStream, output: AudioFormat) -> Result<Box<dyn AudioDecoder>, DecodeError> {
        Ok(Box::new(ToneDecoder { output, packets: VecDeque::new(), draining: false }))
    }
}

impl AudioDecoder for ToneDecoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        if 2 <= self.packets.len() {
            return Ok(Offer::Refused(packet));
        }
        self.packets.push_back(packet);
        Ok(Offer::Taken)
    }

    fn poll(&mut self, out: &mut Vec<f32>) -> Result<AudioEvent, DecodeError> {
        let Some(packet) = self.packets.pop_front() else {
            return Ok(if self.draining { AudioEvent::Drained } else { AudioEvent::Pending });
        };
        let frames = self.output.rate as usize * packet.duration.as_millis() as usize / 1000;
        let level = f32::from(packet.data.bytes()[0]) / 256.0;
        out.resize(out.len() + frames * usize::from(self.output.channels), level);
        Ok(AudioEvent::Block { pts: packet.pts, lap: packet.lap, discontinuity: packet.discontinuity })
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        self.draining = true;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        self.packets.clear();
        self.draining = false;
        Ok(())
    }
}
