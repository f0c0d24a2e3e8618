//! The film of the repository: all of it, in the right order, with the right pictures, round and round.
use std::process::Command;

use lucarne::base::color::ColorTags;
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::geometry::{Fit, Rotation};
use serde_json::Value;

use crate::pictures::Picture;
use crate::program::{Line, Lucarne, Shot, bigbuckbunny};
use crate::reference;

/// Every key of the statistics file, in its order.
const KEYS: &[&str] = &[
    "version",
    "display",
    "decoder",
    "interop",
    "interop_reason",
    "items",
    "frames_decoded",
    "frames_presented",
    "frames_unseen",
    "frames_dropped_stale",
    "late_frames",
    "missed_vblanks",
    "zero_copy_frames",
    "software_frames",
    "freeze_frames",
    "frames_corrupt",
    "frames_ordinary",
    "frames_converted",
    "frames_deinterlaced",
    "display_lost",
    "display_regained",
    "reconnects",
    "decoders_opened",
    "outputs",
    "submit_ok",
    "submit_failed",
    "acquire_failed",
    "fallbacks",
    "queued_lag_ms",
    "av_offset_ms",
    "upload_us",
    "draw_us",
    "import_us",
    "present_us",
    "seams",
    "loops",
    "first_frame_ms",
    "elapsed_s",
    "audio",
    "peak_rss_kib",
    "allocations_per_frame",
];

