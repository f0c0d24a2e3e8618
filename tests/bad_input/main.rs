//! What cannot be played: one line that says what, why and what to do; exit code 1 when nothing else was to be played; in
//! company, the others play as if it were not there. Never a crash, never a wait without an end, never much memory.
#[path = "../support/child.rs"]
mod child;
mod made;
#[allow(dead_code, reason = "the recipes of other tests are in it, too")]
#[path = "../support/media.rs"]
mod media;
mod server;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::child::Ended;

/// Past this a case hangs. Generous: other processes may want the processor, too.
const LIMIT: Duration = Duration::from_secs(60);
/// No case may take more. About 130 MiB of it are the renderer that stands in for a GPU.
const MEMORY_KIB: u64 = 400 << 10;

/// One run, and its statistics where it wrote them.
struct Run {
    ended: Ended,
    stats: Option<Value>,
}

impl Run {
    fn lines(&self) -> Vec<&str> {
        self.ended.stderr.lines().collect()
    }
}

/// Runs `command` with statistics; it must end in an orderly way, whatever it was given.
#[track_caller]
fn run(mut command: Command) -> Run {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("stats.json");
    command.arg("--stats").arg(&path);
    let ended = child::run(command, LIMIT);
    assert_eq!(ended.fault(), None, "{ended:?}");
    let stats = path.exists().then(|| child::stats(&path));
    if let Some(it) = &stats {
        let peak = it["peak_rss_kib"].as_u64().expect("measured");
        assert!(peak < MEMORY_KIB, "{peak} KiB: {ended:?}");
    }
    Run { ended, stats }
}

#[track_caller]
fn run_fast(inputs: &[&Path], more: &[&str]) -> Run {
    let mut command = child::fast();
    command.args(more).args(inputs);
    run(command)
}

/// The run told of one thing that is no good, in one line that says what, why (in `why`) and what to do.
#[track_caller]
fn told_once(run: &Run, what: &str, why: &str) {
    let lines = run.lines();
    let [line] = lines.as_slice() else { panic!("{what}: not one line: {lines:?}") };
    for part in [what, why, "; "] {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
    let after = line.rsplit("; ").next().unwrap_or_default();
    assert!(after.split_whitespace().count() > 2, "no advice in {line:?}");
    // Where FFmpeg was, and in what, is no news to anybody.
    assert!(!line.contains(" @ 0x"), "{line:?}");
}

/// A file that cannot be played: alone it is an error of one line, in company it is stepped over.
#[track_caller]
fn refused(path: &Path, why: &str) {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let alone = run_fast(&[path], &[]);
    assert_eq!(alone.ended.code(), Some(1), "{name}: {:?}", alone.ended);
    told_once(&alone, &name, why);
    let stats = alone.stats.expect("statistics of a run that played nothing");
    assert_eq!(stats["items"][0]["outcome"], "skipped", "{name}");
    let reason = stats["items"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains(why), "{name}: {reason}");

    let (first, last) = good();
    let company = run_fast(&[&first, path, &last], &["--loop", "2"]);
    assert_eq!(company.ended.code(), Some(0), "{name}: {:?}", company.ended);
    told_once(&company, &name, why);
    let stats = company.stats.expect("statistics");
    let figures: Vec<_> =
        (0..3).map(|it| (&stats["items"][it]["outcome"], stats["items"][it]["frames_presented"].as_u64())).collect();
    assert_eq!(
        figures,
        [(&"played".into(), Some(60)), (&"skipped".into(), Some(0)), (&"played".into(), Some(40))],
        "{name}"
    );
    assert_eq!(stats["frames_presented"], 100, "{name}");
    assert_eq!(stats["seams"]["worst_gap_frames"], 0, "{name}: {}", stats["seams"]);
}

/// Two films that are all right, of 30 and 20 frames.
fn good() -> (PathBuf, PathBuf) {
    (media::film("h264.mp4"), media::film("vp9.webm"))
}

/// A folder for files of one test, and a way to put some there.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    #[track_caller]
    fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }
}

#[test]
fn what_is_not_media_at_all_is_refused() {
    let folder = Folder::new();
    let program = std::fs::read("/bin/sh").expect("a program");
    let text = b"Dear viewer,\nthis is a letter, not a film.\n".repeat(40);
    for (name, bytes, why) in [
        ("empty.mp4", &b""[..], "the file is empty"),
        ("one-byte.mp4", b"x", "not a media file"),
        ("noise.mp4", &made::noise(200_000), "not a media file"),
        ("noise", &made::noise(3000), "not a media file"),
        ("letter.mp4", &text, "not a media file"),
        ("letter.png", &text, "Invalid PNG signature"),
        ("program.mkv", &program, "not a media file"),
        ("zeros.ts", &[0; 100_000], "not a media file"),
    ] {
        refused(&folder.put(name, bytes), why);
    }
}

