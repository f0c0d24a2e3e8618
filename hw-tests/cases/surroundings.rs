//! What is not there when the player starts: one line says what and what to do, and `--display auto` goes on without.
use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case {
        name: "surroundings::without_a_screen_one_line_says_what_to_do",
        needs: &[Ability::HotPlug, Ability::SecondOutput, Ability::Faults],
        run: without_a_screen_one_line_says_what_to_do,
    },
    Case {
        name: "surroundings::auto_goes_on_to_the_next_display_and_says_so_once",
        needs: &[Ability::HotPlug, Ability::SecondOutput, Ability::Faults],
        run: auto_goes_on_to_the_next_display_and_says_so_once,
    },
];

/// What is wrong: how it comes about, in shell, and what stands before the player's name to run it there; what the player is
/// given; what its line says; and what it advises.
struct Wrong {
    name: &'static str,
    begin: &'static str,
    end: &'static str,
    before: &'static str,
    options: &'static str,
    says: &'static str,
    advises: &'static str,
}

/// Nothing is wrong.
const RIGHT: Wrong = Wrong { name: "", begin: "", end: "", before: "", options: "", says: "", advises: "" };

/// Hides one of Mesa's libraries.
const WITHOUT_MESA: (&str, &str) =
    ("mesa=$(echo /usr/lib/*/libgallium-*.so); mount --bind /dev/null \"$mesa\"", "umount \"$mesa\"");

const WRONGS: [Wrong; 8] = [
    Wrong {
        name: "output",
        options: "--output HDMI-A-7",
        says: "kms: there is no output HDMI-A-7; there are Virtual-1, Virtual-2",
        advises: "name one of those with --output",
        ..RIGHT
    },
    Wrong {
        name: "mode",
        options: "--size 1234x567",
        says: "kms: Virtual-1: it has no mode 1234x567; it has 1024x768@60, ",
        advises: "name one of those with --size",
        ..RIGHT
    },
    Wrong {
        name: "rate",
        options: "--size 640x480@75",
        says: "kms: Virtual-1: it has no mode 640x480@75; it has 1024x768@60, ",
        advises: "name one of those with --size",
        ..RIGHT
    },
    Wrong {
        name: "permission",
        before: "setpriv --reuid=65534 --regid=65534 --clear-groups",
        says: "Permission denied",
        advises: "put the user into the group video",
        ..RIGHT
    },
    Wrong {
        name: "master",
        begin: "lucarne play film.mkv --display kms --audio none --size 640x480 --loop forever 2>other.txt & other=$!; sleep 1",
        end: "kill $other; wait $other || true",
        says: "another program controls the display",
        advises: "stop the other program (a desktop, a login screen, plymouth, a second player)",
        ..RIGHT
    },
    Wrong {
        name: "gbm",
        begin: WITHOUT_MESA.0,
        end: WITHOUT_MESA.1,
        says: ": no GBM: ",
        advises: "install Mesa's drivers",
        ..RIGHT
    },
    Wrong {
        name: "egl",
        before: "env __EGL_VENDOR_LIBRARY_DIRS=/nowhere",
        says: ": no EGL on GBM: ",
        advises: "install Mesa's drivers",
        ..RIGHT
    },
    Wrong {
        name: "card",
        begin: "mount -t tmpfs none /dev/dri",
        end: "umount /dev/dri",
        says: "kms: there is no graphics card: /dev/dri has no card*",
        advises: "load the display's driver",
        ..RIGHT
    },
];

/// The computing card that the board has stands beside one with two displays, one of which is there.
fn surroundings<'a>(bench: &Bench<'_>, display: &str, wrongs: impl Iterator<Item = &'a Wrong>) -> Ended {
    let film = media::tone_film("320x240", "30", 4);
    let begun: Job = bench.job().outputs(2).absent(1).push(&film, "film.mkv");
    let job = wrongs.fold(begun, |job, it| {
        let play = format!(
            "{}\n code=0; {} lucarne play film.mkv --display {display} --audio none --frames 3 {} 2>{}.txt || \
             code=$?; echo $code >{}.code; code=0\n {}",
            it.begin, it.before, it.options, it.name, it.name, it.end
        );
        job.shell(&play)
    });
    bench.run(job).done()
}

/// The player's own lines; Mesa has a word on each start.
fn lines(end: &Ended, name: &str) -> Vec<String> {
    let said = end.text(&format!("{name}.txt"));
    said.lines().filter(|it| !it.starts_with("MESA-LOADER: ")).map(str::to_owned).collect()
}

fn without_a_screen_one_line_says_what_to_do(bench: &Bench<'_>) {
    let end = surroundings(bench, "kms", WRONGS.iter());
    for it in &WRONGS {
        let lines = lines(&end, it.name);
        assert_eq!(lines.len(), 1, "{}: {lines:#?}", it.name);
        assert!(lines[0].starts_with("lucarne: no display could be opened (kms: "), "{}: {}", it.name, lines[0]);
        assert!(lines[0].contains(it.says), "{}: {}", it.name, lines[0]);
        let (_, advice) = lines[0].rsplit_once("); ").expect("advice");
        assert!(advice.starts_with(it.advises), "{}: {advice}", it.name);
        assert_eq!(end.text(&format!("{}.code", it.name)).trim(), "1", "{}", it.name);
    }
}

fn auto_goes_on_to_the_next_display_and_says_so_once(bench: &Bench<'_>) {
    // An output is one of KMS's, so nothing else will do.
    let wrongs = || WRONGS.iter().filter(|it| it.name != "output");
    let end = surroundings(bench, "auto", wrongs());
    for it in wrongs() {
        let lines = lines(&end, it.name);
        assert_eq!(lines.len(), 1, "{}: {lines:#?}", it.name);
        assert!(lines[0].contains(it.says.trim_end_matches(' ')), "{}: {}", it.name, lines[0]);
        // Without EGL there is no other display either.
        let (begins, code) = match it.name {
            "gbm" | "egl" => ("lucarne: no display could be opened (kms: ", "1"),
            _ => ("lucarne: warning: nothing is shown: no display could be opened, playing headless (kms: ", "0"),
        };
        assert!(lines[0].starts_with(begins), "{}: {}", it.name, lines[0]);
        assert_eq!(end.text(&format!("{}.code", it.name)).trim(), code, "{}", it.name);
    }
}
