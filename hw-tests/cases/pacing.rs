//! The display's rhythm: which frame at which refresh, when everything costs what it costs on a Pi.
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::cases::seams::exact_film;
use crate::media;
use crate::rig::{Ability, Ended, Frame, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "pacing::full_hd_meets_every_refresh", needs: NEEDS, run: full_hd_meets_every_refresh },
    Case { name: "pacing::every_rate_has_its_exact_cadence", needs: NEEDS, run: every_rate_has_its_exact_cadence },
    Case { name: "pacing::too_slow_a_gpu_misses_refreshes", needs: NEEDS, run: too_slow_a_gpu_misses_refreshes },
    Case { name: "pacing::the_cadence_check_finds_judder", needs: &[], run: the_cadence_check_finds_judder },
    Case { name: "pacing::a_slow_frame_costs_itself_only", needs: NEEDS, run: a_slow_frame_costs_itself_only },
    Case { name: "pacing::sound_and_picture_stay_together", needs: RECORDED, run: sound_and_picture_stay_together },
    Case { name: "pacing::the_sound_check_finds_judder", needs: RECORDED, run: the_sound_check_finds_judder },
    Case { name: "pacing::a_heavy_film_is_neither_late_nor_apart", needs: RECORDED, run: heavy_film },
];

const NEEDS: &[Ability] = &[Ability::VirtualTime];
const RECORDED: &[Ability] = &[Ability::VirtualTime, Ability::Recording];

/// What all of this is shown on.
const DISPLAY: &str = "kms";
/// The size of its mode, which is one with 60 refreshes a second to the microsecond; the board's at 640x480 has 59.94, as
/// most displays' have.
const SCREEN: &str = "1280x720";
/// The refreshes a second of all modes here.
const REFRESH_HZ: f64 = 60.0;
/// The frame log counts microseconds, so a time in it is this much off at most.
const ROUNDING_US: f64 = 1.0;

/// The table of a Pi's costs in the case's folder, with these lines instead of those that set the same keys, and these
/// lines at its end.
pub fn costs(bench: &Bench<'_>, instead: &[(&str, &str)], end: &str) -> PathBuf {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("hw-tests/costs/rpi4.toml");
    let mut text = fs::read_to_string(&table).expect("the table of costs");
    for (key, value) in instead {
        let is_it = |line: &&str| line.strip_prefix(key).is_some_and(|it| it.trim_start().starts_with('='));
        let line = text.lines().find(is_it).unwrap_or_else(|| panic!("{} does not say {key}", table.display()));
        text = text.replacen(line, &format!("{key} = {value}"), 1);
    }
    let path = bench.path("costs.toml");
    fs::write(&path, format!("{text}\n{end}")).expect("the case's folder can be written");
    path
}

/// A small film is priced as if it were full HD: the board composes it ten times as fast.
pub const SMALL: (&str, &str) = ("per", "\"640x480\"");

/// Plays `film` with a table of costs. `words` are more arguments of the player's.
fn play(bench: &Bench<'_>, film: &Path, size: &str, costs: &Path, words: &str) -> Ended {
    let arguments = format!("play film --display {DISPLAY} --size {size}@60 --inject costs.toml --loop 1 {words}");
    let job = bench.job().limit(bench.amount(Duration::from_secs(300), Duration::from_secs(7200)));
    let job: Job = job.push(film, "film").push(costs, "costs.toml");
    bench.run(job.player(arguments.split_whitespace()).finish()).done()
}

/// How many refreshes each frame but the last stayed on the screen. Fails where one did not change on a refresh.
#[track_caller]
pub fn holds(frames: &[Frame]) -> Vec<u32> {
    let hold = |pair: &[Frame]| {
        let microseconds = (pair[1].presented_us - pair[0].presented_us) as f64;
        let refreshes = (microseconds * REFRESH_HZ / 1e6).round();
        let off = (microseconds - refreshes * 1e6 / REFRESH_HZ).abs();
        assert!(off <= ROUNDING_US && refreshes >= 1.0, "{microseconds} us between {:?} and {:?}", pair[0], pair[1]);
        refreshes as u32
    };
    frames.windows(2).map(hold).collect()
}

