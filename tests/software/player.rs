//! Runs a demuxer and a decoder against each other, as the pipeline does, on one thread.
use std::path::Path;
use std::time::Duration;

use lucarne::backend::software::demuxer::FfmpegDemuxerFactory;
use lucarne::backend::software::factory::SoftwareDecoderFactory;
use lucarne::base::cancel::Cancel;
use lucarne::base::format::Size;
use lucarne::base::frame::{Memory, VideoFormat, VideoFrame};
use lucarne::base::offer::Offer;
use lucarne::base::packet::{Packet, Track};
use lucarne::seam::decoder::{DecodeEvent, Decoder, DecoderFactory, DecoderStats};
use lucarne::seam::demuxer::{Demuxed, Demuxer, DemuxerFactory, OpenOptions};

pub fn options() -> OpenOptions {
    OpenOptions { timeout: Duration::from_secs(10), without_audio: false, cancel: Cancel::new() }
}

#[track_caller]
pub fn open(path: &Path) -> Box<dyn Demuxer> {
    let name = path.to_str().expect("UTF-8");
    FfmpegDemuxerFactory.open(name, &options()).unwrap_or_else(|it| panic!("{it}"))
}

#[track_caller]
pub fn decoder_for(demuxer: &dyn Demuxer) -> Box<dyn Decoder> {
    let video = demuxer.info().video.as_ref().expect("pictures");
    SoftwareDecoderFactory::default().open(video).unwrap_or_else(|it| panic!("{it}"))
}

/// One frame, and the checksum of its visible pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub pts: i64,
    pub duration: Duration,
    pub crc: u32,
    pub lap: u32,
    pub corrupt: bool,
}

pub fn checksum(frame: &VideoFrame) -> u32 {
    let Memory::Cpu(planes) = &frame.memory else { panic!("in ordinary memory") };
    let VideoFormat { pixel, coded, visible, .. } = frame.format;
    let mut hasher = crc32fast::Hasher::new();
    for (index, layout) in pixel.planes().iter().enumerate() {
        let plane = planes.plane(index).expect("a plane for each of the format's");
        let texel = layout.texel_bytes();
        let Size { width, height } = layout.size(coded);
        assert!(plane.bytes.len() >= plane.stride * (height as usize - 1) + width as usize * texel);
        let (left, top) = (visible.x / u32::from(layout.sub_x), visible.y / u32::from(layout.sub_y));
        let extent = layout.size(visible.size());
        for row in plane.bytes.chunks(plane.stride).skip(top as usize).take(extent.height as usize) {
            hasher.update(&row[left as usize * texel..][..extent.width as usize * texel]);
        }
    }
    hasher.finalize()
}

#[derive(Debug, Default)]
pub struct Played {
    pub frames: Vec<Shown>,
    pub formats: Vec<VideoFormat>,
    pub errors: Vec<String>,
    pub stats: DecoderStats,
}

impl Played {
    pub fn lap(&self, lap: u32) -> Vec<Shown> {
        self.frames.iter().filter(|it| it.lap == lap).map(|it| Shown { lap: 0, ..it.clone() }).collect()
    }
}

/// Takes what is ready. True once drained.
pub fn take(decoder: &mut dyn Decoder, played: &mut Played) -> bool {
    loop {
        match decoder.poll() {
            Ok(Some(DecodeEvent::FormatChanged(it))) => played.formats.push(it),
            Ok(Some(DecodeEvent::Frame(it))) => {
                assert_eq!(Some(&it.format), played.formats.last(), "a format is announced before its first frame");
                played.frames.push(Shown {
                    pts: it.pts.nanos(),
                    duration: it.duration,
                    crc: checksum(&it),
                    lap: it.lap,
                    corrupt: it.corrupt,
                });
            }
            Ok(Some(DecodeEvent::Retiring)) => panic!("memory of its own"),
            Ok(Some(DecodeEvent::Drained)) => return true,
            Ok(None) => return false,
            Err(it) => played.errors.push(it.to_string()),
        }
    }
}

pub fn feed(decoder: &mut dyn Decoder, packet: Packet, played: &mut Played) {
    let mut packet = packet;
    loop {
        match decoder.submit(packet) {
            Ok(Offer::Taken) => break,
            Ok(Offer::Refused(it)) => packet = it,
            Err(it) => {
                played.errors.push(it.to_string());
                break;
            }
        }
        let before = played.frames.len();
        take(decoder, played);
        assert!(played.frames.len() > before, "it refused a packet and had no picture");
    }
    take(decoder, played);
}

/// Plays a film `laps` times with one decoder, as a loop does.
#[track_caller]
pub fn play(path: &Path, laps: u32) -> Played {
    let mut demuxer = open(path);
    let mut decoder = decoder_for(demuxer.as_ref());
    let mut played = Played::default();
    for lap in 0..laps {
        if lap > 0 {
            demuxer.rewind().expect("it can be rewound");
            decoder.flush().expect("it can be flushed");
        }
        loop {
            match demuxer.read() {
                Ok(Demuxed::Packet(packet)) if packet.track == Track::Video => {
                    feed(decoder.as_mut(), Packet { lap, ..packet }, &mut played);
                }
                Ok(Demuxed::Packet(_)) => {}
                Ok(Demuxed::EndOfStream) => break,
                Err(it) => played.errors.push(it.to_string()),
            }
        }
        decoder.drain().expect("it can be drained");
        assert!(take(decoder.as_mut(), &mut played), "a drained decoder says so");
    }
    played.stats = decoder.stats();
    played
}

/// What a packet says, and the checksum of its bytes. Not its dts: where the container has none, FFmpeg guesses, and the
/// first guess after a seek may differ.
pub type PacketFacts = (Track, Option<i64>, Duration, bool, bool, u32);

pub fn packets(demuxer: &mut dyn Demuxer) -> Vec<PacketFacts> {
    let mut found = Vec::new();
    while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
        let crc = crc32fast::hash(it.data.bytes());
        let time = |it: Option<lucarne::base::time::MediaTime>| it.map(|it| it.nanos());
        found.push((it.track, time(it.pts), it.duration, it.keyframe, it.discard, crc));
    }
    found
}
