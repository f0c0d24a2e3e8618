//! What must be so on the specification's reference.
use lucarne::backend::v4l2::Buffers;
use lucarne::base::dmabuf::BufferId;
use lucarne::base::format::Size;
use lucarne::base::frame::{Memory, VideoFrame};
use lucarne::base::packet::Packet;
use lucarne::base::time::MediaTime;
use lucarne::seam::decoder::{DecodeError, DecoderFactory};
use lucarne::sys::alloc::thread_allocations;

use crate::decoder_suite::{Case, decoder_conformance};
use crate::fwht::{self, INTERVAL_NS};
use crate::play::{self, Screen};

const NONE: &str = "there is no vicodec here";
const SMALL: Size = Size::new(640, 360);

fn suite(buffers: Buffers, size: Size) -> Result<(), &'static str> {
    let film = fwht::film(size, 0, 40).ok_or(NONE)?;
    let factory = play::factory(buffers);
    let case = Case {
        name: "fwht",
        stream: &film.stream,
        packets: &film.packets,
        frames: film.packets.len(),
        wait: &play::wait,
    };
    decoder_conformance(&factory, &case);
    Ok(())
}

pub fn conformance() -> Result<(), &'static str> {
    suite(Buffers::Exported, SMALL)?;
    // Coded in 1088 lines, and in 864 columns or more.
    suite(Buffers::Exported, Size::new(1920, 1080))?;
    suite(Buffers::Exported, Size::new(854, 480))
}

pub fn imported() -> Result<(), &'static str> {
    suite(Buffers::Imported, SMALL)?;
    let film = fwht::film(SMALL, 0, 40).ok_or(NONE)?;
    let pictures = |buffers| {
        let mut decoder = play::factory(buffers).open(&film.stream).unwrap();
        play::all(decoder.as_mut(), film.packets.iter().cloned())
    };
    assert_eq!(pictures(Buffers::Exported), pictures(Buffers::Imported));
    Ok(())
}

pub fn pixels() -> Result<(), &'static str> {
    let size = Size::new(854, 480);
    let film = fwht::film(size, 0, 20).ok_or(NONE)?;
    let mut decoder = play::factory(Buffers::Exported).open(&film.stream).unwrap();
    let mut n = 0;
    let mut look = |frame: &VideoFrame| {
        assert!(matches!(frame.memory, Memory::Dmabuf(_)));
        assert_eq!(frame.format.visible.size(), size);
        let [luma, cb, cr] = play::planar(frame);
        let (mut error, mut count) = (0.0, 0.0);
        let mut add = |got: u8, want: u8| {
            error += (f64::from(got) - f64::from(want)).powi(2);
            count += 1.0;
        };
        for (at, got) in luma.iter().enumerate() {
            add(*got, fwht::luma(n, at as u32 % size.width, at as u32 / size.width));
        }
        for (at, got) in cb.iter().zip(&cr).enumerate() {
            let want = fwht::chroma(n, at as u32 % (size.width / 2), at as u32 / (size.width / 2));
            add(*got.0, want.0);
            add(*got.1, want.1);
        }
        let psnr = 10.0 * (255.0f64.powi(2) / (error / count).max(1e-9)).log10();
        assert!(psnr > 33.0, "picture {n}: {psnr:.1} dB");
        n += 1;
    };
    let mut screen = Screen::new(&mut look);
    screen.feed(decoder.as_mut(), film.packets.iter().cloned()).unwrap();
    screen.finish(decoder.as_mut()).unwrap();
    assert_eq!(n, 20);
    Ok(())
}

/// Two films as one stream, the second's times after the first's.
fn joined(films: &[&fwht::Film]) -> Vec<Packet> {
    let all = films.iter().flat_map(|it| it.packets.iter().cloned()).enumerate();
    let renumbered = all.map(|(n, it)| {
        let pts = Some(MediaTime::from_nanos(n as i64 * INTERVAL_NS));
        Packet { pts, dts: pts, ..it }
    });
    renumbered.collect()
}

pub fn change() -> Result<(), &'static str> {
    let small = fwht::film(SMALL, 0, 20).ok_or(NONE)?;
    let large = fwht::film(Size::new(1280, 720), 20, 20).ok_or(NONE)?;
    let packets = joined(&[&small, &large, &small]);
    for buffers in [Buffers::Exported, Buffers::Imported] {
        let factory = play::factory(buffers);
        let mut decoder = factory.open(&small.stream).unwrap();
        let mut pictures = Vec::new();
        let mut look = |it: &VideoFrame| pictures.push(play::shown(it));
        let mut screen = Screen::new(&mut look);
        screen.feed(decoder.as_mut(), packets.iter().cloned()).unwrap();
        screen.finish(decoder.as_mut()).unwrap();
        let (retired, formats) = (screen.retired, screen.formats);
        assert_eq!((retired, formats), (2, 3));
        assert_eq!(pictures.len(), 60);
        assert!(pictures.iter().enumerate().all(|(n, it)| it.pts == n as i64 * INTERVAL_NS), "each once, in order");
        let sizes: Vec<u32> = pictures.iter().map(|it| it.size.0).collect();
        assert_eq!((sizes[19], sizes[20], sizes[39], sizes[40]), (640, 1280, 1280, 640));
        let crcs = |range: std::ops::Range<usize>| pictures[range].iter().map(|it| it.crc).collect::<Vec<_>>();
        assert_eq!(crcs(0..20), crcs(40..60), "the same film");
    }
    Ok(())
}

