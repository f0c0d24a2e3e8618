//! Tests of what `probe` tells.
use std::time::Duration;

use crate::app::probe::{FileReport, MachineReport, Stage, examine, judge, refused};
use crate::base::audio::AudioFormat;
use crate::base::cancel::Cancel;
use crate::base::capability::Capability;
use crate::base::color::{ColorTags, Luminance, Matrix, Primaries, Range, Transfer};
use crate::base::format::{PixelFormat, Ratio, Size};
use crate::base::frame::{VideoFormat, VideoFrame};
use crate::base::geometry::Rotation;
use crate::base::stream::{AudioStream, CodecParameters, MediaInfo, VideoStream};
use crate::seam::decoder::{DecodeError, Decoder, DecoderFactory};
use crate::seam::demuxer::{DemuxError, Demuxed, Demuxer, DemuxerFactory, OpenOptions};
use crate::seam::interop::{InteropCapabilities, InteropError, Place, Renderable, VideoInterop};

fn parameters(codec: &str, profile: Option<&str>) -> CodecParameters {
    CodecParameters { codec: codec.into(), profile: profile.map(str::to_owned), extra: [].into(), native: None }
}

fn film() -> MediaInfo {
    MediaInfo {
        container: "mov,mp4".into(),
        duration: Some(Duration::from_millis(5280)),
        start: None,
        live: false,
        seekable: true,
        still: false,
        video: Some(VideoStream {
            parameters: parameters("h264", Some("Main")),
            size: Size::new(1280, 720),
            pixel_format: Some("yuv420p".into()),
            sar: Ratio::ONE,
            rotation: Rotation::None,
            frame_rate: Ratio::new(25, 1),
            color: ColorTags::default(),
            interlaced: false,
            frames: Some(132),
        }),
        audio: Some(AudioStream {
            parameters: parameters("aac", Some("LC")),
            format: AudioFormat { rate: 48_000, channels: 6 },
        }),
    }
}

fn film_with(change: impl FnOnce(&mut VideoStream)) -> MediaInfo {
    let mut info = film();
    info.audio = None;
    change(info.video.as_mut().expect("a film has pictures"));
    info
}

#[test]
fn a_plain_film_is_told_in_five_lines() {
    let want = "film.mp4\n\
                \x20 file     mov,mp4, 5.28 s\n\
                \x20 picture  h264 Main, 1280x720, 25 frames/s, 132 frames, yuv420p\n\
                \x20 sound    aac, 48000 Hz, 5.1\n\
                \x20 plays    yes, decoder: software\n\
                \x20          surround sound: mixed down where the device has fewer channels\n";
    assert_eq!(judge("film.mp4", &film(), &[("software", Ok(()))]).to_string(), want);
}

#[test]
fn whatever_is_done_on_the_way_is_said() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut VideoStream), want: &[&str]) {
        let report = judge("a", &film_with(change), &[("software", Ok(()))]);
        assert!(report.plays());
        assert_eq!(report.on_the_way, want);
    }
    check(|_| {}, &[]);
    check(|it| it.interlaced = true, &["it is interlaced: deinterlaced by FFmpeg's bwdif"]);
    check(
        |it| it.pixel_format = Some("yuv411p".into()),
        &["yuv411p pixels: converted once by swscale, which costs processor time"],
    );
    check(|it| it.pixel_format = Some("yuvj420p".into()), &[]);
    check(|it| it.pixel_format = None, &[]);
    check(|it| it.rotation = Rotation::Clockwise90, &["it asks to be turned: by 90 degrees clockwise"]);
    check(
        |it| (it.size, it.sar) = (Size::new(720, 576), Ratio { num: 64, den: 45 }),
        &["its pixels are not square (64:45): shown as 1024x576"],
    );
    check(
        |it| {
            it.color.transfer = Some(Transfer::Pq);
            it.color.luminance = Luminance { max_cll: Some(600.0), mastering_peak: None };
        },
        &["HDR (PQ, up to 600 cd/m²): tone-mapped to the screen's range"],
    );
    check(|it| it.color.transfer = Some(Transfer::Hlg), &["HDR (HLG): tone-mapped to the screen's range"]);
}

