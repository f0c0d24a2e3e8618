//! Media time as a function of the machine's time: the one clock that pictures follow.
//!
//! A straight line that is bent, never broken. The sound's position, when there is one, bends it: the difference is
//! low-passed, so that jitter of some milliseconds goes unseen, and what is left changes the slope by at most 0.1 %.
//! Without sound the slope is 1. When sound is lost or returns the line goes on from where it is; it is the sound that is
//! then padded or cut to fit the picture.
use std::time::Duration;

use crate::base::time::{MediaTime, MonoTime, nanos_of};

/// Slope at most this far from 1: below what anyone sees, ten times what crystals differ.
const MOST_TRIM: f64 = 0.001;
/// Time constant of the error's low-pass, seconds: 100 positions of 10 ms periods, which leaves less than a tenth of
/// their jitter.
const SMOOTHING: f64 = 1.0;
/// In how many seconds the smoothed error would be made good. 200 ppm of drift then stay 2 ms behind; four times the
/// smoothing or more keeps the loop from swinging.
const CORRECTION: f64 = 10.0;
/// An error above this is no drift. Making it good at 0.1 % would take minutes out of sync.
const REALIGN_ERROR: Duration = Duration::from_millis(100);
/// For so long, to be called persistent.
const REALIGN_AFTER: Duration = Duration::from_secs(1);
/// A single position counts as no further off than this, so that one wild reading cannot move the smoothed error by
/// more than a few milliseconds.
const WILDEST: Duration = Duration::from_millis(300);
/// A gap between two positions counts as no longer than this, for the same reason.
const LONGEST_STEP: Duration = Duration::from_millis(100);

/// What the clock follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSource {
    /// The position of the sound device.
    Audio,
    /// CLOCK_MONOTONIC alone.
    Monotonic,
}

/// Whether the line moves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Not started.
    Unset,
    /// Through this point, with the slope.
    Running { at: MonoTime, media: MediaTime },
    /// Held at this media time.
    Paused { media: MediaTime },
}

/// The filtered difference between the sound and the line.
#[derive(Debug, Clone, Copy, Default)]
struct Filter {
    /// Smoothed, nanoseconds; positive when the sound is ahead.
    error: f64,
    last: Option<MonoTime>,
    /// Since when the smoothed error has been too large to be drift.
    large_since: Option<MonoTime>,
    realign: bool,
}

/// The master clock. A clone is a snapshot for another thread to read.
#[derive(Debug, Clone)]
pub struct MasterClock {
    state: State,
    /// Slope minus 1.
    trim: f64,
    filter: Filter,
    source: ClockSource,
    /// The source before was lost; taking over again is a switch.
    lost: bool,
    switches: u64,
    last_error: i64,
}

impl Default for MasterClock {
    fn default() -> Self {
        Self::new()
    }
}

impl MasterClock {
    /// A clock that has not started.
    pub const fn new() -> Self {
        Self {
            state: State::Unset,
            trim: 0.0,
            filter: Filter { error: 0.0, last: None, large_since: None, realign: false },
            source: ClockSource::Monotonic,
            lost: false,
            switches: 0,
            last_error: 0,
        }
    }

    /// From `at` on the media runs, from `media`. Forgets the error so far; source and count of switches stay.
    pub fn start(&mut self, at: MonoTime, media: MediaTime) {
        self.state = State::Running { at, media };
        self.trim = 0.0;
        self.filter = Filter::default();
        self.last_error = 0;
    }

    /// Started and not paused.
    pub const fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// The media time at a time, past or to come. `None` before `start`.
    pub fn media_at(&self, mono: MonoTime) -> Option<MediaTime> {
        match self.state {
            State::Unset => None,
            State::Running { at, media } => {
                let since = mono.delta_nanos(at);
                Some(media.offset_by(since.saturating_add((since as f64 * self.trim).round() as i64)))
            }
            State::Paused { media } => Some(media),
        }
    }

    /// When a media time is, if nothing changes. `None` unless running.
    pub fn mono_at(&self, media: MediaTime) -> Option<MonoTime> {
        let State::Running { at, media: origin } = self.state else { return None };
        let since = media.delta_nanos(origin);
        // The whole part stays exact: only the trim's share goes through floating point.
        let trimmed = since as f64 * (self.trim / (1.0 + self.trim));
        Some(at.offset_by(since.saturating_sub(trimmed.round() as i64)))
    }

