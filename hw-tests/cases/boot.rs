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
    Case {
        name: "boot::plugs_are_pulled_and_put_back",
        needs: &[Ability::HotPlug],
        run: plugs_are_pulled_and_put_back,
    },
    Case {
        name: "boot::a_power_cut_loses_what_was_not_synced",
        needs: &[Ability::PowerCut, Ability::Faults],
        run: a_power_cut_loses_what_was_not_synced,
    },
    Case { name: "boot::two_runs_are_the_same", needs: &[Ability::VirtualTime], run: two_runs_are_the_same },
];

fn a_command_is_run_at_once(bench: &Bench<'_>) {
    // On a machine that others use, everybody gets a share.
    let share = load_per_cpu().max(1.0);
    let limit = bench.expected("boot.true_s") * share;
    // The best of a few: the load of the last minute says little about this second.
    let took = (0..3).map(|_| bench.run(bench.job().shell("true")).done().took.as_secs_f64()).fold(f64::MAX, f64::min);
    assert!(
        took <= limit,
        "`true` took {took} s, {limit} s are expected with {share:.1} programs running for each CPU"
    );
}

/// Programs that want to run, for each CPU, over the last minute.
fn load_per_cpu() -> f64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    load / std::thread::available_parallelism().map_or(1.0, |it| it.get() as f64)
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

fn plugs_are_pulled_and_put_back(bench: &Bench<'_>) {
    // What the kernel thinks of each display. vkms only finds out when it is asked to look; a Pi's cable tells by itself,
    // and asking would undo a plug that was pulled by force.
    let look =
        |file: &str| format!("if [[ -d /sys/kernel/config/vkms/rig ]]; then echo detect >{file}; fi; cat {file}");
    let status = |output: usize| look(&format!("/sys/class/drm/*-{}/status", bench.rig.output(output)));
    let look = format!("{}; {}", status(0), status(1));
    let job = bench.job().outputs(2).absent(1).shell(&look).unplug(0).plug(1).shell(&look).plug(0).shell(&look);
    let end = bench.run(job).done();
    let seen: Vec<&str> = end.stdout.lines().collect();
    let (here, gone) = ("connected", "disconnected");
    assert_eq!(seen, [here, gone, gone, here, here, here]);
}

fn a_power_cut_loses_what_was_not_synced(bench: &Bench<'_>) {
    let disk = bench.path("disk.img");
    let image = std::fs::File::create(&disk).and_then(|it| it.set_len(16 << 20));
    image.unwrap_or_else(|it| panic!("{}: {it}", disk.display()));
    let mount = "mkdir /tmp/disk; mount -o commit=300 /dev/ubda /tmp/disk";
    let write = "echo kept >/tmp/disk/kept; sync; echo lost >/tmp/disk/lost";
    let make = "mkfs.ext4 -q /dev/ubda";
    let job = bench.job().disk(&disk).shell(make).shell(&format!("{}; {write}", mount.replace("-o commit=300 ", "")));
    // What follows a power cut never happens.
    bench.run(job.power_cut().shell("sync; touch went-on")).with(137);
    let end = bench.run(bench.job().disk(&disk).shell(&format!("{mount}; ls /tmp/disk"))).done();
    assert!(end.stdout.contains("kept") && !end.stdout.contains("lost\n"), "{}", end.stdout);
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
    // How many pages the kernel had to spare at some moment is the host's affair.
    let figures = |text: &str| text.lines().filter(|it| !it.contains("rss")).collect::<Vec<_>>().join("\n");
    assert_eq!(figures(&first.1), figures(&second.1), "statistics");
}
