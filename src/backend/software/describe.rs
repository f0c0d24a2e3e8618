//! From FFmpeg's idea of an input to the house's: which streams are played, and what they are.
use std::sync::Arc;
use std::time::Duration;

use crate::backend::software::limits;
use crate::base::audio::AudioFormat;
use crate::base::format::{Ratio, Size};
use crate::base::stream::{AudioStream, CodecParameters, MediaInfo, VideoStream};
use crate::base::time::MediaTime;
use crate::seam::demuxer::DemuxError;
use crate::sys::ffmpeg::{self, AvError, Input, Parameters, Stream, StreamKind};

/// A stream that is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    pub index: usize,
    /// Seconds per tick, as a fraction.
    pub time_base: (i32, i32),
}

/// What is played of an input.
#[derive(Debug)]
pub(super) struct Selection {
    pub video: Chosen,
    pub audio: Option<Chosen>,
    pub info: MediaInfo,
}

/// Chooses the streams to play and describes them. `is_network`: where the input comes from.
pub(super) fn select(
    input: &Input,
    name: &str,
    is_network: bool,
    without_audio: bool,
) -> Result<Selection, DemuxError> {
    let failed = |it: AvError| DemuxError::NotMedia { input: name.to_owned(), reason: it.to_string() };
    let index = best_video(input).map_err(failed)?.ok_or_else(|| no_video(input, name))?;
    let stream = input.stream(index).ok_or_else(|| no_video(input, name))?;
    let parameters = stream.parameters().map_err(failed)?;
    check_size(parameters.size(), name)?;
    let container = input.container();
    let video = video_stream(&stream, parameters);
    let chosen = Chosen { index, time_base: stream.time_base() };
    let audio = if without_audio { None } else { best_audio(input, index) };
    let duration = input.duration_micros().and_then(|it| u64::try_from(it).ok()).map(Duration::from_micros);
    let info = MediaInfo {
        container: container.to_owned(),
        duration,
        start: input.start_micros().map(|it| MediaTime::from_ticks(it, 1, 1_000_000)),
        live: is_network && duration.is_none(),
        seekable: input.is_seekable() || (is_network && duration.is_some()),
        still: is_picture_file(input, &video),
        video: Some(video),
        audio: audio.as_ref().map(|(_, it)| it.clone()),
    };
    Ok(Selection { video: chosen, audio: audio.map(|(it, _)| it), info })
}

/// The film among the streams: what its maker marked as default, else the largest. Covers and thumbnails are not films.
fn best_video(input: &Input) -> Result<Option<usize>, AvError> {
    let mut best = None;
    for (index, stream) in input.streams().enumerate() {
        let parameters = stream.parameters()?;
        if parameters.kind() != StreamKind::Video || stream.is_attached_picture() {
            continue;
        }
        let Size { width, height } = parameters.size();
        let merit = (ffmpeg::has_decoder(&parameters), stream.is_default(), u64::from(width) * u64::from(height));
        if best.is_none_or(|(most, _)| merit > most) {
            best = Some((merit, index));
        }
    }
    Ok(best.map(|(_, index)| index))
}

fn best_audio(input: &Input, video: usize) -> Option<(Chosen, AudioStream)> {
    let index = input.best_audio(video)?;
    let stream = input.stream(index)?;
    let parameters = stream.parameters().ok()?;
    let format = AudioFormat { rate: parameters.sample_rate(), channels: parameters.channels() };
    let is_sane =
        (1..=limits::MAX_SAMPLE_RATE).contains(&format.rate) && (1..=limits::MAX_CHANNELS).contains(&format.channels);
    if !is_sane {
        log::warn!("sound of {} Hz in {} channels is not played", format.rate, format.channels);
        return None;
    }
    let chosen = Chosen { index, time_base: stream.time_base() };
    Some((chosen, AudioStream { parameters: codec_parameters(parameters), format }))
}

fn codec_parameters(parameters: Parameters) -> CodecParameters {
    CodecParameters {
        codec: parameters.codec().to_owned(),
        profile: parameters.profile().map(str::to_owned),
        extra: parameters.extra(),
        native: Some(Arc::new(parameters)),
    }
}

