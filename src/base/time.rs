//! Two kinds of time that must never be mixed: the machine's and the media's.
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A reading of `CLOCK_MONOTONIC`, in nanoseconds; what KMS page flips and ALSA timestamps also carry.
///
/// Not `std::time::Instant`: an `Instant` can be built neither from a kernel timestamp nor by a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MonoTime(u64);

impl MonoTime {
    /// The clock's own origin.
    pub const ZERO: MonoTime = MonoTime(0);
    /// From nanoseconds since the clock's origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// Nanoseconds since the clock's origin.
    pub const fn nanos(self) -> u64 {
        self.0
    }
    /// `self - earlier`, or zero where `earlier` is later.
    pub const fn saturating_since(self, earlier: MonoTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    /// `self - other`, signed, in nanoseconds.
    pub const fn delta_nanos(self, other: MonoTime) -> i64 {
        (self.0 as i64).wrapping_sub(other.0 as i64)
    }
    /// `self` moved by a signed number of nanoseconds; stops at the clock's origin.
    pub const fn offset_by(self, nanos: i64) -> MonoTime {
        MonoTime(self.0.saturating_add_signed(nanos))
    }
}

impl Add<Duration> for MonoTime {
    type Output = MonoTime;
    fn add(self, it: Duration) -> MonoTime {
        MonoTime(self.0.saturating_add(nanos_of(it) as u64))
    }
}

impl Sub<Duration> for MonoTime {
    type Output = MonoTime;
    fn sub(self, it: Duration) -> MonoTime {
        MonoTime(self.0.saturating_sub(nanos_of(it) as u64))
    }
}

/// A position on a media timeline, in nanoseconds; may be negative (edit lists, pre-roll).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(i64);

impl MediaTime {
    /// The timeline's origin.
    pub const ZERO: MediaTime = MediaTime(0);
    /// From nanoseconds on the timeline.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }
    /// Nanoseconds on the timeline.
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// `ticks` of a time base of `num/den` seconds, rounded to the nearest nanosecond; saturates on absurd input.
    pub fn from_ticks(ticks: i64, num: i32, den: i32) -> Self {
        if den <= 0 || num <= 0 {
            return Self(0);
        }
        let scaled = i128::from(ticks) * i128::from(num) * i128::from(NANOS_PER_SECOND);
        let den = i128::from(den);
        let rounded = if scaled < 0 { (scaled - den / 2) / den } else { (scaled + den / 2) / den };
        Self(rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
    /// `self - other`, signed, in nanoseconds.
    pub const fn delta_nanos(self, other: MediaTime) -> i64 {
        self.0.saturating_sub(other.0)
    }
    /// `self` moved by a signed number of nanoseconds.
    pub const fn offset_by(self, nanos: i64) -> MediaTime {
        MediaTime(self.0.saturating_add(nanos))
    }
}

impl Add<Duration> for MediaTime {
    type Output = MediaTime;
    fn add(self, it: Duration) -> MediaTime {
        self.offset_by(nanos_of(it))
    }
}

/// A duration in signed nanoseconds; saturates after 292 years.
pub const fn nanos_of(it: Duration) -> i64 {
    let nanos = it.as_nanos();
    if nanos > i64::MAX as u128 { i64::MAX } else { nanos as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_to_the_nearest_nanosecond() {
        assert_eq!(MediaTime::from_ticks(1, 1, 3).nanos(), 333_333_333);
        assert_eq!(MediaTime::from_ticks(2, 1, 3).nanos(), 666_666_667);
        assert_eq!(MediaTime::from_ticks(-2, 1, 3).nanos(), -666_666_667);
    }

    #[test]
    fn absurd_ticks_saturate_and_absurd_time_bases_are_zero() {
        assert_eq!(MediaTime::from_ticks(i64::MAX, i32::MAX, 1).nanos(), i64::MAX);
        assert_eq!(MediaTime::from_ticks(5, 1, 0).nanos(), 0);
        assert_eq!(MediaTime::from_ticks(5, 1, -4).nanos(), 0);
    }

    #[test]
    fn monotonic_time_never_goes_below_its_origin() {
        assert_eq!(MonoTime::from_nanos(5).offset_by(-9), MonoTime::ZERO);
        assert_eq!(MonoTime::from_nanos(5) - Duration::from_nanos(9), MonoTime::ZERO);
        assert_eq!(MonoTime::from_nanos(5).delta_nanos(MonoTime::from_nanos(9)), -4);
    }
}
