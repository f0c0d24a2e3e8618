//! Cadence, drift, stalls: a simulated screen against tables, and random timelines.
use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use crate::base::time::{MediaTime, MonoTime, NANOS_PER_SECOND, nanos_of};
use crate::logic::playsync::{PlaySync, VblankQuery, Verdict};

/// 60 Hz, as a mode line has it.
const HZ60: f64 = 1e9 / 60.0;
const MS: f64 = 1e6;

/// Uniform in -1..=1, the same for the same seed.
struct Noise(u64);
impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 30) as f64 - 1.0
    }
}

/// What one frame went through.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shown {
    frame: usize,
    /// The index of its first vblank.
    vblank: usize,
    dropped_before: usize,
}

struct Run {
    refresh: f64,
    /// Media time runs faster than the screen by this much.
    drift: f64,
    /// Media time at vblank 0, in nanoseconds, pts 0 being the first frame.
    phase: f64,
    /// Uniform noise on the media time, in nanoseconds.
    jitter: f64,
    vblanks: usize,
    /// Frames the queue holds.
    depth: usize,
    /// Frames come out of the decoder from this vblank on again, none between.
    stall: std::ops::Range<usize>,
    /// From one picture to the next the screen takes so many vblanks at least.
    slow: usize,
}

impl Default for Run {
    fn default() -> Self {
        Self { refresh: HZ60, drift: 0.0, phase: 0.0, jitter: 0.0, vblanks: 600, depth: 3, stall: 0..0, slow: 1 }
    }
}

impl Run {
    /// Plays frames of `pts` (index to nanoseconds), asking only when told to, each vblank twice.
    fn play(&self, pts: impl Fn(usize) -> f64) -> Vec<Shown> {
        let mut sync = PlaySync::new();
        let mut noise = Noise(7);
        let mut queue: VecDeque<(usize, MediaTime)> = VecDeque::new();
        let (mut produced, mut on_screen, mut shown, mut ask_at) = (0, None, Vec::new(), MonoTime::ZERO);
        let mut dropped = 0;
        for vblank in 0..self.vblanks {
            while queue.len() < self.depth && !self.stall.contains(&vblank) {
                queue.push_back((produced, MediaTime::from_nanos(pts(produced).round() as i64)));
                produced += 1;
            }
            if shown.last().is_some_and(|it: &Shown| vblank < it.vblank + self.slow) {
                continue;
            }
            let at = MonoTime::from_nanos((5e9 + vblank as f64 * self.refresh).round() as u64);
            let media = self.phase + vblank as f64 * self.refresh * (1.0 + self.drift) + noise.next() * self.jitter;
            if at + Duration::from_micros(10) < ask_at {
                continue;
            }
            let query = VblankQuery {
                vblank: at,
                media: MediaTime::from_nanos(media.round() as i64),
                refresh: Duration::from_nanos(self.refresh as u64),
            };
            let mut dropped_before = 0;
            // As the player does: asked again after each drop, with what the decoder has behind it.
            loop {
                let times: Vec<MediaTime> = queue.iter().map(|it| it.1).collect();
                let verdict = sync.decide(query, on_screen, &times);
                assert_eq!(verdict, sync.decide(query, on_screen, &times), "asked twice about one vblank");
                match verdict {
                    Verdict::HoldUntil(until) => {
                        dropped += dropped_before;
                        ask_at = until;
                    }
                    Verdict::Discard { .. } => panic!("these timelines never turn back"),
                    Verdict::Present { drop: 0 } => {
                        let (frame, pts) = queue.pop_front().unwrap();
                        sync.presented(pts, at);
                        on_screen = Some(pts);
                        dropped_before += std::mem::take(&mut dropped);
                        shown.push(Shown { frame, vblank, dropped_before });
                    }
                    Verdict::Present { drop } => {
                        queue.drain(..drop).for_each(|(_, pts)| sync.discarded(pts));
                        dropped_before += drop;
                        while queue.len() < self.depth && !self.stall.contains(&vblank) {
                            queue.push_back((produced, MediaTime::from_nanos(pts(produced).round() as i64)));
                            produced += 1;
                        }
                        continue;
                    }
                }
                break;
            }
        }
        shown
    }
}