fn video_stream(stream: &Stream<'_>, parameters: Parameters) -> VideoStream {
    VideoStream {
        size: parameters.size(),
        pixel_format: parameters.pixel_format().map(str::to_owned),
        sar: sane_aspect(stream.sar().or(parameters.sar())),
        rotation: stream.rotation().unwrap_or_default(),
        frame_rate: stream.frame_rate().filter(|it| it.to_f64() <= limits::MAX_FRAME_RATE),
        color: parameters.color(stream.luminance()),
        interlaced: parameters.is_interlaced(),
        frames: stream.frames(),
        parameters: codec_parameters(parameters),
    }
}

/// A sample aspect ratio that can be shown; square where the file says nothing or nonsense.
pub(super) fn sane_aspect(sar: Option<Ratio>) -> Ratio {
    let is_sane = |it: &Ratio| (1.0 / limits::MAX_ASPECT..=limits::MAX_ASPECT).contains(&it.to_f64());
    sar.filter(is_sane).unwrap_or(Ratio::ONE)
}

fn check_size(size: Size, name: &str) -> Result<(), DemuxError> {
    let refused = ffmpeg::complaints().into_iter().find(|it| it.starts_with("Picture size"));
    match refused {
        Some(complaint) if size.is_empty() => Err(over_limit(name, complaint_size(&complaint))),
        _ if size.is_empty() => {
            Err(DemuxError::NotMedia { input: name.to_owned(), reason: quote("the size of its pictures is unknown") })
        }
        _ if !limits::allows(size) => Err(over_limit(name, size.to_string())),
        _ => Ok(()),
    }
}

/// "Picture size 60000x60000 exceeds …" → "60000x60000".
fn complaint_size(complaint: &str) -> String {
    complaint.split_whitespace().nth(2).unwrap_or_default().to_owned()
}

fn over_limit(name: &str, size: String) -> DemuxError {
    DemuxError::OverLimit {
        input: name.to_owned(),
        what: format!("its picture size {size}"),
        limit: limits::PICTURE_LIMIT.to_owned(),
    }
}

/// `reason`, and in brackets what FFmpeg complained about on the way. A complaint that says the reason again, and says
/// more, takes its place.
pub(super) fn quote(reason: &str) -> String {
    let mut complaints = ffmpeg::complaints();
    for it in &mut complaints {
        // Further lines are advice to those who call FFmpeg.
        it.truncate(it.find('\n').unwrap_or(it.len()));
    }
    // What it guessed about a file that it then could not read helps nobody.
    complaints.retain(|it| !it.contains("misdetection possible"));
    complaints.dedup();
    if complaints.is_empty() {
        return reason.to_owned();
    }
    let all = complaints.join("; ");
    if all.contains(reason) { all } else { format!("{reason} ({all})") }
}

fn no_video(input: &Input, name: &str) -> DemuxError {
    let mut found = Vec::new();
    for stream in input.streams() {
        let Ok(parameters) = stream.parameters() else { continue };
        let what = match parameters.kind() {
            StreamKind::Video => "a cover picture",
            StreamKind::Audio => "sound",
            StreamKind::Subtitle => "subtitles",
            StreamKind::Other => "data",
        };
        found.push(format!("{what}: {}", parameters.codec()));
    }
    let found = if found.is_empty() { "nothing at all".to_owned() } else { found.join(", ") };
    DemuxError::NoVideo { input: name.to_owned(), found }
}

/// The container holds one picture by nature. GIF and APNG may hold a film: see `Demuxer::count_pictures`.
fn is_picture_file(input: &Input, video: &VideoStream) -> bool {
    let container = input.container();
    let is_avif = || input.metadata(c"major_brand").is_some_and(|it| matches!(&*it, "avif" | "mif1" | "heic"));
    container == "image2" || container.ends_with("_pipe") || (is_avif() && video.frames.is_none_or(|it| it <= 1))
}
