//! A watched folder in a loop: what arrives is played, what goes away is not, and nothing half-copied is.
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::media::silent;
use crate::program::{Lucarne, Running, Shot, until};

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// A fifth of a second of one colour.
fn film(color: &str) -> PathBuf {
    let source = format!("color={color}:size=64x36:rate=25:duration=0.2,format=gbrp");
    silent(&format!("{color}.mkv"), &source, &["ffv1", "-pix_fmt", "gbrp"])
}

/// Puts a whole file there at once, as a careful copier does.
fn deliver(folder: &Path, name: &str, from: &Path) {
    let part = folder.join(format!(".{name}.part"));
    fs::copy(from, &part).unwrap();
    fs::rename(part, folder.join(name)).unwrap();
}

fn start(folder: &Path) -> Running {
    Lucarne::play([folder]).args(["--loop", "forever"]).size("64x36").snapshots(5).framelog().start()
}

/// The colour of the newest snapshot that is whole.
fn showing(run: &Running) -> Option<[u8; 3]> {
    let shots = run.snapshots();
    // The newest may be half written.
    let whole = shots.len().checked_sub(2)?;
    Some(Shot::read(&shots[whole]).at(30, 20))
}

fn nears(color: [u8; 3], other: [u8; 3]) -> bool {
    color.iter().zip(other).all(|(a, b)| a.abs_diff(b) < 8)
}

#[track_caller]
fn until_showing(run: &Running, color: [u8; 3], limit: Duration) {
    let shows_it = || showing(run).is_some_and(|it| nears(it, color));
    until(&format!("{color:?} on the screen: {}", run.stderr()), limit, shows_it);
}

/// Ends it; the items of its frame log, each as often as it came up.
fn turns(run: Running) -> Vec<String> {
    run.signal(Signal::SIGTERM);
    let it = run.wait();
    assert_eq!(it.code, 143, "{}", it.stderr);
    assert_eq!(it.figure("/seams/late_starts"), 0.0, "nobody was late: what there was began in time");
    it.log().into_iter().filter(|it| it.pts_us == 0).map(|it| it.item).collect()
}

/// Far more than it takes, far less than a hang.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn an_empty_folder_waits_and_starts_within_a_second_of_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = start(folder.path());
    // It has said what it waits for by drawing it; the picture itself is looked at in a window.
    let started = Instant::now();
    until("half a second of waiting", SOON, || Duration::from_millis(500) < started.elapsed());
    assert!(run.is_running(), "it waits: {}", run.stderr());
    assert!(run.snapshots().is_empty());
    deliver(folder.path(), "a.mkv", &film("lime"));
    until("a picture of it", Duration::from_secs(1), || !run.snapshots().is_empty());
    until_showing(&run, GREEN, SOON);
    assert!(turns(run).iter().all(|it| it == "a.mkv"));
}

#[test]
fn a_file_is_not_played_before_its_writer_closes_it() {
    let folder = tempfile::tempdir().unwrap();
    deliver(folder.path(), "a.mkv", &film("lime"));
    let run = start(folder.path());
    // From here on it watches.
    until_showing(&run, GREEN, SOON);
    let bytes = fs::read(film("red")).unwrap();
    let mut file = File::create(folder.path().join("slow.mkv")).unwrap();
    for part in bytes.chunks(bytes.len() / 4 + 1) {
        file.write_all(part).unwrap();
        let written = Instant::now();
        until("some time", SOON, || Duration::from_millis(300) < written.elapsed());
        assert!(showing(&run).is_some_and(|it| nears(it, GREEN)), "half a file is no film");
    }
    drop(file);
    until_showing(&run, RED, SOON);
    assert!(!run.stderr().contains("skipped"), "{}", run.stderr());
    assert!(turns(run).contains(&"slow.mkv".to_owned()));
}

#[test]
fn a_file_that_is_replaced_by_another_of_its_name_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    deliver(folder.path(), "a.mkv", &film("lime"));
    let run = start(folder.path());
    until_showing(&run, GREEN, SOON);
    deliver(folder.path(), "a.mkv", &film("red"));
    until_showing(&run, RED, SOON);
    // Renamed: it is another item, and the only one.
    deliver(folder.path(), "b.mkv", &film("blue"));
    until_showing(&run, BLUE, SOON);
    fs::rename(folder.path().join("b.mkv"), folder.path().join("a.mkv")).unwrap();
    until_showing(&run, BLUE, SOON);
    deliver(folder.path(), "a.mkv", &film("lime"));
    until_showing(&run, GREEN, SOON);
    // One that could not be played is tried again when it is written anew, long before the half minute after which it
    // would be tried anyway. What is decoded ahead of the old one still plays.
    fs::write(folder.path().join("a.mkv"), b"not a film").unwrap();
    until("a complaint", SOON, || run.stderr().contains("skipped"));
    deliver(folder.path(), "a.mkv", &film("red"));
    until_showing(&run, RED, Duration::from_secs(10));
    drop(turns(run));
}

#[test]
fn files_that_come_and_go_are_noticed_while_it_loops() {
    let folder = tempfile::tempdir().unwrap();
    deliver(folder.path(), "b.mkv", &film("red"));
    let run = start(folder.path());
    until_showing(&run, RED, SOON);
    deliver(folder.path(), "a.mkv", &film("lime"));
    until_showing(&run, GREEN, SOON);
    until_showing(&run, RED, SOON);
    deliver(folder.path(), "c.mkv", &film("blue"));
    until_showing(&run, BLUE, SOON);
    fs::remove_file(folder.path().join("b.mkv")).unwrap();
    until_showing(&run, GREEN, SOON);
    until_showing(&run, BLUE, SOON);
    // Nothing is left: it waits again.
    fs::remove_file(folder.path().join("a.mkv")).unwrap();
    fs::remove_file(folder.path().join("c.mkv")).unwrap();
    let removed = Instant::now();
    until("a second without anything", SOON, || Duration::from_secs(1) < removed.elapsed());
    let before = run.snapshots().len();
    deliver(folder.path(), "d.mkv", &film("red"));
    until("a picture of it", Duration::from_secs(1), || before < run.snapshots().len());
    until_showing(&run, RED, SOON);
    let turns = turns(run);
    let first = |name: &str| turns.iter().position(|it| it == name).unwrap_or_else(|| panic!("{name} in {turns:?}"));
    assert!(first("b.mkv") < first("a.mkv") && first("a.mkv") < first("c.mkv") && first("c.mkv") < first("d.mkv"));
    assert_eq!(turns.last().map(String::as_str), Some("d.mkv"));
    let last_b = turns.iter().rposition(|it| it == "b.mkv").expect("it was played");
    assert!(last_b < first("d.mkv"), "what is gone is not played: {turns:?}");
}
