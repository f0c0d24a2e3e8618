//! What a frame's textures cost: of a buffer that was imported before, beside an upload of the same picture; and each with
//! the drawing behind it. It runs itself on the virtual board, which has dma-bufs and a Mesa that imports them, in real time;
//! `--here` measures where it is started, as on a Pi.
//!
//! Every measurement ends when the GPU is done, so that what a driver puts off is counted too. It begins with the picture in
//! the processor's caches, as a decoder has just left it there, or an upload would warm them for its own drawing.
use std::error::Error;
use std::fs;
use std::os::fd::AsFd;
use std::sync::Arc;

use lucarne::backend::dmabuf::{DmabufInterop, Imports};
use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::base::dmabuf::{DmabufPicture, DmabufPlane, Lease, PoolState, Slot};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::frame::{CpuPlanes, Memory, VecPlanes, VideoFrame};
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::render::Compositor;
use lucarne::seam::interop::VideoInterop;
use lucarne::seam::presenter::RenderTarget;
use lucarne::sys::dmabuf::{Access, Dmabuf, Heap, Placement};
use lucarne::sys::egl;
use lucarne::sys::gl::{Api, Context, Filter, Framebuffer, Sampler, TextureTarget};

mod support;
use support::{frame, judge, median, medians, on_the_board, picture, say, time};

/// The argument to measure here.
const HERE: &str = "--here";
const PICTURE: Size = Size::new(1920, 1080);
/// Small: a software rasteriser draws a larger one a hundred times as long as it uploads, and nothing could be told.
const SCREEN: Size = Size::new(160, 90);
/// Pairs of runs; odd, so that there is a middle one.
const TURNS: usize = 101;
/// An import is to cost at most a tenth of an upload.
const UPLOAD_PER_IMPORT: f64 = 10.0;
/// And with the drawing, never more.
const UPLOAD_PER_IMPORT_DRAWN: f64 = 1.0;

/// One buffer with a picture in it.
#[derive(Debug)]
struct Buffer {
    slot: Slot,
    memory: Dmabuf,
    places: Vec<(u32, u32)>,
}

impl DmabufPicture for Buffer {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        self.places.get(index).map(|it| DmabufPlane { fd: self.memory.as_fd(), offset: it.0, stride: it.1 })
    }

    fn read(&self, _with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        Err("not by the processor".to_owned())
    }
}

/// A picture in a buffer.
fn buffer(heap: &Heap, pool: &Arc<PoolState>, planes: &VecPlanes) -> std::io::Result<Buffer> {
    let memory = heap.allocate(planes.planes.iter().map(|it| it.0.len()).sum())?;
    let mut mapping = memory.map()?;
    memory.begin(Access::Write)?;
    let (mut places, mut start) = (Vec::new(), 0);
    for (bytes, stride) in &planes.planes {
        mapping.bytes_mut()[start..start + bytes.len()].copy_from_slice(bytes);
        places.push((start as u32, *stride as u32));
        start += bytes.len();
    }
    memory.end(Access::Write)?;
    Ok(Buffer { slot: Slot::new(pool, 0), memory, places })
}

/// What is on the other side of an interop.
struct Screen {
    gl: std::rc::Rc<Context>,
    compositor: Compositor,
    sampler: Sampler,
    target: RenderTarget,
}

impl Screen {
    /// One frame, from the decoder to textures that are bound or drawn: the nanoseconds.
    fn show(&mut self, interop: &mut dyn VideoInterop, frame: &VideoFrame, bytes: &[&[u8]], drawn: bool) -> f64 {
        for plane in bytes {
            std::hint::black_box(plane.iter().fold(0u8, |sum, it| sum.wrapping_add(*it)));
        }
        time(|| self.show_once(interop, frame, drawn)).as_nanos() as f64
    }

