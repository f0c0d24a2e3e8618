//! From one item to the next, when opening costs what it costs on a Pi.
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::cases::pacing::{DISPLAY, SMALL, costs};
use crate::media;
use crate::rig::{Ability, Ended};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "seams::a_mixed_playlist_has_none", needs: NEEDS, run: a_mixed_playlist_has_none },
    Case { name: "seams::without_preroll_there_are_gaps", needs: NEEDS, run: without_preroll_there_are_gaps },
    Case { name: "seams::one_film_goes_round_without_one", needs: NEEDS, run: one_film_goes_round_without_one },
];

const NEEDS: &[Ability] = &[Ability::VirtualTime];

/// Four films and a picture of half a second each: what takes 0.3 s to open and 0.13 s to its first frame is ready in
/// time if it is opened when the item before it begins, and not later. Some have sound, their rates differ.
const PLAYLIST: &str = r#"
[[item]]
path = "slow.mp4"
[[item]]
path = "film.mkv"
[[item]]
path = "wide.mp4"
[[item]]
path = "picture.png"
duration = "500ms"
[[item]]
path = "tone.mkv"
"#;
/// Its items.
const ITEMS: u32 = 5;

/// A film without sound in MP4, whose times are exact: Matroska's are whole milliseconds, and so are its laps.
#[track_caller]
pub fn exact_film(name: &str, source: &str) -> PathBuf {
    let codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
    media::made(name, &[&["-f", "lavfi", "-i", source][..], &codec].concat())
}

/// Plays all of it so many times.
fn play(bench: &Bench<'_>, turns: u32, words: &str) -> Ended {
    let playlist = bench.path("list.toml");
    fs::write(&playlist, PLAYLIST).expect("the case's folder can be written");
    let arguments = format!(
        "play list.toml --display {DISPLAY} --size 640x480@60 --audio none --loop {turns} --inject costs.toml {words}"
    );
    let job = bench
        .job()
        .limit(bench.amount(Duration::from_secs(300), Duration::from_secs(3600)))
        .push(&playlist, "list.toml")
        .push(&costs(bench, &[SMALL], ""), "costs.toml")
        .push(&exact_film("seam-20.mp4", "testsrc2=size=640x480:rate=20:duration=0.5"), "slow.mp4")
        .push(&exact_film("seam-wide.mp4", "testsrc2=size=640x360:rate=30:duration=0.5"), "wide.mp4")
        .push(
            &media::made("seam.png", &["-f", "lavfi", "-i", "testsrc2=size=320x240", "-frames:v", "1"]),
            "picture.png",
        )
        .push(&media::tone_film("640x480", "60", 1), "film.mkv")
        .push(&media::tone_film("640x480", "25", 1), "tone.mkv");
    bench.run(job.player(arguments.split_whitespace()).finish()).done()
}

fn a_mixed_playlist_has_none(bench: &Bench<'_>) {
    let turns = bench.amount(20, 100);
    let end = play(bench, turns, "");
    let figures = ["/seams/count", "/seams/late_starts", "/seams/worst_gap_frames", "/missed_vblanks"];
    let want = [f64::from(turns * ITEMS - 1), 0.0, 0.0, 0.0];
    assert_eq!(figures.map(|it| end.figure(it)), want, "{:#}", end.stats());
    assert_eq!(end.figure("/frames_dropped_stale"), 0.0);
}

fn without_preroll_there_are_gaps(bench: &Bench<'_>) {
    let end = play(bench, 3, "--no-preroll");
    let seams = f64::from(3 * ITEMS - 1);
    assert_eq!([end.figure("/seams/count"), end.figure("/seams/late_starts")], [seams, seams], "{:#}", end.stats());
    // Opening, starting the decoder and one frame: 0.43 s are 26 refreshes.
    assert!(end.figure("/seams/worst_gap_frames") >= 25.0, "{:#}", end.stats());
}

fn one_film_goes_round_without_one(bench: &Bench<'_>) {
    let turns = bench.amount(20, 500);
    let arguments =
        format!("play film.mp4 --display {DISPLAY} --size 640x480@60 --audio none --loop {turns} --inject costs.toml");
    let job = bench
        .job()
        .limit(bench.amount(Duration::from_secs(300), Duration::from_secs(3600)))
        .push(&costs(bench, &[SMALL], ""), "costs.toml")
        .push(&exact_film("lap-60.mp4", "testsrc2=size=640x480:rate=60:duration=1"), "film.mp4");
    let end = bench.run(job.player(arguments.split_whitespace()).finish()).done();
    let figures =
        ["/seams/count", "/seams/late_starts", "/seams/worst_gap_frames", "/missed_vblanks", "/decoders_opened"];
    let want = [f64::from(turns - 1), 0.0, 0.0, 0.0, 1.0];
    assert_eq!(figures.map(|it| end.figure(it)), want, "{:#}", end.stats());
    assert_eq!(end.figure("/frames_presented"), f64::from(turns * 60));
}
