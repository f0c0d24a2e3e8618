//! Several outputs, their modes, and what there is not.
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::case::{Bench, Case};
use crate::cases::programs::{all_passed, program};
use crate::media;
use crate::rig::{Ability, Ended, Job, Recording};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "outputs::mirrored_they_show_the_same", needs: TWO_ON_THE_WIRE, run: mirrored_they_show_the_same },
    Case { name: "outputs::each_shows_its_own", needs: TWO_ON_THE_WIRE, run: each_shows_its_own },
    Case { name: "outputs::one_is_heard", needs: &[Ability::SecondOutput, Ability::Recording], run: one_is_heard },
    Case { name: "outputs::each_has_the_refresh_of_its_film", needs: TWO, run: each_has_the_refresh_of_its_film },
    Case { name: "outputs::unplugged_the_first_disturbs_no_other", needs: TWO, run: the_first_disturbs_no_other },
    Case { name: "outputs::the_mode_suits_the_film", needs: EXACT, run: the_mode_suits_the_film },
    Case { name: "outputs::what_is_not_there_is_listed_with_what_is", needs: EXACT, run: what_is_not_there },
    Case { name: "outputs::the_presenter_conforms", needs: EXACT, run: the_presenter_conforms },
];

const EXACT: &[Ability] = &[Ability::VirtualTime];
const TWO: &[Ability] = &[Ability::VirtualTime, Ability::SecondOutput, Ability::HotPlug];
const TWO_ON_THE_WIRE: &[Ability] = &[Ability::VirtualTime, Ability::SecondOutput, Ability::Crc];

/// How long the films of this file are.
const FILM_S: u32 = 4;

/// A film with another picture and another tone than [`media::tone_film`]'s.
fn other_film(rate: &str) -> PathBuf {
    let video = format!("testsrc=size=320x240:rate={rate}:duration={FILM_S}");
    let audio = format!("sine=frequency=3000:sample_rate=48000:duration={FILM_S}");
    let codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-ac", "2"];
    let name = format!("other-tone-{}-{FILM_S}.mkv", rate.replace('/', "_"));
    media::made(&name, &[&["-f", "lavfi", "-i", &video, "-f", "lavfi", "-i", &audio][..], &codecs].concat())
}

/// Two films on two displays; `words` name the outputs as {0} and {1}.
fn play(bench: &Bench<'_>, films: [&Path; 2], words: &str) -> Job {
    let words = format!("play --display kms --loop 1 {words}");
    let words = words.replace("{0}", bench.rig.output(0)).replace("{1}", bench.rig.output(1));
    let job = bench.job().outputs(2).push(films[0], "x.mkv").push(films[1], "y.mkv");
    job.player(words.split_whitespace())
}

/// The pictures on a wire one after the other, by their checksums, each once however long it stood.
#[track_caller]
fn on_the_wire(end: &Ended, output: usize) -> Vec<u64> {
    let mut all: Vec<u64> = end.crcs(output).iter().map(|it| it.1).collect();
    all.dedup();
    assert!(all.len() > 60, "only {} pictures on wire {output}\n{}", all.len(), end.said());
    all
}

/// How many pictures in a row are the same on two wires, from where both were looked at until one ends; `None` where one
/// of them shows something else meanwhile.
fn in_common(a: &[u64], b: &[u64]) -> Option<usize> {
    let (a, b) = match (a.iter().position(|it| Some(it) == b.first()), b.iter().position(|it| Some(it) == a.first())) {
        (Some(at), _) => (&a[at..], b),
        (None, Some(at)) => (a, &b[at..]),
        (None, None) => return None,
    };
    a.iter().zip(b).all(|(a, b)| a == b).then_some(a.len().min(b.len()))
}

/// The figures of an output: pictures shown, refreshes missed, pictures dropped.
#[track_caller]
fn figures(end: &Ended, output: usize) -> [f64; 3] {
    ["frames_presented", "missed_vblanks", "frames_dropped_stale"]
        .map(|it| end.figure(&format!("/outputs/{output}/{it}")))
}

/// From half a second on, both wires are looked at; a CRTC that is off has no checksums.
fn watch_both(job: Job) -> Job {
    job.wait(Duration::from_millis(500)).crc(0).crc(1).finish()
}

fn mirrored_they_show_the_same(bench: &Bench<'_>) {
    let (x, y) = (media::tone_film("320x240", "30", FILM_S), other_film("30"));
    let words = "x.mkv --size 640x480 --audio none --output {0} --output {1}";
    let end = bench.run(watch_both(play(bench, [&x, &y], words))).done();
    let wires = [0, 1].map(|it| on_the_wire(&end, it));
    let same = in_common(&wires[0], &wires[1]);
    assert!(same >= Some(90), "{same:?} pictures in common of {} and {}", wires[0].len(), wires[1].len());
    assert_eq!(end.figure("/decoders_opened"), 1.0);
    let n_frames = f64::from(30 * FILM_S);
    assert_eq!([figures(&end, 0), figures(&end, 1)], [[n_frames, 0.0, 0.0]; 2], "{:#}", end.stats());
    let names = [0, 1].map(|it| end.stats().pointer(&format!("/outputs/{it}/name")).cloned());
    assert_eq!(names, [0, 1].map(|it| Some(Value::from(bench.rig.output(it)))));
}

