//! What every `Decoder` must do, whatever does the decoding.
use std::sync::Arc;

use lucarne::base::frame::{CpuPlanes, Memory, VecPlanes, VideoFormat, VideoFrame};
use lucarne::base::offer::Offer;
use lucarne::base::packet::{Packet, VecData};
use lucarne::base::stream::VideoStream;
use lucarne::base::time::MediaTime;
use lucarne::seam::decoder::{DecodeEvent, Decoder, DecoderFactory};
use lucarne::seam::wait::Waitable;

/// A stream to decode: its description, its packets in file order (the first a resume point), and the pictures in it.
pub struct Case<'a> {
    pub name: &'a str,
    pub stream: &'a VideoStream,
    pub packets: &'a [Packet],
    pub frames: usize,
    /// Waits for a decoder that does not answer at once.
    pub wait: &'a Wait<'a>,
}

/// How a test waits.
pub type Wait<'a> = dyn Fn(Waitable<'_>) + 'a;

/// Frames in dma-bufs that the suite holds at once, as a screen and its queue do; of others it keeps copies.
const HELD: usize = 3;

/// Every check of the suite, for one backend and one stream.
pub fn decoder_conformance(factory: &dyn DecoderFactory, case: &Case<'_>) {
    factory.probe(case.stream).unwrap_or_else(|it| panic!("{}: {it}", case.name));
    every_picture_comes_out_once_and_in_order(factory, case);
    lap_and_discontinuity_come_back_with_the_pictures(factory, case);
    after_a_drain_nothing_is_taken_until_a_flush(factory, case);
    a_flush_discards_what_was_submitted(factory, case);
    pictures_outlive_their_decoder_and_are_not_written_over(factory, case);
    packets_of_other_makers_are_taken(factory, case);
}

fn open(factory: &dyn DecoderFactory, case: &Case<'_>) -> Box<dyn Decoder> {
    factory.open(case.stream).unwrap_or_else(|it| panic!("{}: {it}", case.name))
}

/// In ordinary memory, whatever memory it came in.
fn copy(frame: &mut VideoFrame) {
    let mut copy = VecPlanes::default();
    let n_planes = frame.format.pixel.planes().len();
    let read = frame.memory.read(&mut |planes| {
        for index in 0..n_planes {
            let plane = planes.plane(index).expect("a plane for each of the format's");
            copy.planes.push((plane.bytes.to_vec(), plane.stride));
        }
        assert!(planes.plane(n_planes).is_none());
    });
    read.expect("it can be read");
    frame.memory = Memory::Cpu(Arc::new(copy));
}

fn is_leased(frame: &VideoFrame) -> bool {
    matches!(frame.memory, Memory::Dmabuf(_))
}

/// Takes what is ready, and what comes without more being submitted; the formats announced must be those of the frames.
fn take(
    decoder: &mut dyn Decoder,
    frames: &mut Vec<VideoFrame>,
    format: &mut Option<VideoFormat>,
    wait: &Wait<'_>,
) -> bool {
    loop {
        match decoder.poll().expect("sound data") {
            Some(DecodeEvent::FormatChanged(it)) => {
                assert_ne!(*format, Some(it), "only changes are announced");
                *format = Some(it);
            }
            Some(DecodeEvent::Frame(mut it)) => {
                assert_eq!(*format, Some(it.format), "a format is announced before its first frame");
                if HELD <= frames.iter().filter(|it| is_leased(it)).count() {
                    copy(&mut it);
                }
                frames.push(it);
            }
            Some(DecodeEvent::Retiring) => frames.iter_mut().filter(|it| is_leased(it)).for_each(copy),
            Some(DecodeEvent::Drained) => return true,
            None => match decoder.waitable() {
                it @ Waitable::Every(_) => wait(it),
                Waitable::Fd(_) | Waitable::Ready => return false,
            },
        }
    }
}

