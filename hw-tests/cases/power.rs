//! The display's power, and the television behind it: what the television hears is what it says it heard.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "power::the_display_is_off_and_on_again", needs: &[], run: the_display_is_off_and_on_again },
    Case {
        name: "power::the_television_follows_the_display",
        needs: &[Ability::Television],
        run: the_television_follows_the_display,
    },
    Case {
        name: "power::a_television_that_comes_later_is_told",
        needs: &[Ability::Television],
        run: a_television_that_comes_later_is_told,
    },
    Case {
        name: "power::one_that_sleeps_by_itself_is_not_fought",
        needs: &[Ability::Television],
        run: one_that_sleeps_by_itself_is_not_fought,
    },
    Case {
        name: "power::one_that_does_not_answer_changes_nothing",
        needs: &[Ability::Television, Ability::VirtualTime],
        run: one_that_does_not_answer_changes_nothing,
    },
    Case {
        name: "power::nothing_is_said_unless_asked_for",
        needs: &[Ability::Television],
        run: nothing_is_said_unless_asked_for,
    },
];

/// Whether the crtcs of all cards are active, in one line, as the kernel's own table of them says.
const ACTIVE: &str =
    "crtcs() { grep -h '^[[:space:]]*active=' /sys/kernel/debug/dri/*/state | sort | uniq -c | xargs; }";

/// The kernel's test driver: its capture device is the television (cec0), its output device is where we are (cec1). The
/// third input of the one and the first output of the other are HDMI's.
const TELEVISION: &str = "
in=/dev/video4 out=/dev/video5
plug_television() {
    v4l2-ctl -d $in -c hdmi_000_0_is_connected_to=2
    v4l2-ctl -d $in --set-edid=pad=3,type=hdmi,pa=0.0.0.0 >/dev/null
    cec-ctl -d /dev/cec0 --tv -o Television >/dev/null
}
unplug_television() { v4l2-ctl -d $in --clear-edid=3; }
television_says() { cec-ctl -d /dev/cec0 -s \"$@\"; }
v4l2-ctl -d $in -i 3 >/dev/null; v4l2-ctl -d $out -o 1 >/dev/null
cec-ctl -d /dev/cec0 -M >heard.txt & helpers+=($!)
";
const SECOND: Duration = Duration::from_secs(1);

/// A player that talks to televisions, on a screen in memory: what is said does not depend on the screen.
fn play(job: Job) -> Job {
    let words = "play film.mp4 -v --display headless --size 64x36 --audio none --loop forever --cec auto";
    job.player(words.split(' '))
}

fn job(bench: &Bench<'_>) -> Job {
    bench.job().push(&media::bigbuckbunny(), "film.mp4").shell(TELEVISION)
}

/// What the television heard from us to switch it, in order.
fn heard(end: &Ended) -> Vec<&'static str> {
    let text = end.text("heard.txt");
    let ours = text.lines().filter(|it| it.starts_with("Received from Playback Device"));
    ours.filter_map(|it| ["IMAGE_VIEW_ON", "ACTIVE_SOURCE", "STANDBY"].into_iter().find(|word| it.contains(word)))
        .collect()
}

const ON: [&str; 2] = ["IMAGE_VIEW_ON", "ACTIVE_SOURCE"];

fn the_display_is_off_and_on_again(bench: &Bench<'_>) {
    let words = "play film.mp4 --display kms --size 640x480 --cec off --audio none --loop 1";
    let job = bench
        .job()
        .push(&media::bigbuckbunny(), "film.mp4")
        .shell(ACTIVE)
        .player(words.split(' '))
        .wait(SECOND)
        .shell("crtcs >playing.txt")
        .signal("USR1")
        .wait(SECOND)
        .shell("crtcs >off.txt")
        .wait(SECOND)
        .signal("USR2")
        .wait(SECOND)
        .shell("crtcs >on.txt");
    let end = bench.run(job.finish()).done();
    let (playing, off, on) = (end.text("playing.txt"), end.text("off.txt"), end.text("on.txt"));
    assert!(playing.contains(" active=1"), "{playing}");
    assert!(off.contains(" active=0") && !off.contains("active=1"), "{off}");
    assert_eq!(playing, on);
    // Two seconds of it went by unseen, and it ended no later for that.
    let unseen = end.figure("/frames_decoded") - end.figure("/frames_presented");
    assert!((40.0..70.0).contains(&unseen), "{unseen} frames were not seen\n{}", end.said());
    assert_eq!((end.figure("/frames_dropped_stale"), end.figure("/missed_vblanks")), (0.0, 0.0));
}