fn each_shows_its_own(bench: &Bench<'_>) {
    let (x, y) = (media::tone_film("320x240", "30", FILM_S), other_film("30"));
    let run = |words: &str| {
        let words = format!("--size 640x480 --audio none {words}");
        bench.run(watch_both(play(bench, [&x, &y], &words))).done()
    };
    let end = run("--output {0}=x.mkv --output {1}=y.mkv");
    let wires = [0, 1].map(|it| on_the_wire(&end, it));
    // The check of the mirrored case finds that they are not.
    assert_eq!(in_common(&wires[0], &wires[1]), None);
    assert!(!wires[0].iter().any(|it| wires[1].contains(it)), "a picture of one is on the other's wire");
    assert_eq!(end.figure("/decoders_opened"), 1.0, "the first player's");
    let n_frames = f64::from(30 * FILM_S);
    assert_eq!([figures(&end, 0), figures(&end, 1)], [[n_frames, 0.0, 0.0]; 2], "{:#}", end.stats());
    let item = |output: usize| {
        let name = end.stats().pointer(&format!("/outputs/{output}/items/0/input")).cloned();
        name.and_then(|it| Some(it.as_str()?.rsplit('/').next()?.to_owned()))
    };
    assert_eq!([item(0), item(1)], ["x.mkv", "y.mkv"].map(|it| Some(it.to_owned())), "{:#}", end.stats());
    // The other way round, each film is on the other wire.
    let end = run("--output {0}=y.mkv --output {1}=x.mkv");
    let crossed = [0, 1].map(|it| on_the_wire(&end, it));
    let same = [in_common(&wires[0], &crossed[1]), in_common(&wires[1], &crossed[0])];
    assert!(same.iter().all(|it| *it >= Some(90)), "{same:?}");
}

/// How many waves of its loudest part a second of the recording has.
fn frequency(recording: &Recording) -> f64 {
    let (from, to) = recording.heard(0).expect("something was heard");
    let at = |seconds: f64| (seconds * f64::from(recording.rate)) as usize;
    let samples = &recording.channels[0][at(from + 0.5)..at(to - 0.5)];
    let rising = samples.windows(2).filter(|it| it[0] < 0.0 && it[1] >= 0.0).count();
    rising as f64 * f64::from(recording.rate) / samples.len() as f64
}

fn one_is_heard(bench: &Bench<'_>) {
    let (x, y) = (media::tone_film("320x240", "30", FILM_S), other_film("30"));
    for (from, want) in [("", 1000.0), ("--audio-from {0}", 1000.0), ("--audio-from {1}", 3000.0)] {
        let words = format!("--size 640x480 --audio hw:Loopback,0,0 --output {{0}}=x.mkv --output {{1}}=y.mkv {from}");
        let films = [x.as_path(), y.as_path()];
        let words = words.replace("{0}", bench.rig.output(0)).replace("{1}", bench.rig.output(1));
        let job = bench.job().outputs(2).push(films[0], "x.mkv").push(films[1], "y.mkv").record();
        let words = format!("play --display kms --loop 1 {words}");
        let end = bench.run(job.player(words.split_whitespace()).finish()).done();
        let got = frequency(&end.recording());
        assert!((got - want).abs() < 10.0, "{got} Hz, and it should be {want} Hz, with {from:?}");
        let n_frames = f64::from(30 * FILM_S);
        assert_eq!([figures(&end, 0), figures(&end, 1)], [[n_frames, 0.0, 0.0]; 2], "{:#}", end.stats());
    }
}

/// Of all that vkms offers, 800x600 has the refreshes furthest apart: 56.25 and 60.317 Hz.
fn each_has_the_refresh_of_its_film(bench: &Bench<'_>) {
    let (x, y) = (media::tone_film("320x240", "225/8", FILM_S), other_film("30"));
    let words = "--size 800x600 --audio none --output {0}=x.mkv --output {1}=y.mkv";
    let end = bench.run(play(bench, [&x, &y], words).finish()).done();
    let refresh = [0, 1].map(|it| end.figure(&format!("/outputs/{it}/refresh_hz")));
    assert!((refresh[0] - 56.25).abs() < 0.01 && (refresh[1] - 60.32).abs() < 0.01, "{refresh:?}");
    for output in [0, 1] {
        assert_eq!(figures(&end, output)[1..], [0.0, 0.0], "output {output}: {:#}", end.stats());
    }
    // Every frame of four seconds, each at its own display's rhythm.
    assert_eq!([figures(&end, 0)[0], figures(&end, 1)[0]], [113.0, 120.0]);
}

