//! What must not grow: allocations per picture, memory, open files.
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::alone;
use crate::media::{H264, MJPEG, silent};
use crate::program::{Lucarne, Running};

/// Fifty pictures, so small that twenty thousand of them pass in some seconds.
fn tiny(name: &str, codec: &[&str]) -> PathBuf {
    silent(name, "testsrc2=size=64x36:rate=25:duration=2", codec)
}

/// Longer than it takes, shorter than a hang.
const LONG: Duration = Duration::from_secs(300);

#[test]
fn nothing_is_allocated_per_picture() {
    let _alone = alone();
    // On the threads that feed, decode and present, from the 120th picture on; what FFmpeg allocates is not counted. A
    // film's first end may cost something (its decoder is drained for the first time), so the long one is left before.
    let long = silent("long.mp4", "testsrc2=size=64x36:rate=25:duration=60", H264);
    for (path, options) in [(long, ["--frames", "1400"]), (tiny("tiny.mp4", H264), ["--loop", "40"])] {
        let it = Lucarne::fast([path]).args(options).run().done();
        assert!(1400.0 <= it.figure("/frames_presented"));
        assert_eq!(it.figure("/allocations_per_frame"), 0.0);
    }
}

/// Pictures shown so far, by the newest whole live line.
fn shown(run: &Running) -> u64 {
    let text = run.stderr();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let words: Vec<&str> = whole.lines().last().unwrap_or_default().split_whitespace().collect();
    let at = words.iter().position(|it| *it == "shown");
    at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

/// KiB of memory that is the process's own.
fn rss_anon(run: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap();
    let line = status.lines().find(|it| it.starts_with("RssAnon:")).expect("Linux says");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

fn open_files(run: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", run.id())).unwrap().count()
}

fn start(paths: &[PathBuf]) -> Running {
    let it = Lucarne::fast(paths).size("64x36").args(["--loop", "forever", "--stats-interval", "0.05"]);
    it.env("MALLOC_ARENA_MAX", "2").limit(LONG).start()
}

#[test]
fn memory_after_20000_pictures_is_what_it_was_after_2000() {
    let _alone = alone();
    // One film on one deck, and two films that take turns on decks that come and go.
    let films = [tiny("tiny.mp4", H264), tiny("tiny.avi", MJPEG)];
    for paths in [&films[..1], &films[..]] {
        let mut run = start(paths);
        run.until("2000 pictures", LONG, |it| 2_000 <= shown(it));
        let before = rss_anon(&run);
        run.until("20000 pictures", LONG, |it| 20_000 <= shown(it));
        let after = rss_anon(&run);
        run.signal(Signal::SIGTERM);
        assert_eq!(run.wait().code, 143);
        assert!(after <= before + 4096, "{} films: {before} KiB, then {after} KiB", paths.len());
    }
}

#[test]
fn open_files_stay_the_same_over_200_loops() {
    let _alone = alone();
    let films = [tiny("tiny.mp4", H264), tiny("tiny.avi", MJPEG)];
    for paths in [&films[..1], &films[..]] {
        let mut run = start(paths);
        let lap = 50 * paths.len() as u64;
        run.until("20 loops", LONG, |it| 20 * lap <= shown(it));
        let (mut most_before, mut most_after) = (0, 0);
        run.until("40 loops", LONG, |it| {
            most_before = most_before.max(open_files(it));
            40 * lap <= shown(it)
        });
        run.until("240 loops", LONG, |it| {
            most_after = most_after.max(open_files(it));
            240 * lap <= shown(it)
        });
        run.signal(Signal::SIGTERM);
        assert_eq!(run.wait().code, 143);
        // With two films, a third may be closing while the next one is being opened when the machine is slow.
        let spare = paths.len() - 1;
        assert!(most_after <= most_before + spare, "{} films: {most_before}, then {most_after}", paths.len());
    }
}
