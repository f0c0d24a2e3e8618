//! Live streams that drop: the last picture stays, the player tries again with growing patience, and goes on without a new
//! decoder when what comes back is what it was.
//!
//! The streams come over HTTP from a server on the loopback. RTSP is not tested here: nothing on the loopback serves it.
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/child.rs"]
mod child;
#[allow(dead_code, reason = "the recipes of other tests are in it, too")]
#[path = "../support/media.rs"]
mod media;
mod server;

use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::child::Ended;
use crate::server::{Film, Server, Then, Turn};

/// Past this a player hangs.
const LIMIT: Duration = Duration::from_secs(90);
/// How long the input may be silent here, instead of ten seconds.
const PATIENCE: Duration = Duration::from_secs(1);
/// Waiting for a thread's turn costs this much on a busy machine.
const SLACK: Duration = Duration::from_millis(400);

/// Streams are sent by the clock: they would disturb each other.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const LENGTH: u64 = 6;

/// Six seconds that are never black and never stand still, with keyframes five times a second.
fn film(name: &str, size: &str, more: &[&str]) -> Film {
    let source = format!("testsrc2=size={size}:rate=25:duration={LENGTH}");
    let codec = ["-g", "5", "-bf", "2", "-b:v", "300k", "-muxdelay", "0.1", "-f", "mpegts"];
    let path = media::made(name, &[&["-f", "lavfi", "-i", &source], more, &codec].concat());
    Film { bytes: Arc::new(std::fs::read(path).expect("read")), length: Duration::from_secs(LENGTH) }
}

fn h264() -> Film {
    film("live-h264.ts", "160x90", &["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"])
}

const fn seconds(it: u64) -> Duration {
    Duration::from_secs(it)
}

/// A line of the frame log.
#[derive(Debug)]
struct Line {
    pts_us: i64,
    presented_us: i64,
    crc32: String,
}

/// A run, and all that it left.
struct Run {
    ended: Ended,
    stats: Value,
    lines: Vec<Line>,
}

/// Plays `url` for so long, counted from its first picture.
#[track_caller]
fn play(url: &str, duration: Duration, more: &[&str]) -> Run {
    let folder = TempDir::new().expect("a folder");
    let (stats, log) = (folder.path().join("stats.json"), folder.path().join("frames.csv"));
    let mut command = Command::new(child::LUCARNE);
    command.args(["play", "--display", "headless", "--size", "64x36", "--framelog-crc", "--framelog"]).arg(&log);
    command.args(["--io-timeout", &PATIENCE.as_secs().to_string(), "--duration", &duration.as_secs_f64().to_string()]);
    command.arg("--stats").arg(&stats).args(more).arg(url);
    let ended = child::run(command, LIMIT);
    assert_eq!((ended.fault(), ended.code()), (None, Some(0)), "{ended:?}");
    let text = std::fs::read_to_string(&log).expect("a frame log");
    let line = |it: &str| {
        let parts: Vec<_> = it.split(',').collect();
        let [_, _, _, pts, presented, _, _, crc] = parts[..] else { panic!("{it:?}") };
        Line { pts_us: pts.parse().expect("µs"), presented_us: presented.parse().expect("µs"), crc32: crc.to_owned() }
    };
    Run { ended, stats: child::stats(&stats), lines: text.lines().skip(1).map(line).collect() }
}

impl Run {
    fn count(&self, key: &str) -> u64 {
        self.stats[key].as_u64().unwrap_or_else(|| panic!("{key} is not in {}", self.stats))
    }

    /// Times on the stream's own timeline grow, and nothing black or frozen is among the pictures.
    #[track_caller]
    fn goes_on(&self) {
        for pair in self.lines.windows(2) {
            assert!(pair[0].pts_us < pair[1].pts_us, "{pair:?}");
            assert!(pair[0].presented_us < pair[1].presented_us, "{pair:?}");
        }
        let black = format!("{:08x}", crc32fast::hash(&[0, 0, 0, 255].repeat(64 * 36)));
        assert!(self.lines.iter().all(|it| it.crc32 != black), "a black picture was shown");
    }

