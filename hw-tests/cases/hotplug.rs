//! Displays that come and go under a player that goes on.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Frame, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case {
        name: "hotplug::a_display_that_comes_back_is_shown_on_within_a_second",
        needs: &[Ability::HotPlug],
        run: a_display_that_comes_back_is_shown_on_within_a_second,
    },
    Case {
        name: "hotplug::a_bounce_costs_no_frame",
        needs: &[Ability::HotPlug, Ability::VirtualTime],
        run: a_bounce_costs_no_frame,
    },
    Case {
        name: "hotplug::absent_at_start_is_no_end",
        needs: &[Ability::HotPlug, Ability::SecondOutput],
        run: absent_at_start_is_no_end,
    },
    Case {
        name: "hotplug::the_other_output_does_not_notice",
        needs: &[Ability::HotPlug, Ability::SecondOutput],
        run: the_other_output_does_not_notice,
    },
    Case {
        name: "hotplug::without_uevents_a_display_is_found_all_the_same",
        needs: &[Ability::HotPlug, Ability::Faults],
        run: without_uevents_a_display_is_found_all_the_same,
    },
    Case {
        name: "hotplug::many_replugs_leave_nothing_behind",
        needs: &[Ability::HotPlug],
        run: many_replugs_leave_nothing_behind,
    },
];

/// How long a viewer waits for the picture once the plug is in.
const SHOWN_WITHIN_US: i64 = 1_000_000;
/// How long a plug may be out before it counts, and the script's own time on a rig whose time is real.
const NOTICED_WITHIN_US: i64 = 200_000;
/// The film's length, after which it begins again.
const FILM_S: u32 = 4;

fn play(job: Job, seconds: u32) -> Job {
    let words = "play film.mkv --display kms --size 640x480 --audio none --loop forever --duration";
    let film = media::tone_film("320x240", "30", FILM_S);
    job.push(&film, "film.mkv").player(words.split(' ').map(str::to_owned).chain([seconds.to_string()]))
}

const fn seconds(it: u64) -> Duration {
    Duration::from_secs(it)
}

/// The longest time without a new frame, and the frames around it.
#[track_caller]
fn longest_gap(frames: &[Frame]) -> (Frame, Frame) {
    let gap = frames.windows(2).max_by_key(|it| it[1].presented_us - it[0].presented_us);
    let gap = gap.expect("more than one frame");
    (gap[0].clone(), gap[1].clone())
}

/// Where in the endless film a frame is, less when it was shown: the same for as long as the player keeps its place.
fn place(it: &Frame) -> i64 {
    it.pts_us + it.lap * i64::from(FILM_S) * 1_000_000 - it.presented_us
}

#[track_caller]
fn lost_and_regained(end: &Ended) -> (u64, u64) {
    (end.figure("/display_lost") as u64, end.figure("/display_regained") as u64)
}

fn a_display_that_comes_back_is_shown_on_within_a_second(bench: &Bench<'_>) {
    let job = play(bench.job().outputs(1), 9).wait(seconds(3)).unplug(0).wait(seconds(3)).plug(0).finish();
    let end = bench.run(job).done();
    let frames = end.frames();
    let (before, after) = longest_gap(&frames);
    assert!((2_900_000..3_000_000 + NOTICED_WITHIN_US).contains(&before.presented_us), "gone: {before:?}");
    assert!((5_900_000..6_000_000 + SHOWN_WITHIN_US).contains(&after.presented_us), "back: {after:?}");
    let moved = place(&after) - place(&before);
    assert!(moved.abs() < 50_000, "it lost its place by {moved} us: {before:?}, {after:?}");
    assert_eq!(lost_and_regained(&end), (1, 1));
    assert_eq!(end.figure("/missed_vblanks"), 0.0);
    let last = frames.last().expect("frames");
    assert!(last.presented_us > 8_900_000, "it ended early: {last:?}");
}

/// A plug that is out for less than a tenth of a second was not out.
fn a_bounce_costs_no_frame(bench: &Bench<'_>) {
    let mut job = play(bench.job().outputs(1), 4);
    for _ in 0..5 {
        job = job.wait(Duration::from_millis(300)).unplug(0).wait(Duration::from_millis(70)).plug(0);
    }
    let end = bench.run(job.finish()).done();
    let (before, after) = longest_gap(&end.frames());
    let gap = after.presented_us - before.presented_us;
    assert!(gap <= 34_000, "a gap of {gap} us: {before:?}, {after:?}");
    assert_eq!(lost_and_regained(&end), (0, 0));
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/frames_dropped_stale")), (0.0, 0.0));
}

