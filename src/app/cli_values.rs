//! Values as they are written on the command line and in playlists: sizes, durations, turns, devices.
use std::time::Duration;

use crate::base::format::Size;
use crate::base::geometry::{Fit, Rotation};

/// Largest side of a display, in pixels: what GLES 3 implementations promise at most today.
const MAX_SIDE: u32 = 16_384;
/// Refreshes in a second that make sense; a projector runs at 24, the fastest screens at some 500.
const REFRESH_HZ: std::ops::RangeInclusive<f64> = 1.0..=1000.0;
/// Longest time accepted, in seconds: ten years, well inside what nanoseconds in 64 bits hold.
const MAX_SECONDS: f64 = 10.0 * 365.0 * 86_400.0;

/// The display mode asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeRequest {
    /// Pixels; `None`: the display's own choice.
    pub size: Option<Size>,
    /// Refreshes in a second; `None`: the display's own choice.
    pub refresh_hz: Option<f64>,
}

/// An output, and what it is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputChoice {
    /// The connector's name.
    pub name: String,
    /// What it plays; `None`: what the other outputs without an input of their own show.
    pub input: Option<String>,
}

/// How often the whole playlist is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopCount {
    /// This many times; 1 is once.
    Times(u64),
    /// Until somebody stops it.
    Forever,
}

/// A sound device that is not there: what its clock does is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SyntheticAudio {
    /// One period.
    pub period: Duration,
    /// By how much its reported position may be off, either way.
    pub jitter: Duration,
    /// By how much its clock runs fast, in parts per million; negative: slow.
    pub drift_ppm: f64,
}

/// Where sound goes.
#[derive(Debug, Clone, PartialEq)]
pub enum AudioChoice {
    /// The default device, where there is one.
    Auto,
    /// Nowhere.
    None,
    /// A device by its name.
    Device(String),
    /// A device that is not there, for tests: `synthetic:period_ms=10,jitter_ms=3,drift_ppm=100`.
    Synthetic(SyntheticAudio),
}

/// `WxH`, `WxH@HZ` or `auto`.
pub fn parse_size(text: &str) -> Result<ModeRequest, String> {
    if text == "auto" {
        return Ok(ModeRequest { size: None, refresh_hz: None });
    }
    let (pixels, hz) = match text.split_once('@') {
        Some((pixels, hz)) => (pixels, Some(hz)),
        None => (text, None),
    };
    let side = |it: &str| it.parse::<u32>().ok().filter(|it| (1..=MAX_SIDE).contains(it));
    let size = pixels.split_once('x').and_then(|(width, height)| Some(Size::new(side(width)?, side(height)?)));
    let size = size.ok_or_else(|| format!("give it as 1280x720 or 1280x720@50, up to {MAX_SIDE} pixels a side"))?;
    let refresh_hz = match hz {
        None => None,
        Some(it) => Some(
            it.parse()
                .ok()
                .filter(|it| REFRESH_HZ.contains(it))
                .ok_or("give the refresh rate in Hz, from 1 to 1000")?,
        ),
    };
    Ok(ModeRequest { size: Some(size), refresh_hz })
}

/// `NAME` or `NAME=INPUT`. No connector's name holds a `=`; an input may.
pub fn parse_output(text: &str) -> Result<OutputChoice, String> {
    let (name, input) = match text.split_once('=') {
        Some((name, input)) => (name, Some(input)),
        None => (text, None),
    };
    if name.is_empty() || input.is_some_and(str::is_empty) {
        return Err("give it as HDMI-A-1 or HDMI-A-1=film.mp4".to_owned());
    }
    Ok(OutputChoice { name: name.to_owned(), input: input.map(str::to_owned) })
}

/// Degrees clockwise.
pub fn parse_rotation(text: &str) -> Result<Rotation, String> {
    let known = ["0", "90", "180", "270"].contains(&text);
    let turn = text.parse().ok().and_then(Rotation::from_degrees).filter(|_| known);
    turn.ok_or_else(|| "one of 0, 90, 180, 270".to_owned())
}

/// `contain`, `cover` or `stretch`.
pub fn fit_by_name(text: &str) -> Option<Fit> {
    match text {
        "contain" => Some(Fit::Contain),
        "cover" => Some(Fit::Cover),
        "stretch" => Some(Fit::Stretch),
        _ => None,
    }
}

/// A whole number of percent, up to 100.
pub fn parse_percent(text: &str) -> Result<u8, String> {
    text.parse().ok().filter(|it| *it <= 100).ok_or_else(|| "a whole number from 0 to 100".to_owned())
}

/// A number of turns, or `forever`.
pub fn parse_loop(text: &str) -> Result<LoopCount, String> {
    match text {
        "forever" => Ok(LoopCount::Forever),
        _ => match text.parse() {
            Ok(times) if times > 0 => Ok(LoopCount::Times(times)),
            _ => Err("a number of times, or `forever`".to_owned()),
        },
    }
}

/// A positive number of seconds; fractions are welcome.
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|it| *it > 0.0 && *it <= MAX_SECONDS);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds above 0, such as 10 or 2.5".to_owned())
}

/// A duration with its unit: `10s`, `2.5s`, `500ms`, `3min`, `1h`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit_at = text.find(|it: char| it.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let scale = match unit {
        "ms" => Some(0.001),
        "s" => Some(1.0),
        "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let number = number.trim().parse::<f64>().ok();
    let seconds = scale.zip(number).map(|(scale, number)| scale * number);
    seconds
        .filter(|it| *it > 0.0 && *it <= MAX_SECONDS)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "give a duration such as \"10s\", \"500ms\", \"3min\" or \"1h\"".to_owned())
}

/// A device's name, `auto`, `none`, or a synthetic device.
pub fn parse_audio(text: &str) -> Result<AudioChoice, String> {
    match text {
        "" => Err("`auto`, `none`, or a device's name".to_owned()),
        "auto" => Ok(AudioChoice::Auto),
        "none" => Ok(AudioChoice::None),
        "synthetic" => Ok(AudioChoice::Synthetic(parse_synthetic("")?)),
        _ => match text.strip_prefix("synthetic:") {
            Some(it) => parse_synthetic(it).map(AudioChoice::Synthetic),
            None => Ok(AudioChoice::Device(text.to_owned())),
        },
    }
}

fn parse_synthetic(text: &str) -> Result<SyntheticAudio, String> {
    let mut device = SyntheticAudio { period: Duration::from_millis(10), jitter: Duration::ZERO, drift_ppm: 0.0 };
    for part in text.split(',').filter(|it| !it.is_empty()) {
        let Some((key, number)) = part.split_once('=') else {
            return Err(format!("{part}: give it as key=number"));
        };
        let number = number.parse::<f64>().ok().filter(|it| it.is_finite()).ok_or(format!("{part}: not a number"))?;
        // A second is far past any real period; more would only be a slip of the unit.
        let milliseconds = (0.0..=1000.0).contains(&number).then(|| Duration::from_secs_f64(number / 1000.0));
        match (key, milliseconds) {
            ("period_ms", Some(it)) if !it.is_zero() => device.period = it,
            ("jitter_ms", Some(it)) => device.jitter = it,
            ("drift_ppm", _) if number.abs() <= 100_000.0 => device.drift_ppm = number,
            ("period_ms" | "jitter_ms" | "drift_ppm", _) => return Err(format!("{part}: out of range")),
            _ => return Err(format!("{key}: not one of period_ms, jitter_ms, drift_ppm")),
        }
    }
    Ok(device)
}
