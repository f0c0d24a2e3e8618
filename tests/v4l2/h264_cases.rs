//! What must be so of H.264, whatever the codec's habits.
use lucarne::backend::v4l2::Buffers;
use lucarne::base::frame::VideoFrame;
use lucarne::base::packet::Packet;
use lucarne::base::stream::VideoStream;
use lucarne::base::time::MediaTime;
use lucarne::seam::decoder::{DecodeError, Decoder, DecoderFactory};

use crate::decoder_suite::{Case, decoder_conformance};
use crate::films::{self, Film};
use crate::harness::say;
use crate::play::{self, Screen, Shown};

pub const NONE: &str = "there is no decoder of H.264 here, or no film";

/// Films of few pixels, for what is done many times.
const SMALL: &[&str] = &["322x242", "open-gop", "bt709", "full-range"];

/// The films of these names that the decoder says it takes, and the others with their reasons.
pub fn films(names: &[&str]) -> Result<Vec<Film>, &'static str> {
    let factory = play::factory(Buffers::Exported);
    if !factory.codecs().contains(&"h264") {
        return Err(NONE);
    }
    let taken = |it: &Film| match factory.probe(&it.stream) {
        Ok(()) => true,
        Err(reason) => {
            say(&format!("    {}: {reason}", it.name));
            assert!(it.name.contains("interlaced"), "the others are for it");
            false
        }
    };
    let all: Vec<Film> = films::named(names).into_iter().filter(taken).collect();
    if all.is_empty() { Err(NONE) } else { Ok(all) }
}

pub fn open(factory: &dyn DecoderFactory, stream: &VideoStream) -> Box<dyn Decoder> {
    factory.open(stream).unwrap_or_else(|it| panic!("{it}"))
}

#[track_caller]
pub fn same(name: &str, got: &[Shown], want: &[Shown]) {
    let first = got.iter().zip(want).position(|it| it.0 != it.1);
    if let Some(at) = first {
        panic!("{name}: picture {at} of {}: {:?} is not {:?}", want.len(), got[at], want[at]);
    }
    assert_eq!(got.len(), want.len(), "{name}: pictures");
}

pub fn conformance() -> Result<(), &'static str> {
    for film in films(&["b-pyramid", "open-gop", "full-range", "854x480"])? {
        let factory = play::factory(Buffers::Exported);
        let frames = film.pictures.len();
        let case = Case { name: &film.name, stream: &film.stream, packets: &film.packets, frames, wait: &play::wait };
        decoder_conformance(&factory, &case);
    }
    Ok(())
}

fn identical_with(buffers: Buffers) -> Result<(), &'static str> {
    for film in films(&[])? {
        let factory = play::factory(buffers);
        let mut decoder = open(&factory, &film.stream);
        same(&film.name, &play::all(decoder.as_mut(), film.packets.iter().cloned()), &film.pictures);
        say(&format!("    {}: {} pictures", film.name, film.pictures.len()));
    }
    Ok(())
}

pub fn identical() -> Result<(), &'static str> {
    identical_with(Buffers::Exported)
}

pub fn imported() -> Result<(), &'static str> {
    // Where the codec wants contiguous memory and there is none but its own, it says so.
    let Some(film) = films(SMALL)?.into_iter().next() else { return Err(NONE) };
    let factory = play::factory(Buffers::Imported);
    let mut decoder = open(&factory, &film.stream);
    let mut pictures = Vec::new();
    let mut look = |it: &VideoFrame| pictures.push(play::shown(it));
    let mut screen = Screen::new(&mut look);
    let played =
        screen.feed(decoder.as_mut(), film.packets.iter().cloned()).and_then(|()| screen.finish(decoder.as_mut()));
    match played {
        Ok(()) => same(&film.name, &pictures, &film.pictures),
        Err(error @ DecodeError::Device { .. }) => say(&format!("    {error}")),
        Err(error) => panic!("{error}"),
    }
    Ok(())
}

pub fn laps() -> Result<(), &'static str> {
    for film in films(SMALL)? {
        let factory = play::factory(Buffers::Exported);
        let mut decoder = open(&factory, &film.stream);
        for lap in 0..10 {
            let pictures = play::all(decoder.as_mut(), film.packets.iter().cloned());
            same(&format!("{}, lap {lap}", film.name), &pictures, &film.pictures);
            decoder.flush().unwrap();
        }
    }
    Ok(())
}

pub fn items() -> Result<(), &'static str> {
    let films = films(&[SMALL, &["854x480", "baseline"]].concat())?;
    let factory = play::factory(Buffers::Exported);
    let mut most = 0;
    for round in 0..4 {
        // The one before is on the screen while the next is opened and decodes.
        let mut before: Option<Vec<VideoFrame>> = None;
        for film in &films {
            let mut decoder = open(&factory, &film.stream);
            let (mut pictures, mut last) = (Vec::new(), None);
            let mut look = |it: &VideoFrame| {
                before = None;
                pictures.push(play::shown(it));
                last = Some(it.clone());
            };
            let mut screen = Screen::new(&mut look);
            screen.feed(decoder.as_mut(), film.packets.iter().take(1).cloned()).unwrap();
            screen.feed(decoder.as_mut(), film.packets.iter().skip(1).cloned()).unwrap_or_else(|it| panic!("{it}"));
            screen.finish(decoder.as_mut()).unwrap_or_else(|it| panic!("{it}"));
            same(&film.name, &pictures, &film.pictures);
            before = last.take().map(|it| vec![it]);
        }
        drop(before);
        let open = play::descriptors();
        assert!(round < 2 || open <= most, "{open} descriptors, {most} before");
        most = most.max(open);
    }
    Ok(())
}

pub fn change() -> Result<(), &'static str> {
    let films = films(&["322x242", "baseline"])?;
    let [first, second] = &films[..] else { return Err("there are no two films to join") };
    let (mut packets, mut expected) = (Vec::new(), Vec::new());
    for (n, film) in [first, second, first].into_iter().enumerate() {
        let offset = n as i64 * 10_000_000_000;
        let moved = |it: Option<MediaTime>| it.map(|it| it.offset_by(offset));
        // As in a file that was cut together: each part begins with its own parameter sets.
        packets.extend(annex_b(film).into_iter().map(|it| Packet { pts: moved(it.pts), dts: moved(it.dts), ..it }));
        expected.extend(film.pictures.iter().map(|it| Shown { pts: it.pts + offset, ..it.clone() }));
    }
    let mut stream = first.stream.clone();
    stream.parameters.native = None;
    stream.parameters.extra = std::sync::Arc::from([]);
    let factory = play::factory(Buffers::Exported);
    let mut decoder = open(&factory, &stream);
    same("joined", &play::all(decoder.as_mut(), packets), &expected);
    Ok(())
}

fn annex_b(film: &Film) -> Vec<Packet> {
    use lucarne::sys::ffmpeg::{BitstreamFilter, Parameters};
    let native = film.stream.parameters.native.as_ref().unwrap();
    let parameters = native.as_any().downcast_ref::<Parameters>().unwrap();
    let mut filter = BitstreamFilter::to_annex_b(parameters).unwrap().unwrap();
    let mut all = Vec::new();
    for packet in &film.packets {
        filter.submit(packet).unwrap();
        while let Some(it) = filter.poll().unwrap() {
            all.push(it);
        }
    }
    all
}
