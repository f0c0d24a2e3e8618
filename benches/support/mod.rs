//! What the benches share: reading the clock, the middle of several runs, and one way of printing figures.
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lucarne::base::color::ColorTags;
use lucarne::base::format::{PixelFormat, Ratio, Rect, Size};
use lucarne::base::frame::{Memory, VecPlanes, VideoFormat, VideoFrame};
use lucarne::base::geometry::Rotation;
use lucarne::base::time::MediaTime;

#[allow(dead_code, reason = "only `pace` needs a film, and not every kind")]
#[path = "../../tests/support/media.rs"]
pub mod media;

/// How long `work` takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// The middle one: a single run that something else disturbed does not move it.
pub fn median(mut it: Vec<f64>) -> f64 {
    it.sort_by(f64::total_cmp);
    it.get(it.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs `a` and `b` in turns, so that whatever else the machine does meets both alike, after one turn that does not
/// count. Answers the nanoseconds of each turn.
#[allow(dead_code, reason = "`pace` times a part of each turn only")]
pub fn in_turns(turns: usize, mut a: impl FnMut(), mut b: impl FnMut()) -> Vec<(f64, f64)> {
    a();
    b();
    let nanos = |work: &mut dyn FnMut()| time(work).as_nanos() as f64;
    (0..turns).map(|_| (nanos(&mut a), nanos(&mut b))).collect()
}

/// The medians of both columns.
#[allow(dead_code, reason = "`players` has a few long runs, and other pairs")]
pub fn medians(turns: &[(f64, f64)]) -> (f64, f64) {
    (median(turns.iter().map(|it| it.0).collect()), median(turns.iter().map(|it| it.1).collect()))
}

/// A picture of nothing in particular: no byte of it is special to anyone.
#[allow(dead_code, reason = "not every bench has pictures")]
pub fn picture(pixel: PixelFormat, size: Size) -> VecPlanes {
    let plane = |size: Size, texel: usize| {
        let stride = size.width as usize * texel;
        let bytes = (0..stride * size.height as usize).map(|it| (it * 31 % 251) as u8).collect();
        (bytes, stride)
    };
    VecPlanes { planes: pixel.planes().iter().map(|it| plane(it.size(size), it.texel_bytes())).collect() }
}

/// A frame of such a picture, in whatever memory it is.
#[allow(dead_code, reason = "not every bench has pictures")]
pub fn frame(pixel: PixelFormat, coded: Size, memory: Memory) -> VideoFrame {
    let color = ColorTags::default().resolve(coded, pixel.is_rgb());
    let (visible, sar, rotation) = (Rect::of(coded), Ratio::ONE, Rotation::None);
    VideoFrame {
        format: VideoFormat { pixel, coded, visible, sar, rotation, color },
        pts: MediaTime::ZERO,
        duration: Duration::ZERO,
        corrupt: false,
        lap: 0,
        discontinuity: false,
        memory,
    }
}

/// Runs a command on the virtual board, in `folder`, by `hw-tests/board run` with these options. Answers what it printed.
#[allow(dead_code, reason = "only `players` and `texture` need the board")]
pub fn on_the_board(folder: &Path, options: &[&str], command: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("hw-tests/board"))
        .arg("run")
        .args(options)
        .arg("-w")
        .arg(folder)
        .arg("--")
        .args(command)
        .env("LUCARNE_BIN", env!("CARGO_BIN_EXE_lucarne"))
        .output()?;
    if !output.status.success() {
        return Err(format!("hw-tests/board: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// One line of a report.
pub fn say(line: &str) {
    // A reader who has gone away has no use for an error either.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A figure that has a limit, with whether it keeps it.
#[allow(dead_code, reason = "not every bench has a limit")]
pub fn judge(what: &str, figure: f64, at_least: f64) {
    let verdict = if at_least <= figure { "ok" } else { "TOO LOW" };
    say(&format!("  {what}: {figure:.3} (at least {at_least}) {verdict}"));
}
