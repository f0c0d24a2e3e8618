//! The checksums in the frame log: the display controller's own.
use std::fs;
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Frame, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "checksums::they_are_those_of_the_wire", needs: NEEDS, run: they_are_those_of_the_wire },
    Case { name: "checksums::three_runs_are_the_same", needs: NEEDS, run: three_runs_are_the_same },
    Case { name: "checksums::where_there_are_none_pictures_are_read_back", needs: NEEDS, run: read_back },
];

const NEEDS: &[Ability] = &[Ability::VirtualTime, Ability::Crc, Ability::SecondOutput, Ability::Faults];

/// Refreshes a second of the board's mode of 640x480: 25.175 MHz for 800 x 525 pixels.
const REFRESH_HZ: f64 = 25.175e6 / (800.0 * 525.0);

/// Three hundred pictures.
fn job(bench: &Bench<'_>, rate: &str, more: &str) -> Job {
    let frames = 300;
    let turns = bench.amount(1, 4);
    let film = media::tone_film("320x240", rate, frames / rate.parse::<u32>().expect("a whole number"));
    let words =
        format!("play film.mkv --display kms --size 640x480 --audio none --loop {turns} --framelog-crc -v {more}");
    let limit = bench.amount(Duration::from_secs(200), Duration::from_secs(600));
    bench.job().limit(limit).push(&film, "film.mkv").player(words.split_whitespace())
}

fn n_frames(bench: &Bench<'_>) -> usize {
    bench.amount(300, 1200)
}

/// The checksums of all pictures but `n_dropped`.
#[track_caller]
fn checksums(end: &Ended, n_frames: usize, n_dropped: usize) -> Vec<u64> {
    let frames = end.frames();
    assert_eq!(frames.len(), n_frames - n_dropped, "frames shown\n{}", end.said());
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/frames_dropped_stale")), (0.0, n_dropped as f64));
    let all: Vec<u64> = frames.iter().filter_map(|it| it.crc).collect();
    assert_eq!(all.len(), frames.len(), "frames with a checksum: {:?}", frames.iter().position(|it| it.crc.is_none()));
    all
}

/// Two displays with the same pictures: the log has the one's checksums, and we read the other's ourselves.
fn they_are_those_of_the_wire(bench: &Bench<'_>) {
    let outputs = format!("--output {} --output {}", bench.rig.output(0), bench.rig.output(1));
    let job = job(bench, "30", &outputs).outputs(2).wait(Duration::from_millis(500)).crc(1).finish();
    let end = bench.run(job).done();
    let logged = checksums(&end, n_frames(bench), 0);
    let mut wire: Vec<u64> = end.crcs(1).iter().map(|it| it.1).collect();
    wire.dedup();
    let first = logged.iter().position(|it| Some(it) == wire.first()).expect("the first picture that we saw");
    let n_common = (logged.len() - first).min(wire.len());
    assert!(n_common > 200, "{n_common} pictures in common");
    assert_eq!(logged[first..first + n_common], wire[..n_common]);
    // A log that is a picture behind would not be the same.
    assert_ne!(logged[first + 1..first + n_common], wire[..n_common - 1]);
}

fn three_runs_are_the_same(bench: &Bench<'_>) {
    // The display is slower than the film by one refresh in 17 seconds, and has none for the picture that falls on it.
    let n_dropped = (n_frames(bench) as f64 * (1.0 - REFRESH_HZ / 60.0)).floor() as usize;
    let run = || {
        let end = bench.run(job(bench, "60", "").finish()).done();
        let sums = checksums(&end, n_frames(bench), n_dropped);
        let log = fs::read(end.folder.join("frames.csv")).expect("the frame log");
        (log, sums, end.frames())
    };
    let (log, sums, frames) = run();
    let mut distinct = sums[..300].to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 300, "no two pictures of the film are the same");
    // Each time round, the same pictures, each once.
    let place = |it: &Frame| (it.lap, (it.pts_us as f64 * 60.0 / 1e6).round() as usize);
    assert!(frames.windows(2).all(|it| place(&it[0]) < place(&it[1])), "{}", String::from_utf8_lossy(&log));
    assert!(frames.iter().zip(&sums).all(|(it, sum)| *sum == sums[place(it).1]), "{}", String::from_utf8_lossy(&log));
    // None stays for a second refresh: that and a drop would be flutter.
    let refresh_us = 1e6 / REFRESH_HZ;
    let stays = |it: &[Frame]| (it[1].presented_us - it[0].presented_us) as f64 / refresh_us;
    let odd = frames.windows(2).find(|it| 0.01 < (stays(it) - 1.0).abs());
    assert!(odd.is_none(), "{odd:?}");
    for _ in 0..2 {
        assert!(run().0 == log, "the logs of two runs differ");
    }
}

/// Without debugfs, as for any player that is not root.
fn read_back(bench: &Bench<'_>) {
    let before = bench.job().shell("umount /sys/kernel/debug");
    let job = job(bench, "30", "--frames 30");
    let steps = [before.steps, job.steps.clone()].concat();
    let end = bench.run(Job { steps, ..job }.finish()).done();
    let sums: Vec<u64> = end.frames().iter().filter_map(|it| it.crc).collect();
    assert_eq!(sums.len(), 30);
    assert!(sums.windows(2).all(|it| it[0] != it[1]), "{sums:?}");
    let told = end.said().matches("no checksums of the CRTC").count();
    assert_eq!(told, 1, "{}", end.said());
    assert!(end.said().contains("read back"), "{}", end.said());
}
