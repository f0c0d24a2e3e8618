//! The sound element, stepped by hand: every sample where it belongs.
use std::sync::Arc;
use std::time::Duration;

use lucarne::backend::headless::audio_sink::{AudioCapture, HeadlessSinkFactory, HeadlessSinkParams};
use lucarne::backend::headless::display_clock::ManualClock;
use lucarne::base::offer::FlowPolicy;
use lucarne::base::packet::{Packet, Track};
use lucarne::base::time::{MediaTime, MonoTime};
use lucarne::logic::flow::{ItemMeta, Limits};
use lucarne::pipeline::deck::{AudioLink, Coded, DeckShared};
use lucarne::pipeline::elements::sound::Sound;
use lucarne::pipeline::elements::sound::board::{Segment, SoundBoard, SoundReport, SoundState};
use lucarne::pipeline::env::SinkChoice;
use lucarne::pipeline::link::Link;
use lucarne::pipeline::runner::Step;
use lucarne::seam::clock::{AdvanceClock, Clock};

use crate::codec::Tones;
use crate::film::{at_ms, audio_stream, packet};

const START: MonoTime = MonoTime::from_nanos(1_000_000_000);
const STEP: Duration = Duration::from_millis(10);
/// Sample frames of a millisecond.
const PER_MS: usize = 48;

struct Bench {
    clock: ManualClock,
    board: Arc<SoundBoard>,
    sound: Sound,
    capture: AudioCapture,
    /// The picture's clock starts as soon as sound is heard, as the player's does.
    follows: bool,
}

fn bench(params: HeadlessSinkParams, volume: f32) -> Bench {
    let clock = ManualClock::new(START);
    let board = Arc::new(SoundBoard::default());
    let capture = AudioCapture::new(48_000 * 2 * 20);
    let factory = HeadlessSinkFactory::new(Arc::new(clock.clone()), params).with_capture(capture.clone());
    let choice = SinkChoice { factory: Arc::new(factory), device: "synthetic".into(), volume, is_optional: false };
    let sound = Sound::new(board.clone(), choice, Arc::new(Tones));
    Bench { clock, board, sound, capture, follows: true }
}

/// A deck's sound, on the programme from `offset_ms` on.
fn deck(bench: &Bench, id: u64, offset_ms: i64) -> (AudioLink, Arc<DeckShared>) {
    let link: AudioLink = Link::new(FlowPolicy::Block, Limits::items(10_000));
    let shared = Arc::new(DeckShared::default());
    let offset = Some(offset_ms * 1_000_000);
    bench.board.programme().segments.push(Segment { deck: id, link: link.clone(), shared: shared.clone(), offset });
    let _taken = link.offer(Coded::Open(Box::new(audio_stream())), ItemMeta::event());
    (link, shared)
}

/// 40 ms of a level, in 256ths.
fn tone(link: &AudioLink, pts_ms: i64, level: u8) {
    let it = Packet { pts: Some(at_ms(pts_ms)), ..packet(Track::Audio, pts_ms, level) };
    let meta = ItemMeta::packet(&it);
    let _taken = link.offer(Coded::Packet(it), meta);
}

fn end(link: &AudioLink, shared: &DeckShared, end_ms: i64) {
    {
        let mut state = shared.state();
        state.set_lap_end(0, at_ms(end_ms));
        state.last_lap = Some(0);
    }
    let _taken = link.offer(Coded::LapEnd, ItemMeta::event());
    let _taken = link.offer(Coded::End, ItemMeta::event());
}

impl Bench {
    fn step(&mut self) {
        self.sound.step(self.clock.now());
        let heard = self.board.report().heard;
        let mut programme = self.board.programme();
        if self.follows
            && !programme.clock.is_running()
            && !programme.paused
            && let Some((media, at)) = heard
        {
            programme.clock.start(at, media);
        }
    }
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / STEP.as_millis() as u64 {
            self.step();
            self.clock.advance_to(self.clock.now() + STEP);
        }
    }
    fn report(&self) -> SoundReport {
        self.board.report().clone()
    }
    /// The first picture is on the screen.
    fn begin(&mut self) {
        self.board.programme().begin = Some(MediaTime::ZERO);
    }
    /// The left channel, as levels in 256ths.
    fn levels(&self) -> Vec<f32> {
        self.capture.samples().chunks(2).map(|it| it[0] * 256.0).collect()
    }
}