/// The keys of an object, sorted.
fn keys(it: &Value) -> Vec<&str> {
    it.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

#[test]
fn the_film_plays_to_its_end_and_says_so() {
    let it = Lucarne::fast([bigbuckbunny()]).run().done();
    assert_eq!(it.stderr, "");
    let same = ["/frames_decoded", "/frames_presented", "/software_frames", "/submit_ok", "/items/0/frames_presented"];
    assert_eq!(it.figures(same), [132.0; 5]);
    let none =
        ["/frames_dropped_stale", "/late_frames", "/missed_vblanks", "/frames_corrupt", "/seams/count", "/loops"];
    assert_eq!(it.figures(none), [0.0; 6]);
    // The last picture stays for as long as it lasts.
    let elapsed = it.figure("/elapsed_s");
    assert!((5.27..5.35).contains(&elapsed), "132 pictures at 25 a second take 5.28 s, not {elapsed}");
    assert_eq!(it.stats["display"], "headless");
    assert_eq!(it.stats["interop"], "software_upload");
    assert_eq!(it.stats["items"][0]["outcome"], "played");
    assert!(it.stats["items"][0]["reason"].is_null());
}

#[test]
fn the_statistics_have_the_keys_they_promise() {
    let it = Lucarne::fast([bigbuckbunny()]).args(["--frames", "3"]).run().done();
    assert_eq!(keys(&it.stats), sorted(KEYS));
    let output =
        ["name", "mode", "refresh_hz", "items", "frames_presented", "missed_vblanks", "frames_dropped_stale", "seams"];
    let ways = ["interop", "interop_reason", "zero_copy_frames", "software_frames", "fallbacks"];
    let output = [&output[..], &["av_offset_ms"], &ways].concat();
    assert_eq!(keys(&it.stats["outputs"][0]), sorted(&output));
    let item = ["input", "outcome", "reason", "frames_decoded", "frames_presented"];
    assert_eq!(keys(&it.stats["items"][0]), sorted(&item));
    assert_eq!(keys(&it.stats["seams"]), ["count", "late_starts", "worst_gap_frames"]);
    assert_eq!(keys(&it.stats["queued_lag_ms"]), ["max", "p50", "p95"]);
    // What was not measured is null and never 0: nothing was heard, and three frames are no steady state.
    for absent in ["av_offset_ms", "import_us", "audio", "allocations_per_frame"] {
        assert!(it.stats[absent].is_null(), "{absent}: {}", it.stats[absent]);
    }
    assert_eq!(it.figure("/outputs/0/frames_presented"), 3.0);
    assert_eq!(it.stats["outputs"][0]["mode"], "320x180");
}

#[test]
fn the_frame_log_is_the_same_in_every_run() {
    let run = || Lucarne::fast([bigbuckbunny()]).crc().run().done().log();
    let (one, other) = (run(), run());
    assert_eq!(one.len(), 132);
    for (index, line) in one.iter().enumerate() {
        assert_eq!((line.index, line.lap, line.item.as_str()), (index as u64, 0, "bigbuckbunny.mp4"));
        assert_eq!((line.pts_us, line.backend.as_str()), (index as i64 * 40_000, "software_upload"));
        assert!(line.crc32.is_some());
    }
    // When the display showed it is the display's own time, which starts with the process.
    let shown = |it: &[Line]| it.iter().map(|it| it.crc32).collect::<Vec<_>>();
    assert_eq!(shown(&one), shown(&other));
    let mut distinct = shown(&one);
    distinct.sort_unstable();
    distinct.dedup();
    assert!(120 < distinct.len(), "a film moves: {} different pictures", distinct.len());
}

#[test]
fn twenty_laps_have_no_gap_and_every_lap_is_the_first() {
    let it = Lucarne::fast([bigbuckbunny()]).size("160x90").args(["--loop", "20"]).crc().run().done();
    let want = [2640.0, 19.0, 19.0, 0.0, 0.0, 0.0];
    let names = ["/frames_presented", "/loops", "/seams/count", "/seams/worst_gap_frames", "/seams/late_starts"];
    let got = it.figures([names[0], names[1], names[2], names[3], names[4], "/frames_dropped_stale"]);
    assert_eq!(got, want);
    let log = it.log();
    assert_eq!(log.len(), 2640);
    let (first, _) = log.split_at(132);
    for (lap, lines) in log.chunks(132).enumerate() {
        for (line, want) in lines.iter().zip(first) {
            assert_eq!((line.lap, line.pts_us, line.crc32), (lap as u64, want.pts_us, want.crc32), "lap {lap}");
        }
    }
    // Flips lie on the display's grid; over the seams as elsewhere a picture lasts 40 ms, give or take one refresh.
    for pair in log.windows(2) {
        let apart = pair[1].presented_us - pair[0].presented_us;
        assert!((40_000 - 16_668..=40_000 + 16_668).contains(&apart), "{apart} us between {pair:?}");
    }
    let whole = log[2639].presented_us - log[0].presented_us;
    assert!((whole - 2639 * 40_000).abs() < 17_000, "{whole} us");
}

/// Frame `n` of the film as ffmpeg decodes it, without any conversion.
fn decoded(n: usize, size: Size) -> Picture {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(bigbuckbunny())
        .args(["-vf", &format!("select=eq(n\\,{n})"), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"])
        .output()
        .expect("the ffmpeg program is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The film has no tags: what they are taken to be is what its height says.
    let color = ColorTags::default().resolve(size, false);
    let mut picture = Picture::new(PixelFormat::Yuv420p, size, color, |_| 0);
    let mut rest = &output.stdout[..];
    for (plane, layout) in picture.format.pixel.planes().iter().enumerate() {
        let extent = layout.size(size);
        let (bytes, after) = rest.split_at((extent.width * extent.height) as usize);
        picture.codes[plane] = bytes.iter().map(|it| u16::from(*it)).collect();
        rest = after;
    }
    assert!(rest.is_empty());
    picture
}

#[test]
fn pictures_are_those_ffmpeg_decodes_within_45_db() {
    let size = Size::new(1280, 720);
    let it = Lucarne::fast([bigbuckbunny()]).size("1280x720").args(["--frames", "60"]).snapshots(30).run().done();
    let shots = it.snapshots();
    let names: Vec<_> = shots.iter().map(|it| it.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["frame-000030.png", "frame-000060.png"]);
    for (path, n) in shots.iter().zip([29, 59]) {
        let shot = Shot::read(path);
        assert_eq!((shot.width, shot.height), (1280, 720));
        let want = reference::render(&decoded(n, size), Fit::Contain, Rotation::None, size);
        let (mut worst, mut squares) = (0.0f64, 0.0);
        for (got, want) in shot.rgba.chunks(4).zip(&want) {
            for (got, want) in got.iter().zip(want) {
                let off = f64::from(*got) - want * 255.0;
                worst = worst.max(off.abs());
                squares += off * off;
            }
        }
        let psnr = 10.0 * (255.0f64.powi(2) * 3.0 * want.len() as f64 / squares).log10();
        assert!(45.0 <= psnr, "frame {n}: {psnr:.1} dB");
        assert!(worst <= 3.0, "frame {n}: off by {worst:.2} of 255");
    }
}
