//! What is decoded: every codec that lets others choose its memory, in sizes that fit nothing.
use std::path::PathBuf;

use crate::media;

/// 314 of 320 columns, 180 of 192 lines.
const CROPPED: &str = "testsrc2=size=314x180:rate=25:duration=1.2";
/// Odd both ways.
const ODD: &str = "testsrc2=size=157x91:rate=25:duration=1.2";

const X265: &[&str] = &["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=10:bframes=3"];

/// A film, and whether its pictures go into dma-bufs.
pub struct Film {
    pub name: &'static str,
    pub placed: bool,
    source: &'static str,
    codec: &'static [&'static str],
    more: &'static [&'static str],
}

const fn placed(
    name: &'static str,
    source: &'static str,
    codec: &'static [&'static str],
    more: &'static [&'static str],
) -> Film {
    Film { name, placed: true, source, codec, more }
}

const fn ordinary(
    name: &'static str,
    source: &'static str,
    codec: &'static [&'static str],
    more: &'static [&'static str],
) -> Film {
    Film { name, placed: false, source, codec, more }
}

pub const FILMS: &[Film] = &[
    placed("h264.mp4", CROPPED, media::H264, &[]),
    placed("open-gop.mp4", CROPPED, media::H264_OPEN_GOP, &[]),
    placed("h264-422.mkv", CROPPED, &["libx264", "-preset", "veryfast", "-bf", "2"], &["-pix_fmt", "yuv422p"]),
    placed("h264-444.mkv", ODD, &["libx264", "-preset", "veryfast", "-bf", "2"], &["-pix_fmt", "yuv444p"]),
    placed("hevc.mkv", CROPPED, X265, &["-pix_fmt", "yuv420p"]),
    placed("vp8.webm", ODD, &["libvpx", "-deadline", "realtime", "-cpu-used", "8"], &["-auto-alt-ref", "1"]),
    placed("vp9.webm", ODD, media::VP9, &["-pix_fmt", "yuv420p"]),
    placed("mpeg2.mkv", ODD, media::MPEG2, &["-pix_fmt", "yuv420p"]),
    placed("mpeg2-422.mkv", ODD, media::MPEG2, &["-pix_fmt", "yuv422p"]),
    placed("mjpeg.mkv", ODD, media::MJPEG, &[]),
    placed("mjpeg-422.mkv", ODD, &["mjpeg", "-q:v", "3"], &["-pix_fmt", "yuvj422p"]),
    placed("mjpeg-444.mkv", ODD, &["mjpeg", "-q:v", "3"], &["-pix_fmt", "yuvj444p"]),
    // libdav1d has memory of its own.
    ordinary("av1.mkv", media::SMALL_PICTURE, media::AV1, &[]),
    ordinary("ten-bits.mkv", CROPPED, X265, &["-pix_fmt", "yuv420p10le"]),
    // These become something else on their way out.
    ordinary(
        "interlaced.ts",
        "testsrc2=size=320x180:rate=50:duration=1.2,interlace=scan=tff",
        media::MPEG2,
        &["-flags", "+ilme+ildct"],
    ),
    ordinary("converted.nut", ODD, &["rawvideo"], &["-pix_fmt", "yuv410p"]),
];

/// H.264 that changes its size in mid-stream, twice.
pub const SIZES: &str = "sizes.h264";

/// The names of all of them.
pub fn all() -> Vec<&'static str> {
    FILMS.iter().map(|it| it.name).chain([SIZES]).collect()
}

/// Where one is: beside the program, or made.
#[track_caller]
pub fn path(name: &str) -> PathBuf {
    let here = PathBuf::from(name);
    if here.exists() {
        return here;
    }
    if name == SIZES {
        return sizes();
    }
    let it = FILMS.iter().find(|it| it.name == name).expect("a film of the list");
    media::silent(name, it.source, &[it.codec, it.more].concat())
}

fn sizes() -> PathBuf {
    let part = |size: &str| {
        let source = format!("testsrc2=size={size}:rate=25:duration=0.6");
        std::fs::read(media::silent("part.h264", &source, media::H264)).expect("read")
    };
    let (large, small) = (part("314x180"), part("162x90"));
    let whole = media::film("h264.h264").with_file_name(SIZES);
    let unfinished = whole.with_extension(format!("part-{}", std::process::id()));
    std::fs::write(&unfinished, [large.as_slice(), &small, &large].concat())
        .expect("the target folder can be written to");
    std::fs::rename(&unfinished, &whole).expect("renamed within a folder");
    whole
}