#[test]
fn a_codec_nobody_takes_gets_each_decoders_reason_and_a_way_out() {
    let unknown = || DecodeError::Unsupported { codec: "h264".into(), reason: "not compiled in".into() };
    let report = judge("a", &film(), &[("v4l2", Err(unknown())), ("software", Err(unknown()))]);
    assert!(!report.plays());
    let text = report.to_string();
    let want = "  plays    no: no decoder takes h264 (v4l2: h264: not compiled in; software: h264: not compiled in); \
                convert it to H.264 first, or install an FFmpeg that decodes it\n";
    assert!(text.ends_with(want), "{text}");
    let huge = DecodeError::OverLimit { what: "a picture of 99999x99999".into(), limit: "16384".into() };
    let report = judge("a", &film(), &[("software", Err(huge))]);
    assert_eq!(report.problem.map(|it| it.advice).as_deref(), Some("scale it down first"));
}

#[test]
fn a_second_decoder_may_do_what_the_first_cannot() {
    let not_here = DecodeError::Device { call: "open", reason: "no such device".into() };
    let report = judge("a", &film(), &[("v4l2", Err(not_here)), ("software", Ok(()))]);
    assert_eq!(report.decoder.as_deref(), Some("software"));
    assert!(report.plays());
}

#[test]
fn sound_alone_does_not_play() {
    let mut info = film();
    info.video = None;
    assert_eq!(judge("a", &info, &[]).problem.map(|it| it.why).as_deref(), Some("there is no picture in it"));
}

#[test]
fn json_has_null_for_what_the_file_does_not_say() {
    let json = serde_json::to_value(judge("film.mp4", &film(), &[("software", Ok(()))])).unwrap();
    assert_eq!(json["video"]["frames_per_second"], 25.0);
    assert_eq!(json["video"]["sample_aspect"], "1:1");
    assert_eq!(json["audio"]["channels"], 6);
    assert_eq!(json["decoder"], "software");
    assert!(json["video"]["matrix"].is_null() && json["problem"].is_null());
    let tags = |it: &mut VideoStream| {
        it.color.matrix = Some(Matrix::Bt2020);
        it.color.range = Some(Range::Limited);
        it.color.primaries = Some(Primaries::Bt2020);
    };
    let json = serde_json::to_value(judge("a", &film_with(tags), &[("software", Ok(()))])).unwrap();
    assert_eq!((&json["video"]["matrix"], &json["video"]["primaries"]), (&"bt2020".into(), &"bt2020".into()));
}

/// Opens the film whatever it is asked for, but for one name.
struct Shelf;

#[derive(Debug)]
struct Opened(MediaInfo);

impl DemuxerFactory for Shelf {
    fn open(&self, input: &str, _: &OpenOptions) -> Result<Box<dyn Demuxer>, DemuxError> {
        match input {
            "bad\n.mp4" => Err(DemuxError::NotMedia { input: input.into(), reason: "moov box missing".into() }),
            _ => Ok(Box::new(Opened(film()))),
        }
    }
}

impl Demuxer for Opened {
    fn info(&self) -> &MediaInfo {
        &self.0
    }
    fn read(&mut self) -> Result<Demuxed, DemuxError> {
        Ok(Demuxed::EndOfStream)
    }
    fn rewind(&mut self) -> Result<(), DemuxError> {
        Ok(())
    }
}

/// Takes H.264; is never opened.
struct TakesH264;

impl DecoderFactory for TakesH264 {
    fn codecs(&self) -> Vec<&'static str> {
        vec!["h264"]
    }

    fn name(&self) -> &'static str {
        "software"
    }
    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError> {
        assert_eq!(stream.parameters.codec, "h264");
        Ok(())
    }
    fn open(&self, _: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        panic!("probing decodes nothing")
    }
}

fn examined(input: &str) -> FileReport {
    examine(input, &Shelf, &[&TakesH264], None, &Cancel::new())
}

/// A way that takes upright pictures of the screen's size only, without a copy; or any, with one.
struct Way {
    is_plane: bool,
}

impl VideoInterop for Way {
    fn name(&self) -> &'static str {
        if self.is_plane { "plane" } else { "software_upload" }
    }
    fn capabilities(&self) -> InteropCapabilities {
        InteropCapabilities { formats: &PixelFormat::ALL, max_size: 4096, zero_copy: self.is_plane }
    }
    fn would_accept(&self, format: &VideoFormat, place: &Place) -> Result<(), InteropError> {
        if self.is_plane && format.visible.size() != place.screen {
            let what = format!("{} on {}: it does not scale", format.visible.size(), place.screen);
            return Err(InteropError::Unsupported { backend: "plane", what });
        }
        Ok(())
    }
    fn init(&mut self, _: &VideoFormat) -> Result<(), InteropError> {
        panic!("probing shows nothing")
    }
    fn submit_decoded_frame(&mut self, _: VideoFrame) -> Result<(), InteropError> {
        panic!("probing shows nothing")
    }
    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        panic!("probing shows nothing")
    }
    fn release_frame(&mut self, _: Renderable) {}
}

