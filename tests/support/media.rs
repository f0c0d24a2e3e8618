//! Test media, made with the `ffmpeg` program the first time a test asks for them.
//!
//! Files are kept in the target folder under the hash of the arguments they were made with, so each is made once, and a
//! changed recipe makes a new file. They are written under another name and renamed: any number of test processes may ask
//! for the same one at once.
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A moving picture with every colour in it, 30 frames.
pub const PICTURE: &str = "testsrc2=size=320x180:rate=25:duration=1.2";
/// The same for encoders that are slow.
pub const SMALL_PICTURE: &str = "testsrc2=size=160x90:rate=25:duration=0.8";
/// A tone in stereo as long as `PICTURE`.
pub const TONE: &str = "sine=frequency=440:sample_rate=48000:duration=1.2,aformat=channel_layouts=stereo";

/// The file `ffmpeg ARGUMENTS FILE` writes, called something like `name` ("film.mp4": its ending chooses the container).
#[track_caller]
pub fn made(name: &str, arguments: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("media");
    std::fs::create_dir_all(&folder).expect("the target folder can be written to");
    let mut hasher = DefaultHasher::new();
    (name, arguments).hash(&mut hasher);
    let path = folder.join(format!("{:016x}-{name}", hasher.finish()));
    if path.exists() {
        return path;
    }
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let part = format!("part-{}-{}-{name}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let part = folder.join(part);
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(&part)
        .output()
        .expect("the ffmpeg program is installed");
    assert!(output.status.success(), "ffmpeg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(&part, &path).expect("renamed within a folder");
    path
}

/// Pictures from `source`, coded by `codec` (an encoder of ffmpeg's and its options), without sound.
#[track_caller]
pub fn silent(name: &str, source: &str, codec: &[&str]) -> PathBuf {
    made(name, &[&["-f", "lavfi", "-i", source, "-c:v"], codec].concat())
}

/// `PICTURE` and sound from `sound`, coded by `codecs` (options of ffmpeg's).
#[track_caller]
pub fn with_sound(name: &str, sound: &str, codecs: &[&str]) -> PathBuf {
    made(name, &[&["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", sound], codecs].concat())
}

/// H.264 with B-frames used as references and GOPs of 10.
pub const H264: &[&str] = &["libx264", "-preset", "veryfast", "-bf", "2", "-g", "10", "-pix_fmt", "yuv420p"];
/// H.264 whose GOPs are open: pictures shown before a keyframe refer to what came before it.
pub const H264_OPEN_GOP: &[&str] = &[
    "libx264",
    "-preset",
    "veryfast",
    "-bf",
    "3",
    "-g",
    "10",
    "-x264-params",
    "open-gop=1:b-pyramid=normal",
    "-pix_fmt",
    "yuv420p",
];
/// HEVC with open GOPs, as x265 does by default.
pub const HEVC: &[&str] = &["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=10:bframes=3"];
/// VP9 with invisible reference frames.
pub const VP9: &[&str] =
    &["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "10", "-lag-in-frames", "5", "-auto-alt-ref", "1"];
/// AV1.
pub const AV1: &[&str] = &["libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "10"];
/// MPEG-2 with B-frames.
pub const MPEG2: &[&str] = &["mpeg2video", "-bf", "2", "-g", "10", "-q:v", "4"];
/// Motion JPEG.
pub const MJPEG: &[&str] = &["mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"];

/// Every codec in every container that takes it: (name, what is filmed, encoder).
pub const FILMS: &[(&str, &str, &[&str])] = &[
    ("h264.mp4", PICTURE, H264),
    ("h264.mkv", PICTURE, H264),
    ("h264.ts", PICTURE, H264),
    ("h264.avi", PICTURE, H264),
    ("h264.flv", PICTURE, H264),
    ("h264.h264", PICTURE, H264),
    ("open-gop.mp4", PICTURE, H264_OPEN_GOP),
    ("open-gop.mkv", PICTURE, H264_OPEN_GOP),
    ("open-gop.ts", PICTURE, H264_OPEN_GOP),
    ("hevc.mp4", PICTURE, HEVC),
    ("hevc.mkv", PICTURE, HEVC),
    ("hevc.ts", PICTURE, HEVC),
    ("vp9.webm", SMALL_PICTURE, VP9),
    ("vp9.mp4", SMALL_PICTURE, VP9),
    ("vp9.mkv", SMALL_PICTURE, VP9),
    ("av1.mp4", SMALL_PICTURE, AV1),
    ("av1.mkv", SMALL_PICTURE, AV1),
    ("av1.webm", SMALL_PICTURE, AV1),
    ("mpeg2.ts", PICTURE, MPEG2),
    ("mpeg2.mpg", PICTURE, MPEG2),
    ("mpeg2.mkv", PICTURE, MPEG2),
    ("mpeg2.avi", PICTURE, MPEG2),
    ("mpeg2.mp4", PICTURE, MPEG2),
    ("mjpeg.avi", PICTURE, MJPEG),
    ("mjpeg.mkv", PICTURE, MJPEG),
    ("mjpeg.mp4", PICTURE, MJPEG),
];

/// One of `FILMS` by its name.
#[track_caller]
pub fn film(name: &str) -> PathBuf {
    let (name, source, codec) = FILMS.iter().find(|it| it.0 == name).expect("a film of the list");
    silent(name, source, codec)
}

/// Five pictures per second, then twenty-five: variable frame rate.
pub fn variable_rate() -> PathBuf {
    let select = format!("{PICTURE},select='gte(n,15)+not(mod(n,5))'");
    made("vfr.mp4", &[&["-f", "lavfi", "-i", &select, "-vsync", "vfr", "-c:v"], H264].concat())
}

/// Starts in the middle of a GOP by an edit list: the pictures before are decoded and not shown.
pub fn edit_list() -> PathBuf {
    let whole = silent("long-gop.mp4", PICTURE, &["libx264", "-bf", "2", "-g", "250", "-pix_fmt", "yuv420p"]);
    made("edit-list.mp4", &["-ss", "0.52", "-i", whole.to_str().expect("UTF-8"), "-c", "copy"])
}

/// A timeline that starts at 10 s.
pub fn start_offset() -> PathBuf {
    made("offset.mkv", &[&["-f", "lavfi", "-i", PICTURE, "-output_ts_offset", "10", "-c:v"], H264].concat())
}

/// Fields of different moments, top first.
pub fn interlaced() -> PathBuf {
    let source = "testsrc2=size=320x180:rate=50:duration=1.2,interlace=scan=tff";
    silent("interlaced.ts", source, &["mpeg2video", "-flags", "+ilme+ildct", "-bf", "2", "-g", "10", "-q:v", "4"])
}

/// 180 visible lines of 192 coded ones, and 314 columns of 320.
pub fn cropped() -> PathBuf {
    silent("cropped.mp4", "testsrc2=size=314x180:rate=25:duration=0.4", H264)
}

/// To be turned a quarter clockwise, as telephones say it: by the matrix in the track's header.
pub fn rotated() -> PathBuf {
    let upright = film("h264.mp4");
    let path = upright.with_extension("rotated.mp4");
    let mut bytes = std::fs::read(&upright).expect("read");
    let header = bytes.windows(4).position(|it| it == b"tkhd").expect("a track has a header");
    // After the name of the box (version 0): flags, times, track, duration, layer, volume: 44 bytes; then nine numbers.
    let matrix = header + 44;
    let numbers: [i32; 9] = [0, 0x1_0000, 0, -0x1_0000, 0, 0, 180 << 16, 0, 0x4000_0000];
    for (index, number) in numbers.iter().enumerate() {
        bytes[matrix + 4 * index..][..4].copy_from_slice(&number.to_be_bytes());
    }
    let part = upright.with_extension(format!("part-{}", std::process::id()));
    std::fs::write(&part, bytes).expect("the target folder can be written to");
    std::fs::rename(&part, &path).expect("renamed within a folder");
    path
}

/// Pixels 4/3 as wide as high.
pub fn wide_pixels() -> PathBuf {
    let source = format!("{PICTURE},setsar=4/3");
    silent("wide-pixels.mp4", &source, H264)
}

/// Tagged BT.2020 PQ, 10 bits, with a mastering display of 1000 cd/m² and MaxCLL 700.
pub fn hdr() -> PathBuf {
    let tags = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited:hdr10=1:\
        master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=700,200";
    let codec = ["libx265", "-preset", "ultrafast", "-x265-params", tags, "-pix_fmt", "yuv420p10le"];
    silent("hdr.mp4", SMALL_PICTURE, &codec)
}

/// One picture, in the file format of its name's ending, in one of FFmpeg's pixel formats.
#[track_caller]
pub fn still(name: &str, pixel_format: &str) -> PathBuf {
    made(name, &["-f", "lavfi", "-i", "testsrc2=size=63x41:rate=1", "-frames:v", "1", "-pix_fmt", pixel_format])
}

/// What ffprobe counts when it decodes the first stream of pictures.
#[track_caller]
pub fn frames_by_ffprobe(path: &Path) -> u64 {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v:0"])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("the ffprobe program is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    // Streams inside programmes are listed twice.
    let first = text.lines().next().unwrap_or_default().trim_end_matches(',');
    first.parse().unwrap_or_else(|_| panic!("{}: {text:?}", path.display()))
}
