//! A screenless GL context with everything needed to draw one picture and look at it.
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lucarne::base::format::Size;
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::render::{Compositor, readback};
use lucarne::seam::interop::Renderable;
use lucarne::seam::presenter::RenderTarget;
use lucarne::sys::egl;
use lucarne::sys::gl::{Api, Context, Framebuffer};

/// One per thread, as GL has it.
pub struct Stage {
    pub gl: Rc<Context>,
    pub compositor: Compositor,
}

impl Stage {
    pub fn new(api: Api) -> Self {
        Self::on(Context::new(egl::Context::surfaceless(api).unwrap()).unwrap())
    }

    /// With the context current on this thread.
    pub fn on(gl: Rc<Context>) -> Self {
        let compositor = Compositor::new(Rc::clone(&gl)).unwrap();
        Self { gl, compositor }
    }

    /// Draws something renderable: RGBA, top row first.
    pub fn draw(
        &mut self,
        picture: &Renderable,
        fit: Fit,
        rotation: Rotation,
        screen: Size,
        top_down: bool,
    ) -> Vec<u8> {
        let framebuffer = Framebuffer::new(&self.gl, screen).unwrap();
        let target = RenderTarget { framebuffer: framebuffer.name(), size: screen, top_down };
        self.compositor.compose(&target, Some((picture, fit, rotation))).unwrap();
        let mut pixels = vec![0; readback::rgba_len(screen)];
        readback::read_rgba(&self.gl, &target, &mut pixels).unwrap();
        pixels
    }
}

/// Writes got, want and their difference (16 times as strong) beside each other, and says where.
pub fn keep_evidence(name: &str, got: &[u8], want: &[[f64; 3]], size: Size) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let want_bytes: Vec<u8> =
        want.iter().flat_map(|it| it.map(|it| (it * 255.0).round() as u8).into_iter().chain([255])).collect();
    let difference: Vec<u8> = got
        .chunks(4)
        .zip(want_bytes.chunks(4))
        .flat_map(|(a, b)| [0, 1, 2].map(|it| a[it].abs_diff(b[it]).saturating_mul(16)).into_iter().chain([255]))
        .collect();
    let mut files = Vec::new();
    for (kind, pixels) in [("got", got), ("want", &want_bytes), ("difference", &difference)] {
        let path: PathBuf = folder.join(format!("{}-{kind}.png", name.replace([' ', '/'], "_")));
        let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), size.width, size.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        files.push(path.display().to_string());
    }
    files.join(", ")
}
