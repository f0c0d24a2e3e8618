//! The synthetic device, in time that is wound by hand.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lucarne::backend::headless::audio_sink::{AudioCapture, HeadlessSinkFactory, HeadlessSinkParams};
use lucarne::base::audio::AudioFormat;
use lucarne::base::time::MonoTime;
use lucarne::seam::audio_sink::{AudioError, AudioSink, AudioSinkFactory};
use lucarne::seam::clock::Clock;

use crate::suite::{self, Rig};

const STEREO: AudioFormat = AudioFormat { rate: 48_000, channels: 2 };

#[derive(Default)]
struct WoundClock(AtomicU64);

impl WoundClock {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl Clock for WoundClock {
    fn now(&self) -> MonoTime {
        MonoTime::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

fn seconds(it: u64) -> MonoTime {
    MonoTime::from_nanos(it * 1_000_000_000)
}

fn opened(params: HeadlessSinkParams) -> (Arc<WoundClock>, Box<dyn AudioSink>) {
    let clock = Arc::new(WoundClock::default());
    let factory = HeadlessSinkFactory::new(Arc::clone(&clock) as Arc<dyn Clock>, params);
    let mut sink = factory.open("default").expect("it is there");
    sink.configure(STEREO).expect("it takes stereo");
    (clock, sink)
}

#[test]
fn it_passes_the_suite_faultless_and_faulty() {
    let base = HeadlessSinkParams::default;
    let faulty = HeadlessSinkParams { jitter: Duration::from_millis(3), drift_ppm: 100, seed: 7, ..base() };
    let odd =
        HeadlessSinkParams { rate: Some(44_100), max_channels: 1, period: Duration::from_micros(21_333), ..base() };
    for (name, params) in [("faultless", base()), ("faulty", faulty), ("odd", odd)] {
        let clock = Arc::new(WoundClock::default());
        let factory = HeadlessSinkFactory::new(Arc::clone(&clock) as Arc<dyn Clock>, params);
        let rig = Rig {
            name,
            open: &|| factory.open("default").expect("it is there"),
            pass: &|time| clock.pass(time),
            skips: &[],
        };
        assert_eq!(suite::run(&rig), 12);
    }
}

#[test]
fn it_answers_with_what_it_takes() {
    let params = HeadlessSinkParams { rate: Some(44_100), max_channels: 2, ..Default::default() };
    let (_, mut sink) = opened(params);
    let got = sink.configure(AudioFormat { rate: 96_000, channels: 6 }).expect("it says what it does");
    assert_eq!(got, AudioFormat { rate: 44_100, channels: 2 });
    assert_eq!(sink.capacity(), 8_820);
}

/// Keeps the device full for `time` and returns what it says it has heard.
fn heard_after(time: Duration, clock: &WoundClock, sink: &mut dyn AudioSink) -> Vec<(u64, u64)> {
    let samples = vec![0.0; 2 * sink.capacity()];
    let step = Duration::from_millis(5);
    (0..time.as_millis() / step.as_millis())
        .map(|_| {
            sink.write(&samples).expect("it is kept full");
            clock.pass(step);
            let position = sink.position().expect("it plays");
            (position.heard, position.at.nanos())
        })
        .collect()
}

#[test]
fn drift_shows_after_a_minute() {
    for (ppm, want) in [(0, 2_880_000i64), (100, 2_880_288), (-2_000, 2_874_240)] {
        let (clock, mut sink) = opened(HeadlessSinkParams { drift_ppm: ppm, ..Default::default() });
        let heard = heard_after(Duration::from_secs(60), &clock, sink.as_mut());
        let last = heard.last().expect("a minute has steps").0 as i64;
        assert!((want - 480..=want).contains(&last), "{ppm} ppm: {last}, want {want} less a period at most");
    }
}

#[test]
fn the_position_moves_in_periods_within_the_jitter() {
    let jitter = Duration::from_millis(3);
    let (clock, mut sink) = opened(HeadlessSinkParams { jitter, ..Default::default() });
    let heard = heard_after(Duration::from_secs(2), &clock, sink.as_mut());
    let mut errors: Vec<i64> = Vec::new();
    for (heard, at) in heard {
        assert_eq!(heard % 480, 0, "whole periods");
        errors.push(heard as i64 * 1_000_000_000 / 48_000 - at as i64);
    }
    let (low, high) = (errors.iter().min().expect("some"), errors.iter().max().expect("some"));
    assert!(*low >= -13_000_000 && *high <= 3_000_000, "{low} to {high} ns");
    assert!(high - low > 8_000_000, "it does jitter: {low} to {high} ns");
}

#[test]
fn the_same_seed_jitters_the_same() {
    let run = |seed| {
        let params = HeadlessSinkParams { jitter: Duration::from_millis(3), seed, ..Default::default() };
        let (clock, mut sink) = opened(params);
        heard_after(Duration::from_secs(1), &clock, sink.as_mut())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_vanished_device_stays_dead_and_can_be_opened_again_when_it_is_back() {
    let clock = Arc::new(WoundClock::default());
    let params = HeadlessSinkParams { vanishes: Some(seconds(1)), returns: Some(seconds(2)), ..Default::default() };
    let factory = HeadlessSinkFactory::new(Arc::clone(&clock) as Arc<dyn Clock>, params);
    let mut sink = factory.open("default").expect("it is there");
    sink.configure(STEREO).expect("it takes stereo");
    clock.pass(Duration::from_millis(1_500));
    assert!(matches!(sink.position(), Err(AudioError::Device { .. })));
    assert!(matches!(factory.open("default"), Err(AudioError::Device { .. })));
    clock.pass(Duration::from_secs(1));
    assert!(matches!(sink.write(&[0.0; 4]), Err(AudioError::Device { .. })), "the old one is gone for good");
    let mut again = factory.open("default").expect("it is back");
    again.configure(STEREO).expect("it takes stereo");
    assert_eq!(again.write(&[0.0; 4]).expect("it works"), 2);
}

#[test]
fn a_swallowing_device_has_heard_a_minute_at_once() {
    let (_, mut sink) = opened(HeadlessSinkParams { swallows: true, ..Default::default() });
    let minute = vec![0.0; 2 * 48_000 * 60];
    assert_eq!(sink.write(&minute).expect("it takes anything"), 48_000 * 60);
    assert_eq!(sink.position().expect("it has one").heard, 48_000 * 60);
}

#[test]
fn a_capture_keeps_what_was_taken_up_to_its_limit() {
    let capture = AudioCapture::new(6);
    let factory = HeadlessSinkFactory::new(Arc::new(WoundClock::default()), HeadlessSinkParams::default())
        .with_capture(capture.clone());
    let mut sink = factory.open("default").expect("it is there");
    sink.configure(STEREO).expect("it takes stereo");
    sink.write(&[0.1, 0.2, 0.3, 0.4]).expect("there is room");
    sink.write(&[0.5, 0.6, 0.7, 0.8]).expect("there is room");
    assert_eq!(capture.samples(), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
}
