//! H.264 films for a hardware decoder: each has one thing that such decoders, or their clients, get wrong.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::PoisonError;

use super::{MAKING, folder, made};

/// A film, as ffmpeg makes it with x264.
#[derive(Debug, Clone, Copy)]
pub struct Film {
    /// Its name, and what is special about it.
    pub name: &'static str,
    /// Visible pixels across and down.
    pub size: (u32, u32),
    /// Its frames.
    pub n_frames: u32,
    /// Frames a second.
    rate: u32,
    /// ffmpeg's words for the picture, behind the picture of that size and rate; they must keep both.
    filter: &'static str,
    /// ffmpeg's words for the codec.
    codec: &'static str,
    /// The container.
    ending: &'static str,
}

/// What most films are made of: a moving picture with sharp edges and all colours.
const PLAIN: &str = "null";

/// One of each kind.
pub const FILMS: &[Film] = &[
    film("b-pyramid", (1280, 720), 25, "-bf 3 -x264-params b-pyramid=normal:b-adapt=0:ref=4:keyint=48:scenecut=0"),
    film("full-hd-60", (1920, 1080), 60, "-bf 2 -g 60"),
    // The height is 1920, the width no multiple of 16.
    film("portrait", (1080, 1920), 30, "-bf 2"),
    // No multiples of 32, which is what the Pi's lines are.
    film("854x480", (854, 480), 25, "-bf 2"),
    film("322x242", (322, 242), 25, "-bf 2"),
    film("1366x768", (1366, 768), 25, "-bf 2"),
    // Frames that come before a key frame refer to the group before it.
    film(
        "open-gop",
        (640, 360),
        25,
        "-flags -cgop -x264-params open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0",
    ),
    film("baseline", (640, 360), 25, "-profile:v baseline"),
    Film {
        filter: "tinterlace=interleave_top,fps=25,setfield=tff",
        ..film("interlaced", (720, 576), 25, "-flags +ildct+ilme -x264-params tff=1")
    },
    Film {
        filter: "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv",
        ..film("bt709", (640, 360), 25, "-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv")
    },
    Film {
        filter: "scale=out_range=full:out_color_matrix=bt601,format=yuv420p,\
            setparams=colorspace=smpte170m:color_primaries=smpte170m:color_trc=smpte170m:range=pc",
        ..film(
            "full-range-bt601",
            (640, 360),
            25,
            "-colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m -color_range pc",
        )
    },
    Film { filter: "setsar=16/11", ..film("sample-aspect", (720, 576), 25, "-bf 2") },
    // No key frame of it fits into 768 KiB, the size of buffer that the Pi's driver offers.
    Film {
        filter: "noise=alls=20:all_seed=1",
        n_frames: 24,
        ..film("large-frames", (1920, 1080), 30, "-qp 20 -g 8 -bf 0 -sc_threshold 0")
    },
];

/// Fifty frames of the plain picture, in MP4.
const fn film(name: &'static str, size: (u32, u32), rate: u32, codec: &'static str) -> Film {
    Film { name, size, n_frames: 50, rate, filter: PLAIN, codec, ending: "mp4" }
}

impl Film {
    /// The film's file.
    #[track_caller]
    pub fn path(&self) -> PathBuf {
        self.made(self.ending, &[])
    }

    /// The film in a container, with more words for ffmpeg.
    #[track_caller]
    fn made(&self, ending: &str, more: &[&str]) -> PathBuf {
        let (width, height) = self.size;
        // Interlacing makes one frame of two.
        let rate = if self.filter.starts_with("tinterlace") { self.rate * 2 } else { self.rate };
        let picture = format!("testsrc2=size={width}x{height}:rate={rate},format=yuv420p,{}", self.filter);
        let frames = self.n_frames.to_string();
        let mut words = vec!["-f", "lavfi", "-i", &picture, "-frames:v", &frames, "-c:v", "libx264"];
        // One thread: the file is then the same everywhere.
        words.extend(["-preset", "veryfast", "-threads", "1", "-pix_fmt", "yuv420p"]);
        words.extend(self.codec.split(' '));
        words.extend(more);
        named_by_words(&format!("h264-{}", self.name), ending, &words)
    }

