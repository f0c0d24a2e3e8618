//! Every codec in every container that takes it, and everything that makes a file unusual: all pictures of it are
//! shown, each at its time.
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::media::{self, FILMS, H264, MJPEG, PICTURE, made, silent, with_sound};
use crate::program::{Lucarne, Outcome};

/// When each picture is due from the first one, in microseconds, as ffprobe says; `None` where the file does not tell.
#[track_caller]
fn times_by_ffprobe(path: &Path) -> Vec<Option<i64>> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("the ffprobe program is installed");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let lines = text.lines().filter(|it| !it.is_empty());
    let time = |it: &str| it.trim_end_matches(',').parse::<f64>().ok().map(|it| (it * 1e6).round() as i64);
    let times: Vec<Option<i64>> = lines.map(time).collect();
    let first = times.iter().flatten().min().copied();
    times.iter().map(|it| Some((*it)? - first?)).collect()
}

/// Plays a file and checks that every picture is shown when ffprobe says it is due.
#[track_caller]
fn check(path: &Path) -> Outcome {
    let it = Lucarne::fast([path]).framelog().run();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(it.code, 0, "{name}: {}", it.stderr);
    let want = times_by_ffprobe(path);
    let log = it.log();
    assert_eq!(log.len(), want.len(), "{name}: pictures shown\n{}", it.stderr);
    for (line, want) in log.iter().zip(&want) {
        if let Some(want) = want {
            // Containers count in milliseconds or in fractions of a second; ffprobe prints microseconds.
            assert!(
                (line.pts_us - want).abs() <= 1_000,
                "{name}: picture {} at {}, not {want}",
                line.index,
                line.pts_us
            );
        }
    }
    let zero = ["/frames_dropped_stale", "/frames_corrupt", "/submit_failed", "/missed_vblanks"];
    assert_eq!(it.figures(zero), [0.0; 4], "{name}");
    assert_eq!(it.stderr, "", "{name}: nothing is wrong with it");
    it
}

#[test]
fn every_codec_in_every_container_plays_whole() {
    for (name, source, codec) in FILMS {
        check(&silent(name, source, codec));
    }
}

#[test]
fn unusual_timelines_play_whole() {
    let films = [media::variable_rate(), media::edit_list(), media::start_offset(), media::cropped()];
    films.iter().for_each(|it| drop(check(it)));
}

#[test]
fn a_negative_start_and_a_late_sound_play_whole() {
    let sound = "sine=frequency=440:duration=2";
    let aac = [&["-c:v"][..], H264, &["-c:a", "aac"]].concat();
    let late = made(
        "late-sound.mkv",
        &[&["-f", "lavfi", "-i", PICTURE, "-itsoffset", "0.5", "-f", "lavfi", "-i", sound], &aac[..]].concat(),
    );
    check(&late);
    let early = made(
        "early-sound.ts",
        &[&["-itsoffset", "0.4", "-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", sound], &aac[..]].concat(),
    );
    check(&early);
}

/// (pixel format, encoder, container, whether it must be converted before it can be drawn)
const PIXELS: &[(&str, &[&str], &str, bool)] = &[
    ("yuv420p10le", &["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"], "mp4", false),
    ("yuv422p", &["ffv1"], "mkv", false),
    ("yuv444p", &["libx264", "-preset", "ultrafast"], "mp4", false),
    ("yuv411p", &["ffv1"], "mkv", true),
    ("yuv410p", &["ffv1"], "mkv", true),
    ("gray", &["ffv1"], "mkv", false),
    ("gray10le", &["ffv1"], "mkv", true),
    ("gbrp", &["ffv1"], "mkv", true),
    ("bgra", &["ffv1"], "mkv", true),
    ("rgb24", &["png"], "mkv", false),
    ("rgba", &["png"], "mkv", false),
    ("pal8", &["png"], "mkv", true),
    ("ya8", &["png"], "mkv", true),
    ("monob", &["png"], "mkv", true),
    ("yuva420p", &["ffv1"], "mkv", true),
    ("yuv420p12le", &["ffv1"], "mkv", true),
];

