//! What a picture costs from memory to the screen and back, each beside `memcpy` of the same bytes.
//!
//! Every measurement ends when the GPU is done, so that what a driver puts off is counted too.
use std::sync::Arc;

use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::frame::{Memory, VideoFrame};
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::render::{Compositor, readback};
use lucarne::seam::interop::{Renderable, VideoInterop};
use lucarne::seam::presenter::RenderTarget;
use lucarne::sys::egl;
use lucarne::sys::gl::{Api, Context, Framebuffer};

mod support;
use support::{frame, in_turns, median, medians, picture, say};

/// Large enough for copying to dominate, small enough for a software rasteriser.
const PICTURE: Size = Size::new(1920, 1080);
/// What golden tests draw at most.
const SCREEN: Size = Size::new(640, 360);
/// Pairs of runs; odd, so that there is a middle one.
const TURNS: usize = 15;

fn planes(frame: &VideoFrame) -> impl Iterator<Item = &[u8]> {
    let Memory::Cpu(planes) = &frame.memory else { panic!("in ordinary memory") };
    (0..3).filter_map(|it| planes.plane(it)).map(|it| it.bytes)
}

fn uploaded(interop: &mut SoftwareUpload, frame: &VideoFrame) -> Renderable {
    interop.submit_decoded_frame(frame.clone()).expect("it takes any frame");
    interop.acquire_renderable_frame().ok().flatten().expect("textures")
}

fn main() {
    let egl = egl::Context::surfaceless(Api::Gles3).unwrap_or_else(|it| panic!("{it}"));
    let gl = Context::new(egl).unwrap_or_else(|it| panic!("{it}"));
    let mut compositor = Compositor::new(gl.clone()).unwrap_or_else(|it| panic!("{it}"));
    let framebuffer = Framebuffer::new(&gl, SCREEN).unwrap_or_else(|it| panic!("{it}"));
    let target = RenderTarget { framebuffer: framebuffer.name(), size: SCREEN, top_down: true };
    say(&format!("picture: {PICTURE} onto {SCREEN}, drawn by {}", gl.renderer()));
    say("  format      upload   memcpy  ratio     draw");
    for pixel in PixelFormat::ALL {
        let frame = frame(pixel, PICTURE, Memory::Cpu(Arc::new(picture(pixel, PICTURE))));
        let mut copies: Vec<Vec<u8>> = planes(&frame).map(|it| vec![0; it.len()]).collect();
        let mut interop = SoftwareUpload::new(gl.clone(), WideTexels::Auto);
        interop.init(&frame.format).unwrap_or_else(|it| panic!("{it}"));
        let upload = || {
            let it = uploaded(&mut interop, &frame);
            gl.finish();
            interop.release_frame(it);
        };
        let memcpy = || {
            for (from, to) in planes(&frame).zip(&mut copies) {
                to.copy_from_slice(from);
            }
            std::hint::black_box(&mut copies);
        };
        let (upload, memcpy) = medians(&in_turns(TURNS, upload, memcpy));
        let renderable = uploaded(&mut interop, &frame);
        let mut draw = || {
            let picture = Some((&renderable, Fit::Contain, Rotation::None));
            compositor.compose(&target, picture).expect("it can be drawn");
            gl.finish();
        };
        draw();
        let draw = median((0..TURNS).map(|_| support::time(&mut draw).as_nanos() as f64).collect());
        let (upload, memcpy, draw) = (upload / 1e6, memcpy / 1e6, draw / 1e6);
        let ratio = upload / memcpy;
        say(&format!("  {:<10} {upload:>5.2} ms {memcpy:>5.2} ms {ratio:>6.2} {draw:>5.2} ms", pixel.name()));
        interop.release_frame(renderable);
    }
    read_back(&gl, &mut compositor);
}

fn read_back(gl: &std::rc::Rc<Context>, compositor: &mut Compositor) {
    let framebuffer = Framebuffer::new(gl, PICTURE).unwrap_or_else(|it| panic!("{it}"));
    let target = RenderTarget { framebuffer: framebuffer.name(), size: PICTURE, top_down: true };
    compositor.compose(&target, None).expect("black can be drawn");
    let mut pixels = vec![0; readback::rgba_len(PICTURE)];
    let mut copy = pixels.clone();
    let source = pixels.clone();
    let read = || readback::read_rgba(gl, &target, &mut pixels).expect("it can be read");
    let memcpy = || copy.copy_from_slice(std::hint::black_box(&source));
    let (read, memcpy) = medians(&in_turns(TURNS, read, memcpy));
    let (read, memcpy) = (read / 1e6, memcpy / 1e6);
    say(&format!("  read back {PICTURE}: {read:.2} ms, memcpy {memcpy:.2} ms, ratio {:.2}", read / memcpy));
}