fn the_television_follows_the_display(bench: &Bench<'_>) {
    let job = play(job(bench).shell("plug_television"))
        .wait(SECOND * 2)
        .signal("USR1")
        .wait(SECOND * 2)
        .shell("television_says --to 4 --give-device-power-status --give-osd-name >asked.txt")
        .signal("USR2")
        .wait(SECOND * 2)
        .shell("television_says --to 4 --give-device-power-status >again.txt")
        .signal("TERM")
        .finish();
    let end = bench.run(job).with(143);
    assert_eq!(heard(&end), [ON[0], ON[1], "STANDBY", ON[0], ON[1]], "{}", end.said());
    let asked = end.text("asked.txt");
    assert!(asked.contains("pwr-state: standby") && asked.contains("name: Lucarne"), "{asked}");
    assert!(end.text("again.txt").contains("pwr-state: on"), "{}", end.text("again.txt"));
    // Two of some six seconds went by unseen, and the programme went on.
    let (decoded, presented) = (end.figure("/frames_decoded"), end.figure("/frames_presented"));
    assert!(40.0 < decoded - presented, "{presented} of {decoded} frames were presented");
}

fn a_television_that_comes_later_is_told(bench: &Bench<'_>) {
    let job = play(job(bench).shell("plug_television; unplug_television"))
        .wait(SECOND)
        .shell("plug_television")
        .wait(SECOND * 2)
        .shell("unplug_television")
        .wait(SECOND)
        .shell("plug_television")
        .wait(SECOND * 2)
        .signal("TERM")
        .finish();
    let end = bench.run(job).with(143);
    assert_eq!(heard(&end), [ON, ON].concat(), "{}", end.said());
}

fn one_that_sleeps_by_itself_is_not_fought(bench: &Bench<'_>) {
    let job = play(job(bench).shell("plug_television"))
        .wait(SECOND * 2)
        .shell("television_says --to 15 --standby")
        // The driver hands it to us on a thread of its own, and not at all once the line is down.
        .wait(Duration::from_millis(100))
        .shell("unplug_television")
        .wait(SECOND)
        .shell("plug_television")
        .wait(SECOND * 2)
        .shell("cp heard.txt asleep.txt; television_says --to 15 --request-active-source >asked.txt")
        .signal("TERM")
        .finish();
    let end = bench.run(job).with(143);
    // Woken by somebody, it asks who has something to show, and only then it hears from us again.
    assert_eq!(heard(&end), [ON[0], ON[1], "ACTIVE_SOURCE"], "{}", end.said());
    assert!(end.text("asked.txt").contains("phys-addr: 1.0.0.0"), "{}", end.text("asked.txt"));
}

fn one_that_does_not_answer_changes_nothing(bench: &Bench<'_>) {
    let job = job(bench).shell("plug_television; cec-ctl -d /dev/cec0 --clear >/dev/null");
    let end = bench.run(play(job).wait(SECOND * 75).signal("TERM").finish()).with(143);
    let said = end.text("player.log");
    assert_eq!(said.matches("does not answer").count(), 1, "{said}");
    assert_eq!((end.figure("/late_frames"), end.figure("/frames_dropped_stale")), (0.0, 0.0));
}

fn nothing_is_said_unless_asked_for(bench: &Bench<'_>) {
    let words = "play film.mp4 --display headless --size 64x36 --audio none --loop 1";
    let job = job(bench).shell("plug_television").player(words.split(' ')).wait(SECOND).signal("USR1");
    let end = bench.run(job.finish()).done();
    assert_eq!(heard(&end), [""; 0], "{}", end.said());
}
