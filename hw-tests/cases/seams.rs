//! From one item to the next, when opening costs what it costs on a Pi.
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::cases::pacing::{SMALL, costs};
use crate::media;
use crate::rig::{Ability, Ended};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case {
        name: "seams::ten_frames_are_enough_for_the_next_item",
        needs: NEEDS,
        run: ten_frames_are_enough_for_the_next_item,
    },
    Case { name: "seams::a_mixed_playlist_has_none", needs: NEEDS, run: a_mixed_playlist_has_none },
    Case { name: "seams::without_preroll_there_are_gaps", needs: NEEDS, run: without_preroll_there_are_gaps },
    Case { name: "seams::one_film_goes_round_without_one", needs: NEEDS, run: one_film_goes_round_without_one },
    Case { name: "seams::a_slow_rewind_is_a_gap", needs: NEEDS, run: a_slow_rewind_is_a_gap },
];

const NEEDS: &[Ability] = &[Ability::VirtualTime];

/// An item: its file, and how long a picture is to stay.
type Item = (&'static str, Option<&'static str>);

/// Ten frames each, at 20 a second. On a Pi it takes 0.43 s from opening an item to its first frame; an item is opened when
/// the one before begins, and must be ready when the last frame of that becomes due: at 20 a second that is after 0.45 s.
/// Ten frames at 25 a second are over before any player could be ready.
const TEN_FRAMES: &[Item] = &[
    ("ten.mp4", None),
    ("ten-tone.mkv", None),
    ("ten-wide.mp4", None),
    ("picture.png", Some("500ms")),
    ("ten-vp9.webm", None),
];
/// Several codecs, sizes, rates and containers, with and without sound.
const MIXED: &[Item] = &[
    ("ten.mp4", None),
    ("tone-640x480-60-1.mkv", None),
    ("ten-wide.mp4", None),
    ("picture.png", Some("500ms")),
    ("tone-640x480-25-1.mkv", None),
    ("hevc-ntsc.mp4", None),
    ("ten-vp9.webm", None),
    ("pal-mpeg2.ts", None),
    ("portrait.avi", None),
    ("photo.jpg", Some("700ms")),
];