#[test]
fn what_is_not_a_file_is_refused() {
    let folder = Folder::new();
    refused(&folder.path().join("missing.mp4"), "there is no such file");
    refused(&folder.path().join("no/such/folder/film.mp4"), "there is no such file");
    let pipe = folder.path().join("pipe.mp4");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    refused(&pipe, "a pipe, a socket or a device");
    refused(Path::new("/dev/zero"), "a pipe, a socket or a device");
    refused(Path::new(&format!("file://{}", folder.path().display())), "it is a folder");
    std::os::unix::fs::symlink("loop.mp4", folder.path().join("loop.mp4")).expect("a link");
    refused(&folder.path().join("loop.mp4"), "symbolic links");
}

#[test]
fn a_file_that_may_not_be_read_is_refused() {
    let folder = Folder::new();
    let film = folder.path().join("secret.mp4");
    std::fs::copy(good().0, &film).expect("copied");
    std::fs::set_permissions(&film, PermissionsExt::from_mode(0o000)).expect("forbidden");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("opened");
    let mut command = child::fast();
    if std::fs::metadata(&film).expect("its owner").uid() == 0 {
        // Root may read anything; nobody may not. The program must be somewhere that nobody may go.
        let program = folder.path().join("lucarne");
        std::fs::copy(child::LUCARNE, &program).expect("copied");
        let mut nobody = Command::new(program);
        nobody.args(command.get_args()).uid(65534).gid(65534).env("HOME", "/nonexistent").current_dir("/");
        command = nobody;
    }
    command.arg(&film);
    // It may not write into the folder of the statistics either.
    let ended = child::run(command, LIMIT);
    assert_eq!((ended.fault(), ended.code()), (None, Some(1)), "{ended:?}");
    told_once(&Run { ended, stats: None }, "secret.mp4", "permission denied");
}

#[test]
fn what_is_cut_short_plays_as_far_as_it_goes() {
    let folder = Folder::new();
    let mp4 = std::fs::read(good().0).expect("read");
    // Its index is at its end.
    refused(&folder.put("cut.mp4", &mp4[..mp4.len() / 2]), "moov atom not found");
    for name in ["h264.mkv", "h264.ts", "vp9.webm", "mpeg2.mpg", "mjpeg.avi"] {
        let whole = std::fs::read(media::film(name)).expect("read");
        refused(&folder.put(format!("header-{name}"), &whole[..20]), "");
        let half = folder.put(format!("half-{name}"), &whole[..whole.len() / 2]);
        let it = run_fast(&[&half], &[]);
        assert_eq!(it.ended.code(), Some(0), "{name}: {:?}", it.ended);
        let frames = it.stats.expect("statistics")["frames_presented"].as_u64().expect("counted");
        assert!((5..30).contains(&frames), "{name}: {frames}");
    }
}

#[test]
fn damage_in_the_middle_costs_what_is_damaged() {
    let folder = Folder::new();
    for (name, frames) in
        [("h264.mp4", 30), ("h264.mkv", 30), ("h264.ts", 30), ("vp9.webm", 20), ("mpeg2.avi", 30), ("hevc.mkv", 30)]
    {
        let mut bytes = std::fs::read(media::film(name)).expect("read");
        let middle = bytes.len() / 3;
        let noise = made::noise(bytes.len() / 10);
        bytes[middle..middle + noise.len()].copy_from_slice(&noise);
        let it = run_fast(&[&folder.put(format!("hole-{name}"), &bytes)], &[]);
        assert_eq!(it.ended.code(), Some(0), "{name}: {:?}", it.ended);
        // FFmpeg says a hundred things about that; none is for the user.
        assert!(it.lines().len() <= 1, "{name}: {:?}", it.lines());
        let stats = it.stats.expect("statistics");
        let shown = stats["frames_presented"].as_u64().expect("counted");
        assert!((frames / 3..=frames).contains(&shown), "{name}: {shown}");
    }
}