/// The first sample frame of sound.
fn first_sound(levels: &[f32]) -> usize {
    levels.iter().position(|it| *it != 0.0).expect("there is sound")
}

fn is_all(levels: &[f32], want: f32) -> bool {
    levels.iter().all(|it| (it - want).abs() < 0.01)
}

#[test]
fn silence_comes_first_and_the_clock_starts_with_the_sound() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    (0..50).for_each(|n| tone(&link, n * 40, 128));
    it.run(200);
    assert_eq!(it.report().state, SoundState::Starting);
    let levels = it.levels();
    assert!(is_all(&levels, 0.0) && 100 * PER_MS < levels.len(), "{}", levels.len());
    it.begin();
    it.run(300);
    let report = it.report();
    let (media, at) = report.heard.expect("it is heard");
    assert_eq!((report.state, report.trusted), (SoundState::Playing, true));
    let levels = it.levels();
    let first = first_sound(&levels);
    // The device began to play with the first write, and what is heard at `at` is that many sample frames later.
    let heard = at.saturating_since(START).as_millis() as usize * PER_MS;
    let media_frames = media.nanos() / 1_000_000 * PER_MS as i64;
    assert_eq!(heard as i64 - first as i64, media_frames, "{media:?} at {at:?}");
}

#[test]
fn the_next_item_begins_on_its_very_sample() {
    // The sound of the first item is as long as its picture, shorter, and longer.
    for (packets, name) in [(5, "as long"), (4, "shorter"), (6, "longer")] {
        let mut it = bench(HeadlessSinkParams::default(), 1.0);
        let (first, first_shared) = deck(&it, 1, 0);
        (0..packets).for_each(|n| tone(&first, n * 40, 128));
        end(&first, &first_shared, 200);
        let (second, second_shared) = deck(&it, 2, 200);
        (0..5).for_each(|n| tone(&second, n * 40, 64));
        end(&second, &second_shared, 200);
        it.begin();
        it.run(900);
        let levels = it.levels();
        let begin = first_sound(&levels);
        let seam = begin + 200 * PER_MS;
        let fade = 5 * PER_MS;
        let last = packets.min(5) as usize * 40 * PER_MS;
        assert!(is_all(&levels[begin + fade..begin + last], 128.0), "{name}");
        if packets == 4 {
            assert!(is_all(&levels[begin + last + fade..seam], 0.0), "{name}: silence up to the seam");
        }
        assert!(levels[seam] != levels[seam - 1], "{name}: {} and {}", levels[seam - 1], levels[seam]);
        assert!(is_all(&levels[seam + fade..seam + 200 * PER_MS], 64.0), "{name}");
        assert!(is_all(&levels[seam + 200 * PER_MS + fade..], 0.0), "{name}");
        assert_eq!(it.report().realigned, 0, "{name}");
    }
}

#[test]
fn sound_that_comes_late_loses_what_should_have_been_heard() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    (0..5).for_each(|n| tone(&link, n * 40, 10));
    it.begin();
    it.run(700);
    // Up to 200 ms came in time; the rest only now.
    (5..50).for_each(|n| tone(&link, n * 40, 10 + n as u8));
    it.run(700);
    let levels = it.levels();
    let begin = first_sound(&levels);
    for n in 0..4 {
        assert!((levels[begin + (n * 40 + 20) * PER_MS] - 10.0).abs() < 0.01);
    }
    // From then on every packet is where it belongs.
    let late = (begin..levels.len()).rev().find(|it| levels[*it] == 0.0).expect("a hole") + 1;
    assert!(500 * PER_MS < late - begin, "{} ms", (late - begin) / PER_MS);
    for n in (late - begin) / (40 * PER_MS) + 1..(levels.len() - begin) / (40 * PER_MS) {
        let level = levels[begin + (n * 40 + 20) * PER_MS];
        assert!((level - 10.0 - n as f32).abs() < 0.01, "packet {n}: {level}");
    }
}

