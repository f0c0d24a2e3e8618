//! Faults of the kernel while a film plays: what fails is named once, the last picture stays where the hardware can, and the
//! film goes on within a second of the fault's end.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Frame, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case {
        name: "faults::refused_commits_leave_the_last_picture_there",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::Crc, Ability::VirtualTime],
        run: refused_commits_leave_the_last_picture_there,
    },
    Case {
        name: "faults::flips_that_are_never_reported_are_given_up",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::VirtualTime],
        run: flips_that_are_never_reported_are_given_up,
    },
    Case {
        name: "faults::a_card_that_cannot_be_read_is_opened_anew",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::VirtualTime],
        run: a_card_that_cannot_be_read_is_opened_anew,
    },
    Case {
        name: "faults::a_card_that_vanishes_comes_back",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::VirtualTime],
        run: a_card_that_vanishes_comes_back,
    },
    Case {
        name: "faults::a_card_that_vanishes_comes_back_for_both_outputs",
        needs: &[Ability::HotPlug, Ability::SecondOutput, Ability::Faults, Ability::VirtualTime],
        run: a_card_that_vanishes_comes_back_for_both_outputs,
    },
    Case {
        name: "faults::a_player_without_a_card_ends_as_usual",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::VirtualTime],
        run: a_player_without_a_card_ends_as_usual,
    },
    Case {
        name: "faults::another_program_may_have_the_screen_for_a_while",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::Console, Ability::VirtualTime],
        run: another_program_may_have_the_screen_for_a_while,
    },
    Case {
        name: "faults::a_full_disk_is_said_at_the_end",
        needs: &[Ability::Faults, Ability::VirtualTime],
        run: a_full_disk_is_said_at_the_end,
    },
    Case {
        name: "faults::whatever_fails_at_the_start_is_one_line",
        needs: &[Ability::HotPlug, Ability::Faults, Ability::VirtualTime],
        run: whatever_fails_at_the_start_is_one_line,
    },
];

/// How long a viewer waits for the picture once the fault is over.
const SHOWN_WITHIN_US: i64 = 1_000_000;
/// The film's length, after which it begins again.
const FILM_S: u32 = 4;

/// Finds the card of the job: its number is another one from kernel to kernel.
const FIND_CARD: &str =
    "card=$(echo /sys/class/drm/card*-Virtual-1); card=${card##*/}; card=/dev/dri/${card%-Virtual-1}";
/// The job's card vanishes as when its driver is unbound, and comes back.
const VANISH: &str = "echo 0 >/sys/kernel/config/vkms/rig/enabled";
const RETURN: &str = "echo 1 >/sys/kernel/config/vkms/rig/enabled";

fn seconds(it: f64) -> Duration {
    Duration::from_secs_f64(it)
}

fn words(length: u32) -> impl Iterator<Item = String> {
    let words = "play film.mkv --display kms --size 640x480 --audio none --loop forever --duration";
    words.split(' ').map(str::to_owned).chain([length.to_string()])
}

/// Plays for so many seconds on a card with so many displays.
fn play(bench: &Bench<'_>, displays: usize, length: u32) -> Job {
    let film = media::tone_film("320x240", "30", FILM_S);
    let outputs = (1 < displays).then(|| (0..displays).map(|it| format!("--output={}", bench.rig.output(it))));
    let outputs: Vec<String> = outputs.into_iter().flatten().collect();
    bench.job().outputs(displays).shell(FIND_CARD).push(&film, "film.mkv").player(words(length).chain(outputs))
}

/// From here on, and for so long, these calls of the player on its card end as `fault` says (strace's words).
fn inject(job: Job, calls: &str, fault: &str, lasts: f64) -> Job {
    let begin = format!(
        "strace -f -qq -A -o faults.txt -P $card -e trace={calls} -e inject={calls}:{fault} -p $player & tracer=$!"
    );
    job.shell(&begin).wait(seconds(lasts)).shell("kill $tracer; wait $tracer || true")
}

/// The first frame that was seen at `from` seconds or later.
#[track_caller]
fn first_after(frames: &[Frame], from: f64) -> Frame {
    let found = frames.iter().find(|it| from * 1e6 <= it.presented_us as f64);
    found.unwrap_or_else(|| panic!("nothing was seen after {from} s")).clone()
}

