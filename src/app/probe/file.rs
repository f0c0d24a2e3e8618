//! What a file is and how it would play here.
use std::fmt::{self, Write};

use serde::Serialize;

use crate::app::exit::one_line;
use crate::base::capability::Capability;
use crate::base::color::{Matrix, Primaries, Range, Transfer};
use crate::base::format::{PixelFormat, Ratio};
use crate::base::geometry::Rotation;
use crate::base::stream::{AudioStream, MediaInfo, VideoStream};
use crate::seam::decoder::DecodeError;
use crate::seam::demuxer::DemuxError;

/// FFmpeg's names for full-range formats that lie in memory as an ordinary one does.
pub(super) const FULL_RANGE_NAMES: &[&str] = &["yuvj420p", "yuvj422p", "yuvj444p"];

/// One input, and the verdict on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// Its path or URL.
    pub input: String,
    /// The container, where it could be opened.
    pub container: Option<String>,
    /// How long it says it is.
    pub duration_s: Option<f64>,
    /// A network source without an end.
    pub live: bool,
    /// A single picture.
    pub still: bool,
    /// Its pictures.
    pub video: Option<VideoReport>,
    /// Its sound.
    pub audio: Option<SoundReport>,
    /// The decoder that would play it.
    pub decoder: Option<String>,
    /// The decoders that would be tried and the ways its frames would take to the screen, best first; the first of each that
    /// works is used. Empty where no display could be opened.
    pub ladder: Vec<Capability>,
    /// What happens to it on the way to the screen.
    pub on_the_way: Vec<String>,
    /// Why it would not play here, and what to do.
    pub problem: Option<Problem>,
}

/// Why not, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is in the way.
    pub why: String,
    /// What to do about it.
    pub advice: String,
}

/// A stream of pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VideoReport {
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// Its profile, where known.
    pub profile: Option<String>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// FFmpeg's name of the pixel format, where known.
    pub pixel_format: Option<String>,
    /// Frames in a second, where known.
    pub frames_per_second: Option<f64>,
    /// Frames, where the container counts them.
    pub frames: Option<u64>,
    /// Sample aspect ratio, as "64:45".
    pub sample_aspect: String,
    /// Degrees clockwise the file asks to be turned.
    pub rotation: u32,
    /// It is interlaced.
    pub interlaced: bool,
    /// "bt601", "bt709" or "bt2020"; null where untagged.
    pub matrix: Option<&'static str>,
    /// "limited" or "full"; null where untagged.
    pub range: Option<&'static str>,
    /// "sdr", "pq" or "hlg"; null where untagged.
    pub transfer: Option<&'static str>,
    /// "bt709" or "bt2020"; null where untagged.
    pub primaries: Option<&'static str>,
}

/// A stream of sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SoundReport {
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// Sample frames in a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
}

/// The report on an input that could not be opened.
pub fn refused(input: &str, error: &DemuxError) -> FileReport {
    let why = error.to_string();
    // The error names the input first; in the report it already stands above.
    let why = why.strip_prefix(input).and_then(|it| it.strip_prefix(": ")).unwrap_or(&why);
    FileReport {
        input: input.to_owned(),
        container: None,
        duration_s: None,
        live: false,
        still: false,
        video: None,
        audio: None,
        decoder: None,
        ladder: Vec::new(),
        on_the_way: Vec::new(),
        problem: Some(Problem { why: one_line(why), advice: error.advice().to_owned() }),
    }
}

