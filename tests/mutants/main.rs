//! A property of the whole player: whatever is done to a file, it ends in an orderly way, in time and within its memory.
//!
//! Each mutant is played by a process of its own, so that a crash inside FFmpeg fails one case, which is named by its seed
//! and kept beside the build. `LUCARNE_MUTANTS=from..to` plays other seeds than the usual ones, `LUCARNE_MUTANTS=seed`
//! a single one again. What became of them all is left in `mutants-*.txt` beside them.
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/child.rs"]
mod child;
#[allow(dead_code, reason = "the recipes of other tests are in it, too")]
#[path = "../support/media.rs"]
mod media;
mod mutate;

use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutate::mutant;

/// Seeds of a usual run, dealt out to the files in turn.
const SEEDS: Range<u64> = 0..2100;
/// Seeds of a usual run with sound. Sound is heard in real time only, so each of these takes as long as it plays.
const SEEDS_WITH_SOUND: Range<u64> = 0..300;
/// A mutant of a second's film that plays longer than this hangs. Other processes may want the processor, too.
const LIMIT: Duration = Duration::from_secs(30);
/// Memory that is written to (`ulimit -d`, KiB): four times what the renderer and a small film take.
const MEMORY_KIB: u64 = 1 << 20;
/// Processes at a time: what the smallest machine that runs these tests has processors.
const AT_A_TIME: usize = 2;
/// Of those that mostly wait for what they play.
const AT_A_TIME_WITH_SOUND: usize = 4;

/// Two sets at once would only wait for each other.
static ONE_SET_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What became of all mutants of a run.
#[derive(Debug, Default)]
struct Tally {
    played: u64,
    refused: u64,
    slowest: Duration,
    faults: Vec<String>,
}

/// One kind of file to be damaged.
struct Kind {
    name: &'static str,
    whole: Vec<u8>,
}

fn kinds(paths: Vec<(&'static str, PathBuf)>) -> Vec<Kind> {
    paths.into_iter().map(|(name, path)| Kind { name, whole: std::fs::read(path).expect("read") }).collect()
}

/// How mutants are played.
struct Manner {
    what: &'static str,
    at_a_time: usize,
    arguments: &'static [&'static str],
}

const SILENT: Manner = Manner {
    what: "pictures",
    at_a_time: AT_A_TIME,
    arguments: &["--pace", "fast", "--frames", "8", "--audio", "none"],
};

const WITH_SOUND: Manner = Manner {
    what: "sound",
    at_a_time: AT_A_TIME_WITH_SOUND,
    arguments: &["--duration", "0.4", "--audio", "synthetic"],
};

/// The player, which the shell becomes after it has set the limit.
fn player(arguments: &[&str]) -> Command {
    let mut it = Command::new("sh");
    it.args(["-c", "ulimit -c 0; ulimit -d \"$0\"; exec \"$@\""]).arg(MEMORY_KIB.to_string());
    it.args([child::LUCARNE, "play", "--display", "headless", "--size", "64x36"]).args(arguments);
    it
}

/// Plays one mutant; the fault, if it has one.
fn play(path: &Path, arguments: &[&str]) -> (Option<String>, Option<i32>, Duration) {
    let mut command = player(arguments);
    command.arg(path);
    let ended = child::run(command, LIMIT);
    let odd_code = match ended.code() {
        Some(0 | 1) | None => None,
        Some(code) => Some(format!("exit code {code}")),
    };
    let silent =
        (ended.code() == Some(1) && ended.stderr.trim().is_empty()).then(|| "exit code 1 without a word".to_owned());
    let long = (40 < ended.stderr.lines().count()).then(|| "more than 40 lines of complaints".to_owned());
    let fault = ended.fault().or(odd_code).or(silent).or(long).map(|it| format!("{it}: {:?}", ended.stderr));
    (fault, ended.code(), ended.took)
}

/// Plays the mutants of `kinds` with these seeds.
fn play_all(kinds: &[Kind], seeds: Range<u64>, manner: &Manner) -> Tally {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    std::fs::create_dir_all(&folder).expect("the target folder can be written to");
    let next = AtomicU64::new(seeds.start);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..manner.at_a_time {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seeds.end <= seed {
                        return;
                    }
                    let kind = &kinds[seed as usize % kinds.len()];
                    let path = folder.join(format!("{}-{seed}-{}", manner.what, kind.name));
                    std::fs::write(&path, mutant(&kind.whole, seed)).expect("written");
                    let (fault, code, took) = play(&path, manner.arguments);
                    let mut tally = tally.lock().expect("nobody panics with it");
                    tally.played += u64::from(code == Some(0));
                    tally.refused += u64::from(code == Some(1));
                    tally.slowest = tally.slowest.max(took);
                    match fault {
                        Some(it) => {
                            tally.faults.push(format!("seed {seed}, {}: {it}; kept as {}", kind.name, path.display()))
                        }
                        None => std::fs::remove_file(&path).expect("removed"),
                    }
                }
            });
        }
    });
    tally.into_inner().expect("nobody panicked with it")
}