    /// The longest time one picture stayed, and how many came after it.
    fn longest_stay(&self) -> (Duration, usize) {
        let stays = self.lines.windows(2).map(|it| it[1].presented_us - it[0].presented_us);
        let (index, stay) = stays.enumerate().max_by_key(|it| it.1).expect("more than one picture");
        (Duration::from_micros(stay.unsigned_abs()), self.lines.len() - index - 1)
    }
}

/// Waits between the end of an answer and the next request, as the server saw them.
fn waits(server: &Server) -> Vec<Duration> {
    let asked = server.asked();
    asked.windows(2).map(|it| it[1].at.saturating_sub(it[0].until.expect("over"))).collect()
}

#[track_caller]
fn about(what: &str, got: Duration, want: Duration) {
    // The server may notice late that a client is gone, never early; the player waits for at least as long as it says.
    assert!(
        want.saturating_sub(Duration::from_millis(50)) <= got && got <= want + SLACK,
        "{what}: {got:?}, not {want:?}"
    );
}

#[test]
fn a_stream_that_is_closed_comes_back_with_the_same_decoder() {
    let _turn = one_at_a_time();
    let film = h264();
    let server = Server::scripted(vec![
        Turn::Film(film.clone(), seconds(2), Then::Close),
        Turn::Status("404 Not Found"),
        Turn::Status("500 Internal Server Error"),
        Turn::Film(film, seconds(60), Then::Stall),
    ]);
    let it = play(&server.url("live.ts"), Duration::from_millis(8500), &["--audio", "none"]);
    let all = (server.asked(), &it.stats, &it.ended.stderr);
    assert_eq!((it.count("reconnects"), it.count("decoders_opened")), (1, 1), "{all:?}");
    it.goes_on();
    let waits = waits(&server);
    for (index, want) in [500, 1000, 2000].into_iter().enumerate() {
        about("back-off", waits[index], Duration::from_millis(want));
    }
    let (stay, after) = it.longest_stay();
    // The waits add up to 3.5 s; what was read ahead and a late start on a busy machine hide some of it.
    assert!(seconds(1) < stay && 50 < after, "stayed {stay:?}, {after} after it: {all:?}");
    assert_eq!(it.ended.stderr.lines().count(), 3, "{all:?}");
    assert!(it.ended.stderr.contains("404") && it.ended.stderr.contains("trying again in 2.0 s"), "{all:?}");
}

#[test]
fn a_stream_that_stalls_is_given_up_in_time_and_comes_back() {
    let _turn = one_at_a_time();
    let film = h264();
    let script = vec![Turn::Film(film.clone(), seconds(2), Then::Stall), Turn::Film(film, seconds(60), Then::Stall)];
    let server = Server::scripted(script);
    let it = play(&server.url("live.ts"), Duration::from_millis(5500), &["--audio", "none"]);
    let all = (server.asked(), &it.stats, &it.ended.stderr);
    assert_eq!((it.count("reconnects"), it.count("decoders_opened")), (1, 1), "{all:?}");
    it.goes_on();
    let asked = server.asked();
    // All of the two seconds has been sent after one; then a second of silence, and half a second of patience.
    about("stall", asked[1].at - asked[0].at, seconds(1) + PATIENCE + Duration::from_millis(500));
    assert!(it.ended.stderr.contains("no answer for 1s"), "{all:?}");
    assert!(20 < it.longest_stay().1, "{all:?}");
}

