//! What is played: the repository's film, and tones and films that ffmpeg makes, once for each build folder.
pub mod h264;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The repository's film: 1280x720, 25 pictures a second, 132 of them, 5.1 sound.
pub fn bigbuckbunny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/bigbuckbunny.mp4")
}

/// Two cases may want the same film at once.
static MAKING: Mutex<()> = Mutex::new(());

/// What ffmpeg makes of these words, which come before the output; `name` is the file's, and must change with the words.
#[track_caller]
pub fn made(name: &str, words: &[&str]) -> PathBuf {
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    make(name, words)
}

/// What ffmpeg makes of `raw` bytes: `input` are the words about them, `output` those about what is made. The name gets a
/// checksum of everything it is made from, and the `ending`.
#[track_caller]
pub fn made_of(name: &str, ending: &str, raw: impl FnOnce() -> Vec<u8>, input: &[&str], output: &[&str]) -> PathBuf {
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let raw = raw();
    let mut sum = crc32fast::Hasher::new();
    sum.update(&raw);
    input.iter().chain(output).for_each(|it| sum.update(it.as_bytes()));
    let name = format!("{name}-{:08x}.{ending}", sum.finalize());
    let file = folder().join(format!("raw-{}", std::process::id()));
    if !folder().join(&name).exists() {
        fs::create_dir_all(folder()).expect("the build folder can be written");
        fs::write(&file, raw).expect("the build folder can be written");
    }
    let path = make(&name, &[input, &["-i", &file.to_string_lossy()], output].concat());
    // Not there when nothing had to be made.
    let _gone = fs::remove_file(&file);
    path
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("hw-media")
}

#[track_caller]
fn make(name: &str, words: &[&str]) -> PathBuf {
    let folder = folder();
    let path = folder.join(name);
    if !path.exists() {
        fs::create_dir_all(&folder).expect("the build folder can be written");
        // Complete or not there: a run that was stopped leaves nothing of this name.
        let begun = folder.join(format!("begun-{}-{name}", std::process::id()));
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y", "-fflags", "+bitexact", "-flags", "+bitexact"])
            .args(words)
            .arg(&begun)
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap_or_else(|it| panic!("ffmpeg: {it}; .ci/setup installs it"));
        assert!(output.status.success(), "ffmpeg {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        fs::rename(&begun, &path).expect("the same folder");
    }
    path
}

/// A film of so many seconds with a picture that changes every time, at `rate` (as ffmpeg writes it: `25`, `60000/1001`), and
/// a tone of 1 kHz, stereo, 48 kHz, from the first sample to the last.
#[track_caller]
pub fn tone_film(size: &str, rate: &str, seconds: u32) -> PathBuf {
    let video = format!("testsrc2=size={size}:rate={rate}:duration={seconds}");
    let audio = format!("sine=frequency=1000:sample_rate=48000:duration={seconds}");
    let name = format!("tone-{size}-{}-{seconds}.mkv", rate.replace('/', "_"));
    // PCM: no codec rounds off the tone's first and last samples.
    let codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-ac", "2"];
    made(&name, &[&["-f", "lavfi", "-i", &video, "-f", "lavfi", "-i", &audio][..], &codecs].concat())
}
