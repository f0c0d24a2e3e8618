//! What the way must do when nothing goes wrong.
use std::rc::Rc;

use lucarne::backend::dmabuf::{DmabufInterop, Styles};
use lucarne::base::color::{ChromaSiting, Color, Matrix, Range};
use lucarne::base::format::{PixelFormat, Rect, Size};
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::time::MediaTime;
use lucarne::seam::interop::{Place as Shown, Renderable, Sampling, VideoInterop};
use lucarne::seam::presenter::RenderTarget;
use lucarne::sys::alloc::thread_allocations;
use lucarne::sys::gl::Framebuffer;

use crate::difference::compare;
use crate::dmabuf_frames::DmabufFrames;
use crate::interop_conformance::{ANY, FrameSource, Terms, bars, interop_conformance_on};
use crate::pictures::{Picture, SDR, hard};
use crate::place::Place;
use crate::reference;
use crate::stage::Stage;

const SIZE: Size = Size::new(64, 36);

/// Where the frames of these cases go.
pub const SHOWN: Shown = Shown { fit: Fit::Contain, rotation: Rotation::None, screen: SIZE };

/// A driver that samples all planes at once knows chroma in the middle only, and sizes that it divides.
const AS_A_WHOLE: Terms = Terms { color: Color { siting: ChromaSiting::Center, ..SDR }, odd_sizes: false };

pub fn conforms_plane_by_plane(place: &Place) {
    conforms(place, Styles::Planes, ANY);
}

pub fn conforms_as_a_whole(place: &Place) {
    conforms(place, Styles::External, AS_A_WHOLE);
}

fn conforms(place: &Place, styles: Styles, terms: Terms) {
    let imports = place.tried(place.importer(), styles).unwrap();
    let make = |_| -> Box<dyn VideoInterop> { Box::new(DmabufInterop::new(Rc::clone(&imports))) };
    interop_conformance_on(place.stage(), terms, &make, &|| Box::new(place.frames()));
}

pub fn verdicts(place: &Place) {
    let imports = place.imports();
    let six = ["nv12", "nv21", "yuv420p", "yuv422p", "yuv444p", "p010le"];
    let said = imports.describe();
    assert_eq!(said.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), six);
    for it in imports.verdicts() {
        crate::harness::say(&format!("  {it}"));
        // What our own shader can do exactly is left to it.
        assert_eq!(it.sampling, Some(Sampling::Planes), "{it}");
    }
    assert_eq!(imports.formats().len(), six.len());
    let nv12 = &said[0];
    assert!(nv12.works && nv12.parts.iter().any(|it| it.name == "modifier 0x0"), "{nv12:?}");
    for it in place.tried(place.importer(), Styles::External).unwrap().verdicts() {
        crate::harness::say(&format!("  {it}"));
    }
}

/// Draws a frame of a picture at the picture's own size; how far it is from the reference.
#[track_caller]
fn shown(stage: &mut Stage, it: &Renderable, picture: &Picture) -> f64 {
    let screen = picture.format.visible.size();
    let got = stage.draw(it, Fit::Contain, Rotation::None, screen, true);
    compare(&got, &reference::render(picture, Fit::Contain, Rotation::None, screen)).max
}

#[track_caller]
pub fn acquire(interop: &mut DmabufInterop, frames: &DmabufFrames, slot: usize, picture: &Picture) -> Renderable {
    interop.submit_decoded_frame(frames.lend(slot, picture, MediaTime::ZERO)).unwrap();
    interop.acquire_renderable_frame().unwrap().unwrap()
}