/// A file of that name, made as its name says.
#[track_caller]
fn file(name: &str) -> PathBuf {
    let picture =
        |size: &str, rate: &str, seconds: &str| format!("testsrc2=size={size}:rate={rate}:duration={seconds}");
    let tone = |seconds: &str| format!("sine=frequency=1000:sample_rate=48000:duration={seconds}");
    let film = |picture: String, tone: Option<String>, codecs: &str| {
        let inputs = [Some(picture), tone].into_iter().flatten();
        let words: Vec<String> = inputs.flat_map(|it| ["-f".into(), "lavfi".into(), "-i".into(), it]).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(codecs.split(' ')).collect();
        media::made(&format!("seam-{name}"), &words)
    };
    const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    match name {
        "ten.mp4" => film(picture("640x480", "20", "0.5"), None, H264),
        "ten-tone.mkv" => {
            film(picture("640x480", "20", "0.5"), Some(tone("0.5")), &format!("{H264} -c:a pcm_s16le -ac 2"))
        }
        "ten-wide.mp4" => film(picture("640x360", "20", "0.5"), None, "-c:v mpeg4 -q:v 4"),
        "ten-vp9.webm" => film(picture("320x240", "20", "0.5"), None, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        "hevc-ntsc.mp4" => {
            let codecs = "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p -c:a aac -ac 2";
            film(picture("640x480", "24000/1001", "1"), Some(tone("1")), codecs)
        }
        "pal-mpeg2.ts" => film(picture("720x576", "25", "1"), Some(tone("1")), "-c:v mpeg2video -q:v 6 -c:a mp2"),
        "portrait.avi" => film(picture("240x320", "30", "1"), None, "-c:v mpeg4 -q:v 4"),
        "picture.png" | "photo.jpg" => film(picture("320x240", "1", "1"), None, "-frames:v 1"),
        _ => match name.split(['-', '.']).collect::<Vec<_>>()[..] {
            ["tone", size, rate, seconds, "mkv"] => media::tone_film(size, rate, seconds.parse().expect("a number")),
            _ => panic!("nobody knows how to make {name}"),
        },
    }
}

/// A film without sound; in MP4 its times are exact, Matroska's are whole milliseconds.
#[track_caller]
pub fn exact_film(name: &str, source: &str) -> PathBuf {
    let codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
    media::made(name, &[&["-f", "lavfi", "-i", source][..], &codec].concat())
}

/// Plays a list of so many turns, for so many seams.
fn play(bench: &Bench<'_>, items: &[Item], turns: usize, words: &str) -> Ended {
    let playlist = bench.path("list.toml");
    let item = |(name, stays): &Item| {
        let stays = stays.map_or(String::new(), |it| format!("duration = \"{it}\"\n"));
        format!("[[item]]\npath = \"{name}\"\n{stays}")
    };
    fs::write(&playlist, items.iter().map(item).collect::<String>()).expect("the case's folder can be written");
    let arguments = format!("play list.toml --loop {turns} {HOW} {words}");
    let job = bench
        .job()
        .limit(bench.amount(Duration::from_secs(300), Duration::from_secs(7200)))
        .push(&playlist, "list.toml")
        .push(&costs(bench, &[SMALL], ""), "costs.toml");
    let job = items.iter().fold(job, |job, (name, _)| job.push(&file(name), name));
    bench.run(job.player(arguments.split_whitespace()).finish()).done()
}

/// How all of it is played.
const HOW: &str = "--display kms --size 1280x720@60 --audio none --inject costs.toml";

#[track_caller]
fn there_is_none(end: &Ended, seams: usize) {
    let figures = ["/seams/count", "/seams/late_starts", "/seams/worst_gap_frames", "/missed_vblanks"];
    assert_eq!(figures.map(|it| end.figure(it)), [seams as f64, 0.0, 0.0, 0.0], "{:#}", end.stats());
    assert_eq!(end.figure("/frames_dropped_stale"), 0.0, "{:#}", end.stats());
}

fn ten_frames_are_enough_for_the_next_item(bench: &Bench<'_>) {
    let turns = bench.amount(20, 100) + 1;
    let end = play(bench, TEN_FRAMES, turns, "");
    there_is_none(&end, turns * TEN_FRAMES.len() - 1);
}

fn a_mixed_playlist_has_none(bench: &Bench<'_>) {
    let turns = bench.amount(3, 51);
    let end = play(bench, MIXED, turns, "");
    there_is_none(&end, turns * MIXED.len() - 1);
}

fn without_preroll_there_are_gaps(bench: &Bench<'_>) {
    let end = play(bench, TEN_FRAMES, 3, "--no-preroll");
    let seams = (3 * TEN_FRAMES.len() - 1) as f64;
    assert_eq!([end.figure("/seams/count"), end.figure("/seams/late_starts")], [seams, seams], "{:#}", end.stats());
    // Opening, starting the decoder and one frame: 0.43 s are 26 refreshes.
    assert!(end.figure("/seams/worst_gap_frames") >= 25.0, "{:#}", end.stats());
    // What begins late begins whole.
    assert_eq!(end.figure("/frames_dropped_stale"), 0.0);
}

/// One film by itself, whose laps last a second; `instead` are other costs.
fn laps(bench: &Bench<'_>, film: &str, turns: usize, instead: &[(&str, &str)]) -> Ended {
    let arguments = format!("play {film} --loop {turns} {HOW}");
    let job = bench
        .job()
        .limit(bench.amount(Duration::from_secs(300), Duration::from_secs(7200)))
        .push(&costs(bench, &[&[SMALL], instead].concat(), ""), "costs.toml")
        .push(&exact_film(film, "testsrc2=size=640x480:rate=60:duration=1"), film);
    bench.run(job.player(arguments.split_whitespace()).finish()).done()
}

fn one_film_goes_round_without_one(bench: &Bench<'_>) {
    // Matroska rounds its times to milliseconds; the laps must be none the shorter for it.
    for (film, short) in [("lap-60.mp4", 8), ("lap-60.mkv", 20)] {
        let turns = bench.amount(short, 250);
        let end = laps(bench, film, turns, &[]);
        there_is_none(&end, turns - 1);
        assert_eq!(end.figure("/decoders_opened"), 1.0);
        assert_eq!(end.figure("/frames_presented"), (turns * 60) as f64, "{film}");
    }
}

fn a_slow_rewind_is_a_gap(bench: &Bench<'_>) {
    // A lap of one second is read ahead as a whole, so less than that would not be noticed.
    let end = laps(bench, "lap-60.mp4", 3, &[("seek_ms", "2000")]);
    assert_eq!(end.figure("/seams/late_starts"), 2.0, "{:#}", end.stats());
    assert!(end.figure("/seams/worst_gap_frames") >= 20.0, "{:#}", end.stats());
}