/// The report on an opened input. `answers` are the decoders' own, best first.
pub fn judge(input: &str, info: &MediaInfo, answers: &[(&'static str, Result<(), DecodeError>)]) -> FileReport {
    let decoder = answers.iter().find(|(_, it)| it.is_ok()).map(|(name, _)| (*name).to_owned());
    let problem = match (&info.video, &decoder) {
        (None, _) => Some(Problem {
            why: "there is no picture in it".to_owned(),
            advice: "play something that has a picture".to_owned(),
        }),
        (Some(_), Some(_)) => None,
        (Some(video), None) => Some(no_decoder(video, answers)),
    };
    FileReport {
        input: input.to_owned(),
        container: Some(info.container.clone()),
        duration_s: info.duration.map(|it| it.as_millis() as f64 / 1000.0),
        live: info.live,
        still: info.still,
        video: info.video.as_ref().map(describe_video),
        audio: info.audio.as_ref().map(describe_audio),
        on_the_way: if decoder.is_some() { on_the_way(info) } else { Vec::new() },
        decoder,
        ladder: Vec::new(),
        problem,
    }
}

impl FileReport {
    /// It would play here.
    pub fn plays(&self) -> bool {
        self.problem.is_none()
    }
}

fn no_decoder(video: &VideoStream, answers: &[(&'static str, Result<(), DecodeError>)]) -> Problem {
    let codec = &video.parameters.codec;
    let reasons = answers.iter().filter_map(|(name, it)| it.as_ref().err().map(|why| format!("{name}: {why}")));
    let reasons: Vec<String> = reasons.collect();
    let over_limit = answers.iter().any(|(_, it)| matches!(it, Err(DecodeError::OverLimit { .. })));
    let why = match reasons.is_empty() {
        true => format!("no decoder takes {codec}"),
        false => format!("no decoder takes {codec} ({})", reasons.join("; ")),
    };
    let advice = if over_limit {
        "scale it down first"
    } else {
        "convert it to H.264 first, or install an FFmpeg that decodes it"
    };
    Problem { why: one_line(&why), advice: advice.to_owned() }
}

/// What is done to a picture before it is shown, in plain words.
fn on_the_way(info: &MediaInfo) -> Vec<String> {
    let Some(video) = &info.video else { return Vec::new() };
    let mut steps = Vec::new();
    if video.interlaced {
        steps.push("it is interlaced: deinterlaced by FFmpeg's bwdif".to_owned());
    }
    if let Some(pixels) = &video.pixel_format {
        let direct = PixelFormat::ALL.iter().any(|it| it.name() == pixels) || FULL_RANGE_NAMES.contains(&&**pixels);
        if !direct {
            steps.push(format!("{pixels} pixels: converted once by swscale, which costs processor time"));
        }
    }
    match video.color.transfer {
        Some(Transfer::Pq) => {
            let peak = video.color.luminance.source_peak();
            steps.push(format!("HDR (PQ, up to {peak:.0} cd/m²): tone-mapped to the screen's range"));
        }
        Some(Transfer::Hlg) => steps.push("HDR (HLG): tone-mapped to the screen's range".to_owned()),
        Some(Transfer::Sdr) | None => {}
    }
    if video.rotation != Rotation::None {
        steps.push(format!("it asks to be turned: by {} degrees clockwise", video.rotation.degrees()));
    }
    if video.sar.num != video.sar.den {
        let (width, height) = (f64::from(video.size.width) * video.sar.to_f64(), video.size.height);
        steps.push(format!("its pixels are not square ({}): shown as {width:.0}x{height}", ratio(video.sar)));
    }
    if info.audio.as_ref().is_some_and(|it| it.format.channels > 2) {
        steps.push("surround sound: mixed down where the device has fewer channels".to_owned());
    }
    if info.still {
        steps.push("a single picture: stays as long as the playlist says, 10 s without one".to_owned());
    }
    steps
}

fn describe_video(it: &VideoStream) -> VideoReport {
    VideoReport {
        codec: it.parameters.codec.clone(),
        profile: it.parameters.profile.clone(),
        width: it.size.width,
        height: it.size.height,
        pixel_format: it.pixel_format.clone(),
        frames_per_second: it.frame_rate.map(|it| (it.to_f64() * 1000.0).round() / 1000.0),
        frames: it.frames,
        sample_aspect: ratio(it.sar),
        rotation: it.rotation.degrees(),
        interlaced: it.interlaced,
        matrix: it.color.matrix.map(|it| match it {
            Matrix::Bt601 => "bt601",
            Matrix::Bt709 => "bt709",
            Matrix::Bt2020 => "bt2020",
        }),
        range: it.color.range.map(|it| match it {
            Range::Limited => "limited",
            Range::Full => "full",
        }),
        transfer: it.color.transfer.map(|it| match it {
            Transfer::Sdr => "sdr",
            Transfer::Pq => "pq",
            Transfer::Hlg => "hlg",
        }),
        primaries: it.color.primaries.map(|it| match it {
            Primaries::Bt709 => "bt709",
            Primaries::Bt2020 => "bt2020",
        }),
    }
}

fn describe_audio(it: &AudioStream) -> SoundReport {
    SoundReport { codec: it.parameters.codec.clone(), rate: it.format.rate, channels: it.format.channels }
}

fn ratio(it: Ratio) -> String {
    format!("{}:{}", it.num, it.den)
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", one_line(&self.input))?;
        if let Some(container) = &self.container {
            let length = match (self.live, self.still, self.duration_s) {
                (true, ..) => ", live".to_owned(),
                (_, true, _) => ", a picture".to_owned(),
                (.., Some(seconds)) => format!(", {seconds:.2} s"),
                (.., None) => String::new(),
            };
            writeln!(f, "  file     {container}{length}")?;
        }
        if let Some(it) = &self.video {
            writeln!(f, "  picture  {it}")?;
        }
        if let Some(it) = &self.audio {
            writeln!(f, "  sound    {it}")?;
        } else if self.container.is_some() && !self.still {
            writeln!(f, "  sound    none")?;
        }
        match (&self.problem, &self.decoder) {
            (Some(it), _) => writeln!(f, "  plays    no: {}; {}", it.why, it.advice)?,
            (None, decoder) => writeln!(f, "  plays    yes, decoder: {}", decoder.as_deref().unwrap_or("none"))?,
        }
        self.on_the_way.iter().try_for_each(|it| writeln!(f, "           {it}"))?;
        let width = self.ladder.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
        for (title, it) in std::iter::once("ladder").chain(std::iter::repeat("")).zip(&self.ladder) {
            let answer = if it.works { "yes" } else { "no" };
            writeln!(f, "  {title:<9}{answer:<3}  {:<width$}  {}", one_line(&it.name), one_line(&it.detail))?;
        }
        Ok(())
    }
}

impl fmt::Display for VideoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.codec.clone();
        if let Some(it) = &self.profile {
            write!(text, " {it}")?;
        }
        write!(text, ", {}x{}", self.width, self.height)?;
        if let Some(it) = self.frames_per_second {
            write!(text, ", {it} frames/s")?;
        }
        if let Some(it) = self.frames {
            write!(text, ", {it} frames")?;
        }
        if let Some(it) = &self.pixel_format {
            write!(text, ", {it}")?;
        }
        for it in [self.matrix, self.range, self.transfer].into_iter().flatten() {
            write!(text, ", {it}")?;
        }
        f.write_str(&one_line(&text))
    }
}

impl fmt::Display for SoundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = match self.channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            6 => "5.1".to_owned(),
            8 => "7.1".to_owned(),
            it => format!("{it} channels"),
        };
        write!(f, "{}, {} Hz, {channels}", self.codec, self.rate)
    }
}