#[test]
fn what_has_no_film_in_it_is_refused() {
    let sound = ["-f", "lavfi", "-i", media::TONE];
    refused(&media::made("sound.mp3", &sound), "there is no picture in it (sound: mp3)");
    refused(
        &media::made("sound.m4a", &[&sound[..], &["-c:a", "aac"]].concat()),
        "there is no picture in it (sound: aac)",
    );
    let cover = media::still("cover.png", "rgb24");
    let cover = [
        "-i",
        cover.to_str().expect("UTF-8"),
        "-map",
        "0:a",
        "-map",
        "1:v",
        "-c:v",
        "copy",
        "-disposition:v",
        "attached_pic",
    ];
    refused(&media::made("cover.mp3", &[&sound[..], &cover].concat()), "a cover picture: png");
    let folder = Folder::new();
    refused(
        &folder.put("words.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"),
        "there is no picture in it (subtitles",
    );
}

#[test]
fn a_codec_nobody_knows_is_refused_by_name() {
    let folder = Folder::new();
    let film = std::fs::read(good().0).expect("read");
    let film = made::replaced(&film, b"avc1", b"zq1x");
    refused(&folder.put("codec.mp4", &film), "no decoder takes it");
    let film = std::fs::read(media::film("h264.mkv")).expect("read");
    let film = made::replaced(&film, b"V_MPEG4/ISO/AVC", b"V_QUARK/ISO/ZQ1");
    refused(&folder.put("codec.mkv", &film), "no decoder takes it");
}

#[test]
fn a_picture_of_absurd_size_is_refused_before_it_takes_memory() {
    let folder = Folder::new();
    for (name, bytes) in [
        ("bomb.png", made::png(30_000, 30_000)),
        ("wide.png", made::png(16_385, 1)),
        ("high.png", made::png(1, 16_385)),
        ("bomb.gif", made::gif(65_535, 65_535)),
        ("bomb.webp", made::webp(16_384, 16_384)),
        ("bomb.bmp", made::bmp(60_000, 60_000)),
        ("bomb.jpg", made::jpeg(65_500, 65_500)),
    ] {
        refused(&folder.put(name, &bytes), "limit");
    }
    let film = media::silent("wide.avi", "testsrc2=size=16386x16:rate=25:duration=0.2", media::MJPEG);
    refused(&film, "limit");
    let avi =
        media::silent("raw.avi", "testsrc2=size=64x48:rate=25:duration=0.2", &["rawvideo", "-pix_fmt", "yuv420p"]);
    let avi = made::avi_sized(&std::fs::read(avi).expect("read"), 60_000, 60_000);
    // FFmpeg itself does not believe this one.
    refused(&folder.put("header.avi", &avi), "the size of its pictures is unknown");
}

#[test]
fn a_picture_within_the_limits_that_ends_early_takes_no_more_memory_than_it_has() {
    let folder = Folder::new();
    let it = run_fast(&[&folder.put("short.png", &made::png(4096, 4096))], &[]);
    assert_eq!(it.ended.code(), Some(1), "{:?}", it.ended);
    told_once(&it, "short.png", "");
}

#[test]
fn something_behind_a_picture_takes_nothing_away_from_it() {
    let folder = Folder::new();
    for name in ["behind.webp", "behind.png", "behind.jpg", "behind.bmp", "behind.gif"] {
        let mut bytes =
            std::fs::read(media::still(name, if name.ends_with("jpg") { "yuvj420p" } else { "rgb24" })).expect("read");
        bytes.extend([0xff; 40]);
        let it = run_fast(&[&folder.put(name, &bytes)], &["--duration", "0.2"]);
        assert_eq!(it.ended.code(), Some(0), "{name}: {:?}", it.ended);
        assert_eq!(it.stats.expect("statistics")["frames_presented"], 1, "{name}");
    }
}

#[test]
fn a_folder_without_anything_to_play_is_an_error_of_one_line() {
    let folder = Folder::new();
    let it = run_fast(&[folder.path()], &[]);
    assert_eq!(it.ended.code(), Some(1), "{:?}", it.ended);
    told_once(&it, &folder.path().display().to_string(), "nothing to play");

    folder.put("notes.txt", b"x");
    folder.put("noise.mp4", &made::noise(100));
    folder.put("empty.mp4", b"");
    let it = run_fast(&[folder.path()], &[]);
    assert_eq!(it.ended.code(), Some(1), "{:?}", it.ended);
    // One for each file, and one for all.
    let lines = it.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for name in ["notes.txt", "noise.mp4", "empty.mp4"] {
        assert_eq!(lines.iter().filter(|it| it.contains(name)).count(), 1, "{name}: {lines:?}");
    }
    assert!(lines[3].contains("nothing could be played") && lines[3].contains("2 inputs"), "{lines:?}");
}