/// Vblanks each shown frame stayed, the last one left out.
fn holds(shown: &[Shown]) -> Vec<usize> {
    shown.windows(2).map(|it| it[1].vblank - it[0].vblank).collect()
}

fn rate(per_second: f64) -> impl Fn(usize) -> f64 {
    move |index| index as f64 * 1e9 / per_second
}

/// Irregularities of a film whose frames should each stay `k` vblanks: the vblanks at which they happened.
fn slips(shown: &[Shown], k: usize) -> Vec<usize> {
    let slipped = |it: &&[Shown]| it[1].vblank - it[0].vblank != k || it[1].dropped_before != 0;
    shown.windows(2).filter(slipped).map(|it| it[1].vblank).collect()
}

#[test]
fn sixty_on_sixty_neither_repeats_nor_drops_at_any_phase() {
    for phase in 0..100 {
        // The first frame goes to the nearest vblank: half a refresh either way.
        let phase = (f64::from(phase) / 100.0 - 0.5) * HZ60;
        let run = Run { phase, jitter: 3.0 * MS, vblanks: 10_000, ..Run::default() };
        let shown = run.play(rate(60.0));
        assert_eq!((shown.len(), slips(&shown, 1)), (10_000, vec![]), "phase {phase}");
    }
}

#[test]
fn sixty_in_matroska_neither_repeats_nor_drops_at_any_phase() {
    for phase in 0..20 {
        let phase = (f64::from(phase) / 20.0 - 0.5) * HZ60;
        let shown = Run { phase, jitter: 1.0 * MS, vblanks: 3_000, ..Run::default() }
            .play(|index| (index as f64 * 1000.0 / 60.0).round() * MS);
        assert_eq!((shown.len(), slips(&shown, 1)), (3_000, vec![]), "phase {phase}");
    }
}

#[test]
fn drift_costs_one_slip_per_crossing_and_never_a_burst() {
    for (per_second, k) in [(60.0, 1), (30.0, 2)] {
        for drift in [200e-6, -200e-6] {
            for phase in [-0.4, 0.0, 0.4] {
                let run = Run { drift, phase: phase * HZ60, jitter: 3.0 * MS, vblanks: 60_000, ..Run::default() };
                let slips = slips(&run.play(rate(per_second)), k);
                // One refresh of drift each 5,000 vblanks; 60,000 of them cross 11 to 12 times, less the first's room.
                assert!((11..=12).contains(&slips.len()), "{per_second} fps, {drift}, {phase}: {slips:?}");
                // 3 ms of jitter are 900 vblanks of drift, either way at both ends.
                let apart = slips.windows(2).map(|it| it[1] - it[0]).collect::<Vec<_>>();
                assert!(apart.iter().all(|it| (3_000..7_000).contains(it)), "{per_second} fps, {drift}: {apart:?}");
            }
        }
    }
}

/// How long frames of a film stay on screen at every phase: only the holds in `want` may come in the pattern given, which
/// repeats from anywhere in it.
#[track_caller]
fn check_cadence(per_second: f64, hertz: f64, pattern: &[usize]) {
    for phase in -8..8 {
        let refresh = 1e9 / hertz;
        let run = Run { refresh, phase: f64::from(phase) / 16.0 * refresh, jitter: 1.0 * MS, ..Run::default() };
        let shown = run.play(rate(per_second));
        // The first frame is shown at once, so the pattern begins with the second, of fast films the third.
        let holds = &holds(&shown)[1..];
        let repeats =
            |from: usize| holds.iter().enumerate().all(|(index, it)| *it == pattern[(index + from) % pattern.len()]);
        assert!((0..pattern.len()).any(repeats), "{per_second} on {hertz}, phase {phase}: {:?}", &holds[..20]);
        let drops: Vec<usize> = shown[3..].iter().map(|it| it.dropped_before).collect();
        assert!(drops.iter().all(|it| *it == drops[0]), "{per_second} on {hertz}, phase {phase}: {drops:?}");
    }
}