/// Nothing new was seen in between, and the film was seen within a second after it, at its place.
#[track_caller]
fn was_away(end: &Ended, from: f64, to: f64) {
    let frames = end.frames();
    let us = |it: f64| (it * 1e6) as i64;
    let between = frames.iter().filter(|it| (us(from + 0.1)..us(to - 0.05)).contains(&it.presented_us)).count();
    assert_eq!(between, 0, "seen between {from} s and {to} s\n{}", end.said());
    let back = first_after(&frames, to - 0.05);
    assert!(back.presented_us < us(to) + SHOWN_WITHIN_US, "away till {to} s: {back:?}\n{}", end.said());
    let moved = place(&back) - place(&frames[10]);
    assert!(moved.abs() < 50_000, "it lost its place by {moved} us: {back:?}");
}

/// Where in the endless film a frame is, less when it was shown: the same for as long as the player keeps its place.
fn place(it: &Frame) -> i64 {
    it.pts_us + it.lap * i64::from(FILM_S) * 1_000_000 - it.presented_us
}

#[track_caller]
fn was_told_once(end: &Ended, words: &str) {
    assert_eq!(end.said().matches(words).count(), 1, "{words:?} in:\n{}", end.said());
}

fn refused_commits_leave_the_last_picture_there(bench: &Bench<'_>) {
    const FAULTS: [(&str, &str); 5] = [
        ("EBUSY", "Virtual-1: the display controller is busy"),
        ("EINVAL", "Virtual-1: atomic commit: Invalid argument"),
        ("EIO", "Virtual-1: atomic commit: Input/output error"),
        ("ENOMEM", "Virtual-1: atomic commit: Cannot allocate memory"),
        ("EACCES", "another program has taken the display"),
    ];
    // The film's lap is four seconds: at each of these times it shows another picture.
    let begin = |index: usize| 2.0 + 2.3 * index as f64;
    // There are checksums once there is a mode.
    let mut job = play(bench, 1, 15).wait(seconds(1.0)).crc(0).wait(seconds(begin(0) - 1.0));
    for (name, _) in FAULTS {
        job = inject(job, "ioctl", &format!("error={name}"), 1.0).wait(seconds(1.3));
    }
    let end = bench.run(job.finish()).done();
    for (index, (name, words)) in FAULTS.into_iter().enumerate() {
        assert!(end.text("faults.txt").contains(name), "{name} was never injected");
        was_told_once(&end, words);
        was_away(&end, begin(index), begin(index) + 1.0);
    }
    // A busy controller is still there.
    assert_eq!((end.figure("/display_lost"), end.figure("/display_regained")), (4.0, 4.0));
    // Each time a picture stood for a second. Black, if it was that, would be the same each time.
    let crcs = end.crcs(0);
    let mut stood: Vec<u64> = crcs.chunk_by(|a, b| a.1 == b.1).filter(|it| 55 < it.len()).map(|it| it[0].1).collect();
    assert_eq!(stood.len(), FAULTS.len(), "pictures that stood");
    stood.sort_unstable();
    stood.dedup();
    assert_eq!(stood.len(), FAULTS.len(), "different pictures that stood");
}

/// The kernel says that it took the commit, and nothing ever comes of it.
fn flips_that_are_never_reported_are_given_up(bench: &Bench<'_>) {
    let job = inject(play(bench, 1, 6).wait(seconds(2.0)), "ioctl", "retval=0", 1.0);
    let end = bench.run(job.finish()).done();
    assert!(end.text("faults.txt").contains("INJECTED"), "nothing was injected");
    was_told_once(&end, "Virtual-1: the kernel has not reported a page flip");
    let back = first_after(&end.frames(), 3.0);
    assert!(back.presented_us < 3_000_000 + SHOWN_WITHIN_US, "{back:?}");
    let after: Vec<i64> = end.frames().iter().map(|it| it.presented_us).filter(|it| back.presented_us <= *it).collect();
    assert!(after.windows(2).all(|it| it[1] - it[0] < 50_000), "it goes on without a gap");
    assert!(0.0 < end.figure("/missed_vblanks"));
}