fn absent_at_start_is_no_end(bench: &Bench<'_>) {
    let job = play(bench.job().outputs(2).absent(0).absent(1), 6).wait(seconds(3)).plug(1).finish();
    let end = bench.run(job).done();
    let frames = end.frames();
    let first = frames.first().expect("it was shown in the end");
    assert!((2_900_000..3_000_000 + SHOWN_WITHIN_US).contains(&first.presented_us), "{first:?}");
    // Nothing was lost that could have been regained.
    assert_eq!(lost_and_regained(&end), (0, 0));
    assert_eq!(end.figure("/missed_vblanks"), 0.0);
}

fn the_other_output_does_not_notice(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", FILM_S);
    let words = "play film.mkv --display kms --size 640x480 --audio none --loop forever --duration 9";
    let outputs = [0, 1].map(|it| format!("--output={}", bench.rig.output(it)));
    let job = bench.job().outputs(2).push(&film, "film.mkv");
    let job = job.player(words.split(' ').map(str::to_owned).chain(outputs));
    let end = bench.run(job.wait(seconds(3)).unplug(1).wait(seconds(3)).plug(1).finish()).done();
    let (before, after) = longest_gap(&end.frames());
    let gap = after.presented_us - before.presented_us;
    assert!(gap <= 34_000, "a gap of {gap} us on the output that stayed: {before:?}, {after:?}");
    assert_eq!(lost_and_regained(&end), (0, 0), "of the output that stayed");
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/outputs/0/missed_vblanks")), (0.0, 0.0));
    let (first, second) = (end.figure("/outputs/0/frames_presented"), end.figure("/outputs/1/frames_presented"));
    // Three of nine seconds were unseen there.
    assert!((0.6 * first..0.7 * first).contains(&second), "{first} and {second} frames");
}

/// A container that refuses netlink.
fn without_uevents_a_display_is_found_all_the_same(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", FILM_S);
    let play = "strace -f -qq -o refusals.txt -e trace=socket -e inject=socket:error=EPERM \
                lucarne play film.mkv --display kms --size 640x480 --audio none --loop forever --duration 5 -v \
                --stats stats.json --framelog frames.csv 2>player.log & player=$!";
    let job = bench.job().outputs(1).absent(0).push(&film, "film.mkv").shell(play);
    let end = bench.run(job.wait(seconds(2)).plug(0).finish()).done();
    assert!(end.text("refusals.txt").contains("NETLINK_KOBJECT_UEVENT"), "nothing was refused");
    let told = end.said().matches("the kernel does not tell when displays come and go").count();
    assert_eq!(told, 1, "{}", end.said());
    let frames = end.frames();
    let first = frames.first().expect("it was found in the end");
    assert!(first.presented_us < 2_000_000 + 100_000 + SHOWN_WITHIN_US, "{first:?}");
}

fn many_replugs_leave_nothing_behind(bench: &Bench<'_>) {
    let n_replugs = bench.amount(10, 100);
    // What is made at the first time may stay.
    let look = "ls /proc/$player/fd | wc -l >>fds; awk '/VmRSS/ { print $2 }' /proc/$player/status >>memory";
    let mut job = play(bench.job().outputs(1).limit(seconds(600)), 2 * (n_replugs + 4));
    for replug in 0..n_replugs + 3 {
        job = job.wait(seconds(1)).unplug(0).wait(seconds(1)).plug(0);
        if replug >= 2 {
            job = job.shell(look);
        }
    }
    let end = bench.run(job.finish()).done();
    let numbers = |name: &str| -> Vec<u64> { end.text(name).lines().map(|it| it.trim().parse().unwrap()).collect() };
    let (fds, memory) = (numbers("fds"), numbers("memory"));
    assert_eq!(fds.len(), n_replugs as usize + 1);
    assert!(fds.iter().all(|it| *it == fds[0]), "descriptors: {fds:?}");
    let (first, last) = (memory[0], memory[memory.len() - 1]);
    // KiB: a leaked ring of three buffers would be 3.6 MiB each time.
    assert!(last <= first + 4096, "memory: {memory:?}");
    let times = u64::from(n_replugs) + 3;
    assert_eq!(lost_and_regained(&end), (times, times));
    let frames = end.frames();
    let shown_in = |from: i64| frames.iter().any(|it| (from..from + SHOWN_WITHIN_US).contains(&it.presented_us));
    assert!(
        (1..=i64::from(n_replugs) + 3).all(|it| shown_in(2 * it * 1_000_000)),
        "not shown within a second each time"
    );
}