/// In both styles, each colour and a crop are right within 2 of 255, or refused. Flat where chroma may not be exact.
pub fn colors(place: &Place) {
    let mut stage = place.stage();
    for (styles, siting) in [(Styles::Auto, ChromaSiting::Left), (Styles::External, ChromaSiting::Center)] {
        let imports = place.tried(place.importer(), styles).unwrap();
        let mut n_right = 0;
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            for range in [Range::Limited, Range::Full] {
                let color = Color { matrix, range, siting, ..SDR };
                for pixel in imports.formats() {
                    let mut interop = DmabufInterop::new(Rc::clone(&imports));
                    let mut frames = place.frames();
                    let mut picture = bars(*pixel, SIZE, color);
                    picture.format.visible = Rect { x: 8, y: 4, width: 48, height: 28 };
                    let slot = frames.add(&picture, 0, |_| {});
                    let frame = frames.lend(slot, &picture, MediaTime::ZERO);
                    if let Err(error) = interop.accepts(&frame, &SHOWN) {
                        assert_eq!(styles, Styles::External, "{error}");
                        assert!(error.to_string().contains("this driver's own colours"), "{error}");
                        continue;
                    }
                    drop(frame);
                    let it = acquire(&mut interop, &frames, slot, &picture);
                    let apart = shown(&mut stage, &it, &picture);
                    // Where chroma changes, a GPU's own filter has a say.
                    assert!(apart <= 3.0, "{} {color:?}: {apart}", pixel.name());
                    interop.release_frame(it);
                    n_right += 1;
                }
            }
        }
        crate::harness::say(&format!("  {styles:?}: {n_right} of {} are right", 6 * imports.formats().len()));
        assert!(n_right >= imports.formats().len());
    }
}

/// Buffers of heaps that the kernel knows of (drivers have some of their own); `None` where it does not tell.
fn kernel_buffers() -> Option<usize> {
    let text = std::fs::read_to_string("/sys/kernel/debug/dma_buf/bufinfo").ok()?;
    Some(text.lines().filter(|it| it.split_whitespace().nth(4) == Some("system")).count())
}

/// The GPU has done all it was asked; and what it was asked thereupon.
fn settle(stage: &Stage, interop: &mut DmabufInterop) {
    for _ in 0..2 {
        stage.gl.finish();
        interop.tidy();
    }
}

pub fn imported_once(place: &Place) {
    let (mut stage, mut interop, mut frames) = (place.stage(), place.interop(), place.frames());
    let pictures = [bars(PixelFormat::Nv12, SIZE, SDR), Picture::new(PixelFormat::Nv12, SIZE, SDR, hard(8))];
    for slot in 0..5 {
        frames.add(&pictures[slot % 2], 0, |_| {});
    }
    for turn in 0..25 {
        // Each time round, the other picture in the same buffer.
        let (slot, picture) = (turn % 5, &pictures[(turn + turn / 5) % 2]);
        frames.slots[slot].fill(picture, 0);
        let it = acquire(&mut interop, &frames, slot, picture);
        let apart = shown(&mut stage, &it, picture);
        assert!(apart <= 3.0, "turn {turn}: {apart}");
        interop.release_frame(it);
        settle(&stage, &mut interop);
    }
    assert_eq!((interop.imported(), frames.pool.imports()), (5, 5));
    drop(interop);
    assert_eq!((frames.pool.imports(), frames.held()), (0, 0), "none outlives the interop");
}

pub fn retiring(place: &Place) {
    let (mut stage, mut interop) = (place.stage(), place.interop());
    stage.gl.finish();
    let before = kernel_buffers();
    let picture = bars(PixelFormat::Nv12, SIZE, SDR);
    let (mut old, mut new) = (place.frames(), place.frames());
    for frames in [&mut old, &mut new] {
        for slot in 0..3 {
            frames.add(&picture, 0, |_| {});
            let it = acquire(&mut interop, frames, slot, &picture);
            assert!(shown(&mut stage, &it, &picture) <= 3.0);
            interop.release_frame(it);
        }
    }
    settle(&stage, &mut interop);
    old.pool.retire();
    let told = old.came_home();
    settle(&stage, &mut interop);
    assert_eq!((old.pool.imports(), new.pool.imports(), interop.imported()), (0, 3, 3));
    assert_eq!(old.came_home(), told + 1, "its owner is told");
    // What somebody still has can be drawn, to be copied for one, and is let go of again.
    let late = acquire(&mut interop, &old, 0, &picture);
    assert!(shown(&mut stage, &late, &picture) <= 3.0);
    interop.release_frame(late);
    settle(&stage, &mut interop);
    assert_eq!((old.pool.imports(), old.held(), interop.imported()), (0, 0, 3));
    // And nobody but its owner has the memory.
    drop(old);
    if let (Some(before), Some(now)) = (before, kernel_buffers()) {
        assert_eq!(now, before + 3, "the kernel still has buffers of the old pool");
    }
    new.pool.retire();
    settle(&stage, &mut interop);
    assert_eq!(new.pool.imports(), 0);
    drop(new);
    // This one was the last to be drawn.
    if let (Some(before), Some(now)) = (before, kernel_buffers()) {
        assert_eq!((before, now), (0, 0), "the kernel still has buffers of the new pool");
        crate::harness::say(&format!("  the kernel has {now} buffers of heaps, as before"));
    }
}