/// Where a row of holds is not the cadence of `frames_per_second`, if anywhere: up to forty frames in a row must last as
/// many refreshes as they are due, to less than one, which leaves 24 on 60 nothing but 2, 3, 2, 3. Longer rows may be off
/// by what the player's grid may be set from the clock besides.
pub fn judder(holds: &[u32], frames_per_second: f64) -> Option<String> {
    let due = REFRESH_HZ / frames_per_second;
    let mut behind = vec![0.0];
    for hold in holds {
        behind.push(behind[behind.len() - 1] + f64::from(*hold) - due);
    }
    let is_off = |from: usize, to: usize| {
        let off: f64 = behind[to] - behind[from];
        // A float's rounding, far less than any cadence's smallest step.
        off.abs() > if to - from <= 40 { 1.0 - 1e-6 } else { 1.25 }
    };
    let place = |from: usize| (from + 1..behind.len()).find(|to| is_off(from, *to)).map(|to| (from, to));
    let (from, to) = (0..behind.len()).find_map(place)?;
    let end = to.min(from + 40);
    Some(format!("frames {from} to {to}: {:?}", &holds[from..end]))
}

/// How far each frame's time on the screen is from its time in the film, in microseconds.
fn offsets(frames: &[Frame]) -> Vec<i64> {
    frames.iter().map(|it| it.presented_us - it.pts_us).collect()
}