/// Offers a packet until it is taken, and takes what there is meanwhile.
fn submit(
    decoder: &mut dyn Decoder,
    mut packet: Packet,
    frames: &mut Vec<VideoFrame>,
    format: &mut Option<VideoFormat>,
    wait: &Wait<'_>,
) {
    while let Offer::Refused(it) = decoder.submit(packet).expect("sound data") {
        packet = it;
        let before = frames.len();
        assert!(!take(decoder, frames, format, wait), "nobody asked for a drain");
        if frames.len() == before {
            // Taking may have made room without a picture.
            match decoder.submit(packet).expect("sound data") {
                Offer::Taken => return,
                Offer::Refused(it) => packet = it,
            }
            match decoder.waitable() {
                it @ Waitable::Fd(_) => wait(it),
                _ => panic!("a decoder that refuses has pictures to give"),
            }
        }
    }
}

/// Drains it to the end.
fn finish(decoder: &mut dyn Decoder, frames: &mut Vec<VideoFrame>, format: &mut Option<VideoFormat>, wait: &Wait<'_>) {
    decoder.drain().expect("it drains");
    while !take(decoder, frames, format, wait) {
        match decoder.waitable() {
            it @ Waitable::Fd(_) => wait(it),
            _ => panic!("a drain ends"),
        }
    }
}

fn run(decoder: &mut dyn Decoder, packets: impl IntoIterator<Item = Packet>, wait: &Wait<'_>) -> Vec<VideoFrame> {
    run_on(decoder, &mut None, packets, wait)
}

/// As `run`, for a decoder that has announced `format` before: a flush does not make it forget.
fn run_on(
    decoder: &mut dyn Decoder,
    format: &mut Option<VideoFormat>,
    packets: impl IntoIterator<Item = Packet>,
    wait: &Wait<'_>,
) -> Vec<VideoFrame> {
    let mut frames = Vec::new();
    for packet in packets {
        submit(decoder, packet, &mut frames, format, wait);
    }
    finish(decoder, &mut frames, format, wait);
    frames
}

fn every_picture_comes_out_once_and_in_order(factory: &dyn DecoderFactory, case: &Case<'_>) {
    let mut decoder = open(factory, case);
    let frames = run(decoder.as_mut(), case.packets.iter().cloned(), case.wait);
    assert_eq!(frames.len(), case.frames, "{}", case.name);
    assert!(frames.windows(2).all(|it| it[0].pts < it[1].pts), "{}: in display order", case.name);
    assert_eq!(decoder.stats().frames, case.frames as u64, "{}", case.name);
    for frame in &frames {
        let check = &mut |planes: &dyn CpuPlanes| {
            for (index, layout) in frame.format.pixel.planes().iter().enumerate() {
                let plane = planes.plane(index).expect("a plane for each of the format's");
                let size = layout.size(frame.format.coded);
                let row = size.width as usize * layout.texel_bytes();
                assert!(plane.stride >= row && plane.bytes.len() >= plane.stride * (size.height as usize - 1) + row);
            }
            assert!(planes.plane(frame.format.pixel.planes().len()).is_none());
        };
        frame.memory.read(check).expect("it can be read");
    }
}

fn lap_and_discontinuity_come_back_with_the_pictures(factory: &dyn DecoderFactory, case: &Case<'_>) {
    let mut decoder = open(factory, case);
    let mut format = None;
    let length = case.packets.iter().filter_map(|it| it.pts).max().map_or(0, MediaTime::nanos) + 1_000_000_000;
    for lap in 0..3u32 {
        let packets = case.packets.iter().enumerate().map(|(index, it)| Packet {
            lap,
            discontinuity: index == 0 && lap == 1,
            pts: it.pts.map(|it| it.offset_by(i64::from(lap) * length)),
            dts: it.dts.map(|it| it.offset_by(i64::from(lap) * length)),
            ..it.clone()
        });
        let frames = run_on(decoder.as_mut(), &mut format, packets, case.wait);
        assert_eq!(frames.len(), case.frames, "{}: lap {lap}", case.name);
        assert!(frames.iter().all(|it| it.lap == lap), "{}: lap {lap}", case.name);
        let broken: Vec<_> = frames.iter().map(|it| it.discontinuity).collect();
        assert_eq!(
            broken.iter().filter(|it| **it).count(),
            usize::from(lap == 1),
            "{}: lap {lap}: {broken:?}",
            case.name
        );
        decoder.flush().expect("it flushes");
    }
}