/// Other seeds than the usual ones, where somebody asks for them.
fn seeds_or(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("LUCARNE_MUTANTS") else { return usual };
    let number = |it: &str| it.parse().unwrap_or_else(|_| panic!("LUCARNE_MUTANTS={text}: not a seed or from..to"));
    match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&text)..number(&text) + 1,
    }
}

#[track_caller]
fn check(manner: &Manner, kinds: &[Kind], usual: Range<u64>) {
    let _turn = ONE_SET_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let started = Instant::now();
    let seeds = seeds_or(usual.clone());
    let tally = play_all(kinds, seeds.clone(), manner);
    let mut summary = String::new();
    write!(
        summary,
        "{}: seeds {seeds:?}: {} played, {} refused, {} faulty in {:.1} s, the slowest {:.2} s",
        manner.what,
        tally.played,
        tally.refused,
        tally.faults.len(),
        started.elapsed().as_secs_f64(),
        tally.slowest.as_secs_f64()
    )
    .expect("a string takes all");
    let figures = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutants-{}.txt", manner.what));
    std::fs::write(figures, format!("{summary}\n")).expect("the target folder can be written to");
    assert!(tally.faults.is_empty(), "{summary}\n{}", tally.faults.join("\n"));
    if seeds == usual {
        // Damage that ruins every file, or none, would test nothing.
        let all = seeds.end - seeds.start;
        assert!(all / 4 < tally.played && all / 50 < tally.refused, "{summary}");
    }
}

/// A short film, so that a mutant is small and damage is likely to matter.
fn tiny(name: &'static str, codec: &[&str]) -> (&'static str, PathBuf) {
    (name, media::silent(name, "testsrc2=size=96x64:rate=25:duration=0.6", codec))
}

#[test]
fn damaged_pictures_and_films_never_bring_the_player_down() {
    let kinds = kinds(vec![
        tiny("h264.mp4", media::H264),
        tiny("h264.mkv", media::H264),
        tiny("h264.ts", media::H264),
        tiny("mpeg2.mpg", media::MPEG2),
        tiny("mjpeg.avi", media::MJPEG),
        tiny("vp9.webm", media::VP9),
        tiny("hevc.mp4", media::HEVC),
        tiny("mpeg4.avi", &["mpeg4", "-q:v", "4"]),
        tiny("theora.ogv", &["libtheora", "-q:v", "6"]),
        tiny("h264.flv", media::H264),
        tiny("film.gif", &["gif"]),
        ("still.png", media::still("mutant.png", "rgb24")),
        ("still.jpg", media::still("mutant.jpg", "yuvj420p")),
        ("still.webp", media::still("mutant.webp", "yuv420p")),
    ]);
    check(&SILENT, &kinds, SEEDS);
}

/// The same with sound beside it.
fn talking(name: &'static str, codecs: &[&str]) -> (&'static str, PathBuf) {
    let picture = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.6"];
    let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=0.6,aformat=channel_layouts=5.1"];
    (name, media::made(name, &[&picture[..], &tone, codecs].concat()))
}

#[test]
fn damaged_sound_never_brings_the_player_down() {
    let h264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"];
    let kinds = kinds(vec![
        talking("aac.mp4", &[&h264[..], &["-c:a", "aac"]].concat()),
        talking("opus.mkv", &[&h264[..], &["-c:a", "libopus"]].concat()),
        talking("flac.mkv", &[&h264[..], &["-c:a", "flac"]].concat()),
        talking("ac3.ts", &[&h264[..], &["-c:a", "ac3"]].concat()),
        talking("mp2.mpg", &["-c:v", "mpeg2video", "-c:a", "mp2", "-ac", "2"]),
        talking("mp3.avi", &["-c:v", "mjpeg", "-c:a", "libmp3lame", "-ac", "2"]),
        talking("pcm.mkv", &[&h264[..], &["-c:a", "pcm_s16le"]].concat()),
        talking("vorbis.webm", &["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"]),
    ]);
    check(&WITH_SOUND, &kinds, SEEDS_WITH_SOUND);
}
