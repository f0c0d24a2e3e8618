//! Percentiles of durations in a fixed amount of memory.
use std::time::Duration;

use serde::Serialize;

/// Bins in each doubling of the value. A bin of width `v / 32` reported by its middle is off by 1/64, so 1.6 % at most.
const BINS_PER_OCTAVE: u64 = 32;
/// Values below this many microseconds have a bin each.
const LINEAR_BITS: u32 = BINS_PER_OCTAVE.trailing_zeros();
/// Values from here on, in microseconds as a power of two, share the last bin: 2^37 is 38 hours.
const TOP_BITS: u32 = 37;
/// The linear bins, then one octave for every power of two up to the top.
const BINS: usize = (BINS_PER_OCTAVE as usize) * (1 + (TOP_BITS - LINEAR_BITS) as usize);

/// What a set of measurements looks like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles<T> {
    /// Half of all are no larger.
    pub p50: T,
    /// 95 of 100 are no larger.
    pub p95: T,
    /// The largest.
    pub max: T,
}

/// Counts durations in bins that grow with the value: percentiles within 2 %, the maximum exact, 8.25 KiB whatever
/// happens. Recording never allocates.
#[derive(Debug, Clone)]
pub struct Histogram {
    bins: Box<[u64]>,
    count: u64,
    max_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { bins: vec![0; BINS].into_boxed_slice(), count: 0, max_us: 0 }
    }
}

impl Histogram {
    /// With nothing recorded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one duration, to the microsecond.
    pub fn record(&mut self, it: Duration) {
        self.record_us(u64::try_from(it.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts the magnitude of a signed number of nanoseconds: for offsets, where early is as bad as late.
    pub fn record_nanos_abs(&mut self, nanos: i64) {
        self.record_us(nanos.unsigned_abs() / 1000);
    }

    /// Counts a number of microseconds.
    pub fn record_us(&mut self, us: u64) {
        if let Some(bin) = self.bins.get_mut(bin_of(us)) {
            *bin += 1;
        }
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds what another has recorded.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.bins.iter_mut().zip(&other.bins) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// In whole microseconds; `None` when nothing was recorded.
    pub fn microseconds(&self) -> Option<Percentiles<u64>> {
        (self.count > 0).then(|| Percentiles { p50: self.quantile(50), p95: self.quantile(95), max: self.max_us })
    }

    /// In milliseconds; `None` when nothing was recorded.
    pub fn milliseconds(&self) -> Option<Percentiles<f64>> {
        let ms = |us: u64| us as f64 / 1000.0;
        self.microseconds().map(|it| Percentiles { p50: ms(it.p50), p95: ms(it.p95), max: ms(it.max) })
    }

    /// The value that `percent` of all do not exceed (nearest rank).
    fn quantile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0u128;
        for (index, count) in self.bins.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return middle_of(index).min(self.max_us);
            }
        }
        self.max_us
    }
}

fn bin_of(us: u64) -> usize {
    if us < BINS_PER_OCTAVE {
        return us as usize;
    }
    let octave = us.ilog2() - LINEAR_BITS;
    let within = (us >> octave) - BINS_PER_OCTAVE;
    let bin = BINS_PER_OCTAVE * (1 + u64::from(octave)) + within;
    (bin as usize).min(BINS - 1)
}

fn middle_of(bin: usize) -> u64 {
    let bin = bin as u64;
    if bin < BINS_PER_OCTAVE {
        return bin;
    }
    let octave = bin / BINS_PER_OCTAVE - 1;
    let first = (BINS_PER_OCTAVE + bin % BINS_PER_OCTAVE) << octave;
    first + (1u64 << octave) / 2
}