#[test]
fn every_pixel_format_plays_and_conversions_are_counted() {
    for (pixel, codec, container, converted) in PIXELS {
        let name = format!("{pixel}.{container}");
        let codec = [codec, &["-pix_fmt", pixel][..]].concat();
        let path = silent(&name, "testsrc2=size=63x41:rate=25:duration=0.2", &codec);
        let it = check(&path);
        let n = it.figure("/frames_converted");
        assert_eq!(n == it.figure("/frames_decoded"), *converted, "{pixel}: {n} converted");
        assert!(n == 0.0 || *converted, "{pixel}: {n} converted");
    }
}

#[test]
fn odd_sizes_and_pixels_that_are_not_square_play_whole() {
    for (width, height) in [(1, 1), (2, 2), (3, 5), (17, 1), (319, 181), (1919, 3)] {
        let source = format!("testsrc2=size=64x64:rate=25:duration=0.2,scale={width}:{height}");
        check(&silent(&format!("{width}x{height}.mkv"), &source, &["ffv1", "-pix_fmt", "yuv420p"]));
    }
    check(&media::wide_pixels());
    check(&media::rotated());
    check(&media::hdr());
}

#[test]
fn interlaced_pictures_are_deinterlaced_and_counted() {
    let it = check(&media::interlaced());
    assert_eq!(it.figure("/frames_deinterlaced"), it.figure("/frames_decoded"));
    let progressive = check(&media::film("mpeg2.ts"));
    assert_eq!(progressive.figure("/frames_deinterlaced"), 0.0);
}

/// What deinterlaces brings thirty libraries, and is loaded when a picture wants it: the case before this one shows that it
/// is. What a start loads is what the loader itself says, as `ldd` has it.
#[test]
fn a_start_does_not_load_what_deinterlaces() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucarne"));
    let said = command.env("LD_TRACE_LOADED_OBJECTS", "1").output().expect("the player is built").stdout;
    let linked = String::from_utf8_lossy(&said);
    assert!(linked.contains("libavcodec") && !linked.contains("libavfilter"), "{linked}");
}

/// (name, layout, rate, codecs)
const SOUNDS: &[(&str, &str, u32, &[&str])] = &[
    ("mono-44100.mp4", "mono", 44_100, &["aac"]),
    ("stereo-48000.mkv", "stereo", 48_000, &["libmp3lame"]),
    ("stereo-96000.mkv", "stereo", 96_000, &["flac"]),
    ("surround-48000.mp4", "5.1", 48_000, &["aac"]),
    ("surround-48000.ts", "5.1(side)", 48_000, &["ac3"]),
    ("mono-8000.avi", "mono", 8_000, &["pcm_s16le"]),
    ("stereo-opus.webm", "stereo", 48_000, &["libopus"]),
];

fn sounding(it: &(&str, &str, u32, &[&str])) -> PathBuf {
    let (name, layout, rate, codec) = it;
    let sound = format!("sine=frequency=440:sample_rate={rate}:duration=1.2,aformat=channel_layouts={layout}");
    let video: &[&str] = if name.ends_with("webm") { media::VP9 } else { MJPEG };
    let video: &[&str] = if name.ends_with("ts") || name.ends_with("mp4") { H264 } else { video };
    with_sound(name, &sound, &[&["-c:v"], video, &["-c:a"], codec].concat())
}

#[test]
fn files_with_any_sound_play_whole() {
    SOUNDS.iter().for_each(|it| drop(check(&sounding(it))));
}

#[test]
fn any_sound_is_heard_in_real_time() {
    let paths: Vec<PathBuf> = SOUNDS.iter().map(sounding).collect();
    let it = Lucarne::play(&paths).audio("synthetic").run().done();
    assert_eq!(it.stderr, "");
    // Other tests run beside this one: a busy machine may drop a picture, and says so.
    let [shown, dropped] = it.figures(["/frames_presented", "/frames_dropped_stale"]);
    assert_eq!(shown + dropped, 30.0 * paths.len() as f64);
    assert_eq!(it.stats["audio"]["device"], "synthetic");
    assert!(!it.stats["av_offset_ms"].is_null(), "the sound was measured against the pictures");
}
