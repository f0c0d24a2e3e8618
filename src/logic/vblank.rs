//! When the next vblank will be, from when the last flips were.
//!
//! A phase-locked loop: each flip moves the predicted phase a little and the period less, so that late timestamps of
//! single flips do not shake the prediction. Skipped vblanks do not matter: a flip is compared with the vblank nearest
//! to it.
use std::time::Duration;

use crate::base::time::{MonoTime, nanos_of};

/// Share of a flip's error the phase follows. Noise of 2 ms becomes 0.6 ms at most.
const PHASE_GAIN: f64 = 0.1;
/// Share of a flip's error the period follows: critically damped with the phase gain (its square over four).
const PERIOD_GAIN: f64 = 0.0025;
/// How far the period may be from the mode's: a mode line is exact to 0.1 % (59.94 called 60), clocks to 0.01 %.
const PERIOD_RANGE: f64 = 0.01;
/// A flip further than this share of a period from the prediction is not noise; timestamps are good to 2 ms.
const OUTLIER: f64 = 0.3;
/// So many outliers in a row mean the prediction is wrong, not the flips (a mode change, a suspended machine).
const OUTLIERS_BELIEVED: u32 = 3;
/// After so long without a flip the phase is not known well enough to count vblanks: 1 % of it would be 5 ms.
const SILENCE: Duration = Duration::from_millis(500);

/// Predicts vblanks of one screen.
#[derive(Debug)]
pub struct VblankClock {
    /// Nanoseconds, as the mode says.
    nominal: f64,
    /// Nanoseconds, as measured.
    period: f64,
    /// A vblank's time, with the fraction of a nanosecond that is lost in `MonoTime`.
    phase: Option<(MonoTime, f64)>,
    outliers: u32,
}

impl VblankClock {
    /// A screen whose mode says `refresh` from one vblank to the next. Zero counts as a 60th of a second.
    pub fn new(refresh: Duration) -> Self {
        let nominal = if refresh.is_zero() { 1e9 / 60.0 } else { nanos_of(refresh) as f64 };
        Self { nominal, period: nominal, phase: None, outliers: 0 }
    }

    /// A flip happened at this time.
    pub fn observe(&mut self, at: MonoTime) {
        let Some((phase, fraction)) = self.phase else {
            self.phase = Some((at, 0.0));
            return;
        };
        let since = at.delta_nanos(phase) as f64 - fraction;
        if since < -self.period / 2.0 {
            // An event that comes after a later one has nothing to teach.
            return;
        }
        if since > nanos_of(SILENCE) as f64 {
            self.phase = Some((at, 0.0));
            self.outliers = 0;
            return;
        }
        let vblanks = (since / self.period).round();
        let error = since - vblanks * self.period;
        if error.abs() > self.period * OUTLIER {
            self.outliers += 1;
            if self.outliers >= OUTLIERS_BELIEVED {
                self.phase = Some((at, 0.0));
                self.outliers = 0;
            }
            return;
        }
        self.outliers = 0;
        self.move_phase(phase, fraction + vblanks * self.period + PHASE_GAIN * error);
        // The error has grown over all these vblanks; 0 of them (two events for one flip) say nothing of the period.
        let corrected = self.period + PERIOD_GAIN * error / vblanks.max(1.0) * vblanks.min(1.0);
        self.period = corrected.clamp(self.nominal * (1.0 - PERIOD_RANGE), self.nominal * (1.0 + PERIOD_RANGE));
    }

    /// The first vblank after `now`. Before any flip was seen: on a grid of the mode's period from the clock's origin.
    pub fn next_after(&self, now: MonoTime) -> MonoTime {
        let (phase, fraction) = self.phase.unwrap_or_default();
        let since = now.delta_nanos(phase) as f64 - fraction;
        let mut vblanks = (since / self.period).floor() + 1.0;
        loop {
            let at = phase.offset_by((fraction + vblanks * self.period).round() as i64);
            if at > now {
                return at;
            }
            // Rounding to nanoseconds has put it on `now` itself.
            vblanks += 1.0;
        }
    }

    /// From one vblank to the next, as measured.
    pub fn refresh(&self) -> Duration {
        Duration::from_nanos(self.period.round() as u64)
    }

    /// Vblanks missed by a commit made for `predicted` that flipped at `actual`.
    pub fn missed(&self, predicted: MonoTime, actual: MonoTime) -> u32 {
        (actual.delta_nanos(predicted) as f64 / self.period).round().clamp(0.0, f64::from(u32::MAX)) as u32
    }

    fn move_phase(&mut self, from: MonoTime, by: f64) {
        let whole = by.floor();
        self.phase = Some((from.offset_by(whole as i64), by - whole));
    }
}

#[cfg(test)]
mod tests;
