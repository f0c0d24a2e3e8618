//! The prediction against simulated screens.
use std::time::Duration;

use proptest::prelude::*;

use crate::base::time::MonoTime;
use crate::logic::vblank::VblankClock;

fn at(nanos: f64) -> MonoTime {
    MonoTime::from_nanos(nanos.round() as u64)
}

/// Uniform in -1..=1, the same for the same seed.
struct Noise(u64);
impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 30) as f64 - 1.0
    }
}

/// A screen of `hertz` sold as `nominal`, with 2 ms of noise on its timestamps and a commit for every third vblank or so:
/// after 10 s the period and every prediction must be near the truth.
#[track_caller]
fn check(nominal: f64, hertz: f64, skip: usize) {
    let mut clock = VblankClock::new(Duration::from_secs_f64(1.0 / nominal));
    let (period, mut noise) = (1e9 / hertz, Noise(3));
    let true_at = |vblank: usize| 7e9 + vblank as f64 * period;
    let mut vblank = 0;
    while true_at(vblank) < 27e9 {
        clock.observe(at(true_at(vblank) + 2e6 * noise.next()));
        let got = clock.refresh().as_nanos() as f64;
        assert!((got / (1e9 / nominal) - 1.0).abs() <= 0.010_001, "{got}");
        if true_at(vblank) > 17e9 {
            assert!((got / period - 1.0).abs() < 0.002, "{hertz}: period {got}");
            let next = clock.next_after(at(true_at(vblank) + period * 0.5));
            let off = next.delta_nanos(at(true_at(vblank + 1))) as f64;
            assert!(off.abs() < 1.5e6, "{hertz}: off by {off}");
        }
        vblank += 1 + (vblank * 7 + 3) % (skip + 1);
    }
}

#[test]
fn noise_and_missed_vblanks_do_not_shake_the_prediction() {
    check(60.0, 60.0, 0);
    check(60.0, 60_000.0 / 1001.0, 0);
    check(60.0, 60_000.0 / 1001.0, 4);
    check(50.0, 50.3, 2);
    check(24.0, 24_000.0 / 1001.0, 0);
}

#[test]
fn a_late_commit_knows_how_many_vblanks_it_missed() {
    let clock = VblankClock::new(Duration::from_millis(20));
    let ms = |it: u64| MonoTime::from_nanos(it * 1_000_000);
    let cases = [(100, 100, 0), (100, 109, 0), (100, 119, 1), (100, 120, 1), (100, 161, 3), (100, 80, 0)];
    for (predicted, actual, want) in cases {
        assert_eq!(clock.missed(ms(predicted), ms(actual)), want, "{predicted} {actual}");
    }
}

#[test]
fn a_lasting_jump_of_phase_is_believed_a_single_one_is_not() {
    let mut clock = VblankClock::new(Duration::from_millis(20));
    let ms = |it: u64| MonoTime::from_nanos(it * 1_000_000);
    for it in 0..10 {
        clock.observe(ms(it * 20));
    }
    clock.observe(ms(209));
    assert_eq!(clock.next_after(ms(215)), ms(220));
    for it in 11..14 {
        clock.observe(ms(it * 20 + 9));
    }
    assert_eq!(clock.next_after(ms(271)), ms(289));
    clock.observe(ms(5_000_003));
    assert_eq!(clock.next_after(ms(5_000_004)), ms(5_000_023));
}

#[test]
fn before_any_flip_there_is_a_steady_grid() {
    let clock = VblankClock::new(Duration::ZERO);
    let first = clock.next_after(MonoTime::from_nanos(1_000));
    assert_eq!(first, MonoTime::from_nanos(16_666_667));
    assert!(clock.next_after(first) > first);
}

proptest! {
    /// Whatever is observed, the prediction lies ahead, by no more than a period, and the period stays near the mode's.
    #[test]
    fn the_prediction_is_always_within_the_next_period(
        flips in prop::collection::vec(0u64..2_000_000_000, 0..60),
        now in 0u64..100_000_000_000,
    ) {
        let mut clock = VblankClock::new(Duration::from_nanos(16_666_667));
        let mut time = 0;
        for gap in flips {
            time += gap;
            // Every fourth comes out of order.
            clock.observe(MonoTime::from_nanos(if gap % 4 == 0 { time / 2 } else { time }));
        }
        let now = MonoTime::from_nanos(now);
        let ahead = clock.next_after(now).delta_nanos(now);
        prop_assert!(ahead > 0 && ahead <= clock.refresh().as_nanos() as i64 + 2, "{ahead}");
        let share = clock.refresh().as_nanos() as f64 / 16_666_667.0;
        prop_assert!((0.9899..1.0101).contains(&share));
    }
}
