//! A loudspeaker made of arithmetic: it takes samples, plays them at a rate of its own and says, as inexactly as real
//! devices do, where it has got to. Time comes from a `Clock`, so a test may wind it by hand.
//!
//! ```text
//!            written >= start threshold, or drain           played out
//!   Stopped ------------------------------------> Playing ------------> Stopped (an xrun, unless it was draining)
//!      ^                                           |    ^
//!      '------------------- flush -----------------'    '-- pause --> position stands still
//! ```
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::audio::{AudioFormat, AudioPosition};
use crate::base::time::{MonoTime, NANOS_PER_SECOND};
use crate::seam::audio_sink::{AudioError, AudioSink, AudioSinkFactory};
use crate::seam::clock::Clock;
use crate::seam::wait::Waitable;

/// Periods written before the device starts by itself: enough that a late second write does not run it dry.
const START_PERIODS: u64 = 4;

/// What the device is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadlessSinkParams {
    /// The steps the reported position moves in; never zero.
    pub period: Duration,
    /// How much it holds.
    pub capacity: Duration,
    /// The reported position is taken up to this much too early or too late.
    pub jitter: Duration,
    /// How much faster (positive) its clock runs than the machine's, in millionths.
    pub drift_ppm: i32,
    /// The only rate it takes; `None`: any.
    pub rate: Option<u32>,
    /// The most channels it takes.
    pub max_channels: u16,
    /// From when on it is not there.
    pub vanishes: Option<MonoTime>,
    /// From when on it can be opened again. A sink that saw it go stays dead.
    pub returns: Option<MonoTime>,
    /// It takes whatever comes and says at once that it has been heard, as ALSA's `null` does.
    pub swallows: bool,
    /// Chooses the jitter; the same seed gives the same one.
    pub seed: u64,
}

impl Default for HeadlessSinkParams {
    /// An ordinary, faultless device: 10 ms periods, 200 ms held, stereo, any rate.
    fn default() -> Self {
        Self {
            period: Duration::from_millis(10),
            capacity: Duration::from_millis(200),
            jitter: Duration::ZERO,
            drift_ppm: 0,
            rate: None,
            max_channels: 2,
            vanishes: None,
            returns: None,
            swallows: false,
            seed: 1,
        }
    }
}

/// What was written to a device, for a test to look at: the first `limit` samples since it was opened.
#[derive(Debug, Clone)]
pub struct AudioCapture {
    samples: Arc<Mutex<Vec<f32>>>,
    limit: usize,
}

impl AudioCapture {
    /// Keeps at most `limit` samples, for which the memory is taken here.
    pub fn new(limit: usize) -> Self {
        Self { samples: Arc::new(Mutex::new(Vec::with_capacity(limit))), limit }
    }
    /// What has been written so far.
    pub fn samples(&self) -> Vec<f32> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn push(&self, samples: &[f32]) {
        let mut kept = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let n = samples.len().min(self.limit - kept.len());
        kept.extend_from_slice(&samples[..n]);
    }
}

/// Opens synthetic devices, all of one kind.
pub struct HeadlessSinkFactory {
    clock: Arc<dyn Clock>,
    params: HeadlessSinkParams,
    capture: Option<AudioCapture>,
}

impl std::fmt::Debug for HeadlessSinkFactory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeadlessSinkFactory").field("params", &self.params).finish_non_exhaustive()
    }
}

impl HeadlessSinkFactory {
    /// Devices as `params` says, running by `clock`.
    pub fn new(clock: Arc<dyn Clock>, params: HeadlessSinkParams) -> Self {
        Self { clock, params, capture: None }
    }
    /// The same, and what is written to any of them is kept in `capture`.
    pub fn with_capture(self, capture: AudioCapture) -> Self {
        Self { capture: Some(capture), ..self }
    }
}

impl AudioSinkFactory for HeadlessSinkFactory {
    fn name(&self) -> &'static str {
        "headless"
    }

    fn open(&self, device: &str) -> Result<Box<dyn AudioSink>, AudioError> {
        let now = self.clock.now();
        let gone = self.params.vanishes.is_some_and(|it| it <= now);
        let back = self.params.returns.is_some_and(|it| it <= now);
        if gone && !back {
            return Err(vanished(device, "open"));
        }
        Ok(Box::new(HeadlessSink {
            device: device.to_owned(),
            clock: Arc::clone(&self.clock),
            dies: if gone { None } else { self.params.vanishes },
            capture: self.capture.clone(),
            // Zero is the one state xorshift never leaves.
            random: self.params.seed.max(1),
            params: self.params.clone(),
            format: AudioFormat { rate: self.params.rate.unwrap_or(48_000), channels: 2 },
            written: 0,
            played: 0,
            reported: 0,
            since: None,
            paused: false,
            draining: false,
            xrun: false,
        }))
    }
}

fn vanished(device: &str, call: &'static str) -> AudioError {
    AudioError::Device { device: device.to_owned(), call, reason: "no such device".to_owned() }
}

/// One synthetic device; see the module.
struct HeadlessSink {
    device: String,
    clock: Arc<dyn Clock>,
    params: HeadlessSinkParams,
    capture: Option<AudioCapture>,
    /// When this very sink loses its device.
    dies: Option<MonoTime>,
    format: AudioFormat,
    /// Sample frames taken since `configure` or `flush`.
    written: u64,
    /// Of those, played when `since` began.
    played: u64,
    /// The last position told, below which none may be told again.
    reported: u64,
    /// Playing since then; `None`: standing still.
    since: Option<MonoTime>,
    paused: bool,
    draining: bool,
    /// It ran dry, and no `write` has said so yet.
    xrun: bool,
    random: u64,
}

