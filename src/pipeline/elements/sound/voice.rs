//! The decks' sound, decoded block by block in the order they play.
use std::sync::Arc;

use crate::base::audio::AudioFormat;
use crate::base::offer::Offer;
use crate::base::packet::Packet;
use crate::base::stream::AudioStream;
use crate::base::time::MediaTime;
use crate::pipeline::deck::Coded;
use crate::pipeline::elements::sound::board::{Segment, SoundBoard};
use crate::seam::audio_decoder::{AudioDecoder, AudioDecoderFactory, AudioEvent};

/// The sound of one deck being decoded.
struct Voice {
    deck: u64,
    stream: Option<Box<AudioStream>>,
    decoder: Option<Box<dyn AudioDecoder>>,
    packet: Option<Packet>,
    draining: bool,
    ended: bool,
}

impl Voice {
    fn new(deck: u64) -> Self {
        Self { deck, stream: None, decoder: None, packet: None, draining: false, ended: false }
    }

    /// The next packet of the deck; events on the way are dealt with.
    fn next_packet(&mut self, segment: &Segment) -> Taken {
        if let Some(packet) = self.packet.take() {
            return Taken::Packet(packet);
        }
        match segment.link.take() {
            None => Taken::Nothing,
            Some(Coded::Packet(packet)) => Taken::Packet(packet),
            Some(Coded::Open(stream)) => {
                self.stream = Some(stream);
                self.decoder = None;
                Taken::Event
            }
            Some(Coded::LapEnd) => {
                if let Some(decoder) = &mut self.decoder {
                    self.draining = decoder.drain().is_ok();
                }
                Taken::Event
            }
            Some(Coded::End) => {
                self.ended = true;
                Taken::Event
            }
        }
    }
}

enum Taken {
    Packet(Packet),
    Event,
    Nothing,
}

/// What there is to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The present block.
    Block {
        /// Where its first remaining sample frame lies on the programme's timeline; `None`: where the last one ended.
        at: Option<MediaTime>,
        /// Where its lap ends.
        limit: Option<MediaTime>,
    },
    /// Something moved; ask again.
    Moved,
    /// Nothing now.
    Nothing,
}

/// The voices, of which one speaks at a time.
pub struct Voices {
    board: Arc<SoundBoard>,
    decoders: Arc<dyn AudioDecoderFactory>,
    voice: Option<Voice>,
    samples: Vec<f32>,
    /// Samples of the block already written or skipped.
    done: usize,
    /// Where the block's first remaining sample frame lies on the deck's timeline.
    at: Option<MediaTime>,
    lap: u32,
}

impl Voices {
    /// Decoded by `decoders`, in the order `board` says.
    pub fn new(board: Arc<SoundBoard>, decoders: Arc<dyn AudioDecoderFactory>) -> Self {
        Self { board, decoders, voice: None, samples: Vec::new(), done: 0, at: None, lap: 0 }
    }

    /// Forgets everything: the programme changed.
    pub fn reset(&mut self) {
        self.voice = None;
        self.clear();
    }

    /// The device takes another format now: what was decoded for the old one is worthless.
    pub fn reopen_decoder(&mut self, format: AudioFormat) {
        if let Some(voice) = &mut self.voice {
            voice.decoder = None;
        }
        self.clear();
        self.samples.reserve(format.rate as usize * usize::from(format.channels));
    }

    fn clear(&mut self) {
        self.samples.clear();
        self.done = 0;
        self.at = None;
    }

    /// The samples of the present block that are still to be written.
    pub fn samples(&self) -> &[f32] {
        self.samples.get(self.done..).unwrap_or(&[])
    }

    /// So many sample frames of the block are dealt with.
    pub fn used(&mut self, frames: u64, format: AudioFormat) {
        self.done += frames as usize * usize::from(format.channels);
        let nanos = i128::from(frames) * 1_000_000_000 / i128::from(format.rate.max(1));
        self.at = self.at.map(|it| it.offset_by(nanos as i64));
    }