/// The same decoder in hardware, for small pictures or none.
struct Hardware {
    works: bool,
}

impl DecoderFactory for Hardware {
    fn codecs(&self) -> Vec<&'static str> {
        vec!["h264"]
    }
    fn name(&self) -> &'static str {
        "v4l2"
    }
    fn probe(&self, _: &VideoStream) -> Result<(), DecodeError> {
        if self.works { Ok(()) } else { Err(DecodeError::Device { call: "open", reason: "no such device".into() }) }
    }
    fn gives_dmabufs(&self, _: &VideoStream) -> Result<PixelFormat, String> {
        Ok(PixelFormat::Nv12)
    }
    fn open(&self, _: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        panic!("probing decodes nothing")
    }
}

#[test]
fn a_files_ladder_has_every_decoder_and_way_with_its_reason() {
    let size = film().video.expect("it has pictures").size;
    let other = Size::new(size.width + 2, size.height);
    for (works, screen, want) in [
        (true, size, vec!["yes v4l2", "yes software", "yes plane", "yes software_upload"]),
        (true, other, vec!["yes v4l2", "yes software", "no plane", "yes software_upload"]),
        (false, size, vec!["no v4l2", "yes software", "no plane", "yes software_upload"]),
    ] {
        let ways: Vec<Box<dyn VideoInterop>> =
            vec![Box::new(Way { is_plane: true }), Box::new(Way { is_plane: false })];
        let stage = Stage { size: screen, ways, missing: Vec::new(), presenter: None };
        let report = examine("film.mp4", &Shelf, &[&Hardware { works }, &TakesH264], Some(&stage), &Cancel::new());
        let steps = report.ladder.iter().map(|it| format!("{} {}", if it.works { "yes" } else { "no" }, it.name));
        assert_eq!(steps.collect::<Vec<_>>(), want);
        let reason = &report.ladder[2].detail;
        match (works, screen == size) {
            (true, true) => assert_eq!(reason, "without a copy"),
            (true, false) => assert!(reason.contains("does not scale"), "{reason}"),
            (false, _) => assert_eq!(reason, "software: its frames are in ordinary memory"),
        }
        assert!(report.to_string().contains("\n  ladder   "), "{report}");
    }
}

#[test]
fn an_input_is_opened_and_each_decoder_asked() {
    assert_eq!(examined("film.mp4").decoder.as_deref(), Some("software"));
}

#[test]
fn a_file_that_does_not_open_says_why_and_what_to_do() {
    let want = "bad .mp4\n  plays    no: moov box missing; check the file with `lucarne probe`, or copy it again\n";
    assert_eq!(examined("bad\n.mp4").to_string(), want);
    let error = DemuxError::TimedOut { input: "rtsp://cam/1".into(), after: TIMEOUT };
    assert_eq!(refused("rtsp://cam/1", &error).problem.map(|it| it.why).as_deref(), Some("no answer for 10s"));
}

const TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn a_machine_says_what_works_and_why_not_the_rest() {
    let capability = |name: &str, works, detail: &str| Capability { works, ..Capability::yes(name, detail) };
    let report = MachineReport {
        version: "0.1.0".into(),
        decode: vec![capability("software", true, "FFmpeg 5.1")],
        encode: Vec::new(),
        show: vec![
            capability("window", false, "no desktop session: DISPLAY and WAYLAND_DISPLAY are not set"),
            capability("headless", true, "llvmpipe").with(vec![capability("plane 31", true, "NV12")]),
        ],
        hear: vec![capability("default", false, "no such device;\nplug one in")],
    };
    let want = "lucarne 0.1.0\n\n\
                decode\n\
                \x20 yes  software  FFmpeg 5.1\n\n\
                encode\n\
                \x20 nothing\n\n\
                show\n\
                \x20 no   window    no desktop session: DISPLAY and WAYLAND_DISPLAY are not set\n\
                \x20 yes  headless  llvmpipe\n\
                \x20     yes  plane 31  NV12\n\n\
                hear\n\
                \x20 no   default  no such device; plug one in\n";
    assert_eq!(report.to_string(), want);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["show"][0]["works"], false);
}
