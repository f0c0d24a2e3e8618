//! Films by the codec while something goes wrong: what plays them on the board, and what must hold of them.
use std::path::PathBuf;
use std::time::Duration;

use crate::case::Bench;
use crate::media;
use crate::rig::{Codec, Ended, Job};

/// How long a viewer looks at one picture, at most.
const RESUMES_WITHIN_US: i64 = 1_000_000;
/// The film's length, after which it begins again; a key frame comes each second.
const FILM_S: u32 = 2;

/// For all jobs of this file, whose films are played one after the other in one go: what is left of each lies in a folder
/// of its own, beside the checksums of a black screen.
///
/// `film FOLDER WORDS...` plays. `film_failing FOLDER RULE WORDS...` plays while the codec's driver lets calls fail as RULE
/// says; how many it was is left in `hits.txt`. `film_with FOLDER CALL NTH FAULT WORDS...` plays with a fault at the NTH call
/// on the graphics card that matches CALL: how many come before that differs by a few from run to run, so the neighbours are
/// tried too. Nobody looks at the screen's checksums, which cost the board as much as all else, where `blind` is set.
const HELPERS: &str = r#"
eye='' blind=''
parameters=/sys/module/bcm2835_codec_twin/parameters driver=/sys/bus/platform/drivers/bcm2835-codec
card=$(echo /sys/class/drm/card*-Virtual-1); card=${card##*/}; card=/dev/dri/${card%-Virtual-1}
screen=(--display kms --size 640x480 --audio none)
codec() { echo "$2" >"$parameters/$1"; }
look() { sleep 0.5; exec cat "$(crc_of 0)"; }
# The player, or strace with it, under watch.
watched() {
    if [[ $blind ]]; then : >blind.txt; else look >crc-0.txt 2>eye.txt & eye=$!; fi
    code=0
    "$@" "${screen[@]}" --stats stats.json --framelog frames.csv 2>player.log || code=$?
    [[ $blind ]] || { kill "$eye" || true; wait "$eye" || true; }
}
keep() {
    mkdir "$1"
    echo "$code" >"$1/code"
    mv ./*.json ./*.csv ./*.txt player.log "$1/"
    code=0
}
film() { watched lucarne "${@:2}"; keep "$1"; }
film_failing() {
    codec fail "$2"
    watched lucarne "${@:3}"
    cat "$parameters/fail" >hits.txt
    codec fail ''
    keep "$1"
}
traced() { strace -f --seccomp-bpf -qq -P "$card" -e trace=ioctl "$@"; }
film_with() {
    local folder=$1 call=$2 nth=$3 fault=$4 at by
    shift 4
    traced -o calls lucarne "$@" "${screen[@]}" 2>calls.log || true
    at=$(awk -v call="$call" -v nth="$nth" '/ resumed>/ { next } { n[$1]++ } $0 ~ call && ++seen == nth { print n[$1]; exit }' calls)
    [[ $at ]] || { echo "there is no call $nth of $call" >&2; exit 99; }
    for by in 0 -1 1 -2 2 -3 3 -4 4; do
        watched traced -o faults.txt -e "inject=ioctl:$fault:when=$((at + by))" lucarne "$@"
        if grep -q "$call.*INJECTED" faults.txt; then keep "$folder"; return; fi
    done
    echo "the fault hit another call: $(grep INJECTED faults.txt)" >&2
    exit 99
}
film black play black.png --duration 1
"#;

pub(super) fn seconds(it: f64) -> Duration {
    Duration::from_secs_f64(it)
}

/// A film with other pictures all the time, in the screen's size or another.
pub(super) fn film(size: &str, seconds: &str, ending: &str) -> PathBuf {
    let picture = format!("testsrc2=size={size}:rate=25:duration={seconds}");
    let name = format!("codec-faults-{size}-{seconds}.{ending}");
    let codec = "-c:v libx264 -preset veryfast -threads 1 -pix_fmt yuv420p -g 25 -bf 2 -sc_threshold 0";
    let words = ["-f", "lavfi", "-i", &picture].into_iter().chain(codec.split(' '));
    media::made(&name, &words.collect::<Vec<_>>())
}

/// The words to play the film for so many seconds.
pub(super) fn play(length: f64) -> String {
    format!("play film.mp4 --loop forever --duration {length}")
}

/// A job that has the film.
pub(super) fn job(bench: &Bench<'_>) -> Job {
    let words = ["-f", "lavfi", "-i", "color=black:size=640x480", "-frames:v", "1"];
    let job = bench.job().codec(Codec::PI).limit(seconds(600.0));
    let job = job.push(&media::made("black-640x480.png", &words), "black.png");
    job.push(&film("640x480", &FILM_S.to_string(), "mp4"), "film.mp4").shell(HELPERS)
}

/// One film of a job.
#[track_caller]
pub(super) fn part(end: &Ended, name: &str) -> Ended {
    let code = end.text(&format!("{name}/code")).trim().parse().unwrap_or(-1);
    let (stdout, stderr, took) = (String::new(), format!("{name}: {}", end.stderr), end.took);
    Ended { code, timed_out: false, stdout, stderr, took, uptime: None, folder: end.folder.join(name) }
}

/// Checksums cost the board more than all else: some cases have them in a soak only.
pub(super) fn dear(bench: &Bench<'_>, job: Job) -> Job {
    job.shell(bench.amount("blind=yes", ""))
}

/// No vblank was black, where that was looked at.
#[track_caller]
pub(super) fn never_black(end: &Ended, film: &Ended) {
    if film.folder.join("blind.txt").exists() {
        return;
    }
    let crcs = film.crcs(0);
    assert!(crcs.len() > 30, "{} vblanks were seen\n{}", crcs.len(), film.said());
    let black = part(end, "black").crcs(0).last().map(|it| it.1).unwrap_or_else(|| panic!("no black\n{}", end.said()));
    let dark: Vec<u64> = crcs.iter().filter(|it| it.1 == black).map(|it| it.0 - crcs[0].0).collect();
    assert!(dark.is_empty(), "black at vblanks {dark:?} of {}\n{}", crcs.len(), film.said());
}

/// No picture stood for longer than a second, the film was seen up to its end, at its place, and nothing was given up.
#[track_caller]
pub(super) fn goes_on(end: &Ended, length: f64) {
    let frames = end.frames();
    let last = frames.last().unwrap_or_else(|| panic!("nothing was seen\n{}", end.said()));
    let longest = frames.windows(2).max_by_key(|it| it[1].presented_us - it[0].presented_us).unwrap();
    let stood = longest[1].presented_us - longest[0].presented_us;
    assert!(stood < RESUMES_WITHIN_US, "a picture stood for {stood} us: {longest:?}\n{}", end.said());
    assert!((length - 0.25) * 1e6 < last.presented_us as f64, "the last picture came early: {last:?}\n{}", end.said());
    let place = |at: usize| {
        let it = &frames[at];
        it.pts_us + it.lap * i64::from(FILM_S) * 1_000_000 - it.presented_us
    };
    let moved = place(frames.len() - 1) - place(10);
    assert!(moved.abs() < 60_000, "it lost its place by {moved} us\n{}", end.said());
    let reason = end.stats().pointer("/items/0/reason").cloned().unwrap_or_default();
    assert!(reason.is_null(), "given up: {reason}");
}

/// The statistics name the step from one thing to another, with the reason.
#[track_caller]
pub(super) fn fell_back(end: &Ended, from: &str, to: &str, reason: &str) {
    let stats = end.stats();
    let all = stats["fallbacks"].as_array().cloned().unwrap_or_default();
    let is_it = |it: &serde_json::Value| {
        it["from"] == from && it["to"] == to && it["reason"].as_str().is_some_and(|it| it.contains(reason))
    };
    assert!(all.iter().any(is_it), "{from} to {to}, {reason:?}, in {all:?}\n{}", end.said());
}

#[track_caller]
pub(super) fn decoder_was(end: &Ended, name: &str) {
    assert_eq!(end.stats()["decoder"], name, "{}", end.said());
}