    /// The film as raw Annex B, in its access units.
    #[track_caller]
    pub fn access_units(&self) -> Vec<Vec<u8>> {
        // Each unit begins with a delimiter, which nothing else is.
        let path = self.made("h264", &["-bsf:v", "h264_metadata=aud=insert"]);
        let bytes = fs::read(&path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
        let is_start = |at: &usize| bytes[*at..].starts_with(&[0, 0, 0, 1, 9]);
        let starts: Vec<usize> = (0..bytes.len()).filter(is_start).collect();
        let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
        starts.iter().zip(ends).map(|(from, to)| bytes[*from..to].to_vec()).collect()
    }
}

/// The parts of the films whose size changes: (across, down).
const CHANGES: [(u32, u32); 4] = [(640, 360), (1280, 720), (320, 240), (1920, 1080)];
/// The frames of each part.
const EACH: u32 = 25;

/// How many frames the films of [`size_changes`] have, and the greatest size of one.
pub const SIZE_CHANGES: (u32, (u32, u32)) = (CHANGES.len() as u32 * EACH, CHANGES[3]);

/// Films whose size changes three times in mid-stream: as raw H.264, and in a transport stream.
#[track_caller]
pub fn size_changes() -> [PathBuf; 2] {
    ["h264", "ts"].map(|ending| {
        let parts: Vec<PathBuf> = CHANGES
            .iter()
            .enumerate()
            .map(|(at, size)| {
                let part = Film { n_frames: EACH, ..film("part", *size, 25, "-bf 2") };
                let offset = at.to_string();
                // Each part is a second long. The transport stream's clock goes on, as an encoder's would.
                let clock = ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", offset.as_str()];
                part.made(ending, if ending == "ts" { &clock } else { &[] })
            })
            .collect();
        joined(&format!("h264-size-changes.{ending}"), &parts)
    })
}

/// A film of Full HD at 60 frames a second with sound, so many seconds long.
#[track_caller]
pub fn with_sound(seconds: u32) -> PathBuf {
    let (picture, tone) = (
        format!("testsrc2=size=1920x1080:rate=60:duration={seconds}"),
        format!("sine=frequency=1000:sample_rate=48000:duration={seconds}"),
    );
    let mut words = vec!["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone, "-c:v", "libx264"];
    words.extend("-preset veryfast -threads 1 -pix_fmt yuv420p -bf 2 -g 60 -c:a aac -ac 2 -b:a 128k".split(' '));
    named_by_words("h264-with-sound", "mp4", &words)
}

/// The MD5 of a film's frames as ffmpeg decodes them: of the visible pixels, in planes Y, U and V, frame behind frame.
#[track_caller]
pub fn md5_of_frames(film: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(film)
        .args(["-map", "0:v", "-fps_mode", "passthrough", "-c:v", "rawvideo", "-f", "md5", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|it| panic!("ffmpeg: {it}; .ci/setup installs it"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    let sum = text.trim().strip_prefix("MD5=").unwrap_or_else(|| panic!("ffmpeg -i {}: {said}", film.display()));
    sum.to_owned()
}

/// What ffprobe says of a film's first video stream: the values of `entries`, a line for each packet or stream.
#[track_caller]
pub fn probed(film: &Path, entries: &str) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0"])
        .arg(film)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|it| panic!("ffprobe: {it}; .ci/setup installs it"));
    // Side data leaves an empty value and an empty line.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|it| it.trim_end_matches(',').to_owned()).filter(|it| !it.is_empty()).collect()
}

/// What ffmpeg makes of these words. The name has a checksum of them, so that other words make another file.
#[track_caller]
fn named_by_words(name: &str, ending: &str, words: &[&str]) -> PathBuf {
    made(&format!("{name}-{:08x}.{ending}", crc32fast::hash(words.join(" ").as_bytes())), words)
}

/// Files one behind the other.
#[track_caller]
fn joined(name: &str, parts: &[PathBuf]) -> PathBuf {
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes: Vec<u8> = parts.iter().flat_map(|it| fs::read(it).expect("a part that was just made")).collect();
    let path = folder().join(name);
    // Complete or not there, for a run that was stopped.
    let begun = folder().join(format!("begun-{}-{name}", std::process::id()));
    fs::write(&begun, bytes).and_then(|()| fs::rename(&begun, &path)).expect("the build folder can be written");
    path
}