fn after_a_drain_nothing_is_taken_until_a_flush(factory: &dyn DecoderFactory, case: &Case<'_>) {
    let mut decoder = open(factory, case);
    assert_eq!(run(decoder.as_mut(), case.packets.iter().cloned(), case.wait).len(), case.frames);
    assert!(decoder.poll().expect("sound data").is_none(), "Drained is said once");
    assert!(matches!(decoder.submit(case.packets[0].clone()), Ok(Offer::Refused(_))), "{}", case.name);
    decoder.flush().expect("it flushes");
    assert!(matches!(decoder.submit(case.packets[0].clone()), Ok(Offer::Taken)), "{}", case.name);
}

fn a_flush_discards_what_was_submitted(factory: &dyn DecoderFactory, case: &Case<'_>) {
    let mut decoder = open(factory, case);
    let (mut frames, mut format) = (Vec::new(), None);
    for packet in &case.packets[..case.packets.len() / 2] {
        let packet = Packet { lap: 7, ..packet.clone() };
        submit(decoder.as_mut(), packet, &mut frames, &mut format, case.wait);
    }
    decoder.flush().expect("it flushes");
    let mut rest = Vec::new();
    assert!(!take(decoder.as_mut(), &mut rest, &mut format, case.wait));
    assert!(rest.is_empty(), "{}: nothing of before", case.name);
    for packet in case.packets.iter().cloned() {
        submit(decoder.as_mut(), packet, &mut rest, &mut format, case.wait);
    }
    finish(decoder.as_mut(), &mut rest, &mut format, case.wait);
    assert_eq!(rest.len(), case.frames, "{}", case.name);
    assert!(rest.iter().all(|it| it.lap == 0), "{}: nothing of before", case.name);
}

fn first_plane(frame: &VideoFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = frame.memory.read(&mut |it| bytes = it.plane(0).expect("a first plane").bytes.to_vec());
    read.expect("it can be read");
    bytes
}

fn pictures_outlive_their_decoder_and_are_not_written_over(factory: &dyn DecoderFactory, case: &Case<'_>) {
    let mut decoder = open(factory, case);
    let mut format = None;
    let mut frames = run_on(decoder.as_mut(), &mut format, case.packets.iter().cloned(), case.wait);
    let before: Vec<_> = frames.iter().map(first_plane).collect();
    decoder.flush().expect("it flushes");
    // Into the same list, whose pictures are let go of when they are wanted back.
    for packet in case.packets.iter().cloned() {
        submit(decoder.as_mut(), packet, &mut frames, &mut format, case.wait);
    }
    finish(decoder.as_mut(), &mut frames, &mut format, case.wait);
    drop(decoder);
    for (frame, before) in frames.iter().zip(&before) {
        assert!(first_plane(frame) == *before, "{}: {:?}", case.name, frame.pts);
    }
}

fn packets_of_other_makers_are_taken(factory: &dyn DecoderFactory, case: &Case<'_>) {
    let mut stream = case.stream.clone();
    stream.parameters.native = None;
    let mut decoder = factory.open(&stream).unwrap_or_else(|it| panic!("{}: {it}", case.name));
    let packets =
        case.packets.iter().map(|it| Packet { data: Arc::new(VecData(it.data.bytes().to_vec())), ..it.clone() });
    assert_eq!(run(decoder.as_mut(), packets, case.wait).len(), case.frames, "{}", case.name);
}
