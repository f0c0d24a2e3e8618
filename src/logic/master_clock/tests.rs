//! The clock against a simulated sound device.
use std::time::Duration;

use proptest::prelude::*;

use crate::base::time::{MediaTime, MonoTime, NANOS_PER_SECOND};
use crate::logic::master_clock::{ClockSource, MasterClock};

const SECOND: i64 = NANOS_PER_SECOND;
const MS: i64 = 1_000_000;
const START: MonoTime = MonoTime::from_nanos(7_000_000_000);
const MOST_TRIM: f64 = 0.001;

fn after(nanos: i64) -> MonoTime {
    START.offset_by(nanos)
}

fn media(nanos: i64) -> MediaTime {
    MediaTime::from_nanos(nanos)
}

fn running() -> MasterClock {
    let mut clock = MasterClock::new();
    clock.start(START, MediaTime::ZERO);
    clock
}

/// Uniform in -1..=1, the same for the same seed.
struct Noise(u64);
impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 30) as f64 - 1.0
    }
}

/// Ten minutes of 10 ms periods. Returns the worst distance from the device's true position after 10 s, nanoseconds.
fn worst_after_settling(drift: f64, jitter: i64, offset: i64) -> i64 {
    let (mut clock, mut noise, mut worst, mut last) = (running(), Noise(1), 0, MediaTime::from_nanos(i64::MIN));
    for period in 1..60_000 {
        let now = period * 10 * MS;
        let truth = offset + now + (now as f64 * drift) as i64;
        clock.observe(after(now), media(truth + (noise.next() * jitter as f64) as i64), after(now));
        assert!(clock.trim().abs() <= MOST_TRIM);
        let got = clock.media_at(after(now)).unwrap();
        assert!(got > last, "the clock went back");
        last = got;
        if now > 10 * SECOND {
            worst = worst.max(got.delta_nanos(media(truth)).abs());
        }
    }
    worst
}

#[test]
fn it_follows_a_drifting_device_within_eight_milliseconds() {
    for drift in [0.0, 100e-6, -100e-6, 200e-6, -200e-6] {
        for offset in [0, 10 * MS, -10 * MS] {
            let worst = worst_after_settling(drift, 3 * MS, offset);
            assert!(worst <= 8 * MS, "{drift} {offset}: {} us", worst / 1000);
        }
    }
}

#[test]
fn jitter_of_five_milliseconds_is_not_seen() {
    let (mut clock, mut noise) = (running(), Noise(5));
    for period in 1..6_000 {
        let now = period * 10 * MS;
        clock.observe(after(now), media(now + (noise.next() * 5.0 * MS as f64) as i64), after(now));
        let off = clock.media_at(after(now)).unwrap().delta_nanos(media(now));
        assert!(off.abs() < MS / 2, "{off} ns after {period} periods");
        assert!(clock.trim().abs() < 150e-6, "the slope shook: {}", clock.trim());
    }
}

#[test]
fn before_the_start_there_is_no_time() {
    let mut clock = MasterClock::new();
    clock.observe(START, media(5), START);
    clock.pause(START);
    clock.resume(START);
    assert_eq!((clock.media_at(START), clock.mono_at(media(0)), clock.is_running()), (None, None, false));
}

#[test]
fn a_pause_holds_the_time_and_a_resume_goes_on_from_there() {
    let mut clock = running();
    clock.pause(after(3 * SECOND));
    assert_eq!(clock.media_at(after(50 * SECOND)), Some(media(3 * SECOND)));
    assert_eq!((clock.mono_at(media(0)), clock.is_running()), (None, false));
    clock.observe(after(20 * SECOND), media(9 * SECOND), after(20 * SECOND));
    clock.resume(after(100 * SECOND));
    assert_eq!(clock.media_at(after(101 * SECOND)), Some(media(4 * SECOND)));
    assert_eq!(clock.mono_at(media(4 * SECOND)), Some(after(101 * SECOND)));
}