    /// The deck whose sound is due: the one speaking, or the one behind it once it has said everything.
    fn segment(&self) -> Option<Segment> {
        let programme = self.board.programme();
        let speaking = self.voice.as_ref().map(|it| it.deck);
        let index = programme.segments.iter().position(|it| Some(it.deck) == speaking);
        let said_all = self.voice.as_ref().is_some_and(|it| it.ended) && self.samples().is_empty();
        let index = match index {
            Some(index) if said_all => index + 1,
            Some(index) => index,
            None => 0,
        };
        programme.segments.get(index).cloned()
    }

    /// Makes sure there is a block, decoding more or moving on to the next deck as needed.
    pub fn next(&mut self, format: AudioFormat) -> Next {
        let Some(segment) = self.segment() else { return Next::Nothing };
        let Some(offset) = segment.offset else { return Next::Nothing };
        if self.voice.as_ref().is_none_or(|it| it.deck != segment.deck) {
            self.voice = Some(Voice::new(segment.deck));
            self.clear();
        }
        if self.samples().is_empty() {
            return self.decode(&segment, format);
        }
        let limit = segment.shared.state().lap_end(self.lap).map(|it| it.offset_by(offset));
        Next::Block { at: self.at.map(|it| it.offset_by(offset)), limit }
    }

    /// One move of the decoder.
    fn decode(&mut self, segment: &Segment, format: AudioFormat) -> Next {
        let Some(voice) = &mut self.voice else { return Next::Nothing };
        if voice.ended {
            return Next::Nothing;
        }
        if voice.decoder.is_none()
            && let Some(stream) = &voice.stream
        {
            match self.decoders.open(stream, format) {
                Ok(decoder) => voice.decoder = Some(decoder),
                Err(error) => {
                    log::warn!("{error}; this item plays without sound");
                    voice.stream = None;
                }
            }
        }
        if let Some(decoder) = &mut voice.decoder {
            let ended_at = self.at;
            self.samples.clear();
            self.done = 0;
            match decoder.poll(&mut self.samples) {
                Ok(AudioEvent::Block { pts, lap, .. }) => {
                    self.at = pts.or(ended_at);
                    self.lap = lap;
                    return Next::Moved;
                }
                Ok(AudioEvent::Drained) => {
                    voice.draining = false;
                    if let Err(error) = decoder.flush() {
                        log::warn!("{error}; this item goes on without sound");
                        (voice.decoder, voice.stream) = (None, None);
                    }
                    return Next::Moved;
                }
                Ok(AudioEvent::Pending) if voice.draining => return Next::Nothing,
                Ok(AudioEvent::Pending) => {}
                Err(error) => {
                    log::debug!("{error}");
                    return Next::Moved;
                }
            }
        }
        let packet = match voice.next_packet(segment) {
            Taken::Packet(packet) => packet,
            Taken::Event => return Next::Moved,
            Taken::Nothing => return Next::Nothing,
        };
        match voice.decoder.as_mut().map(|it| it.submit(packet)) {
            Some(Ok(Offer::Refused(packet))) => voice.packet = Some(packet),
            Some(Err(error)) => log::debug!("{error}"),
            Some(Ok(Offer::Taken)) | None => {}
        }
        Next::Moved
    }

    /// Throws away sound that would have been heard before `media`, so that no link fills up while there is no device.
    pub fn discard_before(&mut self, media: MediaTime) {
        self.clear();
        while let Some(segment) = self.segment()
            && let Some(offset) = segment.offset
        {
            if self.voice.as_ref().is_none_or(|it| it.deck != segment.deck) {
                self.voice = Some(Voice::new(segment.deck));
            }
            let Some(voice) = &mut self.voice else { return };
            if voice.ended {
                return;
            }
            match voice.next_packet(&segment) {
                Taken::Packet(packet) if packet.pts.is_some_and(|it| media < it.offset_by(offset)) => {
                    voice.packet = Some(packet);
                    return;
                }
                // What the decoder knows does not go with what it will get next.
                Taken::Packet(_) => (voice.decoder, voice.draining) = (None, false),
                Taken::Event => {}
                Taken::Nothing => return,
            }
        }
    }
}
