//! A film's packets through a decoder.
use std::sync::Arc;
use std::time::Duration;

use lucarne::backend::frame_memory::DmabufSource;
use lucarne::backend::software::demuxer::FfmpegDemuxerFactory;
use lucarne::backend::software::factory::SoftwareDecoderFactory;
use lucarne::base::cancel::Cancel;
use lucarne::base::frame::{CpuPlanes, VideoFrame};
use lucarne::base::offer::Offer;
use lucarne::base::packet::Packet;
use lucarne::base::stream::VideoStream;
use lucarne::seam::decoder::{DecodeEvent, Decoder, DecoderFactory};
use lucarne::seam::demuxer::{Demuxed, DemuxerFactory, OpenOptions};

use crate::films;

/// A film, read.
pub struct Film {
    pub stream: VideoStream,
    pub packets: Vec<Packet>,
}

#[track_caller]
pub fn film(name: &str) -> Film {
    let path = films::path(name);
    let options = OpenOptions { timeout: Duration::from_secs(10), without_audio: false, cancel: Cancel::new() };
    let opened = FfmpegDemuxerFactory.open(path.to_str().unwrap(), &options);
    let mut demuxer = opened.unwrap_or_else(|it| panic!("{it}"));
    let stream = demuxer.info().video.clone().expect("pictures");
    let mut packets = Vec::new();
    while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
        packets.push(it);
    }
    Film { stream, packets }
}

/// Decoders into dma-bufs of `source`, or into ordinary memory.
pub fn factory(threads: u32, source: Option<&Arc<DmabufSource>>) -> SoftwareDecoderFactory {
    SoftwareDecoderFactory { threads, memory: source.map(|it| Arc::clone(it) as _) }
}

#[track_caller]
pub fn open(film: &Film, threads: u32, source: Option<&Arc<DmabufSource>>) -> Box<dyn Decoder> {
    factory(threads, source).open(&film.stream).unwrap_or_else(|it| panic!("{it}"))
}

/// Hands every frame of the film to `each`, and makes ready for another turn.
pub fn turn(decoder: &mut dyn Decoder, film: &Film, mut each: impl FnMut(VideoFrame)) {
    for packet in &film.packets {
        let mut packet = packet.clone();
        while let Offer::Refused(it) = decoder.submit(packet).expect("sound data") {
            packet = it;
            assert!(!take(decoder, &mut each), "nobody asked for a drain");
        }
    }
    decoder.drain().expect("it drains");
    assert!(take(decoder, &mut each), "a drain ends");
    decoder.flush().expect("it flushes");
}

/// Hands what is ready to `each`. True once drained.
fn take(decoder: &mut dyn Decoder, each: &mut impl FnMut(VideoFrame)) -> bool {
    let mut format = None;
    while let Some(event) = decoder.poll().expect("sound data") {
        match event {
            DecodeEvent::Frame(it) => {
                assert!(format.is_none_or(|format| format == it.format));
                each(it);
            }
            DecodeEvent::FormatChanged(it) => format = Some(it),
            DecodeEvent::Retiring => panic!("it never wants its memory back in a hurry"),
            DecodeEvent::Drained => return true,
        }
    }
    false
}

/// All frames of one turn, kept.
pub fn frames(decoder: &mut dyn Decoder, film: &Film) -> Vec<VideoFrame> {
    let mut frames = Vec::new();
    turn(decoder, film, |it| frames.push(it));
    frames
}

/// When a frame is due, and its visible bytes, plane after plane.
pub fn shown(frame: &VideoFrame) -> (i64, Vec<u8>) {
    let mut bytes = Vec::new();
    let format = frame.format;
    let copy = &mut |planes: &dyn CpuPlanes| {
        for (index, layout) in format.pixel.planes().iter().enumerate() {
            let plane = planes.plane(index).expect("a plane for each of the format's");
            let coded = layout.size(format.coded);
            let texel = layout.texel_bytes();
            assert!(plane.bytes.len() >= plane.stride * (coded.height as usize - 1) + coded.width as usize * texel);
            let (left, top) = (format.visible.x / u32::from(layout.sub_x), format.visible.y / u32::from(layout.sub_y));
            let extent = layout.size(format.visible.size());
            for row in plane.bytes.chunks(plane.stride).skip(top as usize).take(extent.height as usize) {
                bytes.extend_from_slice(&row[left as usize * texel..][..extent.width as usize * texel]);
            }
        }
    };
    frame.memory.read(copy).expect("it can be read");
    (frame.pts.nanos(), bytes)
}
