//! Frames of the kernel's test codec on the wire, as the codec left them in its memory: on planes, and drawn.
use std::rc::Rc;
use std::sync::Arc;

use lucarne::backend::dmabuf::{DmabufInterop, EglImporter, Imports, Styles};
use lucarne::backend::headless::display_clock::RealClock;
use lucarne::backend::kms::KmsRequest;
use lucarne::backend::v4l2::{Buffers, V4l2DecoderFactory};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::frame::{Memory, VideoFrame};
use lucarne::seam::decoder::DecoderFactory;
use lucarne::seam::interop::{Place, VideoInterop};
use lucarne::sys::dmabuf::{Heap, Placement};

use crate::cards::Surroundings;
use crate::cases::{Outcome, capture_by, one};
use crate::difference::{Within, compare};
use crate::frames::{PLACE, check, wire};
use crate::pictures::{Channel, Picture};
use crate::screen::request;
use crate::{fwht, play, reference};

const NONE: &str = "there is no vicodec here";

/// The films: small, of whole blocks, and coded in 1088 lines.
const SIZES: [Size; 3] = [Size::new(640, 480), Size::new(1280, 720), Size::new(1920, 1080)];

/// What is decoded: each size in each of our two ways to have buffers, and as many pictures as this variable says. Without it
/// a few, since each costs the CPU up to seconds.
const N_PICTURES: &str = "LUCARNE_PICTURES";

fn configurations() -> Vec<(Size, Buffers, usize)> {
    let [small, _, large] = SIZES;
    match std::env::var(N_PICTURES).ok().and_then(|it| it.parse().ok()) {
        Some(n) => SIZES.iter().flat_map(|it| [(*it, Buffers::Exported, n), (*it, Buffers::Imported, n)]).collect(),
        None => vec![(small, Buffers::Exported, 2), (small, Buffers::Imported, 2), (large, Buffers::Exported, 1)],
    }
}

/// Where the codec's pictures go: to a screen of their size.
fn place(size: Size) -> Place {
    Place { screen: size, ..PLACE }
}

/// What was decoded; `halved` has the chroma of two by two pixels once, as the codec has it, and otherwise each pixel has
/// that of its block, as a controller takes it that does not filter: vkms.
fn decoded(frame: &VideoFrame, halved: bool) -> Picture {
    let [luma, cb, cr] = play::planar(frame);
    let size = frame.format.visible.size();
    let (pixel, step) = if halved { (PixelFormat::Yuv420p, 1) } else { (PixelFormat::Yuv444p, 2) };
    Picture::new(pixel, size, frame.format.color, |it| {
        let (whole, part) =
            ((it.y * size.width + it.x) as usize, (it.y / step * size.width / 2 + it.x / step) as usize);
        u16::from(match it.channel {
            Channel::Cb => cb[part],
            Channel::Cr => cr[part],
            _ => luma[whole],
        })
    })
}

/// Decodes a film of each configuration, and looks at each frame. `show` is told the size.
fn each(mut show: impl FnMut(Size, &mut dyn FnMut(&mut dyn FnMut(&VideoFrame)))) -> Outcome {
    for (size, buffers, n_pictures) in configurations() {
        let film = fwht::film(size, 0, n_pictures).ok_or(NONE)?;
        show(size, &mut |look| {
            let factory = V4l2DecoderFactory::new(Arc::new(RealClock), buffers);
            let mut decoder = factory.open(&film.stream).unwrap();
            let mut n_shown = 0;
            let mut look = |frame: &VideoFrame| {
                assert!(matches!(frame.memory, Memory::Dmabuf(_)));
                look(frame);
                n_shown += 1;
            };
            let mut screen = play::Screen::new(&mut look);
            screen.feed(decoder.as_mut(), film.packets.iter().cloned()).unwrap();
            screen.finish(decoder.as_mut()).unwrap();
            screen.let_go();
            assert_eq!(n_shown, n_pictures);
        });
    }
    Ok(())
}

pub fn on_planes(_: &Surroundings) -> Outcome {
    each(|size, decode| {
        let (mut display, mut tools) = one(&KmsRequest { size: Some(size), ..request(&[]) });
        let (mut interop, place) = (display.plane_interop(), place(size));
        decode(&mut |frame| {
            interop.accepts(frame, &place).unwrap_or_else(|error| panic!("{error}"));
            let pixels = wire(&mut display, &mut tools, frame, place);
            let want = reference::render(&decoded(frame, false), place.fit, place.rotation, size);
            check(size, &pixels, &want, &format!("{size} on a plane, {:?}", frame.pts), |_, _| false);
        });
    })
}

/// Whether picture `n` has an edge of chroma about there, across or down: see `fwht::chroma`.
fn is_at_jump(at: u32, n: u32) -> bool {
    (at / 2 + n + 2) % 256 < 4
}

fn drawn(styles: Styles) -> Outcome {
    each(|size, decode| {
        let (mut display, mut tools) = one(&KmsRequest { size: Some(size), ..request(&[]) });
        let importer = Box::new(EglImporter::new(Rc::clone(&tools.gl), display.device().display().clone()));
        let heap = Rc::new(Heap::find(Placement::Anywhere).unwrap());
        let imports = Imports::tried(&tools.gl, importer, &heap, styles).unwrap();
        let (mut interop, place) = (DmabufInterop::new(imports), place(size));
        decode(&mut |frame| {
            interop.init(&frame.format).unwrap();
            interop.submit_decoded_frame(frame.clone()).unwrap();
            let texture = interop.acquire_renderable_frame().unwrap().expect("it was just submitted");
            let (pixels, _) = capture_by(&mut display, &mut tools, |display, tools| {
                tools.present_by(display, |tools, target| {
                    tools.compositor.compose(target, Some((&texture, place.fit, place.rotation))).unwrap();
                })
            });
            interop.release_frame(texture);
            let want = reference::render(&decoded(frame, true), place.fit, place.rotation, size);
            let smooth = (0u32..).zip(want).zip(pixels.chunks_exact(4)).filter(|((place, _), _)| {
                let n = (frame.pts.nanos() / fwht::INTERVAL_NS) as u32;
                let jumps = [place % size.width, place / size.width].map(|it| is_at_jump(it, n));
                // Where chroma lies within a block is the driver's own business then: some take none but the middle.
                styles == Styles::Planes || jumps == [false; 2]
            });
            let (want, pixels): (Vec<_>, Vec<_>) = smooth.map(|((_, want), pixel)| (want, pixel)).unzip();
            assert!(want.len() > 9 * (size.width * size.height) as usize / 10);
            let apart = compare(&pixels.concat(), &want);
            assert!(Within::pixel_by_pixel(frame.format.pixel).allows(&apart), "{size}, {:?}: {apart:?}", frame.pts);
        });
    })
}

pub fn plane_by_plane(_: &Surroundings) -> Outcome {
    drawn(Styles::Planes)
}

pub fn as_a_whole(_: &Surroundings) -> Outcome {
    drawn(Styles::External)
}
