//! What every sound device must do, whatever it is made of. A backend's test brings a rig; what its device cannot do is
//! skipped by name, with a reason.
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use lucarne::base::audio::AudioFormat;
use lucarne::seam::audio_sink::{AudioError, AudioSink};

/// A device to try, and a way to let its time pass.
pub struct Rig<'a> {
    /// What the report calls it.
    pub name: &'a str,
    /// Opens a fresh one.
    pub open: &'a dyn Fn() -> Box<dyn AudioSink>,
    /// Lets the device's time pass.
    pub pass: &'a dyn Fn(Duration),
    /// Names of cases that do not apply, each with its reason.
    pub skips: &'a [(&'a str, &'a str)],
}

const WANT: AudioFormat = AudioFormat { rate: 48_000, channels: 2 };

type Case = (&'static str, fn(&Rig<'_>));

/// Every case by its name.
const CASES: &[Case] = &[
    ("counts_start_at_zero", counts_start_at_zero),
    ("only_whole_frames_are_taken", only_whole_frames_are_taken),
    ("a_full_device_takes_no_more", a_full_device_takes_no_more),
    ("the_position_moves_on_and_never_beyond_what_was_written", position_moves_on),
    ("a_dry_device_says_so_once_and_goes_on", a_dry_device_says_so_once),
    ("drain_plays_out_without_complaint", drain_plays_out),
    ("a_short_sound_is_drained_too", a_short_sound_is_drained),
    ("pause_stops_the_position_and_resume_moves_it", pause_and_resume),
    ("flush_discards_and_counts_from_zero", flush_discards),
    ("delay_is_what_was_written_and_not_heard", delay_matches),
    ("configure_again_starts_afresh", configure_again),
    ("writing_and_asking_allocate_nothing", steady_state_allocates_nothing),
];

/// Runs every case that applies; returns how many did.
pub fn run(rig: &Rig<'_>) -> usize {
    for (skipped, reason) in rig.skips {
        assert!(CASES.iter().any(|(name, _)| name == skipped), "{}: no case is called {skipped}", rig.name);
        assert!(!reason.is_empty(), "{}: {skipped} is skipped without a reason", rig.name);
    }
    let applies = |name: &str| !rig.skips.iter().any(|(skipped, _)| *skipped == name);
    let mut n_run = 0;
    for (name, case) in CASES.iter().filter(|(name, _)| applies(name)) {
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| case(rig)));
        assert!(outcome.is_ok(), "{}: {name} failed", rig.name);
        n_run += 1;
    }
    n_run
}

struct Device {
    sink: Box<dyn AudioSink>,
    format: AudioFormat,
}

impl Device {
    fn new(rig: &Rig<'_>) -> Self {
        let mut sink = (rig.open)();
        let format = sink.configure(WANT).expect("it takes stereo at 48 kHz or says what it takes");
        Self { sink, format }
    }
    fn frames(&self, n: usize) -> Vec<f32> {
        vec![0.25; n * usize::from(self.format.channels)]
    }
    fn time(&self, frames: usize) -> Duration {
        Duration::from_nanos(frames as u64 * 1_000_000_000 / u64::from(self.format.rate))
    }
    /// Writes until it takes no more; how much it took.
    fn fill(&mut self) -> usize {
        let samples = self.frames(self.sink.capacity());
        let mut total = 0;
        loop {
            let taken = self.sink.write(&samples).expect("a device with room takes something");
            total += taken;
            if taken == 0 {
                return total;
            }
        }
    }
    fn heard(&mut self) -> u64 {
        self.sink.position().expect("a configured device has a position").heard
    }
}

fn counts_start_at_zero(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    assert_eq!(it.heard(), 0);
    (rig.pass)(Duration::from_millis(50));
    assert_eq!(it.heard(), 0, "nothing was written");
    assert!(it.sink.capacity() > 0);
    assert!(!it.sink.device().is_empty());
}

fn only_whole_frames_are_taken(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let mut samples = it.frames(64);
    if it.format.channels > 1 {
        samples.push(0.0);
    }
    assert_eq!(it.sink.write(&samples).expect("it is empty"), 64);
    assert_eq!(it.sink.write(&[]).expect("nothing is fine"), 0);
}

fn a_full_device_takes_no_more(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let total = it.fill();
    // While it is being filled it already plays: by less than another fill of it, on any machine that can play sound.
    assert!((it.sink.capacity()..2 * it.sink.capacity()).contains(&total), "{total} of {}", it.sink.capacity());
}