pub fn kept() -> Result<(), &'static str> {
    let small = fwht::film(SMALL, 0, 10).ok_or(NONE)?;
    let large = fwht::film(Size::new(1280, 720), 10, 10).ok_or(NONE)?;
    let factory = play::factory(Buffers::Exported);
    let mut decoder = factory.open(&small.stream).unwrap();
    let mut kept = Vec::new();
    let mut look = |it: &VideoFrame| {
        if kept.is_empty() {
            kept.push(it.clone());
        }
    };
    let mut screen = Screen::new(&mut look);
    let packets = joined(&[&small, &large]);
    let error = screen.feed(decoder.as_mut(), packets).and_then(|()| screen.finish(decoder.as_mut())).unwrap_err();
    assert!(matches!(error, DecodeError::Device { call: "take its memory back", .. }), "{error}");
    // The codec stays open while the picture is held, and is closed at the next chance.
    drop(decoder);
    let before = play::descriptors();
    drop(kept);
    drop(factory.open(&large.stream).unwrap());
    assert!(play::descriptors() <= before, "the old one is closed");
    Ok(())
}

pub fn allocations() -> Result<(), &'static str> {
    let film = fwht::film(SMALL, 0, 40).ok_or(NONE)?;
    let mut decoder = play::factory(Buffers::Exported).open(&film.stream).unwrap();
    let mut ids: Vec<BufferId> = Vec::with_capacity(1000);
    let mut look = |it: &VideoFrame| {
        if let Memory::Dmabuf(lease) = &it.memory {
            ids.push(lease.id());
        }
    };
    let mut screen = Screen::new(&mut look);
    screen.feed(decoder.as_mut(), film.packets.iter().cloned()).unwrap();
    let before = thread_allocations();
    for _ in 0..10 {
        screen.feed(decoder.as_mut(), film.packets.iter().cloned()).unwrap();
    }
    assert_eq!(thread_allocations() - before, 0, "400 pictures");
    assert!(ids.len() > 400);
    ids.sort_by_key(|it| it.slot);
    ids.dedup();
    assert!(ids.len() <= 16, "of few buffers: {}", ids.len());
    Ok(())
}

pub fn reuse() -> Result<(), &'static str> {
    let small = fwht::film(SMALL, 0, 12).ok_or(NONE)?;
    let large = fwht::film(Size::new(1280, 720), 12, 12).ok_or(NONE)?;
    let factory = play::factory(Buffers::Exported);
    let mut expected = Vec::new();
    let mut n_fds = 0;
    for round in 0..20 {
        for (index, film) in [&small, &large].into_iter().enumerate() {
            let mut decoder = factory.open(&film.stream).unwrap();
            let pictures = play::all(decoder.as_mut(), film.packets.iter().cloned());
            if round == 0 {
                assert_eq!(pictures.len(), 12);
                expected.push(pictures);
            } else {
                assert_eq!(pictures, expected[index], "round {round}");
            }
        }
        if round == 1 {
            n_fds = play::descriptors();
        }
        assert!(round < 1 || play::descriptors() == n_fds, "round {round}");
    }
    Ok(())
}

pub fn refusals() -> Result<(), &'static str> {
    let film = fwht::film(SMALL, 0, 1).ok_or(NONE)?;
    let factory = play::factory(Buffers::Exported);
    let refused = |change: &dyn Fn(&mut lucarne::base::stream::VideoStream)| {
        let mut stream = film.stream.clone();
        change(&mut stream);
        match factory.probe(&stream) {
            Err(DecodeError::Unsupported { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(&|it| it.parameters.codec = "prores".into()).contains("do not know it"));
    assert!(refused(&|it| it.pixel_format = Some("yuv420p10le".into())).contains("8 bits"));
    assert!(refused(&|it| it.interlaced = true).contains("deinterlaces"));
    assert!(refused(&|it| it.parameters.codec = "vp9".into()).contains("decodes"), "what there is instead");
    assert!(factory.codecs().contains(&"fwht"));
    assert!(factory.describe().iter().any(|it| it.parts.iter().any(|it| it.name == "fwht")));
    Ok(())
}