impl HeadlessSink {
    fn frames_in(&self, time: Duration) -> u64 {
        (time.as_nanos() * u128::from(self.format.rate) / NANOS_PER_SECOND as u128) as u64
    }

    fn period_frames(&self) -> u64 {
        self.frames_in(self.params.period).max(1)
    }

    fn capacity_frames(&self) -> u64 {
        self.frames_in(self.params.capacity).max(2 * self.period_frames())
    }

    /// Sample frames played at `now` by the device's own clock, were there always enough of them.
    fn due(&self, now: MonoTime) -> u64 {
        let Some(since) = self.since else { return self.played };
        let nanos = u128::from(now.nanos().saturating_sub(since.nanos()));
        // A clock a hundred times slower or faster is no clock; the bound keeps the arithmetic positive.
        let speed = (1_000_000 + i64::from(self.params.drift_ppm)).clamp(10_000, 100_000_000);
        let frames = nanos * u128::from(self.format.rate) * speed as u128 / (NANOS_PER_SECOND as u128 * 1_000_000);
        self.played.saturating_add(frames as u64)
    }

    /// Brings the state to `now`; fails once the device has vanished.
    fn catch_up(&mut self, call: &'static str) -> Result<MonoTime, AudioError> {
        let now = self.clock.now();
        if self.dies.is_some_and(|it| it <= now) {
            return Err(vanished(&self.device, call));
        }
        if self.since.is_some() && self.due(now) >= self.written {
            self.xrun |= !self.draining;
            self.stop_at(self.written);
        }
        Ok(now)
    }

    fn stop_at(&mut self, played: u64) {
        self.since = None;
        self.played = played;
    }

    fn start(&mut self, now: MonoTime) {
        if self.since.is_none() && !self.paused && self.written > self.played {
            self.since = Some(now);
        }
    }

    fn start_when_full_enough(&mut self, now: MonoTime) {
        let threshold = (START_PERIODS * self.period_frames()).min(self.capacity_frames() / 2);
        if self.draining || self.written - self.played >= threshold {
            self.start(now);
        }
    }

    /// Sample frames played, in whole periods: all that a device with a coarse pointer knows.
    fn coarse(&self, now: MonoTime) -> u64 {
        let due = self.due(now).min(self.written);
        // The end is known exactly: a device that has stopped has played everything.
        if self.since.is_none() { due } else { due - due % self.period_frames() }
    }

    /// `now`, up to the jitter earlier or later.
    fn jittered(&mut self, now: MonoTime) -> MonoTime {
        let span = self.params.jitter.as_nanos() as u64;
        if span == 0 {
            return now;
        }
        // Marsaglia's xorshift64.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        now.offset_by((self.random % (2 * span + 1)) as i64 - span as i64)
    }

    fn heard(&mut self, now: MonoTime) -> u64 {
        let about_now = self.jittered(now);
        self.reported = self.coarse(about_now).max(self.reported);
        self.reported
    }

    fn reset(&mut self) {
        (self.written, self.played, self.reported) = (0, 0, 0);
        self.since = None;
        (self.draining, self.xrun) = (false, false);
    }
}

impl AudioSink for HeadlessSink {
    fn device(&self) -> &str {
        &self.device
    }

    fn configure(&mut self, want: AudioFormat) -> Result<AudioFormat, AudioError> {
        self.catch_up("configure")?;
        self.format = AudioFormat {
            rate: self.params.rate.unwrap_or(want.rate).max(1),
            channels: want.channels.clamp(1, self.params.max_channels.max(1)),
        };
        self.reset();
        self.paused = false;
        Ok(self.format)
    }

    fn capacity(&self) -> usize {
        self.capacity_frames() as usize
    }

    fn write(&mut self, interleaved: &[f32]) -> Result<usize, AudioError> {
        let now = self.catch_up("write")?;
        if std::mem::take(&mut self.xrun) {
            return Err(AudioError::Xrun { device: self.device.clone() });
        }
        let offered = (interleaved.len() / usize::from(self.format.channels)) as u64;
        let room = match self.paused {
            true => 0,
            false if self.params.swallows => u64::MAX,
            false => self.capacity_frames().saturating_sub(self.written - self.coarse(now)),
        };
        let taken = offered.min(room);
        if taken == 0 {
            return Ok(0);
        }
        if let Some(capture) = &self.capture {
            capture.push(&interleaved[..taken as usize * usize::from(self.format.channels)]);
        }
        self.draining = false;
        self.written += taken;
        if self.params.swallows {
            self.stop_at(self.written);
        } else {
            self.start_when_full_enough(now);
        }
        Ok(taken as usize)
    }

    fn position(&mut self) -> Result<AudioPosition, AudioError> {
        let at = self.catch_up("position")?;
        Ok(AudioPosition { heard: self.heard(at), at })
    }

    fn delay(&mut self) -> Result<Duration, AudioError> {
        let now = self.catch_up("delay")?;
        let ahead = self.written - self.heard(now);
        Ok(Duration::from_nanos(ahead * NANOS_PER_SECOND as u64 / u64::from(self.format.rate)))
    }

    fn pause(&mut self, paused: bool) -> Result<(), AudioError> {
        let now = self.catch_up("pause")?;
        if paused == self.paused {
            return Ok(());
        }
        if paused && self.since.is_some() {
            self.stop_at(self.due(now));
        }
        let had_started = self.played > 0;
        self.paused = paused;
        if !paused && had_started {
            self.start(now);
        } else if !paused {
            self.start_when_full_enough(now);
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), AudioError> {
        let now = self.catch_up("drain")?;
        self.draining = true;
        self.start(now);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AudioError> {
        self.catch_up("flush")?;
        self.reset();
        Ok(())
    }

    fn waitable(&self) -> Waitable<'_> {
        Waitable::Every(self.params.period)
    }
}
