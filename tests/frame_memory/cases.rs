//! The cases, by what they are about.
use std::collections::HashSet;
use std::fs;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use lucarne::backend::frame_memory::DmabufSource;
use lucarne::base::dmabuf::{Lease, MODIFIER_LINEAR};
use lucarne::base::frame::{Memory, VideoFrame};
use lucarne::seam::decoder::DecoderFactory;
use lucarne::seam::wait::Waitable;
use lucarne::sys::alloc::thread_allocations;

use crate::decode::{Film, factory, film, frames, open, shown, turn};
use crate::decoder_suite::{self, Case};
use crate::films;

fn lease(frame: &VideoFrame) -> Option<&Lease> {
    match &frame.memory {
        Memory::Dmabuf(it) => Some(it),
        Memory::Cpu(_) => None,
    }
}

/// What is seen of every frame in ordinary memory.
fn reference(film: &Film) -> Vec<(i64, Vec<u8>)> {
    let mut seen = Vec::new();
    turn(open(film, 1, None).as_mut(), film, |it| {
        assert!(lease(&it).is_none());
        seen.push(shown(&it));
    });
    assert!(seen.len() >= 10, "{} pictures", seen.len());
    seen
}

pub fn the_same(source: &Arc<DmabufSource>) {
    for kind in films::FILMS {
        let name = kind.name;
        let film = film(name);
        let want = reference(&film);
        let claim = factory(1, Some(source)).gives_dmabufs(&film.stream);
        assert_eq!(claim.is_ok(), kind.placed, "{name}: {claim:?}");
        assert!(factory(1, None).gives_dmabufs(&film.stream).is_err(), "{name}");
        for threads in 1..=4 {
            let mut decoder = open(&film, threads, Some(source));
            // The first turn takes new buffers, the second those of the first.
            for _ in 0..2 {
                let mut seen = Vec::new();
                turn(decoder.as_mut(), &film, |it| {
                    assert_eq!(lease(&it).is_some(), kind.placed, "{name} on {threads} threads");
                    assert!(!kind.placed || claim == Ok(it.format.pixel), "{name}: {claim:?}");
                    assert!(!kind.placed || (it.format.coded.width % 2, it.format.coded.height % 2) == (0, 0));
                    seen.push(shown(&it));
                });
                assert_eq!(seen.len(), want.len(), "{name} on {threads} threads");
                let wrong = seen.iter().zip(&want).position(|(it, want)| it != want);
                assert_eq!(wrong, None, "{name} on {threads} threads: the first picture that differs");
            }
            assert_eq!(decoder.stats().ordinary, 0, "{name} on {threads} threads");
        }
    }
}

pub fn conformance(source: &Arc<DmabufSource>) {
    for name in ["h264.mp4", "open-gop.mp4", "hevc.mkv", "vp9.webm", "av1.mkv", "mpeg2.mkv", "mjpeg.mkv"] {
        let film = film(name);
        let frames = reference(&film).len();
        let wait = &|_: Waitable<'_>| panic!("it answers at once");
        for threads in [1, 3] {
            let case = Case { name, stream: &film.stream, packets: &film.packets, frames, wait };
            decoder_suite::decoder_conformance(&factory(threads, Some(source)), &case);
        }
    }
}

pub fn layout(source: &Arc<DmabufSource>) {
    for name in ["h264.mp4", "h264-422.mkv", "h264-444.mkv", "vp9.webm"] {
        let film = film(name);
        turn(open(&film, 2, Some(source)).as_mut(), &film, |it| {
            let picture = lease(&it).expect("in a dma-buf").picture();
            assert_eq!(picture.modifier(), MODIFIER_LINEAR);
            let mut end = 0;
            for (index, layout) in it.format.pixel.planes().iter().enumerate() {
                let plane = picture.plane(index).expect("a plane for each of the format's");
                let size = layout.size(it.format.coded);
                assert!(plane.stride as usize >= size.width as usize * layout.texel_bytes());
                assert_eq!((plane.stride % 64, plane.offset % 64), (0, 0), "{name}");
                assert!(plane.offset >= end, "{name}: planes do not overlap");
                end = plane.offset + plane.stride * size.height;
                let memory = fs::metadata(format!("/proc/self/fd/{}", plane.fd.as_raw_fd())).unwrap();
                assert!(memory.len() >= u64::from(end), "{name}: {} bytes for {end}", memory.len());
                let target = fs::read_link(format!("/proc/self/fd/{}", plane.fd.as_raw_fd())).unwrap();
                assert!(target.to_string_lossy().contains("dmabuf"), "{name}: {}", target.display());
            }
            assert!(picture.plane(it.format.pixel.planes().len()).is_none());
        });
    }
}

