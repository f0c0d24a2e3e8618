//! The text console below the film: dark and deaf while it plays, as it was after that, however the player ends.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case {
        name: "console::dark_while_playing_and_text_after_the_end",
        needs: &[Ability::Console],
        run: dark_while_playing_and_text_after_the_end,
    },
    Case { name: "console::text_after_sigterm", needs: &[Ability::Console], run: text_after_sigterm },
    Case { name: "console::text_after_sigkill", needs: &[Ability::Console], run: text_after_sigkill },
    Case {
        name: "console::another_console_may_come_to_the_screen",
        needs: &[Ability::Console],
        run: another_console_may_come_to_the_screen,
    },
    Case {
        name: "console::a_login_prompt_is_told_of",
        needs: &[Ability::Console, Ability::Faults],
        run: a_login_prompt_is_told_of,
    },
    Case { name: "console::none_is_no_end", needs: &[Ability::Console, Ability::Faults], run: none_is_no_end },
];

/// Writes the console's modes into a file. kbd_mode speaks of the keyboard, kbdinfo of both in one word each.
const LOOK: &str = "look() { { kbdinfo -C \"$console\" getmode; kbd_mode -C \"$console\"; } >\"$1\" 2>&1; }
    console=/dev/tty$(cat /sys/class/tty/tty0/active | tr -dc 0-9)";

fn play(bench: &Bench<'_>, duration: u32) -> Job {
    let words = "play film.mkv --display kms --size 640x480 --audio none -v --loop forever --duration";
    let job = bench.job().push(&media::tone_film("320x240", "30", 4), "film.mkv").shell(LOOK).shell("look before");
    job.player(words.split(' ').map(str::to_owned).chain([duration.to_string()])).wait(Duration::from_secs(2))
}

/// What `look` found: the display's mode, and the keyboard's in the words of `kbd_mode`.
#[track_caller]
fn modes(end: &Ended, name: &str) -> (String, String) {
    let text = end.text(name);
    let mut lines = text.lines().map(|it| it.trim().to_owned());
    let modes = lines.next().zip(lines.next());
    modes.unwrap_or_else(|| panic!("{name}: {text:?}\n{}", end.said()))
}

/// Held while playing, and now as before.
#[track_caller]
fn was_held_and_put_back(end: &Ended) {
    let (before, during, after) = (modes(end, "before"), modes(end, "during"), modes(end, "after"));
    assert_eq!(before.0, "text");
    assert_eq!(during.0, "graphics");
    assert_ne!(during.1, before.1, "the keyboard was on");
    assert_eq!(after, before);
    assert_eq!(end.text("guards").trim(), "", "a guard outlived the player");
}

/// Whoever guards the console is told by its command line.
const GUARDS: &str = "{ pgrep -f console-[g]uard || true; } >guards";

fn dark_while_playing_and_text_after_the_end(bench: &Bench<'_>) {
    let job = play(bench, 4).shell("look during").finish().shell("look after").shell(GUARDS);
    was_held_and_put_back(&bench.run(job).done());
}

fn text_after_sigterm(bench: &Bench<'_>) {
    let job = play(bench, 60).shell("look during").signal("TERM").finish().shell("look after").shell(GUARDS);
    was_held_and_put_back(&bench.run(job).with(143));
}

fn text_after_sigkill(bench: &Bench<'_>) {
    // The guard needs a moment; a viewer would not notice a second.
    let job = play(bench, 60).shell("look during").signal("KILL").finish().wait(Duration::from_secs(1));
    was_held_and_put_back(&bench.run(job.shell("look after").shell(GUARDS)).with(137));
}

fn another_console_may_come_to_the_screen(bench: &Bench<'_>) {
    let second = Duration::from_secs(1);
    let job = play(bench, 9)
        .shell("chvt 12; cat /sys/class/tty/tty0/active >other; own=${console#/dev/tty}")
        .wait(2 * second);
    let job =
        job.shell("chvt \"$own\"; cat /sys/class/tty/tty0/active >own").wait(second).shell("look during").finish();
    let end = bench.run(job.shell("look after").shell(GUARDS)).done();
    assert_eq!(end.text("other").trim(), "tty12");
    was_held_and_put_back(&end);
    let frames = end.frames();
    // Away from 2 s to 4 s.
    let shown = |from: i64, to: i64| frames.iter().filter(|it| (from..to).contains(&it.presented_us)).count();
    assert_eq!(shown(2_200_000, 3_900_000), 0, "shown while another console was on the screen");
    assert!(shown(4_000_000, 5_000_000) > 0, "not shown within a second of its return");
    assert_eq!((end.figure("/display_lost"), end.figure("/display_regained")), (1.0, 1.0));
}

fn a_login_prompt_is_told_of(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", 4);
    let prompt =
        "setsid agetty --noclear \"${console#/dev/}\" linux </dev/null >/dev/null 2>&1 & helpers+=($!); sleep 0.5";
    let job = bench.job().push(&film, "film.mkv").shell(LOOK).shell(prompt);
    let words = "play film.mkv --display kms --size 640x480 --audio none --loop 1 --frames 10";
    let end = bench.run(job.player(words.split(' ')).finish()).done();
    let told: Vec<String> =
        end.said().lines().filter(|it| it.contains("asks for a login")).map(str::to_owned).collect();
    assert_eq!(told.len(), 1, "{}", end.said());
    assert!(told[0].contains("`systemctl disable --now getty@tty"), "{told:?}");
}

/// A container: the devices are not there.
fn none_is_no_end(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", 4);
    let job = bench
        .job()
        .push(&film, "film.mkv")
        .shell("mount -t tmpfs none /tmp; mkdir /tmp/dev; cp -a /dev/dri /dev/null /dev/urandom /dev/shm /tmp/dev/");
    let words = "play film.mkv --display kms --size 640x480 --audio none --loop 1 -v";
    let job = job.shell("mount --bind /tmp/dev /dev").player(words.split(' ')).finish();
    let end = bench.run(job).done();
    assert_eq!(end.figure("/frames_presented"), 120.0);
    assert!(!end.said().contains("graphics mode"), "{}", end.said());
}