#[test]
fn common_rates_keep_their_cadence_under_jitter() {
    check_cadence(25.0, 60.0, &[2, 2, 3, 2, 3]);
    check_cadence(24.0, 60.0, &[2, 3]);
    check_cadence(30.0, 60.0, &[2]);
    check_cadence(25.0, 50.0, &[2]);
    check_cadence(50.0, 60.0, &[1, 1, 1, 1, 2]);
    check_cadence(120.0, 60.0, &[1]);
    check_cadence(50.0, 50.0, &[1]);
    check_cadence(60_000.0 / 1001.0, 60_000.0 / 1001.0, &[1]);
    check_cadence(1.0, 60.0, &[60]);
}

#[test]
fn film_in_matroska_keeps_two_three_at_any_phase() {
    for phase in -8..8 {
        let run = Run { phase: f64::from(phase) / 16.0 * HZ60, jitter: 1.0 * MS, ..Run::default() };
        let shown = run.play(|index| (index as f64 * 1000.0 / 24.0).round() * MS);
        let holds = &holds(&shown)[1..];
        assert!(holds.windows(2).all(|it| it[0] + it[1] == 5), "phase {phase}: {:?}", &holds[..40]);
    }
}

#[test]
fn ntsc_film_in_matroska_changes_sides_once_in_200_frames() {
    // 23.976 on 60 Hz slides by a refresh in 400 frames: through the middle between two vblanks, where rounded times shake.
    let exact = rate(24.0 / 1.001);
    for step in 0..10 {
        let run = Run { phase: f64::from(step) * HZ60 / 10.0, vblanks: 3600, ..Run::default() };
        let holds = holds(&run.play(|index| (exact(index) / MS).round() * MS));
        let holds = &holds[2..];
        assert!(!holds.windows(2).any(|it| it == [2, 2]), "step {step}: {holds:?}");
        let slips = holds.windows(2).filter(|it| it == &[3, 3]).count();
        assert!((6..=8).contains(&slips), "step {step}: {slips} slips in {} frames: {holds:?}", holds.len());
    }
}

#[test]
fn a_rate_a_little_off_slips_evenly() {
    let run = Run { vblanks: 60 * 60, jitter: 0.2 * MS, ..Run::default() };
    // 24000/1001 on 60 Hz: 2.5025 vblanks a frame, so one 3-3 for each half refresh, 200 frames.
    let holds = holds(&run.play(rate(24_000.0 / 1001.0)));
    let irregular = holds.windows(2).filter(|it| it[0] == it[1]).count();
    assert!(holds.iter().all(|it| (2..=3).contains(it)) && (6..=9).contains(&irregular), "{irregular}");
    // 60000/1001 on 60 Hz: one repeat in 1001.
    let shown = run.play(rate(60_000.0 / 1001.0));
    assert!((3..=4).contains(&slips(&shown, 1).len()), "{:?}", slips(&shown, 1));
    assert!(shown.iter().all(|it| it.dropped_before == 0));
}

#[test]
fn of_120_frames_a_second_every_other_is_shown() {
    let shown = Run { jitter: 1.0 * MS, ..Run::default() }.play(rate(120.0));
    assert!(shown.windows(2).skip(1).all(|it| it[1].frame - it[0].frame == 2), "{:?}", &shown[..8]);
}

#[test]
fn variable_rates_are_shown_within_a_refresh_of_their_time() {
    let run = Run { jitter: 1.0 * MS, vblanks: 3_000, ..Run::default() };
    let gaps = [16.7, 33.3, 41.7, 100.0, 40.0, 20.0, 17.0, 250.0, 16.6];
    let pts = |index: usize| (0..index).map(|it| gaps[it % gaps.len()] * MS).sum::<f64>();
    let shown = run.play(pts);
    for it in &shown[1..] {
        let error = it.vblank as f64 * HZ60 - pts(it.frame);
        assert!(error.abs() <= HZ60 + 1.0 * MS, "{it:?}: {} ms", error / MS);
    }
    assert!(shown.windows(2).all(|it| it[1].frame == it[0].frame + 1), "every gap is a refresh: nothing is dropped");
}