#[test]
fn losing_sound_and_getting_it_back_moves_nothing() {
    let mut clock = running();
    for period in 1..2_000 {
        let now = period * 10 * MS;
        clock.observe(after(now), media(now + now / 5_000), after(now));
    }
    assert_eq!((clock.source(), clock.switches()), (ClockSource::Audio, 0));
    let lost = after(20 * SECOND);
    let before = clock.media_at(lost).unwrap();
    clock.audio_lost(lost);
    clock.audio_lost(lost);
    assert_eq!((clock.media_at(lost), clock.source(), clock.switches()), (Some(before), ClockSource::Monotonic, 1));
    assert_eq!(clock.media_at(after(25 * SECOND)), Some(before + Duration::from_secs(5)), "the slope is 1");
    let back = after(30 * SECOND);
    let before = clock.media_at(back).unwrap();
    clock.observe(back, before.offset_by(80 * MS), back);
    assert_eq!((clock.media_at(back), clock.source(), clock.switches()), (Some(before), ClockSource::Audio, 2));
    assert_eq!(clock.last_error_nanos(), 80 * MS);
}

#[test]
fn a_lasting_large_error_asks_the_sound_to_move() {
    let mut clock = running();
    let mut asked_at = None;
    for period in 1..1_000 {
        let now = period * 10 * MS;
        clock.observe(after(now), media(now - 250 * MS), after(now));
        assert!(clock.trim().abs() <= MOST_TRIM);
        if let (None, Some(cut)) = (asked_at, clock.realign_needed()) {
            asked_at = Some(now);
            assert!((150 * MS..=250 * MS).contains(&cut), "{cut}");
        }
    }
    let asked_at = asked_at.unwrap();
    assert!((SECOND..3 * SECOND).contains(&asked_at), "{asked_at}");
    let moved = clock.media_at(after(10 * SECOND)).unwrap().delta_nanos(media(10 * SECOND));
    assert!(moved.abs() <= MS, "the picture hardly moved: {moved} ns");
    clock.realigned();
    clock.observe(after(10 * SECOND), media(10 * SECOND), after(10 * SECOND));
    assert_eq!(clock.realign_needed(), None);
}

#[test]
fn one_wild_position_does_not_matter() {
    let mut clock = running();
    for period in 1..500 {
        let now = period * 10 * MS;
        let heard = if period == 250 { i64::MAX } else { now };
        clock.observe(after(now), media(heard), after(now));
        let off = clock.media_at(after(now)).unwrap().delta_nanos(media(now));
        assert!(off.abs() < MS, "{off}");
    }
    assert_eq!(clock.realign_needed(), None);
}

#[derive(Debug, Clone)]
enum Op {
    Observe { error: i64, old: i64 },
    Lost,
    Pause,
    Resume,
    Realigned,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (-400 * MS..400 * MS, 0..60 * MS).prop_map(|(error, old)| Op::Observe { error, old }),
        1 => Just(Op::Lost),
        1 => Just(Op::Pause),
        2 => Just(Op::Resume),
        1 => Just(Op::Realigned),
    ]
}

proptest! {
    /// No operation moves the time at which it happens; between two, time runs with a slope within 0.1 % of 1, or stands.
    #[test]
    fn the_line_is_bent_but_never_broken(ops in prop::collection::vec((1i64..200 * MS, op()), 1..300)) {
        let mut clock = running();
        let (mut now, mut last) = (START, MediaTime::ZERO);
        for (step, op) in ops {
            let was_running = clock.is_running();
            now = now.offset_by(step);
            let here = clock.media_at(now).unwrap();
            let passed = here.delta_nanos(last);
            if was_running {
                prop_assert!((passed - step).abs() <= step / 1000 + 2, "{passed} in {step}");
            } else {
                prop_assert_eq!(passed, 0);
            }
            match op {
                Op::Observe { error, old } => clock.observe(now, here.offset_by(error - old), now.offset_by(-old)),
                Op::Lost => clock.audio_lost(now),
                Op::Pause => clock.pause(now),
                Op::Resume => clock.resume(now),
                Op::Realigned => clock.realigned(),
            }
            prop_assert_eq!(clock.media_at(now), Some(here));
            if let Some(back) = clock.mono_at(here) {
                prop_assert!(back.delta_nanos(now).abs() <= 1);
            }
            if let Some(ahead) = clock.mono_at(here.offset_by(SECOND)) {
                prop_assert!(clock.media_at(ahead).unwrap().delta_nanos(here.offset_by(SECOND)).abs() <= 2);
            }
            last = here;
        }
    }
}
