//! Whether a sound device's position can be the master clock.
//!
//! Some devices are none: ALSA's `null` swallows a minute of sound at once, and a film that followed it would be over at
//! once as well. The position's pace is compared with CLOCK_MONOTONIC, a second at a time.
//!
//! ```text
//!              a good second                        3 bad seconds in a row
//!   Unknown ------------------------> Trusted ------------------------------> Untrusted
//!      |                                                                         ^
//!      `--- one second too fast, or 3 too slow in a row, or condemned ------------´
//! ```
//! `Untrusted` lasts until `reset`: a device that is no master is fed at the pace of CLOCK_MONOTONIC, and then its
//! position would look perfect.
use std::time::Duration;

use crate::base::time::{MonoTime, nanos_of};

/// A pace is measured over this long.
const WINDOW: Duration = Duration::from_secs(1);
/// How far off, in parts of a thousand. Crystals are 1000 times better; the jitter of both ends of a second is less.
const TOLERANCE_PERMILLE: i64 = 20;
/// Seconds in a row that condemn a device which may only have stumbled: an xrun, a busy machine, a late start.
const BAD_SECONDS: u32 = 3;

/// The verdict on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Not yet seen for a second.
    Unknown,
    /// Its position may be the master clock.
    Trusted,
    /// It may be written to, but not followed.
    Untrusted,
}

/// Watches one device.
#[derive(Debug)]
pub struct DeviceTrust {
    trust: Trust,
    /// Where the present second began: the time, and what had been heard.
    window: Option<(MonoTime, i64)>,
    bad_seconds: u32,
    unreported: bool,
}

impl Default for DeviceTrust {
    fn default() -> Self {
        Self::new()
    }
}

impl DeviceTrust {
    /// A device nobody has heard yet.
    pub const fn new() -> Self {
        Self { trust: Trust::Unknown, window: None, bad_seconds: 0, unreported: false }
    }

    /// `heard_nanos` of sound had been heard at `at`. Only while the device has something to play: silence of ours is
    /// no fault of the device.
    pub fn observe(&mut self, at: MonoTime, heard_nanos: i64) -> Trust {
        let Some((since, heard_before)) = self.window else {
            self.window = Some((at, heard_nanos));
            return self.trust;
        };
        let passed = at.delta_nanos(since);
        if passed < nanos_of(WINDOW) {
            return self.trust;
        }
        self.window = Some((at, heard_nanos));
        let heard = heard_nanos.saturating_sub(heard_before);
        let tolerated = passed.saturating_mul(TOLERANCE_PERMILLE) / 1000;
        let off = heard.saturating_sub(passed);
        if off.saturating_abs() <= tolerated {
            self.bad_seconds = 0;
            if self.trust == Trust::Unknown {
                self.conclude(Trust::Trusted);
            }
            return self.trust;
        }
        self.bad_seconds += 1;
        // Nothing makes an honest device play faster, but once trusted it may be catching up after a stumble.
        let is_too_fast_from_the_start = self.trust == Trust::Unknown && off > 0;
        if self.trust != Trust::Untrusted && (is_too_fast_from_the_start || self.bad_seconds >= BAD_SECONDS) {
            self.conclude(Trust::Untrusted);
        }
        self.trust
    }

    /// It has shown in another way that it keeps no time.
    pub fn condemn(&mut self) {
        if self.trust != Trust::Untrusted {
            self.conclude(Trust::Untrusted);
        }
    }

    /// The position was interrupted (pause, xrun, flush): the present second does not count.
    pub fn restart(&mut self) {
        self.window = None;
    }

    /// Another device, or the same one opened again.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The verdict.
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// The verdict once, after it has changed; `None` until it changes again.
    pub fn poll(&mut self) -> Option<Trust> {
        std::mem::take(&mut self.unreported).then_some(self.trust)
    }

    fn conclude(&mut self, trust: Trust) {
        self.trust = trust;
        self.unreported = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = 1_000_000;

    /// Observes every 10 ms a device that plays at each of these paces (permille) for a second; the verdict after each.
    fn verdicts(paces: &[i64]) -> (Vec<Trust>, Vec<Trust>) {
        let (mut it, mut at, mut heard) = (DeviceTrust::new(), MonoTime::from_nanos(5_000_000_000), 0);
        let (mut verdicts, mut reports) = (Vec::new(), Vec::new());
        it.observe(at, heard);
        for pace in paces {
            for _ in 0..100 {
                at = at.offset_by(10 * MS);
                heard += 10 * MS * pace / 1000;
                it.observe(at, heard);
                reports.extend(it.poll());
            }
            verdicts.push(it.trust());
        }
        (verdicts, reports)
    }

    #[test]
    fn a_device_is_judged_by_its_pace_and_reported_once() {
        use Trust::{Trusted, Unknown, Untrusted};
        let cases: [(&[i64], &[Trust], &[Trust]); 7] = [
            (&[1000, 1000, 1000], &[Trusted; 3], &[Trusted]),
            (&[1019, 981, 1000], &[Trusted; 3], &[Trusted]),
            (&[60_000, 0, 1000], &[Untrusted; 3], &[Untrusted]),
            (&[1021, 1000], &[Untrusted; 2], &[Untrusted]),
            (&[979, 500, 979, 1000], &[Unknown, Unknown, Untrusted, Untrusted], &[Untrusted]),
            (&[0, 1000], &[Unknown, Trusted], &[Trusted]),
            (
                &[1000, 500, 1500, 1000, 1100, 1100, 1100],
                &[Trusted, Trusted, Trusted, Trusted, Trusted, Trusted, Untrusted],
                &[Trusted, Untrusted],
            ),
        ];
        for (paces, want, want_reports) in cases {
            let (got, reports) = verdicts(paces);
            assert_eq!((got.as_slice(), reports.as_slice()), (want, want_reports), "{paces:?}");
        }
    }

    #[test]
    fn an_interrupted_second_does_not_count_and_a_reset_forgets() {
        let mut it = DeviceTrust::new();
        let at = |ms: i64| MonoTime::from_nanos((ms * MS) as u64);
        it.observe(at(0), 0);
        it.restart();
        it.observe(at(600), 5_000 * MS);
        assert_eq!(it.observe(at(1_100), 5_500 * MS), Trust::Unknown);
        assert_eq!(it.observe(at(1_600), 6_000 * MS), Trust::Trusted);
        it.reset();
        assert_eq!((it.trust(), it.poll()), (Trust::Unknown, None));
        it.condemn();
        it.condemn();
        assert_eq!((it.poll(), it.poll(), it.trust()), (Some(Trust::Untrusted), None, Trust::Untrusted));
    }

    proptest! {
        #[test]
        fn periods_and_jitter_never_condemn_an_honest_device(
            period_ms in 1i64..15,
            drift in -500i64..500,
            jitter in prop::collection::vec(-3 * MS..3 * MS, 500),
        ) {
            let mut it = DeviceTrust::new();
            for (index, jitter) in jitter.iter().enumerate() {
                let now = (index as i64 + 1) * 7 * MS;
                let whole = now / (period_ms * MS) * period_ms * MS;
                let heard = whole + whole * drift / 1_000_000 + jitter / 4;
                prop_assert_ne!(it.observe(MonoTime::from_nanos(now as u64), heard), Trust::Untrusted);
            }
            prop_assert_eq!(it.trust(), Trust::Trusted);
        }
    }
}