    /// Media time stands still from `now` on.
    pub fn pause(&mut self, now: MonoTime) {
        if let (State::Running { .. }, Some(media)) = (self.state, self.media_at(now)) {
            self.state = State::Paused { media };
        }
    }

    /// Media time goes on from `now`, where it was paused.
    pub fn resume(&mut self, now: MonoTime) {
        if let State::Paused { media } = self.state {
            self.state = State::Running { at: now, media };
            self.filter = Filter::default();
        }
    }

    /// The sound device says: `heard` was heard at `at`. The sound becomes the source. Ignored unless running.
    pub fn observe(&mut self, now: MonoTime, heard: MediaTime, at: MonoTime) {
        if !self.is_running() {
            return;
        }
        let Some(expected) = self.media_at(at) else { return };
        if self.source == ClockSource::Monotonic {
            self.source = ClockSource::Audio;
            self.switches += u64::from(self.lost);
            self.lost = false;
        }
        self.last_error = heard.delta_nanos(expected);
        self.filter.take(now, self.last_error);
        let wanted = if self.filter.large_since.is_some() { 0.0 } else { self.filter.error / (CORRECTION * 1e9) };
        self.bend(now, wanted);
    }

    /// The sound is gone: the line goes on with slope 1.
    pub fn audio_lost(&mut self, now: MonoTime) {
        if self.source == ClockSource::Audio {
            self.source = ClockSource::Monotonic;
            self.lost = true;
            self.switches += 1;
        }
        self.filter = Filter::default();
        self.bend(now, 0.0);
    }

    /// What it follows now.
    pub const fn source(&self) -> ClockSource {
        self.source
    }

    /// How often sound was lost, plus how often it returned.
    pub const fn switches(&self) -> u64 {
        self.switches
    }

    /// The last position's difference from the line, nanoseconds, unfiltered; positive when the sound was ahead.
    pub const fn last_error_nanos(&self) -> i64 {
        self.last_error
    }

    /// The same, smoothed: how far sound and picture are apart.
    pub fn error_nanos(&self) -> i64 {
        self.filter.error.round() as i64
    }

    /// The slope minus 1.
    pub const fn trim(&self) -> f64 {
        self.trim
    }

    /// The sound has been far off for a while: this many nanoseconds of it are to be cut from what is written next
    /// (negative: padded). The picture does not move for that. Say `realigned` when it is done.
    pub fn realign_needed(&self) -> Option<i64> {
        // Padding delays what is heard, cutting brings it forward: sound that is behind (negative) must be cut.
        self.filter.realign.then(|| -self.error_nanos())
    }

    /// The sound has been padded or cut, and positions from now on follow that. Call it when the first corrected sample
    /// frame is heard or the device was flushed; older positions would look wrong again.
    pub fn realigned(&mut self) {
        self.filter = Filter::default();
    }

    /// Changes the slope at `now` without moving the line there. A time before the last bend changes it at that one.
    fn bend(&mut self, now: MonoTime, trim: f64) {
        if let State::Running { at, .. } = self.state {
            let now = now.max(at);
            if let Some(media) = self.media_at(now) {
                self.state = State::Running { at: now, media };
                self.trim = trim.clamp(-MOST_TRIM, MOST_TRIM);
            }
        }
    }
}

impl Filter {
    fn take(&mut self, now: MonoTime, error: i64) {
        let wildest = nanos_of(WILDEST);
        let error = error.clamp(-wildest, wildest) as f64;
        let since = self.last.map_or(Duration::ZERO, |last| now.saturating_since(last)).min(LONGEST_STEP);
        self.last = Some(now);
        let seconds = since.as_secs_f64();
        self.error += (error - self.error) * seconds / (SMOOTHING + seconds);
        if self.error.abs() <= nanos_of(REALIGN_ERROR) as f64 {
            self.large_since = None;
            self.realign = false;
            return;
        }
        let large_since = *self.large_since.get_or_insert(now);
        self.realign = now.saturating_since(large_since) >= REALIGN_AFTER;
    }
}

#[cfg(test)]
mod tests;
