//! A picture kept by the GPU, when the memory it came in is wanted back.
use std::sync::Arc;
use std::time::Duration;

use super::compose::{Compositor, RenderError};
use super::readback::{read_rgba, rgba_len};
use crate::base::color::ColorTags;
use crate::base::format::{PixelFormat, Ratio, Rect, Size};
use crate::base::frame::{Memory, VecPlanes, VideoFormat, VideoFrame};
use crate::base::geometry::{Fit, Rotation};
use crate::base::time::MediaTime;
use crate::seam::interop::{Renderable, Sampling, TextureId};
use crate::seam::presenter::RenderTarget;
use crate::sys::gl::Framebuffer;

/// A copy of a picture in a texture: the visible part at its own size, upright, as the screen is to show it. Drawn like any
/// other picture. Goes before its GL context.
#[derive(Debug)]
pub struct Kept {
    framebuffer: Framebuffer,
    /// What the copy is; it has no bytes that the CPU could read.
    frame: VideoFrame,
}

impl Kept {
    /// To be drawn. There is nothing to give back.
    pub fn renderable(&self) -> Renderable {
        Renderable {
            format: self.frame.format,
            planes: [Some(TextureId(self.framebuffer.texture().name())), None, None],
            sampling: Sampling::Planes,
            zero_copy: false,
            frame: self.frame.clone(),
        }
    }

    /// When the picture was due, on its stream's timeline.
    pub fn pts(&self) -> MediaTime {
        self.frame.pts
    }

    fn target(&self) -> RenderTarget {
        // Its first row is the picture's top one, as in textures that are uploaded.
        RenderTarget { framebuffer: self.framebuffer.name(), size: self.framebuffer.size(), top_down: true }
    }
}

impl Compositor {
    /// Copies a picture. Submits to the GPU, waits for nothing; the picture's memory is read when the GPU has drawn it.
    pub fn keep(&mut self, picture: &Renderable) -> Result<Kept, RenderError> {
        let format = picture.format;
        let (mut size, mut sar) = (format.visible.size(), format.sar);
        if format.rotation.swaps_axes() {
            size = Size::new(size.height, size.width);
            sar = Ratio { num: sar.den, den: sar.num };
        }
        let framebuffer = Framebuffer::new(self.gl(), size)?;
        let kept = Kept { framebuffer, frame: frame(size, sar, VecPlanes::default(), picture.frame.pts) };
        self.compose(&kept.target(), Some((picture, Fit::Stretch, Rotation::None)))?;
        Ok(kept)
    }

    /// The same in ordinary memory, for when the GL context goes. Waits for the GPU.
    pub fn read_kept(&self, kept: &Kept) -> Result<VideoFrame, RenderError> {
        let target = kept.target();
        let mut pixels = vec![0; rgba_len(target.size)];
        read_rgba(self.gl(), &target, &mut pixels)?;
        let planes = VecPlanes { planes: vec![(pixels, target.size.width as usize * 4)] };
        Ok(frame(target.size, kept.frame.format.sar, planes, kept.frame.pts))
    }
}

fn frame(size: Size, sar: Ratio, planes: VecPlanes, pts: MediaTime) -> VideoFrame {
    VideoFrame {
        format: VideoFormat {
            pixel: PixelFormat::Rgba,
            coded: size,
            visible: Rect::of(size),
            sar,
            rotation: Rotation::None,
            color: ColorTags::default().resolve(size, true),
        },
        pts,
        duration: Duration::ZERO,
        corrupt: false,
        lap: 0,
        discontinuity: false,
        memory: Memory::Cpu(Arc::new(planes)),
    }
}