#[test]
fn odd_names_are_only_names() {
    let folder = Folder::new();
    let film = std::fs::read(good().0).expect("read");
    for name in [
        "a:b.mp4",
        "http:x.mp4",
        "%d.mp4",
        "50%.mp4",
        "*.mp4",
        "new\nline.mp4",
        "concat:a|b.mp4",
        "-.mp4",
        "größe 日本.mp4",
    ] {
        let it = run_fast(&[&folder.put(name, &film)], &["--frames", "3"]);
        assert_eq!((it.ended.code(), it.lines().len()), (Some(0), 0), "{name:?}: {:?}", it.ended);
        let noise = folder.put(format!("bad {name}"), &made::noise(500));
        let it = run_fast(&[&noise], &[]);
        assert_eq!(it.ended.code(), Some(1), "{name:?}");
        told_once(&it, "bad ", "not a media file");
    }
    // The same from a folder, which may also hold a name that is no text at all.
    folder.put(OsString::from_vec(b"latin1-\xe4.mp4".to_vec()), &film);
    let it = run_fast(&[folder.path()], &[]);
    assert_eq!(it.ended.code(), Some(0), "{:?}", it.ended);
    assert!(it.lines().iter().any(|it| it.contains("latin1") && it.contains("rename it")), "{:?}", it.lines());
    assert_eq!(it.stats.expect("statistics")["frames_presented"], 9 * 30);
}

#[test]
fn a_name_that_is_no_text_is_a_mistake_of_one_line() {
    let folder = Folder::new();
    let path = folder.put(OsString::from_vec(b"latin1-\xe4.mp4".to_vec()), b"x");
    let it = run_fast(&[&path], &[]);
    assert_eq!((it.ended.code(), it.lines().len()), (Some(2), 1), "{:?}", it.ended);
}

#[test]
fn a_mistake_in_a_playlist_is_told_with_its_line() {
    let folder = Folder::new();
    for (name, text, why) in [
        ("key.toml", "loop = 2\n[[item]]\npath = 'a.mp4'\ndurration = '5s'\n", "durration"),
        ("syntax.toml", "[[item]]\npath = \n", "syntax.toml:2:"),
        ("noise.toml", "\u{1}\u{2}", "noise.toml:1:"),
    ] {
        let it = run_fast(&[&folder.put(name, text.as_bytes())], &[]);
        assert_eq!((it.ended.code(), it.lines().len()), (Some(2), 1), "{name}: {:?}", it.ended);
        assert!(it.ended.stderr.contains(name) && it.ended.stderr.contains(why), "{name}: {:?}", it.ended);
    }
}

#[test]
fn a_url_nobody_answers_is_given_up_in_time() {
    let more = ["--io-timeout", "1"];
    let silent = server::that_says(b"");
    let stalled = server::that_says(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n");
    let half = server::that_says(b"HTTP/1.1 200 OK\r\nContent-Le");
    for (url, why) in [
        (silent.url("live.ts"), "no answer"),
        (stalled.url("live.ts"), "no answer"),
        (half.url("live.ts"), "no answer"),
        (server::url_of_nobody(), "Connection refused"),
        ("gopher://127.0.0.1/film".to_owned(), "no kind of address"),
        ("http://host.invalid/film.mp4".to_owned(), "host.invalid"),
    ] {
        let it = run_fast(&[Path::new(&url)], &more);
        assert_eq!(it.ended.code(), Some(1), "{url}: {:?}", it.ended);
        told_once(&it, &url, why);
        assert!(it.ended.took < Duration::from_secs(15), "{url}: {:?}", it.ended);
    }
    let not_found = server::that_answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let it = run_fast(&[Path::new(&not_found.url("film.mp4"))], &more);
    assert_eq!(it.ended.code(), Some(1), "{:?}", it.ended);
    told_once(&it, "film.mp4", "404");
}

#[test]
fn a_page_of_html_from_a_server_is_not_a_film() {
    let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\nConnection: close\r\n\r\n<html>Please log in</html>";
    let it = run_fast(&[Path::new(&server::that_answers(page).url("film.mp4"))], &["--io-timeout", "2"]);
    assert_eq!(it.ended.code(), Some(1), "{:?}", it.ended);
    told_once(&it, "film.mp4", "not a media file");
}