#[test]
fn a_stream_that_comes_back_as_something_else_gets_another_decoder() {
    let _turn = one_at_a_time();
    let larger = film("live-larger.ts", "320x180", &["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]);
    let mpeg2 = film("live-mpeg2.ts", "160x90", &["-c:v", "mpeg2video"]);
    for (what, other) in [("larger", larger), ("MPEG-2", mpeg2)] {
        let script = vec![Turn::Film(h264(), seconds(2), Then::Close), Turn::Film(other, seconds(60), Then::Stall)];
        let server = Server::scripted(script);
        let it = play(&server.url("live.ts"), seconds(5), &["--audio", "none"]);
        let all = (what, server.asked(), &it.stats, &it.ended.stderr);
        assert_eq!((it.count("reconnects"), it.count("decoders_opened")), (1, 2), "{all:?}");
        it.goes_on();
        assert!(20 < it.longest_stay().1, "{all:?}");
    }
}

#[test]
fn timestamps_that_jump_back_cost_nothing() {
    let _turn = one_at_a_time();
    let film =
        film("live-short.ts", "160x90", &["-t", "2", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]);
    let film = Film { length: seconds(2), ..film };
    let server = Server::scripted(vec![Turn::Film(film, seconds(2), Then::Again)]);
    let it = play(&server.url("live.ts"), seconds(7), &["--audio", "none"]);
    let all = (server.asked(), &it.stats, &it.ended.stderr);
    assert_eq!((it.count("reconnects"), it.count("decoders_opened"), it.ended.stderr.as_str()), (0, 1, ""), "{all:?}");
    it.goes_on();
    // Pictures that were waiting when the clock broke may be lost, the flow is not.
    assert!(150 < it.lines.len(), "{} pictures in seven seconds: {all:?}", it.lines.len());
    assert!(it.longest_stay().0 < Duration::from_millis(500), "{:?}: {all:?}", it.longest_stay());
}

#[test]
fn sound_comes_back_with_the_picture() {
    let _turn = one_at_a_time();
    let tone = format!("sine=frequency=440:sample_rate=48000:duration={LENGTH}");
    let codecs =
        ["-f", "lavfi", "-i", &tone, "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "mp2"];
    let film = film("live-sound.ts", "160x90", &codecs);
    let script = vec![Turn::Film(film.clone(), seconds(2), Then::Close), Turn::Film(film, seconds(60), Then::Stall)];
    let server = Server::scripted(script);
    let it = play(&server.url("live.ts"), seconds(6), &["--audio", "synthetic"]);
    let all = (server.asked(), &it.stats, &it.ended.stderr);
    assert_eq!((it.count("reconnects"), it.count("decoders_opened")), (1, 1), "{all:?}");
    it.goes_on();
    assert!(40 < it.longest_stay().1, "{all:?}");
    let offset = it.stats["av_offset_ms"]["p95"].as_f64().expect("measured");
    assert!(offset < 60.0, "{all:?}");
}

/// A window of three segments of a second that moves on as time goes by; away from 5 s to 8 s.
#[test]
fn an_hls_playlist_that_goes_away_comes_back() {
    let _turn = one_at_a_time();
    let source = "testsrc2=size=160x90:rate=25:duration=24";
    let arguments = ["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"];
    let film = media::made("hls.ts", &[&arguments[..], &["-g", "25", "-muxdelay", "0", "-f", "mpegts"]].concat());
    let segments = cut(&film, 24);
    let server = Server::of_pages(move |path, age| {
        let second = age.as_secs() as usize;
        if (5..8).contains(&second) {
            return None;
        }
        if path == "/live.m3u8" {
            let mut text =
                format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{second}\n");
            (second..second + 3).for_each(|it| text += &format!("#EXTINF:1.0,\n{it}.ts\n"));
            return Some(text.into_bytes());
        }
        let number = path.strip_prefix('/')?.strip_suffix(".ts")?.parse::<usize>().ok()?;
        segments.get(number).cloned()
    });
    let it = play(&server.url("live.m3u8"), seconds(17), &["--audio", "none"]);
    let all = (server.asked().len(), &it.stats, &it.ended.stderr);
    it.goes_on();
    assert_eq!(it.count("decoders_opened"), 1, "{all:?}");
    let (stay, after) = it.longest_stay();
    assert!(seconds(1) < stay && 60 < after, "stayed {stay:?}, {after} after it: {all:?}");
}

/// A transport stream cut into pieces that begin with a keyframe each.
fn cut(film: &std::path::Path, pieces: usize) -> Vec<Vec<u8>> {
    let folder = TempDir::new().expect("a folder");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(film)
        .args(["-c", "copy", "-f", "segment", "-segment_time", "1", "-segment_format", "mpegts"])
        .arg(folder.path().join("%d.ts"))
        .status()
        .expect("the ffmpeg program is installed");
    assert!(status.success());
    (0..pieces).map(|it| std::fs::read(folder.path().join(format!("{it}.ts"))).expect("a piece")).collect()
}