fn the_first_disturbs_no_other(bench: &Bench<'_>) {
    let (x, y) = (media::tone_film("320x240", "30", FILM_S), other_film("30"));
    let words = "--size 640x480 --audio none --output {0}=x.mkv --output {1}=y.mkv";
    let job = play(bench, [&x, &y], words).wait(Duration::from_secs(1)).unplug(0).wait(Duration::from_secs(1)).plug(0);
    let end = bench.run(job.finish()).done();
    let n_frames = f64::from(30 * FILM_S);
    assert_eq!(figures(&end, 1), [n_frames, 0.0, 0.0], "of the one that stayed: {:#}", end.stats());
    let first = figures(&end, 0);
    // One of four seconds was unseen there.
    assert!((0.7 * n_frames..0.78 * n_frames).contains(&first[0]) && first[1..] == [0.0, 0.0], "{first:?}");
    assert_eq!([end.figure("/display_lost"), end.figure("/display_regained")], [1.0, 1.0]);
}

/// What `--size` takes, of the modes that vkms offers: nothing but 60 Hz for most sizes.
fn the_mode_suits_the_film(bench: &Bench<'_>) {
    for (rate, size, want) in [
        // What the display prefers; nothing it has suits this film better.
        ("25", "auto", (1024, 768, 60.0)),
        ("225/8", "800x600", (800, 600, 56.25)),
        ("30", "800x600", (800, 600, 60.32)),
        ("225/8", "800x600@60", (800, 600, 60.32)),
        ("25", "1280x720", (1280, 720, 60.0)),
    ] {
        let words = format!("play film.mkv --display kms --size {size} --audio none --loop 1 --frames 20");
        let film = media::tone_film("320x240", rate, FILM_S);
        let end = bench.run(bench.job().push(&film, "film.mkv").player(words.split(' ')).finish()).done();
        let mode = end.stats().pointer("/outputs/0/mode").and_then(|it| it.as_str().map(str::to_owned));
        let hz = end.figure("/outputs/0/refresh_hz");
        let (width, height, want_hz) = want;
        let is_size = mode.as_ref().is_some_and(|it| it.starts_with(&format!("{width}x{height}")));
        assert!(is_size && (hz - want_hz).abs() < 0.01, "{rate} fps, --size {size}: {mode:?}, {hz} Hz");
        assert_eq!(end.figure("/missed_vblanks"), 0.0);
        if want_hz == 56.25 {
            // Two refreshes each, to the microsecond.
            let frames = end.frames();
            let off = frames.windows(2).map(|it| (it[1].presented_us - it[0].presented_us - 35_556).abs()).max();
            assert!(off <= Some(2), "{off:?} us");
        }
    }
}

fn what_is_not_there(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", FILM_S);
    let refused = |words: &str| {
        let words = format!("play film.mkv --display kms --audio none --loop 1 {words}");
        let end = bench.run(bench.job().push(&film, "film.mkv").player(words.split_whitespace()).finish());
        assert!(end.code == 1 || end.code == 2, "exit code {}\n{}", end.code, end.said());
        end.text("player.log")
    };
    // Mesa has its own words for a virtual card.
    let n_lines = |said: &str| said.lines().filter(|it| it.starts_with("lucarne: ")).count();
    let said = refused("--size 641x480");
    assert_eq!(n_lines(&said), 1, "{said}");
    let lists = ["641x480", "1024x768@60", "640x480@59.94", "--size"].iter().all(|it| said.contains(it));
    assert!(lists, "{said}");
    let said = refused("--output HDMI-A-9");
    assert!(["HDMI-A-9", "Virtual-1", "--output"].iter().all(|it| said.contains(it)), "{said}");
    assert!(!said.contains("Writeback") && n_lines(&said) == 1, "{said}");
    let said = refused("--size much");
    assert!(said.contains("much"), "{said}");
    // A second player, while the first one plays.
    let words = "play film.mkv --display kms --size 640x480 --audio none --loop 1";
    let second =
        "set +e; lucarne play film.mkv --display kms --audio none --loop 1 2>second.log; echo $? >second.code; set -e";
    let job = bench.job().push(&film, "film.mkv").player(words.split(' ')).wait(Duration::from_secs(1)).shell(second);
    let end = bench.run(job.finish()).done();
    let said = end.text("second.log");
    assert_eq!(end.text("second.code").trim(), "1", "{said}");
    let has_remedy = said.contains("another program controls the display") && said.contains("stop the other program");
    assert!(has_remedy && n_lines(&said) == 1, "{said}");
    assert_eq!(figures(&end, 0), [f64::from(30 * FILM_S), 0.0, 0.0], "the first one is not disturbed");
}

/// `tests/kms.rs`, which wants vkms and so runs in full on the board only.
fn the_presenter_conforms(bench: &Bench<'_>) {
    let job = bench.job().limit(Duration::from_secs(300)).push(&program("kms"), "kms");
    let end = bench.run(job.shell("LD_LIBRARY_PATH=/opt/lucarne/lib ./kms --skip a_codecs")).done();
    all_passed(&end, 1);
}