#[test]
fn after_a_stall_the_picture_jumps_to_the_newest_due_once() {
    // 30 vblanks of 60 Hz are 500 ms without a new frame.
    let shown = Run { depth: 1, stall: 100..130, vblanks: 300, ..Run::default() }.play(rate(25.0));
    let late = shown.iter().position(|it| it.vblank >= 130).unwrap();
    // One frame at a time: each is late and shown, none is dropped, since none has a due successor.
    assert!(shown.iter().all(|it| it.dropped_before == 0));
    assert_eq!((shown[late].vblank, shown[late + 1].vblank), (130, 131));

    let mut sync = PlaySync::new();
    let at = |vblank: u64, media: i64| VblankQuery {
        vblank: MonoTime::from_nanos(vblank * 20_000_000),
        media: MediaTime::from_nanos(media * 1_000_000),
        refresh: Duration::from_millis(20),
    };
    let ms = |it: i64| MediaTime::from_nanos(it * 1_000_000);
    sync.presented(ms(0), MonoTime::from_nanos(0));
    let queued: Vec<MediaTime> = (1..20).map(|it| ms(it * 40)).collect();
    assert_eq!(sync.decide(at(25, 500), Some(ms(0)), &queued), Verdict::Present { drop: 11 });
    sync.presented(ms(480), at(25, 500).vblank);
    assert_eq!(sync.decide(at(26, 520), Some(ms(480)), &queued[12..]), Verdict::Present { drop: 0 });
    sync.presented(ms(520), at(26, 520).vblank);
    let Verdict::HoldUntil(until) = sync.decide(at(27, 540), Some(ms(520)), &queued[13..]) else { panic!("burst") };
    assert_eq!(until, at(28, 560).vblank);
}

#[test]
fn behind_a_drop_the_next_frame_is_due_at_once() {
    let mut sync = PlaySync::new();
    let ms = |it: i64| MediaTime::from_nanos(it * 1_000_000);
    let at = |vblank: u64, media: i64| VblankQuery {
        vblank: MonoTime::from_nanos(vblank * 20_000_000),
        media: ms(media),
        refresh: Duration::from_millis(20),
    };
    sync.presented(ms(0), MonoTime::from_nanos(0));
    // A refresh late, and its successor, rounded, almost due.
    assert_eq!(sync.decide(at(1, 40), Some(ms(0)), &[ms(20), ms(41), ms(60)]), Verdict::Present { drop: 1 });
    sync.discarded(ms(20));
    assert_eq!(sync.decide(at(1, 40), Some(ms(0)), &[ms(41), ms(60), ms(80)]), Verdict::Present { drop: 0 });
    // The flip of what is on the screen changes nothing about what was dropped behind it.
    sync.presented(ms(0), MonoTime::from_nanos(0));
    assert_eq!(sync.decide(at(1, 40), Some(ms(0)), &[ms(41), ms(60), ms(80)]), Verdict::Present { drop: 0 });
    sync.presented(ms(41), at(1, 40).vblank);
    // From there on the cadence is the film's again: as long as that is less than a refresh early or late.
    assert_eq!(sync.decide(at(2, 47), Some(ms(41)), &[ms(61), ms(80)]), Verdict::Present { drop: 0 });
}

#[test]
fn the_first_frame_is_due_at_once_and_an_empty_queue_asks_for_the_next_vblank() {
    let mut sync = PlaySync::new();
    let query = VblankQuery {
        vblank: MonoTime::from_nanos(1_000_000_000),
        media: MediaTime::from_nanos(-NANOS_PER_SECOND),
        refresh: Duration::from_millis(20),
    };
    let frame = MediaTime::ZERO;
    assert_eq!(sync.decide(query, None, &[]), Verdict::HoldUntil(query.vblank + query.refresh));
    assert_eq!(sync.decide(query, None, &[frame]), Verdict::Present { drop: 0 });
    sync.presented(frame, query.vblank);
    assert_eq!(sync.decide(query, Some(frame), &[]), Verdict::HoldUntil(query.vblank + query.refresh));
    sync.reset();
    assert_eq!(sync.decide(query, None, &[frame]), Verdict::Present { drop: 0 });
}