fn position_moves_on(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let mut written = it.fill() as u64;
    let samples = it.frames(it.sink.capacity());
    let mut last = it.sink.position().expect("it plays");
    let first = last.heard;
    for _ in 0..30 {
        (rig.pass)(Duration::from_millis(7));
        written += it.sink.write(&samples).expect("it is not dry") as u64;
        let position = it.sink.position().expect("it plays");
        assert!(position.heard <= written, "{} of {written} heard", position.heard);
        assert!(position.heard >= last.heard && position.at >= last.at, "{position:?} after {last:?}");
        last = position;
    }
    let moved = it.time((last.heard - first) as usize);
    assert!(moved >= Duration::from_millis(150), "210 ms passed, {moved:?} were heard");
}

fn a_dry_device_says_so_once(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let written = it.fill();
    (rig.pass)(it.time(written) + Duration::from_millis(100));
    assert_eq!(it.heard(), written as u64, "all of it was heard");
    let samples = it.frames(256);
    assert!(matches!(it.sink.write(&samples), Err(AudioError::Xrun { .. })));
    assert_eq!(it.sink.write(&samples).expect("it goes on"), 256);
    it.fill();
    (rig.pass)(Duration::from_millis(60));
    assert!(it.heard() > written as u64, "it counts on from where it was");
}

fn drain_plays_out(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let written = it.fill();
    it.sink.drain().expect("it can be asked");
    (rig.pass)(it.time(written) + Duration::from_millis(150));
    assert_eq!(it.heard(), written as u64);
    let samples = it.frames(256);
    assert_eq!(it.sink.write(&samples).expect("running dry was asked for"), 256);
}

fn a_short_sound_is_drained(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let samples = it.frames(100);
    assert_eq!(it.sink.write(&samples).expect("it is empty"), 100);
    it.sink.drain().expect("it can be asked");
    (rig.pass)(Duration::from_millis(250));
    assert_eq!(it.heard(), 100, "less than it waits for before it starts");
}

fn pause_and_resume(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    let written = it.fill() as u64;
    (rig.pass)(Duration::from_millis(40));
    it.sink.pause(true).expect("it can be paused");
    let stopped = it.heard();
    assert!(stopped < written);
    (rig.pass)(Duration::from_millis(300));
    let later = it.heard();
    assert!(later - stopped < u64::from(it.format.rate / 50), "it went on: {stopped} to {later}");
    let samples = it.frames(64);
    assert_eq!(it.sink.write(&samples).expect("pausing is no error"), 0, "a paused device takes nothing");
    it.sink.pause(false).expect("it can go on");
    (rig.pass)(Duration::from_millis(80));
    assert!(it.heard() > later, "it does not go on");
}

fn flush_discards(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    it.fill();
    (rig.pass)(Duration::from_millis(40));
    it.sink.flush().expect("it can be flushed");
    assert_eq!(it.heard(), 0);
    (rig.pass)(Duration::from_millis(300));
    assert_eq!(it.heard(), 0, "there is nothing left to hear");
    assert!(it.fill() >= it.sink.capacity(), "all of it is free again");
}

fn delay_matches(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    assert!(it.sink.delay().expect("it knows") < Duration::from_millis(1), "an empty device has no delay");
    let written = it.fill();
    let delay = it.sink.delay().expect("it knows");
    assert!(delay <= it.time(written) + Duration::from_millis(50), "{delay:?} of {:?}", it.time(written));
    assert!(delay >= it.time(it.sink.capacity()) / 2, "{delay:?}: it has only just been filled");
}

fn configure_again(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    it.fill();
    (rig.pass)(Duration::from_millis(40));
    let format = it.sink.configure(AudioFormat { rate: 44_100, channels: 1 }).expect("a format may change");
    assert!(format.rate > 0 && format.channels > 0);
    it.format = format;
    assert_eq!(it.heard(), 0);
    assert!(it.fill() >= it.sink.capacity());
}

fn steady_state_allocates_nothing(rig: &Rig<'_>) {
    let mut it = Device::new(rig);
    it.fill();
    let samples = it.frames(480);
    let before = lucarne::sys::alloc::thread_allocations();
    let mut n_failed = 0;
    for _ in 0..10 {
        (rig.pass)(Duration::from_millis(5));
        n_failed += usize::from(it.sink.write(&samples).is_err());
        n_failed += usize::from(it.sink.position().is_err() || it.sink.delay().is_err());
    }
    assert_eq!((lucarne::sys::alloc::thread_allocations() - before, n_failed), (0, 0));
}