#[test]
fn one_packet_with_an_absurd_time_does_not_silence_the_rest() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    for n in 0..50 {
        tone(&link, if n == 3 { 36_000_000 } else { n * 40 }, 100);
    }
    it.begin();
    it.run(1_000);
    let levels = it.levels();
    let begin = first_sound(&levels);
    assert!(is_all(&levels[begin + 130 * PER_MS..begin + 155 * PER_MS], 0.0), "its own place is silent");
    assert!(is_all(&levels[begin + 170 * PER_MS..begin + 600 * PER_MS], 100.0));
}

#[test]
fn the_volume_is_applied_once() {
    let mut it = bench(HeadlessSinkParams::default(), 0.25);
    let (link, _shared) = deck(&it, 1, 0);
    (0..20).for_each(|n| tone(&link, n * 40, 128));
    it.begin();
    it.run(500);
    let levels = it.levels();
    let begin = first_sound(&levels);
    assert!(is_all(&levels[begin + 5 * PER_MS..begin + 200 * PER_MS], 32.0));
}

#[test]
fn a_pause_stands_still_and_goes_on_where_it_was() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    (0..100).for_each(|n| tone(&link, n * 40, 1 + n as u8));
    it.begin();
    it.run(500);
    let now = it.clock.now();
    {
        let mut programme = it.board.programme();
        programme.paused = true;
        programme.clock.pause(now);
    }
    it.run(100);
    let before = it.levels().len();
    it.run(2_000);
    assert_eq!((it.levels().len(), it.report().heard), (before, None));
    let now = it.clock.now();
    {
        let mut programme = it.board.programme();
        programme.paused = false;
        programme.clock.resume(now);
    }
    it.run(500);
    let levels = it.levels();
    let begin = first_sound(&levels);
    for n in 0..(levels.len() - begin) / (40 * PER_MS) {
        assert!((levels[begin + (n * 40 + 20) * PER_MS] - 1.0 - n as f32).abs() < 0.01, "packet {n}");
    }
    assert!(it.report().trusted && it.report().realigned == 0);
}

#[test]
fn a_jump_throws_away_what_was_written_and_begins_anew() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (first, _shared) = deck(&it, 1, 0);
    (0..100).for_each(|n| tone(&first, n * 40, 128));
    it.begin();
    it.run(500);
    let before = it.levels().len();
    let media = it.board.programme().clock.media_at(it.clock.now()).expect("it runs");
    it.board.programme().segments.clear();
    let (second, _shared) = deck(&it, 2, media.nanos() / 1_000_000);
    (0..100).for_each(|n| tone(&second, n * 40, 64));
    it.board.programme().flushes += 1;
    it.run(500);
    let levels = it.levels();
    assert!(levels[before..].iter().all(|it| *it <= 64.01), "nothing of the first is written any more");
    let (heard, at) = it.report().heard.expect("it is heard");
    let picture = it.board.programme().clock.media_at(at).expect("it runs");
    assert!(heard.delta_nanos(picture).abs() < 15_000_000, "{heard:?}, {picture:?}");
}