pub fn retiring_while_shown(place: &Place) {
    let (mut stage, mut interop, mut frames) = (place.stage(), place.interop(), place.frames());
    let picture = bars(PixelFormat::Yuv420p, SIZE, SDR);
    let slot = frames.add(&picture, 0, |_| {});
    let it = acquire(&mut interop, &frames, slot, &picture);
    frames.pool.retire();
    for _ in 0..3 {
        settle(&stage, &mut interop);
        assert_eq!((frames.pool.imports(), frames.held()), (1, 1));
        assert!(shown(&mut stage, &it, &picture) <= 3.0, "it is still the picture");
    }
    interop.release_frame(it);
    settle(&stage, &mut interop);
    assert_eq!((frames.pool.imports(), frames.held()), (0, 0));
}

/// With threads of its own (LP_NUM_THREADS), a software rasteriser is behind as a GPU is.
pub fn fenced(place: &Place) {
    let large = Size::new(1920, 1080);
    let (mut stage, mut interop, mut frames) = (place.stage(), place.interop(), place.frames());
    let picture = bars(PixelFormat::Nv12, large, SDR);
    for slot in 0..2 {
        frames.add(&picture, 0, |_| {});
        let it = acquire(&mut interop, &frames, slot, &picture);
        interop.release_frame(it);
    }
    settle(&stage, &mut interop);
    assert_eq!(frames.held(), 0);
    let framebuffer = Framebuffer::new(&stage.gl, large).unwrap();
    let target = RenderTarget { framebuffer: framebuffer.name(), size: large, top_down: true };
    let it = acquire(&mut interop, &frames, 0, &picture);
    for _ in 0..20 {
        stage.compositor.compose(&target, Some((&it, Fit::Stretch, Rotation::Half))).unwrap();
    }
    interop.release_frame(it);
    assert_eq!(frames.held(), 1, "it was asked to be drawn, and is held without asking the GPU");
    interop.tidy();
    if std::env::var_os("LP_NUM_THREADS").is_some_and(|it| it != "0") {
        assert_eq!(frames.held(), 1, "the GPU is still reading it");
        // The next frame does not wait for it.
        let next = acquire(&mut interop, &frames, 1, &picture);
        assert_eq!(frames.held(), 2);
        interop.release_frame(next);
    }
    settle(&stage, &mut interop);
    assert_eq!(frames.held(), 0);
}

pub fn allocations(place: &Place) {
    let (mut stage, mut interop, mut frames) = (place.stage(), place.interop(), place.frames());
    let picture = bars(PixelFormat::Nv12, SIZE, SDR);
    for _ in 0..8 {
        frames.add(&picture, 0, |_| {});
    }
    let framebuffer = Framebuffer::new(&stage.gl, SIZE).unwrap();
    let target = RenderTarget { framebuffer: framebuffer.name(), size: SIZE, top_down: true };
    let gl = Rc::clone(&stage.gl);
    let mut turn = |slot: usize| {
        let frame = frames.lend(slot, &picture, MediaTime::ZERO);
        let before = thread_allocations();
        interop.submit_decoded_frame(frame).unwrap();
        let it = interop.acquire_renderable_frame().unwrap().unwrap();
        stage.compositor.compose(&target, Some((&it, Fit::Contain, Rotation::None))).unwrap();
        interop.release_frame(it);
        interop.tidy();
        thread_allocations() - before
    };
    let first: u64 = (0..8).map(&mut turn).sum();
    assert!(first > 0, "imports are counted");
    let mut steady = 0;
    for it in 0..200 {
        if it % 8 == 0 {
            // A decoder writes into a buffer when it has come home, not before.
            gl.finish();
        }
        steady += turn(it % 8);
    }
    assert_eq!(steady, 0);
}