fn a_card_that_cannot_be_read_is_opened_anew(bench: &Bench<'_>) {
    let job = inject(play(bench, 1, 5).wait(seconds(2.0)), "read", "error=EIO:when=1", 0.5);
    let end = bench.run(job.finish()).done();
    assert!(end.text("faults.txt").contains("INJECTED"), "nothing was injected");
    was_told_once(&end, "the graphics card is gone: Input/output error");
    let back = first_after(&end.frames(), 2.1);
    assert!(back.presented_us < 2_000_000 + SHOWN_WITHIN_US, "{back:?}\n{}", end.said());
    assert_eq!((end.figure("/display_lost"), end.figure("/display_regained")), (1.0, 1.0));
}

/// The driver is unbound and bound, as when a graphics card or a USB display is pulled out.
fn a_card_that_vanishes_comes_back(bench: &Bench<'_>) {
    let times = bench.amount(3, 30);
    let mut job = play(bench, 1, 3 + 3 * times).limit(seconds(600.0)).wait(seconds(2.0));
    // What is made at the first time may stay.
    let look = "ls /proc/$player/fd | wc -l >>fds; awk '/VmRSS/ { print $2 }' /proc/$player/status >>memory; \
                ls /proc/$player/task | wc -l >>threads";
    for _ in 0..times {
        job = job.shell(VANISH).wait(seconds(1.5)).shell(RETURN).wait(seconds(1.5)).shell(look);
    }
    let end = bench.run(job.finish()).done();
    for time in 0..times {
        let from = 2.0 + 3.0 * f64::from(time);
        was_away(&end, from, from + 1.5);
    }
    let n_times = f64::from(times);
    assert_eq!((end.figure("/display_lost"), end.figure("/display_regained")), (n_times, n_times));
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/frames_dropped_stale")), (0.0, 0.0));
    assert_eq!(end.said().matches("the graphics card is gone").count(), times as usize, "{}", end.said());
    let numbers = |name: &str| -> Vec<u64> { end.text(name).lines().map(|it| it.trim().parse().unwrap()).collect() };
    for name in ["fds", "threads"] {
        let all = numbers(name);
        assert_eq!(all.len(), times as usize);
        assert!(all.iter().all(|it| *it == all[0]), "{name}: {all:?}");
    }
    let memory = numbers("memory");
    // KiB: a leaked GL context of llvmpipe's would be several MiB each time. The allocator keeps some of the first few.
    assert!(memory[memory.len() - 1] <= memory[memory.len() / 3] + 4096, "memory: {memory:?}");
}

fn a_card_that_vanishes_comes_back_for_both_outputs(bench: &Bench<'_>) {
    let job = play(bench, 2, 7).wait(seconds(2.0)).shell(VANISH).wait(seconds(1.5)).shell(RETURN);
    let end = bench.run(job.finish()).done();
    was_away(&end, 2.0, 3.5);
    let shown = [0, 1].map(|it| end.figure(&format!("/outputs/{it}/frames_presented")));
    assert!((shown[0] - shown[1]).abs() <= 4.0, "{shown:?} frames");
    assert_eq!(end.figure("/outputs/1/missed_vblanks"), 0.0);
    assert_eq!(end.figure("/missed_vblanks"), 0.0);
}

fn a_player_without_a_card_ends_as_usual(bench: &Bench<'_>) {
    let job = play(bench, 1, 60).wait(seconds(2.0)).shell(VANISH).wait(seconds(3.0)).signal("TERM").finish();
    let end = bench.run(job).with(143);
    assert!((58.0..=62.0).contains(&end.figure("/frames_presented")), "{}", end.said());
    assert!((85.0..=92.0).contains(&end.figure("/frames_unseen")), "it played on: {}", end.stats());
    assert_eq!(end.stats()["outputs"][0]["name"], "Virtual-1");
    // However often it looked.
    was_told_once(&end, "trying again until it can be");
}

