//! The device the sound thread keeps playing, and where each sample frame written to it lies on the programme's
//! timeline.
use std::time::Duration;

use crate::base::audio::AudioFormat;
use crate::base::time::{MediaTime, MonoTime, nanos_of};
use crate::logic::audio_fill::{Cursor, Declick, frames_in};
use crate::logic::device_trust::DeviceTrust;
use crate::seam::audio_sink::{AudioError, AudioSink};

/// Where a run of sample frames begins: the number of the first, and its place.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    written: u64,
    media: MediaTime,
}

/// An opened device.
pub struct Device {
    /// The device itself.
    pub sink: Box<dyn AudioSink>,
    /// What it takes.
    pub format: AudioFormat,
    /// Whether its position is worth following.
    pub trust: DeviceTrust,
    /// Whether it was told to stand still.
    pub paused: bool,
    /// Steps in a row in which the sound was off the picture.
    pub misaligned: u32,
    /// Sample frames written since it was configured or flushed.
    written: u64,
    cursor: Option<Cursor>,
    /// Newest first. Two: what is heard now may have been written before the last anchor.
    anchors: [Option<Anchor>; 2],
    declick: Declick,
    volume: f32,
    scratch: Vec<f32>,
}

impl Device {
    /// A device that has just been configured.
    pub fn new(sink: Box<dyn AudioSink>, format: AudioFormat, volume: f32) -> Self {
        let channels = usize::from(format.channels);
        // Room for a second, the most that is ever written at once: steady playing allocates nothing.
        let scratch = Vec::with_capacity(format.rate as usize * channels);
        Self {
            sink,
            format,
            trust: DeviceTrust::new(),
            paused: false,
            misaligned: 0,
            written: 0,
            cursor: None,
            anchors: [None; 2],
            declick: Declick::new(format.channels, format.rate),
            volume,
            scratch,
        }
    }

    /// Sample frames in a duration.
    pub fn frames(&self, it: Duration) -> u64 {
        frames_in(nanos_of(it), self.format.rate)
    }

    /// Where the next sample frame lies; `None` until it has a place.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The next sample frame lies here from now on.
    pub fn anchor(&mut self, media: MediaTime) {
        self.anchors = [Some(Anchor { written: self.written, media }), self.anchors[0]];
        self.cursor = Some(Cursor::new(media, self.format.rate));
        self.misaligned = 0;
        self.declick.join();
    }

    /// The next sample frame's place must be found anew; the count goes on.
    pub fn lose_place(&mut self) {
        self.cursor = None;
        self.trust.restart();
    }

    /// Where a sample frame lies that was written as number `frame`.
    fn media_of(&self, frame: u64) -> Option<MediaTime> {
        let [newest, older] = self.anchors;
        let newest = newest?;
        let from = older.filter(|it| frame < newest.written && it.written <= frame).unwrap_or(newest);
        let ahead = i128::from(frame) - i128::from(from.written);
        let nanos = ahead * 1_000_000_000 / i128::from(self.format.rate.max(1));
        Some(from.media.offset_by(nanos as i64))
    }

    /// What is being heard, and when that was so; `None` before the programme's first sample frame has a place. Tells
    /// `trust` as well.
    pub fn heard(&mut self) -> Result<Option<(MediaTime, MonoTime)>, AudioError> {
        let position = self.sink.position()?;
        let nanos = i128::from(position.heard) * 1_000_000_000 / i128::from(self.format.rate.max(1));
        self.trust.observe(position.at, nanos as i64);
        Ok(self.media_of(position.heard).map(|it| (it, position.at)))
    }

    /// Whether the device has begun to play.
    pub fn runs(&mut self) -> Result<bool, AudioError> {
        Ok(0 < self.sink.position()?.heard)
    }

    /// Throws away what is not yet heard.
    pub fn flush(&mut self) -> Result<(), AudioError> {
        self.sink.flush()?;
        self.written = 0;
        self.cursor = None;
        self.anchors = [None; 2];
        self.trust.reset();
        self.declick.flush();
        Ok(())
    }

    /// A cut follows: the next samples are faded over from what was last heard.
    pub fn join(&mut self) {
        self.declick.join();
    }

    /// Starts the device with so much silence. One that has it all behind it at once keeps no time.
    pub fn prefill(&mut self, time: Duration) -> Result<(), AudioError> {
        let wrote = self.write_silence(self.frames(time))?;
        let delay = self.sink.delay()?;
        if self.frames(delay) < wrote / 2 {
            self.trust.condemn();
        }
        Ok(())
    }

    /// Writes silence; returns the sample frames that fitted.
    pub fn write_silence(&mut self, frames: u64) -> Result<u64, AudioError> {
        self.scratch.clear();
        self.scratch.resize(frames as usize * usize::from(self.format.channels), 0.0);
        self.declick.join();
        let wrote = self.write_scratch()?;
        // What follows silence is faded in from it.
        self.declick.join();
        Ok(wrote)
    }

    /// Writes sound at the device's volume; returns the sample frames that fitted.
    pub fn write(&mut self, samples: &[f32]) -> Result<u64, AudioError> {
        let volume = self.volume;
        self.scratch.clear();
        self.scratch.extend(samples.iter().map(|it| it * volume));
        self.write_scratch()
    }

    fn write_scratch(&mut self) -> Result<u64, AudioError> {
        if self.scratch.is_empty() {
            return Ok(0);
        }
        self.declick.process(&mut self.scratch);
        let wrote = self.sink.write(&self.scratch)? as u64;
        self.written += wrote;
        if let Some(cursor) = &mut self.cursor {
            cursor.advance(wrote);
        }
        Ok(wrote)
    }
}