pub fn exhaustion(source: &Arc<DmabufSource>) {
    for threads in [1, 4] {
        let film = film("mjpeg.mkv");
        let want = reference(&film);
        let mut decoder = open(&film, threads, Some(source));
        let mut held = frames(decoder.as_mut(), &film);
        assert_eq!(held.iter().map(shown).collect::<Vec<_>>(), want, "none is lost");
        let placed = held.iter().filter(|it| lease(it).is_some()).count();
        let buffers: HashSet<_> = held.iter().filter_map(|it| lease(it).map(Lease::id)).collect();
        assert!(0 < placed && placed < want.len(), "{placed} of {}", want.len());
        assert_eq!(buffers.len(), placed, "no two pictures in one buffer");
        assert_eq!(decoder.stats().ordinary, (want.len() - placed) as u64);
        assert!(held.iter().all(|it| it.format == held[0].format), "nobody sees from its format where a picture is");
        // With some given back, there is room again.
        held.truncate(2);
        let before = decoder.stats().ordinary;
        turn(decoder.as_mut(), &film, |it| assert!(lease(&it).is_some()));
        assert_eq!(decoder.stats().ordinary, before);
        assert_eq!(held.iter().map(shown).collect::<Vec<_>>(), want[..2], "what is held is not written over");
    }
}

pub fn sizes(source: &Arc<DmabufSource>) {
    let film = film(films::SIZES);
    let want = reference(&film);
    for threads in [1, 4] {
        let mut decoder = open(&film, threads, Some(source));
        let (mut seen, mut pools, mut last) = (Vec::new(), Vec::new(), None);
        turn(decoder.as_mut(), &film, |it| {
            let lease = lease(&it).expect("in a dma-buf");
            assert!(!lease.pool().is_retiring(), "a picture that has just come can be imported");
            if pools.last() != Some(&lease.id().pool) {
                pools.push(lease.id().pool);
            }
            seen.push(shown(&it));
            last = Some(it);
        });
        assert!(seen == want, "on {threads} threads");
        // The first size comes back: to a pool that was given up meanwhile, or not.
        assert!(pools.len() == 3 && pools[0] != pools[1] && pools[1] != pools[2], "{pools:?}");
        assert_eq!(decoder.stats().ordinary, 0);
    }
}

pub fn allocations(source: &Arc<DmabufSource>) {
    for name in ["h264.mp4", "open-gop.mp4", "hevc.mkv", "vp9.webm", "mjpeg.mkv"] {
        let film = film(name);
        let mut decoder = open(&film, 2, Some(source));
        let mut held = [None, None, None];
        let mut count = 0;
        let mut once = || {
            turn(decoder.as_mut(), &film, |it| {
                held[count % 3] = Some(it);
                count += 1;
            });
            count
        };
        let warm = (0..3).map(|_| once()).last().unwrap();
        let before = thread_allocations();
        let all = (0..5).map(|_| once()).last().unwrap();
        let allocations = thread_allocations() - before;
        assert!(all - warm >= 100, "{name}: {all}");
        assert_eq!(allocations, 0, "{name}: over {} pictures", all - warm);
    }
}

/// Descriptors of this process, and its mappings of dma-bufs.
fn resources() -> (usize, usize) {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    (descriptors, maps.lines().filter(|it| it.contains("dmabuf")).count())
}

pub fn leaks(source: &Arc<DmabufSource>) {
    let film = film("h264.mp4");
    let (before, mut during) = (resources(), (0, 0));
    for threads in (1..=4).cycle().take(100) {
        let mut decoder = open(&film, threads, Some(source));
        let held = frames(decoder.as_mut(), &film);
        during = resources();
        drop(held);
    }
    assert!(during.0 > before.0 && during.1 > before.1, "{before:?}, then {during:?}");
    assert_eq!(resources(), before);
}

pub fn outliving(source: &Arc<DmabufSource>) {
    let film = film("open-gop.mp4");
    let want = reference(&film);
    let before = resources();
    let mut decoder = open(&film, 4, Some(source));
    let mut held = frames(decoder.as_mut(), &film);
    let pool = Arc::clone(lease(&held[0]).expect("in a dma-buf").pool());
    drop(decoder);
    assert_eq!(held.iter().map(shown).collect::<Vec<_>>(), want);
    assert!(!pool.is_retiring(), "while one is shown, its import is of use");
    let last = held.remove(0);
    drop(held);
    assert!(!pool.is_retiring() && pool.leases() == 1, "{pool:?}");
    assert_eq!(shown(&last), want[0]);
    drop(last);
    assert!(pool.is_retiring() && pool.leases() == 0, "importers let go now: {pool:?}");
    assert_eq!(resources(), before);
}

pub fn keeping(source: &Arc<DmabufSource>) {
    let film = film("h264.mp4");
    let want = reference(&film);
    let mut decoder = open(&film, 3, Some(source));
    // One of the first turn is kept through three more, and its buffer is nobody else's meanwhile.
    let mut kept = None;
    turn(decoder.as_mut(), &film, |it| kept = kept.take().or(Some(it)));
    let kept = kept.expect("a frame");
    let own = lease(&kept).expect("in a dma-buf").id();
    let mut others = HashSet::new();
    for _ in 0..3 {
        turn(decoder.as_mut(), &film, |it| {
            others.insert(lease(&it).expect("in a dma-buf").id());
        });
        assert_eq!(shown(&kept), want[0]);
    }
    assert!(!others.contains(&own), "its buffer was written");
    drop(kept);
    turn(decoder.as_mut(), &film, |it| {
        others.insert(lease(&it).expect("in a dma-buf").id());
    });
    assert!(others.contains(&own), "now it can be");
    assert!(others.len() < 35, "a handful of buffers: {}", others.len());
}