#[test]
fn one_vblank_never_gets_two_pictures() {
    let mut sync = PlaySync::new();
    let vblank = MonoTime::from_nanos(1_000_000_000);
    let query =
        VblankQuery { vblank, media: MediaTime::from_nanos(NANOS_PER_SECOND), refresh: Duration::from_millis(20) };
    sync.presented(MediaTime::ZERO, vblank);
    let queued = [MediaTime::from_nanos(20_000_000), MediaTime::from_nanos(47_000_000)];
    assert_eq!(
        sync.decide(query, Some(MediaTime::ZERO), &queued),
        Verdict::HoldUntil(vblank + Duration::from_millis(20))
    );
}

#[test]
fn frames_not_newer_than_the_screen_are_discarded() {
    let mut sync = PlaySync::new();
    let ms = |it: i64| MediaTime::from_nanos(it * 1_000_000);
    let query = VblankQuery { vblank: MonoTime::from_nanos(9), media: ms(100), refresh: Duration::from_millis(20) };
    assert_eq!(sync.decide(query, Some(ms(80)), &[ms(40), ms(80), ms(100)]), Verdict::Discard { count: 2 });
    assert_eq!(sync.decide(query, Some(ms(80)), &[ms(100), ms(60)]), Verdict::Present { drop: 0 });
}

proptest! {
    /// Any timeline, any drift, any noise: the picture never goes backwards, no frame is dropped without a due successor,
    /// every hold ends no more than a refresh after the frame is due.
    #[test]
    fn no_timeline_turns_the_picture_back_or_loses_the_only_due_frame(
        gaps in prop::collection::vec(1u64..120_000_000, 2..60),
        hertz in prop::sample::select(vec![24.0, 50.0, 59.94, 60.0, 144.0]),
        steps in prop::collection::vec((0u32..3, -3_000_000i64..3_000_000), 1..200),
        depth in 1usize..5,
        start in -40_000_000i64..40_000_000,
    ) {
        let refresh = Duration::from_nanos((1e9 / hertz) as u64);
        let mut pts = 0;
        let times: Vec<MediaTime> =
            gaps.iter().map(|gap| { pts += *gap as i64; MediaTime::from_nanos(pts) }).collect();
        let mut sync = PlaySync::new();
        let (mut next, mut on_screen, mut vblank) = (0, None::<MediaTime>, MonoTime::from_nanos(1_000_000_000));
        let origin = vblank;
        for (skip, noise) in steps {
            vblank = vblank + refresh * (1 + skip);
            let media = MediaTime::from_nanos(start + vblank.delta_nanos(origin) + noise);
            let query = VblankQuery { vblank, media, refresh };
            let queued = &times[next..(next + depth).min(times.len())];
            match sync.decide(query, on_screen, queued) {
                Verdict::Present { drop } => {
                    prop_assert!(drop < queued.len());
                    let shown = queued[drop];
                    prop_assert!(on_screen.is_none_or(|it| it < shown));
                    // What is dropped has a successor that is due, give or take the hysteresis.
                    let early = shown.delta_nanos(media);
                    prop_assert!(drop == 0 || early <= nanos_of(refresh) + 3_000_000, "dropped for {early} ns ahead");
                    sync.presented(shown, vblank);
                    on_screen = Some(shown);
                    next += drop + 1;
                }
                Verdict::HoldUntil(until) => {
                    prop_assert!(until > vblank);
                    if let Some(first) = queued.first() {
                        let due = vblank.offset_by(first.delta_nanos(media));
                        let latest = due.max(vblank) + refresh;
                        prop_assert!(until <= latest + Duration::from_micros(1), "{until:?} after {latest:?}");
                    }
                }
                Verdict::Discard { .. } => prop_assert!(false, "nothing is stale here"),
            }
        }
    }
}

mod rates;
