//! Sound by libavcodec and libswresample: any layout in, the sink's format out.
use crate::backend::software::limits;
use crate::backend::software::opening::{decode_error, from_token, open_error, token_of, with_parameters};
use crate::backend::software::state::State;
use crate::base::audio::AudioFormat;
use crate::base::format::Size;
use crate::base::offer::Offer;
use crate::base::packet::Packet;
use crate::base::stream::AudioStream;
use crate::base::time::MediaTime;
use crate::seam::audio_decoder::{AudioDecoder, AudioDecoderFactory, AudioEvent};
use crate::seam::decoder::DecodeError;
use crate::sys::ffmpeg::{self, AvError, AvFrame, Codec, CodecOptions, Received, Recycle, Resampler, Sent};

/// Sound decodes in a fraction of a millisecond: a thread would only add delay.
const THREADS: u32 = 1;

/// Makes software audio decoders.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoftwareAudioDecoderFactory;

impl AudioDecoderFactory for SoftwareAudioDecoderFactory {
    fn open(&self, stream: &AudioStream, output: AudioFormat) -> Result<Box<dyn AudioDecoder>, DecodeError> {
        Ok(Box::new(SoftwareAudioDecoder::open(stream, output)?))
    }
}

/// One stream's audio decoder.
#[derive(Debug)]
pub struct SoftwareAudioDecoder {
    codec_name: String,
    output: AudioFormat,
    codec: Codec,
    decoded: AvFrame,
    /// Made for the sound there is, anew when that changes.
    resampler: Option<Resampler>,
    state: State,
    /// Lap of the last block, which the resampler's rest belongs to.
    lap: u32,
}

impl SoftwareAudioDecoder {
    /// Opens a decoder whose output is `output`.
    pub fn open(stream: &AudioStream, output: AudioFormat) -> Result<Self, DecodeError> {
        let is_sane = (1..=limits::MAX_SAMPLE_RATE).contains(&output.rate)
            && (1..=limits::MAX_CHANNELS).contains(&output.channels);
        if !is_sane {
            let what = format!("sound of {} Hz in {} channels", output.rate, output.channels);
            let limit = format!("{} Hz in {} channels", limits::MAX_SAMPLE_RATE, limits::MAX_CHANNELS);
            return Err(DecodeError::OverLimit { what, limit });
        }
        let codec_name = stream.parameters.codec.clone();
        let failed = |it: AvError| open_error(&codec_name, it);
        let options = CodecOptions { threads: THREADS, max_pixels: limits::MAX_PIXELS };
        let codec =
            with_parameters(&stream.parameters, Size::default(), |it| Codec::open(it, options, None).map_err(failed))?;
        let decoded = AvFrame::empty().map_err(failed)?;
        Ok(Self { codec, decoded, codec_name, output, resampler: None, state: State::Decoding, lap: 0 })
    }

    fn failed(&self, error: AvError) -> DecodeError {
        decode_error(&self.codec_name, error)
    }

    /// Appends the sound in `decoded`. `None` where the resampler keeps all of it for now.
    fn convert(&mut self, out: &mut Vec<f32>) -> Result<Option<AudioEvent>, DecodeError> {
        let before = out.len();
        // What was taken in earlier comes out first.
        let delay = self.resampler.as_ref().map_or(0, Resampler::delay_nanos);
        let converted = self.convert_frame(out);
        clamp(&mut out[before..]);
        converted.map_err(|it| self.failed(it))?;
        let pts = self.decoded.pts().map(|it| MediaTime::from_nanos(it).offset_by(-delay));
        let (lap, discontinuity) = from_token(self.decoded.token());
        self.lap = lap;
        Ok((out.len() > before).then_some(AudioEvent::Block { pts, lap, discontinuity }))
    }

    fn convert_frame(&mut self, out: &mut Vec<f32>) -> Result<(), AvError> {
        if let Some(mut it) = self.resampler.take_if(|it| !it.takes(&self.decoded)) {
            it.convert(None, out)?;
        }
        let resampler = match self.resampler.take() {
            Some(it) => self.resampler.insert(it),
            None => self.resampler.insert(Resampler::new(&self.decoded, self.output)?),
        };
        resampler.convert(Some(&self.decoded), out).map(drop)
    }

    /// Appends the resampler's rest and lets it go: what comes next is another timeline.
    fn convert_rest(&mut self, out: &mut Vec<f32>) -> Result<Option<AudioEvent>, DecodeError> {
        let Some(mut resampler) = self.resampler.take() else { return Ok(None) };
        let before = out.len();
        resampler.convert(None, out).map_err(|it| self.failed(it))?;
        clamp(&mut out[before..]);
        let event = AudioEvent::Block { pts: None, lap: self.lap, discontinuity: false };
        Ok((out.len() > before).then_some(event))
    }
}

/// Mixing down may pass full scale, and a damaged stream may hold anything; a loudspeaker gets neither.
fn clamp(samples: &mut [f32]) {
    for it in samples {
        *it = if it.is_nan() { 0.0 } else { it.clamp(-1.0, 1.0) };
    }
}

impl AudioDecoder for SoftwareAudioDecoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        if self.state != State::Decoding {
            return Ok(Offer::Refused(packet));
        }
        ffmpeg::forget_complaints();
        match self.codec.send(&packet, token_of(&packet)).map_err(|it| self.failed(it))? {
            Sent::Taken => Ok(Offer::Taken),
            Sent::Full => Ok(Offer::Refused(packet)),
        }
    }

    fn poll(&mut self, out: &mut Vec<f32>) -> Result<AudioEvent, DecodeError> {
        if self.state == State::Drained {
            return Ok(AudioEvent::Pending);
        }
        loop {
            match self.codec.receive(&mut self.decoded).map_err(|it| self.failed(it))? {
                Received::Frame if self.decoded.is_discard() => {}
                Received::Frame => {
                    if let Some(it) = self.convert(out)? {
                        return Ok(it);
                    }
                }
                Received::Nothing if self.state == State::Ending => {
                    self.state = State::Draining;
                    self.codec.drain().map_err(|it| self.failed(it))?;
                }
                Received::Nothing => return Ok(AudioEvent::Pending),
                Received::End => {
                    if let Some(it) = self.convert_rest(out)? {
                        return Ok(it);
                    }
                    self.state = State::Drained;
                    return Ok(AudioEvent::Drained);
                }
            }
        }
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        if self.state == State::Decoding {
            self.state = State::Ending;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        self.codec.flush();
        self.resampler = None;
        self.state = State::Decoding;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_made_fit_for_a_loudspeaker() {
        let mut samples = [0.5, -2.0, 1.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        clamp(&mut samples);
        assert_eq!(samples, [0.5, -1.0, 1.0, 0.0, 1.0, -1.0]);
    }
}
