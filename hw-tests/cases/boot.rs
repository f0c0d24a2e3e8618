//! The rig itself: what the other cases rely on.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::Ability;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "boot::a_command_is_run_at_once", needs: &[], run: a_command_is_run_at_once },
    Case { name: "boot::the_exit_code_and_files_come_back", needs: &[], run: the_exit_code_and_files_come_back },
    Case { name: "boot::a_job_that_hangs_is_ended", needs: &[], run: a_job_that_hangs_is_ended },
    Case { name: "boot::waiting_takes_no_time", needs: &[Ability::VirtualTime], run: waiting_takes_no_time },
    Case { name: "boot::two_runs_are_the_same", needs: &[Ability::VirtualTime], run: two_runs_are_the_same },
];

fn a_command_is_run_at_once(bench: &Bench<'_>) {
    // The best of three: other cases run beside this one.
    let took = (0..3).map(|_| bench.run(bench.job().shell("true")).done().took).min().unwrap();
    let limit = bench.expected("boot.true_s");
    assert!(took.as_secs_f64() <= limit, "`true` took {took:?}, {limit} s are expected");
}

fn the_exit_code_and_files_come_back(bench: &Bench<'_>) {
    let film = media::bigbuckbunny();
    let end = bench.run(
        bench
            .job()
            .push(&film, "a film.mp4")
            .env("WORD", "it's")
            .shell("echo out; echo err >&2; cp 'a film.mp4' copy; echo \"$WORD\" >word; exit 7"),
    );
    let end = end.with(7);
    assert_eq!((end.stdout.trim(), end.stderr.trim()), ("out", "err"), "each stream by itself");
    assert_eq!(end.text("word"), "it's\n");
    let copy = std::fs::read(end.folder.join("copy")).unwrap();
    assert!(copy == std::fs::read(&film).unwrap(), "the film's bytes came back changed");
}

fn a_job_that_hangs_is_ended(bench: &Bench<'_>) {
    let job = bench.job().limit(Duration::from_secs(2)).real_time();
    let end = bench.run(job.shell("trap 'echo asked >asked; exit 3' TERM; while :; do sleep 0.1; done"));
    assert!(end.timed_out, "{end:?}");
    assert_eq!(end.text("asked"), "asked\n", "it was not asked to end before it was killed");
    assert!(end.took < Duration::from_secs(20), "{:?}", end.took);
}

fn waiting_takes_no_time(bench: &Bench<'_>) {
    let end = bench.run(bench.job().wait(Duration::from_secs(3600))).done();
    let uptime = end.uptime.unwrap();
    assert!((3600.0..3601.0).contains(&uptime), "an hour took {uptime} s there");
    assert!(end.took < Duration::from_secs(30), "an hour took {:?} here", end.took);
}

/// The frame log to the microsecond, and every figure that the player knows.
fn two_runs_are_the_same(bench: &Bench<'_>) {
    let play = || {
        let job = bench.job().push(&media::bigbuckbunny(), "film.mp4");
        let words = "play film.mp4 --display headless --audio none --size 320x180 --loop 1 --framelog-crc";
        let end = bench.run(job.player(words.split(' ')).finish().shell("date +%s.%N >now")).done();
        (end.text("frames.csv"), end.text("stats.json"), end.text("now"))
    };
    let (first, second) = (play(), play());
    assert!(first.0.lines().count() == 133, "the film has 132 frames: {}", first.0);
    assert_eq!(first.0, second.0, "frame logs");
    assert_eq!(first.2, second.2, "the virtual clock");
    let figures = |text: &str| text.lines().filter(|it| !it.contains("memory")).collect::<Vec<_>>().join("\n");
    assert_eq!(figures(&first.1), figures(&second.1), "statistics");
}