/// Another console comes to the screen and starts a DRM master of its own; when ours is back it still has the card.
fn another_program_may_have_the_screen_for_a_while(bench: &Bench<'_>) {
    let other = "connector=$(cat /sys/class/drm/card*-Virtual-1/connector_id); sleep 100 | \
                 modetest -D $card -M vkms -s $connector:640x480 >modetest.txt 2>&1 & other=$!";
    let own = "own=$(tr -dc 0-9 </sys/class/tty/tty0/active); chvt 12";
    let job = play(bench, 1, 9).wait(seconds(2.0)).shell(own).wait(seconds(0.5)).shell(other).wait(seconds(1.0));
    let job = job.shell("chvt \"$own\"").wait(seconds(1.5)).shell("pkill -x modetest; wait $other || true").finish();
    let end = bench.run(job).done();
    was_away(&end, 2.0, 5.0);
    assert_eq!((end.figure("/display_lost"), end.figure("/display_regained")), (1.0, 1.0));
}

/// Nothing that is asked for in writing is left out without a word.
fn a_full_disk_is_said_at_the_end(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", FILM_S);
    let full =
        "mkdir /tmp/full; mount -t tmpfs -o size=16k none /tmp/full; dd if=/dev/zero of=/tmp/full/it 2>dd.txt || true";
    let play = |name: &str, option: &str| {
        format!(
            "code=0; lucarne play film.mkv --display kms --audio none --size 640x480 --loop 1 --frames 30 {option} \
             2>{name}.txt || code=$?; echo $code >{name}.code; code=0"
        )
    };
    let options = [
        ("stats", "--stats /tmp/full/stats.json"),
        ("framelog", "--framelog /tmp/full/frames.csv"),
        ("snapshots", "--snapshot-dir /tmp/full/pictures --snapshot-every 10"),
    ];
    let job = options
        .into_iter()
        .fold(bench.job().push(&film, "film.mkv").shell(full), |job, (name, option)| job.shell(&play(name, option)));
    let end = bench.run(job).done();
    for (name, _) in options {
        let said = end.text(&format!("{name}.txt"));
        assert_eq!(end.text(&format!("{name}.code")).trim(), "1", "{name}: {said}");
        let is_last_word = |it: &&str| it.starts_with("lucarne: ") && !it.starts_with("lucarne: warning: ");
        let errors: Vec<&str> = said.lines().filter(is_last_word).collect();
        assert_eq!(errors.len(), 1, "{name}: {said}");
        assert!(errors[0].contains("/tmp/full/") && errors[0].contains("No space left on device"), "{said}");
        assert!(errors[0].contains("; check the ") && errors[0].contains("space"), "{said}");
    }
}

/// Every few calls on the card another one fails, in another way: the player plays all the same, or says in one line why
/// not.
fn whatever_fails_at_the_start_is_one_line(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", FILM_S);
    let (step, errors) = bench.amount((37, "ENOMEM"), (3, "ENOMEM EIO"));
    // Some 250 calls are made before the first picture.
    let play = format!(
        "for call in ioctl mmap read; do for error in {errors}; do for when in $(seq 1 {step} 260); do
            code=0
            strace -f -qq -A -o faults.txt -P $card -e trace=$call -e inject=$call:error=$error:when=$when \
                lucarne play film.mkv --display kms --size 640x480 --audio none --frames 3 2>said.txt || code=$?
            grep -q INJECTED faults.txt || {{ rm faults.txt; break; }}
            rm faults.txt
            grep '^lucarne: ' said.txt | grep -v '^lucarne: warning: ' >last.txt || true
            echo \"$call $error $when $code $(wc -l <last.txt) $(cat last.txt)\" >>ends.txt
            cat said.txt >>player.log
        done; done; done"
    );
    let limit = bench.amount(seconds(600.0), seconds(7200.0));
    let job = bench.job().outputs(1).limit(limit).push(&film, "film.mkv").shell(FIND_CARD).shell(&play);
    let end = bench.run(job).done();
    let ends = end.text("ends.txt");
    assert!(7 < ends.lines().count(), "{ends}");
    for line in ends.lines() {
        let fields: Vec<&str> = line.splitn(6, ' ').collect();
        let ended = (fields[3], fields[4]);
        assert!(ended == ("0", "0") || ended == ("1", "1"), "{line}\n{}", end.said());
    }
}
