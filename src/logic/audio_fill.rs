//! Where the next block of sound goes, to the sample frame: pad, cut, or just go on.
//!
//! The picture is never moved for the sound's sake, so sound that begins late is preceded by silence, sound that begins
//! early loses its head, and what would run past the end of a lap is cut. `Declick` makes each such place inaudible.
use std::time::Duration;

use crate::base::time::{MediaTime, NANOS_PER_SECOND, nanos_of};

/// Below this a block simply follows the one before: timestamps rounded to milliseconds and the 2 ms priming of lossy
/// codecs are no gaps. It is under the 10 ms at which an ear begins to notice an echo or a hole.
pub const TOLERANCE: Duration = Duration::from_millis(5);
/// A fade this long has no click left in it, and is too short to be heard as a fade.
pub const FADE: Duration = Duration::from_millis(5);

/// Sample frames in a duration at `rate` per second, rounded to the nearest. Zero for negative times.
pub fn frames_in(nanos: i64, rate: u32) -> u64 {
    if nanos <= 0 {
        return 0;
    }
    let scaled = i128::from(nanos) * i128::from(rate) + i128::from(NANOS_PER_SECOND / 2);
    (scaled / i128::from(NANOS_PER_SECOND)) as u64
}

/// The media time of the next sample frame to be written, counted in sample frames so that no rounding adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    origin: MediaTime,
    rate: u32,
    frames: u64,
}

impl Cursor {
    /// The next sample frame is for `origin`. `rate` in sample frames per second; 0 counts as 1.
    pub fn new(origin: MediaTime, rate: u32) -> Self {
        Self { origin, rate: rate.max(1), frames: 0 }
    }
    /// So many sample frames were written.
    pub fn advance(&mut self, frames: u64) {
        self.frames = self.frames.saturating_add(frames);
    }
    /// The media time of the next one.
    pub fn media_time(&self) -> MediaTime {
        self.origin.offset_by(self.nanos_of_frames())
    }
    /// Sample frames per second.
    pub const fn rate(&self) -> u32 {
        self.rate
    }
    /// Sample frames written since `origin`.
    pub const fn frames(&self) -> u64 {
        self.frames
    }
    fn nanos_of_frames(&self) -> i64 {
        let rate = i128::from(self.rate);
        let nanos = (i128::from(self.frames) * i128::from(NANOS_PER_SECOND) + rate / 2) / rate;
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}

/// A block of decoded sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The media time of its first sample frame.
    pub pts: MediaTime,
    /// Sample frames in it.
    pub frames: u64,
}

/// What to do with a block, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill {
    /// Silent sample frames to write first.
    pub silence_frames_before: u64,
    /// Sample frames of the block to throw away from its head.
    pub skip_frames: u64,
    /// Sample frames to write after those. What is left of the block lies beyond the limit.
    pub take_frames: u64,
}

impl Fill {
    /// What is written does not follow smoothly from what was written before.
    pub const fn is_join(&self) -> bool {
        self.silence_frames_before > 0 || self.skip_frames > 0
    }
}

/// Places a block at the cursor. `limit` is the media time at which this lap's sound ends.
pub fn align(cursor: &Cursor, block: Block, limit: Option<MediaTime>) -> Fill {
    let here = cursor.media_time();
    let ahead = block.pts.delta_nanos(here);
    let (mut silence, mut skip) = (0, 0);
    if ahead > nanos_of(TOLERANCE) {
        silence = frames_in(ahead, cursor.rate);
    } else if ahead < -nanos_of(TOLERANCE) {
        skip = frames_in(ahead.saturating_neg(), cursor.rate).min(block.frames);
    }
    let room = limit.map_or(u64::MAX, |limit| frames_in(limit.delta_nanos(here), cursor.rate));
    let silence = silence.min(room);
    Fill { silence_frames_before: silence, skip_frames: skip, take_frames: (block.frames - skip).min(room - silence) }
}

/// Silence that is missing up to the end of a lap whose sound was shorter than its picture.
pub fn silence_to(cursor: &Cursor, limit: MediaTime) -> u64 {
    frames_in(limit.delta_nanos(cursor.media_time()), cursor.rate)
}

/// Multiplies interleaved sample frames by a gain that goes linearly from `from` at the first of `total` sample frames to
/// `to` after the last; `samples` begins at the sample frame `done` of them. Beyond `total` the gain stays at `to`.
pub fn apply_fade(samples: &mut [f32], channels: u16, (from, to): (f32, f32), done: u64, total: u64) {
    for (index, frame) in samples.chunks_mut(usize::from(channels).max(1)).enumerate() {
        let gain = from + (to - from) * progress(done + index as u64, total);
        frame.iter_mut().for_each(|it| *it *= gain);
    }
}

/// How far a fade of `total` sample frames is at the sample frame `index`: 0 before the first, 1 from the last on.
fn progress(index: u64, total: u64) -> f32 {
    if index >= total { 1.0 } else { (index + 1) as f32 / (total + 1) as f32 }
}

/// Makes joins inaudible. What was written can no longer be faded out, so at a join the last value written is held and
/// faded out while the new sound is faded in; into silence, that is a fade-out, out of silence a fade-in.
#[derive(Debug)]
pub struct Declick {
    /// The last value written, one per channel.
    last: Vec<f32>,
    /// What is being faded out, one per channel.
    held: Vec<f32>,
    /// Sample frames of a fade.
    fade: u64,
    /// Sample frames of the present fade already done.
    done: u64,
}

impl Declick {
    /// For sound of `channels` (0 counts as 1) at `rate`. The first sound fades in, as after silence.
    pub fn new(channels: u16, rate: u32) -> Self {
        let channels = usize::from(channels).max(1);
        let fade = frames_in(nanos_of(FADE), rate);
        Self { last: vec![0.0; channels], held: vec![0.0; channels], fade, done: 0 }
    }

    /// What is processed next does not follow from what was processed before.
    pub fn join(&mut self) {
        self.held.copy_from_slice(&self.last);
        self.done = 0;
    }

    /// All that was written is lost, and nothing is heard now: the next sound fades in.
    pub fn flush(&mut self) {
        self.last.fill(0.0);
        self.join();
    }

    /// Interleaved sample frames on their way to the device, silence included. Whole frames only.
    pub fn process(&mut self, samples: &mut [f32]) {
        let channels = self.last.len();
        for frame in samples.chunks_exact_mut(channels) {
            if self.done >= self.fade {
                break;
            }
            let share = progress(self.done, self.fade);
            for (sample, held) in frame.iter_mut().zip(&self.held) {
                *sample = *sample * share + held * (1.0 - share);
            }
            self.done += 1;
        }
        if let Some(frame) = samples.chunks_exact(channels).next_back() {
            self.last.copy_from_slice(frame);
        }
    }
}

#[cfg(test)]
mod tests;
