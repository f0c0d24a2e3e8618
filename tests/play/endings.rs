//! How a run ends, and what it says then.
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::media::{self, H264, PICTURE, silent};
use crate::program::{Lucarne, Outcome, bigbuckbunny, until};

/// One line on standard error that holds all of `words`, nothing on standard output.
#[track_caller]
fn one_line(it: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(it.code, code, "{}", it.stderr);
    assert_eq!(it.stdout, "");
    assert_eq!(it.stderr.lines().count(), 1, "{}", it.stderr);
    for word in words {
        assert!(it.stderr.contains(word), "no {word:?} in {}", it.stderr);
    }
}

#[test]
fn a_slip_on_the_command_line_is_2_and_one_line() {
    let cases: &[(&[&str], &str)] = &[
        (&["play"], "INPUT"),
        (&["play", "--sise", "2x2", "a.mp4"], "--size"),
        (&["play", "--rotate", "45", "a.mp4"], "180"),
        (&["play", "--fit", "tight", "a.mp4"], "cover"),
        (&["play", "--loop", "0", "a.mp4"], "forever"),
        (&["play", "--pace", "fast", "--display", "window", "a.mp4"], "headless"),
        (&["play", "--snapshot-every", "2", "a.mp4"], "--snapshot-dir"),
        (&["plya", "a.mp4"], "play"),
        (&[], "lucarne"),
    ];
    for (arguments, word) in cases {
        one_line(&Lucarne::new(*arguments).run(), 2, &[word]);
    }
}

#[test]
fn a_frame_log_that_is_not_whole_is_1() {
    let it = Lucarne::fast([media::film("h264.mp4")]).args(["--frames", "3", "--framelog", "/dev/full"]).run();
    one_line(&it, 1, &["/dev/full", "frame log", "No space left", "; check"]);
}

#[test]
fn outputs_belong_to_kms_and_a_slip_in_them_is_2() {
    let cases: &[(&[&str], &str)] = &[
        (&["play", "--display", "headless", "--output", "X-1", "a.mp4"], "--display kms"),
        (&["play", "--output", "X-1", "--output", "X-1", "a.mp4"], "twice"),
        (&["play", "--output", "X-1=a.mp4", "--output", "X-2"], "--output X-2=INPUT"),
        (&["play", "--output", "X-1", "--audio-from", "X-2", "a.mp4"], "X-1"),
    ];
    for (arguments, word) in cases {
        one_line(&Lucarne::new(*arguments).run(), 2, &[word]);
    }
}

#[test]
fn nothing_playable_is_1_and_says_what_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let film = std::fs::read(media::film("h264.mp4")).unwrap();
    let cases = [
        folder.path().join("missing.mp4"),
        at("empty.mp4", b""),
        at("text.mp4", b"This is not a film.\n".repeat(50).as_slice()),
        at("head.mp4", &film[..film.len() / 50]),
    ];
    for path in cases {
        let name = path.file_name().unwrap().to_str().unwrap();
        let it = Lucarne::fast([&path]).run();
        assert_eq!((it.code, it.stdout.as_str()), (1, ""), "{name}");
        let last = it.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(name) && last.contains(';'), "what, why, and what to do: {}", it.stderr);
        assert!(it.stderr.lines().count() <= 2, "{}", it.stderr);
        assert_eq!(it.stats["items"][0]["outcome"], "skipped");
        assert!(it.stats["items"][0]["reason"].is_string());
    }
    let empty = folder.path().join("none");
    std::fs::create_dir(&empty).unwrap();
    one_line(&Lucarne::fast([&empty]).run(), 1, &["nothing to play", "none"]);
}

#[test]
fn a_broken_item_costs_one_line_and_the_show_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.mp4");
    std::fs::write(&broken, b"no").unwrap();
    let film = media::film("h264.mp4");
    let it = Lucarne::fast([&film, &broken, &film]).framelog().run().done();
    assert_eq!(it.figure("/frames_presented"), 60.0);
    assert_eq!(it.stderr.lines().filter(|it| it.contains("broken.mp4")).count(), 1, "{}", it.stderr);
    assert_eq!(it.stats["items"][1]["outcome"], "skipped");
    assert_eq!(it.figures(["/seams/count", "/seams/worst_gap_frames", "/seams/late_starts"]), [1.0, 0.0, 0.0]);
}

#[test]
fn frames_and_duration_stop_the_show_with_0() {
    let frames = Lucarne::fast([bigbuckbunny()]).args(["--frames", "7", "--loop", "forever"]).run().done();
    assert_eq!(frames.figure("/frames_presented"), 7.0);
    let duration = Lucarne::fast([bigbuckbunny()]).args(["--duration", "2", "--loop", "forever"]).run().done();
    let n = duration.figure("/frames_presented");
    assert!((50.0..=51.0).contains(&n), "{n} pictures in 2 s at 25 a second");
    let across = Lucarne::fast([media::film("h264.mp4")]).args(["--duration", "3", "--loop", "9"]).run().done();
    assert!((75.0..=76.0).contains(&across.figure("/frames_presented")));
}

#[test]
fn a_signal_ends_the_show_in_order() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let film = media::film("h264.mp4");
        let mut run = Lucarne::play([&film]).args(["--loop", "forever"]).snapshots(5).framelog().start();
        until("a picture", Duration::from_secs(20), || !run.snapshots().is_empty());
        assert!(run.is_running());
        run.signal(signal);
        let it = run.wait();
        assert_eq!((it.code, it.stdout.as_str(), it.stderr.as_str()), (code, "", ""));
        // What it was asked to write is whole.
        assert!(0.0 < it.figure("/frames_presented"));
        assert_eq!(it.log().len() as f64, it.figure("/frames_presented"));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_1_and_one_line() {
    let film = silent("short.mp4", PICTURE, H264);
    let film = film.to_str().unwrap();
    let base = ["play", film, "--display", "headless", "--pace", "fast", "--size", "32x18"];
    for (option, word) in [("--stats", "statistics"), ("--framelog", "frame log")] {
        let it = Lucarne::new(base).args([option, "/proc/no/such/file"]).run();
        one_line(&it, 1, &[word, "/proc/no/such/file", ";"]);
    }
}

#[test]
fn a_device_that_swallows_sound_is_named_once_and_does_not_lead() {
    // ALSA's own: it takes a minute of sound at once.
    let it = Lucarne::play([bigbuckbunny()]).audio("null").run().done();
    assert_eq!(it.stderr.lines().count(), 1, "{}", it.stderr);
    assert!(it.stderr.contains("null") && it.stderr.contains("clock"), "{}", it.stderr);
    let elapsed = it.figure("/elapsed_s");
    assert!((elapsed - 5.28).abs() < 0.5, "the film keeps its speed: {elapsed} s");
    assert!(it.stats["av_offset_ms"].is_null(), "such a device measures nothing");
}