#[track_caller]
fn nothing_is_lost(end: &Ended) {
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/frames_dropped_stale")), (0.0, 0.0), "{:#}", end.stats());
}

fn full_hd_meets_every_refresh(bench: &Bench<'_>) {
    let seconds = bench.amount(20, 600);
    let source = format!("testsrc2=size=1920x1080:rate=60:duration={seconds}");
    let film = exact_film(&format!("full-hd-60-{seconds}.mp4"), &source);
    let end = play(bench, &film, "1920x1080", &costs(bench, &[], ""), "--audio none");
    nothing_is_lost(&end);
    let frames = end.frames();
    assert_eq!(frames.len(), seconds * 60);
    // Cut off to microseconds, as they are logged.
    let intervals: Vec<i64> = frames.windows(2).map(|it| it[1].presented_us - it[0].presented_us).collect();
    let odd = intervals.iter().enumerate().find(|(_, it)| !(16_666..=16_667).contains(*it));
    assert_eq!(odd, None, "every flip comes one refresh after the one before");
    assert_eq!(end.figure("/seams/worst_gap_frames"), 0.0);
}

fn too_slow_a_gpu_misses_refreshes(bench: &Bench<'_>) {
    let film = media::tone_film("640x480", "60", 10);
    let costs = costs(bench, &[SMALL, ("draw_ms", "20")], "");
    let end = play(bench, &film, SCREEN, &costs, "--audio none");
    assert!(end.figure("/missed_vblanks") > 0.0, "{:#}", end.stats());
    // What cannot be drawn is dropped, and every other frame is shown.
    assert!(end.figure("/frames_dropped_stale") > 200.0, "{:#}", end.stats());
    let frames = end.frames();
    let holds = holds(&frames);
    assert!(judder(&holds, 60.0).is_some(), "no check would have noticed");
    // What a picture costs is known by then. Every second one, and not the third after the first.
    let steps = |it: &[Frame]| ((it[1].pts_us - it[0].pts_us) as f64 * REFRESH_HZ / 1e6).round() as u32;
    let mut all: Vec<_> = frames.windows(2).map(steps).zip(holds).skip(30).collect();
    // The film's last picture is shown whichever it is.
    all.pop();
    assert!(all.iter().all(|it| *it == (2, 2)), "pictures on, refreshes: {all:?}");
}

fn every_rate_has_its_exact_cadence(bench: &Bench<'_>) {
    let seconds = bench.amount(10, 60);
    for (rate, frames_per_second) in [
        ("24", 24.0),
        ("24000/1001", 24.0 / 1.001),
        ("25", 25.0),
        ("30", 30.0),
        ("50", 50.0),
        ("60000/1001", 60.0 / 1.001),
        ("60", 60.0),
    ] {
        let film = media::tone_film("640x480", rate, seconds);
        let end = play(bench, &film, SCREEN, &costs(bench, &[SMALL], ""), "--audio none");
        nothing_is_lost(&end);
        let frames = end.frames();
        let want = (f64::from(seconds) * frames_per_second).ceil();
        assert!((frames.len() as f64 - want).abs() <= 1.0, "{rate}: {} frames, not {want}", frames.len());
        if let Some(where_) = judder(&holds(&frames), frames_per_second) {
            panic!("{rate} on 60 Hz: {where_}");
        }
    }
}

fn the_cadence_check_finds_judder(_bench: &Bench<'_>) {
    let row = |it: &[u32]| it.iter().copied().cycle().take(240).collect::<Vec<_>>();
    for (pattern, rate) in [(&[3, 2][..], 24.0), (&[2, 3, 2, 3, 2], 25.0), (&[1, 1, 2, 1, 1], 50.0), (&[1], 59.94)] {
        let good = row(pattern);
        assert_eq!(judder(&good, rate), None);
        for index in 3..237 {
            let mut repeated = good.clone();
            repeated[index] += 1;
            let mut dropped = good.clone();
            dropped[index] = (dropped[index] - 1).max(1) - u32::from(dropped[index] == 1);
            dropped.retain(|it| *it > 0);
            // One that stays too long where the next makes up for it is judder as well.
            let mut shaken = good.clone();
            shaken[index] += 1;
            shaken[index + 1] -= 1;
            let has_changed = shaken[index..index + 2] != [good[index + 1], good[index]];
            assert!(rate == 59.94 || judder(&repeated, rate).is_some(), "{rate}: a repeat at {index}");
            assert!(rate == 59.94 || judder(&dropped, rate).is_some(), "{rate}: a drop at {index}");
            assert!(!has_changed || judder(&shaken, rate).is_some(), "{rate}: a shake at {index}");
        }
    }
    let mut twice = row(&[1]);
    (twice[50], twice[190]) = (2, 2);
    assert!(judder(&twice, 60.0 / 1.001).is_some(), "59.94 repeats once in 1000 frames, not twice in 140");
}

fn a_slow_frame_costs_itself_only(bench: &Bench<'_>) {
    let film = media::tone_film("640x480", "60", 5);
    // The 120th picture takes three refreshes more.
    let costs = costs(bench, &[SMALL], "[[slow]]\nframe = 120\ndraw_ms = 50\n");
    let end = play(bench, &film, SCREEN, &costs, "--audio none");
    let frames = end.frames();
    let holds = holds(&frames);
    assert_eq!(holds[118], 4, "the picture before it stays for three refreshes more");
    assert!(holds.iter().enumerate().all(|(index, it)| index == 118 || *it == 1), "no other does: {holds:?}");
    assert_eq!(end.figure("/missed_vblanks"), 3.0);
    assert_eq!(end.figure("/frames_dropped_stale"), 3.0, "those that came due meanwhile");
    assert_eq!(frames.len(), 300 - 3);
    let offsets = offsets(&frames);
    let usual = offsets[118];
    // Matroska rounds to milliseconds.
    assert!((offsets[119] - usual - 50_000).abs() <= 1_001, "{:?}", &offsets[115..125]);
    assert!((offsets[120] - usual).abs() <= 1_001, "back at the next refresh: {:?}", &offsets[115..125]);
}

/// Plays a film of this rate with its tone; how far the pictures' distance from the sound wandered, in microseconds.
#[track_caller]
fn wandering(bench: &Bench<'_>, rate: &str, seconds: u32) -> i64 {
    let film = media::tone_film("640x480", rate, seconds);
    let words = "--audio hw:Loopback,0,0 -vvv";
    let end = play(bench, &film, SCREEN, &costs(bench, &[SMALL], ""), words);
    nothing_is_lost(&end);
    assert_eq!((end.figure("/audio/xruns"), end.figure("/audio/clock_switches")), (0.0, 0.0));
    let log = end.said();
    let offset = |line: &str| line.split_once(" was ")?.1.strip_suffix(" us ahead of the sound")?.parse::<i64>().ok();
    let offsets: Vec<i64> = log.lines().filter_map(offset).collect();
    let frames = end.figure("/frames_presented");
    assert!(offsets.len() as f64 > 0.98 * frames, "{} of {frames} pictures were heard of", offsets.len());
    offsets.iter().max().unwrap() - offsets.iter().min().unwrap()
}

fn sound_and_picture_stay_together(bench: &Bench<'_>) {
    let wandered = wandering(bench, "60", bench.amount(12, 600));
    assert!(wandered <= 2_000, "the picture's distance from the sound wandered by {wandered} us, not 1 ms either way");
}

fn the_sound_check_finds_judder(bench: &Bench<'_>) {
    // Two or three refreshes for each picture: off by up to a third of one, either way.
    let wandered = wandering(bench, "25", 5);
    assert!((10_000..20_000).contains(&wandered), "the pictures' distance from the sound wandered by {wandered} us");
}

/// Plays HEVC of 2560x1440, 60 pictures a second, with sound; `per` is the size of picture that costs what the table says.
fn play_heavy(bench: &Bench<'_>, per: &str, words: &str) -> Ended {
    let source = ["-f", "lavfi", "-i", "testsrc2=size=2560x1440:rate=60:duration=2"];
    let tone = ["-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000:duration=2"];
    let codecs = "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p -c:a pcm_s16le -ac 2";
    let film =
        media::made("heavy-hevc-1440p60-2.mkv", &[&source[..], &tone, &codecs.split(' ').collect::<Vec<_>>()].concat());
    // Drawn: a controller that composes 1440p takes the board a tenth of a second for each picture.
    let arguments =
        format!("play film --display {DISPLAY} --size {SCREEN}@60 --audio hw:Loopback,0,0 --inject costs.toml {words}");
    let job = bench.job().limit(bench.amount(Duration::from_secs(300), Duration::from_secs(3600)));
    let job = job.push(&film, "film").push(&costs(bench, &[("per", per)], ""), "costs.toml");
    bench.run(job.player(arguments.split_whitespace()).finish()).done()
}

fn heavy_film(bench: &Bench<'_>) {
    // What a Pi's codec and GPU take for 1080p, others take for this: 12 ms of decoding, 6 of drawing.
    let turns = bench.amount(1, 30);
    let end = play_heavy(bench, "\"2560x1440\"", &format!("--loop {turns}"));
    nothing_is_lost(&end);
    assert_eq!(end.figure("/frames_presented"), f64::from(turns * 120));
    let (lag, offset) = (end.figure("/queued_lag_ms/p95"), end.figure("/av_offset_ms/max"));
    assert!(lag <= 50.0 && offset <= 50.0, "p95 of the lag {lag} ms, sound and picture at most {offset} ms apart");
    assert_eq!((end.figure("/audio/xruns"), end.figure("/audio/clock_switches")), (0.0, 0.0));
    // By the Pi's own measure a picture of this size takes 21 ms: that cannot do, and the same figures say so.
    let end = play_heavy(bench, "\"1920x1080\"", "--loop 1 --frames 60");
    let (lag, offset) = (end.figure("/queued_lag_ms/p95"), end.figure("/av_offset_ms/max"));
    assert!(50.0 < lag && 50.0 < offset, "p95 of the lag {lag} ms, sound and picture at most {offset} ms apart");
}
