//! Seams: one item after another, of every size, rate and codec, without a refresh lost.
use std::path::PathBuf;
use std::time::Duration;

use crate::alone;
use crate::media::{self, H264, HEVC, MJPEG, MPEG2, VP9, silent};
use crate::program::{Lucarne, Outcome};

/// Items that play in a turn.
const PLAYABLE: u64 = 7;

/// A playlist of short items that differ in everything, one of them broken.
fn mixed(folder: &tempfile::TempDir) -> PathBuf {
    let film = |name: &str, size: &str, rate: u32, frames: u32, codec: &[&str]| {
        let seconds = f64::from(frames) / f64::from(rate);
        silent(name, &format!("testsrc2=size={size}:rate={rate}:duration={seconds}"), codec)
    };
    let rgb = ["ffv1", "-pix_fmt", "gbrp"];
    let items = [
        (film("mixed.mp4", "320x180", 25, 8, H264), ""),
        (film("mixed.webm", "160x90", 30, 7, VP9), ""),
        (film("mixed.ts", "320x180", 50, 10, MPEG2), ""),
        (media::still("mixed.png", "rgb24"), "duration = '0.3s'\n"),
        (film("mixed.avi", "176x144", 25, 6, MJPEG), ""),
        (folder.path().join("broken.mp4"), ""),
        (film("mixed-hevc.mkv", "240x136", 50, 10, HEVC), ""),
        (film("mixed-rgb.mkv", "63x41", 30, 7, &rgb), "fit = 'cover'\n"),
    ];
    std::fs::write(folder.path().join("broken.mp4"), b"this was a film once").unwrap();
    let text: String =
        items.iter().map(|(path, more)| format!("[[item]]\npath = '{}'\n{more}", path.display())).collect();
    let list = folder.path().join("mixed.toml");
    std::fs::write(&list, text).unwrap();
    list
}

/// Plays the mixed list `turns` times; every picture of it is shown every time.
#[track_caller]
fn play(turns: u64, more: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let it = Lucarne::play([mixed(&folder)]).args(["--loop", &turns.to_string()]).args(more);
    let it = it.limit(Duration::from_secs(600)).run().done();
    assert_eq!(it.figure("/seams/count"), (turns * PLAYABLE - 1) as f64);
    assert_eq!(it.stats["items"][5]["outcome"], "skipped");
    it
}

const FIGURES: [&str; 3] = ["/seams/late_starts", "/seams/worst_gap_frames", "/frames_dropped_stale"];

#[test]
fn five_hundred_seams_in_real_time_are_never_late() {
    let _alone = alone();
    let it = play(72, &[]);
    let [late, worst, _dropped] = it.figures(FIGURES);
    assert!(late == 0.0 && worst <= 1.0, "{late} of 503 seams late, the worst gap {worst} refreshes\n{:#}", it.stats);
}

#[test]
fn without_prerolling_seams_are_late() {
    let _alone = alone();
    let it = play(4, &["--no-preroll"]);
    let [late, worst, _dropped] = it.figures(FIGURES);
    // A quick machine opens some items within the last picture's own time.
    assert!(3.0 <= late, "the test can fail: {late} of 27 seams late, the worst gap {worst}");
}

#[test]
fn as_fast_as_it_goes_timestamps_join_without_a_gap() {
    let _alone = alone();
    let it = play(12, &["--pace", "fast"]);
    assert_eq!(it.figures(FIGURES), [0.0; 3]);
    assert_eq!(it.figure("/frames_presented"), 12.0 * (8 + 7 + 10 + 1 + 6 + 10 + 7) as f64);
}