    fn show_once(&mut self, interop: &mut dyn VideoInterop, frame: &VideoFrame, drawn: bool) {
        interop.submit_decoded_frame(frame.clone()).expect("it takes the frame");
        let it = interop.acquire_renderable_frame().expect("no failure").expect("textures");
        if drawn {
            let picture = Some((&it, Fit::Contain, Rotation::None));
            self.compositor.compose(&self.target, picture).expect("it can be drawn");
        } else {
            for (unit, texture) in (0..).zip(it.planes.iter().flatten()) {
                self.gl.bind_texture(unit, TextureTarget::D2, texture.0, &self.sampler);
            }
        }
        self.gl.finish();
        interop.release_frame(it);
        interop.tidy();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|it| it == HERE) {
        return Ok(measure()?);
    }
    let folder = tempfile::tempdir()?;
    fs::copy(std::env::current_exe()?, folder.path().join("texture"))?;
    let command = ["env", "LD_LIBRARY_PATH=/opt/lucarne/lib", "./texture", HERE];
    say(on_the_board(folder.path(), &["-t", "300"], &command)?.trim_end());
    Ok(())
}

fn measure() -> Result<(), String> {
    let egl = egl::Context::surfaceless(Api::Gles3).map_err(|it| it.to_string())?;
    let gl = Context::new(egl.clone()).map_err(|it| it.to_string())?;
    let imports = Imports::open(&gl, egl.display())?;
    let heap = Heap::find(Placement::Anywhere)?;
    let framebuffer = Framebuffer::new(&gl, SCREEN).map_err(|it| it.to_string())?;
    let target = RenderTarget { framebuffer: framebuffer.name(), size: SCREEN, top_down: true };
    let compositor = Compositor::new(gl.clone()).map_err(|it| it.to_string())?;
    let sampler = Sampler::new(&gl, Filter::Linear).map_err(|it| it.to_string())?;
    let mut screen = Screen { gl: gl.clone(), compositor, sampler, target };
    say(&format!("textures: {PICTURE} of {}, onto {SCREEN}, by {}", heap.path().display(), gl.renderer()));
    for pixel in [PixelFormat::Nv12, PixelFormat::Yuv420p] {
        let planes = picture(pixel, PICTURE);
        let pool = PoolState::new(Box::new(|| {}));
        let buffer = Arc::new(buffer(&heap, &pool, &planes).map_err(|it| it.to_string())?);
        let mapping = buffer.memory.map().map_err(|it| it.to_string())?;
        let planes = Arc::new(planes);
        let ordinary_bytes: Vec<&[u8]> = planes.planes.iter().map(|it| &it.0[..]).collect();
        let shared = frame(pixel, PICTURE, Memory::Dmabuf(Lease::new(buffer)));
        let ordinary = frame(pixel, PICTURE, Memory::Cpu(planes.clone()));
        let mut import = DmabufInterop::new(imports.clone());
        let mut upload = SoftwareUpload::new(gl.clone(), WideTexels::Auto);
        for (drawn, what, at_least) in
            [(false, "texture", UPLOAD_PER_IMPORT), (true, "texture and drawing", UPLOAD_PER_IMPORT_DRAWN)]
        {
            let mut turn = || {
                let by_import = screen.show(&mut import, &shared, &[mapping.bytes()], drawn);
                (by_import, screen.show(&mut upload, &ordinary, &ordinary_bytes, drawn))
            };
            // One that does not count.
            turn();
            let turns: Vec<(f64, f64)> = (0..TURNS).map(|_| turn()).collect();
            let (import, upload) = medians(&turns);
            // Pair by pair: what else the machine does meets both sides of a pair alike, and few of the pairs.
            let ratio = median(turns.iter().map(|it| it.1 / it.0).collect());
            let name = pixel.name();
            say(&format!("  {name}, {what}: import {:.3} ms, upload {:.3} ms", import / 1e6, upload / 1e6));
            judge(&format!("{name}, {what}: upload / import"), ratio, at_least);
        }
    }
    Ok(())
}