#[test]
fn a_device_that_vanishes_is_missed_by_nobody_and_returns_in_step() {
    let at = |ms: u64| Some(START + Duration::from_millis(ms));
    let params = HeadlessSinkParams { vanishes: at(1_000), returns: at(4_000), ..Default::default() };
    let mut it = bench(params, 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    (0..200).for_each(|n| tone(&link, n * 40, 1 + n as u8));
    it.begin();
    it.run(1_500);
    assert_eq!((it.report().state, it.report().heard), (SoundState::Lost, None));
    let before = it.levels().len();
    // What would have been heard is thrown away in pace, and no more than that.
    it.run(1_500);
    let left = link.level().items as i64;
    let media = it.board.programme().clock.media_at(it.clock.now()).expect("the picture's clock runs on");
    let want = 200 - media.nanos() / 40_000_000;
    assert!((left - want).abs() <= 2, "{left} packets left, {want} wanted");
    let mut opened = it.clock.now();
    while it.report().state == SoundState::Lost {
        opened = it.clock.now();
        it.run(10);
        assert!(opened < START + Duration::from_secs(8), "it comes back");
    }
    it.run(1_000);
    let levels = &it.levels()[before..];
    let first = first_sound(levels);
    // The first change of level is a packet's first sample; when is it heard?
    let sure = first + 5 * PER_MS;
    let change = (sure..levels.len()).find(|it| (levels[*it] - levels[sure]).abs() > 0.5).expect("a next packet");
    let packet = f64::from(levels[change]).round() as i64 - 1;
    let heard_at = opened + Duration::from_micros(change as u64 * 1_000_000 / 48_000);
    let picture = it.board.programme().clock.media_at(heard_at).expect("it runs");
    let off = picture.delta_nanos(at_ms(packet * 40));
    assert!(off.abs() < 15_000_000, "packet {packet} is heard {} ms off", off / 1_000_000);
}

#[test]
fn a_device_that_swallows_everything_is_paced_by_the_picture_and_not_trusted() {
    for follows in [true, false] {
        let mut it = bench(HeadlessSinkParams { swallows: true, ..Default::default() }, 1.0);
        let (link, _shared) = deck(&it, 1, 0);
        (0..1_000).for_each(|n| tone(&link, n * 40, 100));
        it.follows = follows;
        it.begin();
        it.run(400);
        // Though the picture's clock waits, no more than a little goes.
        let most = if follows { 400 + 450 } else { 450 };
        assert!(it.levels().len() < most * PER_MS, "follows {follows}: {} ms", it.levels().len() / PER_MS);
        if !follows {
            let now = it.clock.now();
            it.board.programme().clock.start(now, MediaTime::ZERO);
        }
        it.run(3_000);
        assert!(!it.report().trusted, "follows {follows}");
        let taken = 1_000 - link.level().items;
        assert!((70..110).contains(&taken), "follows {follows}: {taken} packets in 3 s");
    }
}

#[test]
fn a_device_with_long_periods_starts_as_well() {
    for period in [5, 20, 40, 60] {
        let params = HeadlessSinkParams {
            period: Duration::from_millis(period),
            capacity: Duration::from_millis(400),
            ..Default::default()
        };
        let mut it = bench(params, 1.0);
        let (link, _shared) = deck(&it, 1, 0);
        (0..100).for_each(|n| tone(&link, n * 40, 100));
        it.begin();
        it.run(1_500);
        let report = it.report();
        assert_eq!((report.state, report.xruns), (SoundState::Playing, 0), "periods of {period} ms");
    }
}

#[test]
fn sound_and_picture_that_have_come_apart_are_fitted() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    (0..200).for_each(|n| tone(&link, n * 40, 1 + n as u8));
    it.begin();
    it.run(500);
    // The picture's clock stands elsewhere all at once.
    let now = it.clock.now();
    it.board.programme().clock.start(now, at_ms(900));
    it.run(1_000);
    let report = it.report();
    let (heard, at) = report.heard.expect("it is heard");
    let picture = it.board.programme().clock.media_at(at).expect("it runs");
    assert!(heard.delta_nanos(picture).abs() < 15_000_000, "{heard:?}, {picture:?}");
    assert_eq!(report.realigned, 1);
}

#[test]
fn a_device_that_runs_dry_is_fed_again_in_step() {
    let mut it = bench(HeadlessSinkParams::default(), 1.0);
    let (link, _shared) = deck(&it, 1, 0);
    (0..200).for_each(|n| tone(&link, n * 40, 1 + n as u8));
    it.begin();
    it.run(500);
    // Nobody looked after it for a second.
    it.clock.advance_to(it.clock.now() + Duration::from_secs(1));
    it.run(500);
    let report = it.report();
    let (heard, at) = report.heard.expect("it is heard");
    let picture = it.board.programme().clock.media_at(at).expect("it runs");
    assert!(heard.delta_nanos(picture).abs() < 25_000_000, "{heard:?}, {picture:?}");
    assert_eq!(report.xruns, 1);
}
