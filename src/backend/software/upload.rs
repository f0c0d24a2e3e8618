//! "software_upload": planes in the CPU's memory, copied into textures. Works everywhere; what everything else falls
//! back to.
use std::rc::Rc;

use crate::base::format::{PixelFormat, Size};
use crate::base::frame::{CpuPlanes, VideoFormat, VideoFrame};
use crate::seam::interop::{InteropCapabilities, InteropError, Renderable, Sampling, TextureId, VideoInterop};
use crate::sys::gl::{Context, GlError, TexelFormat, Texture};

const NAME: &str = "software_upload";

/// One set of textures under the picture that is shown (it may have to be drawn again), one being filled.
const SET_COUNT: usize = 2;

/// How 16-bit components get into textures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WideTexels {
    /// As 16-bit textures where the GPU has them, else split.
    Auto,
    /// Always as pairs of bytes that the shader joins: for GPUs that cannot filter 16-bit textures, and for tests.
    Split,
}

/// Copies frames into textures. Textures are made when a format is first seen and used again for every frame of it.
#[derive(Debug)]
pub struct SoftwareUpload {
    gl: Rc<Context>,
    /// How formats of more than 8 bits are sampled.
    wide_sampling: Sampling,
    pending: Option<VideoFrame>,
    sets: [TextureSet; SET_COUNT],
}

/// The textures of one frame.
#[derive(Debug, Default)]
struct TextureSet {
    /// What the textures were made for.
    layout: Option<Layout>,
    textures: [Option<Texture>; 3],
    /// Somebody has a `Renderable` of it.
    out: bool,
}

/// All that decides how textures look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    pixel: PixelFormat,
    coded: Size,
    sampling: Sampling,
}

impl SoftwareUpload {
    /// An interop for the context current on this thread.
    pub fn new(gl: Rc<Context>, wide: WideTexels) -> Self {
        let wide_sampling = match wide {
            WideTexels::Auto if gl.has_norm16() => Sampling::Planes,
            WideTexels::Auto | WideTexels::Split => Sampling::SplitPlanes,
        };
        Self { gl, wide_sampling, pending: None, sets: Default::default() }
    }

    fn layout(&self, format: &VideoFormat) -> Layout {
        let sampling = if format.pixel.bit_depth() > 8 { self.wide_sampling } else { Sampling::Planes };
        Layout { pixel: format.pixel, coded: format.coded, sampling }
    }

    /// Copies the frame into the set's textures, which are made anew if they are of another layout.
    fn fill(&mut self, index: usize, frame: &VideoFrame) -> Result<Sampling, InteropError> {
        let layout = self.layout(&frame.format);
        let set = &mut self.sets[index];
        set.make(&self.gl, layout).map_err(|it| api_error("glTexStorage2D", &it))?;
        let mut uploaded = Ok(());
        let read = frame.memory.read(&mut |planes| uploaded = set.upload(&frame.format, planes));
        read.map_err(|reason| InteropError::Api { backend: NAME, call: "read the frame", reason })?;
        uploaded?;
        self.gl.check("glTexSubImage2D").map_err(|it| api_error("glTexSubImage2D", &it))?;
        Ok(layout.sampling)
    }
}

impl TextureSet {
    fn make(&mut self, gl: &Rc<Context>, layout: Layout) -> Result<(), GlError> {
        if self.layout == Some(layout) {
            return Ok(());
        }
        // The old ones go first, so that both never take memory at once.
        self.layout = None;
        self.textures = [None, None, None];
        for (slot, plane) in self.textures.iter_mut().zip(layout.pixel.planes()) {
            let format = texel_format(plane.components, plane.bytes_per_component, layout.sampling);
            *slot = Some(Texture::new(gl, format, plane.size(layout.coded))?);
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn upload(&self, format: &VideoFormat, planes: &dyn CpuPlanes) -> Result<(), InteropError> {
        for (plane, texture) in self.textures.iter().flatten().enumerate() {
            let source = planes.plane(plane).ok_or_else(|| InteropError::Unsupported {
                backend: NAME,
                what: format!("a {} frame without plane {plane}", format.pixel.name()),
            })?;
            texture.upload(source.bytes, source.stride).map_err(|it| api_error("glTexSubImage2D", &it))?;
        }
        Ok(())
    }

    fn names(&self) -> [Option<TextureId>; 3] {
        [0, 1, 2].map(|it| self.textures[it].as_ref().map(|it| TextureId(it.name())))
    }
}

/// The texels that hold such components.
fn texel_format(components: u8, bytes_per_component: u8, sampling: Sampling) -> TexelFormat {
    match (components, bytes_per_component, sampling) {
        (1, 1, _) => TexelFormat::R8,
        (2, 1, _) => TexelFormat::Rg8,
        (3, 1, _) => TexelFormat::Rgb8,
        (1, _, Sampling::SplitPlanes) => TexelFormat::Rg8,
        (2, _, Sampling::SplitPlanes) => TexelFormat::Rgba8,
        (1, _, _) => TexelFormat::R16,
        (2, _, _) => TexelFormat::Rg16,
        _ => TexelFormat::Rgba8,
    }
}

fn api_error(call: &'static str, error: &GlError) -> InteropError {
    if error.is_context_lost() {
        return InteropError::ContextLost { backend: NAME };
    }
    InteropError::Api { backend: NAME, call, reason: error.to_string() }
}

impl VideoInterop for SoftwareUpload {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> InteropCapabilities {
        InteropCapabilities { formats: &PixelFormat::ALL, max_size: self.gl.max_texture_size(), zero_copy: false }
    }

    fn init(&mut self, format: &VideoFormat) -> Result<(), InteropError> {
        let unsupported = |what| InteropError::Unsupported { backend: NAME, what };
        self.gl.check_size(format.coded).map_err(|it| unsupported(format!("a picture that big: {it}")))?;
        let (coded, visible) = (format.coded, format.visible);
        let fits = |start: u32, length: u32, whole: u32| start.checked_add(length).is_some_and(|end| end <= whole);
        if coded.is_empty()
            || !fits(visible.x, visible.width, coded.width)
            || !fits(visible.y, visible.height, coded.height)
        {
            return Err(unsupported(format!("a picture of {coded} that shows {visible:?} of itself")));
        }
        let layout = self.layout(format);
        for set in self.sets.iter_mut().filter(|it| !it.out) {
            set.make(&self.gl, layout).map_err(|it| api_error("glTexStorage2D", &it))?;
        }
        Ok(())
    }

    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError> {
        // Copied when it is asked for: one that is replaced before costs nothing.
        self.pending = Some(frame);
        Ok(())
    }

    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        let Some(frame) = self.pending.take() else { return Ok(None) };
        let Some(index) = self.sets.iter().position(|it| !it.out) else {
            self.pending = Some(frame);
            let reason = format!("all {SET_COUNT} texture sets are in use");
            return Err(InteropError::Api { backend: NAME, call: "acquire_renderable_frame", reason });
        };
        let sampling = self.fill(index, &frame)?;
        let set = &mut self.sets[index];
        set.out = true;
        Ok(Some(Renderable { format: frame.format, planes: set.names(), sampling, zero_copy: false, frame }))
    }

    fn release_frame(&mut self, frame: Renderable) {
        let Some(index) = self.sets.iter().position(|it| it.out && it.names() == frame.planes) else {
            log::error!("{NAME}: a frame came back that was never out");
            return;
        };
        self.sets[index].out = false;
        // To the end of the line: the GPU may still be reading it.
        self.sets[index..].rotate_left(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::base::color::ColorTags;
    use crate::base::format::{Ratio, Rect};
    use crate::base::frame::{Memory, VecPlanes};
    use crate::base::geometry::Rotation;
    use crate::base::time::MediaTime;
    use crate::sys::egl;
    use crate::sys::gl::Api;

    fn upload() -> SoftwareUpload {
        let gl = Context::new(egl::Context::surfaceless(Api::Gles3).unwrap()).unwrap();
        SoftwareUpload::new(gl, WideTexels::Auto)
    }

    /// An 8x4 NV12 frame of these planes.
    fn frame(planes: Vec<(Vec<u8>, usize)>) -> VideoFrame {
        let coded = Size::new(8, 4);
        let color = ColorTags::default().resolve(coded, false);
        let (visible, sar, rotation) = (Rect::of(coded), Ratio::ONE, Rotation::None);
        VideoFrame {
            format: VideoFormat { pixel: PixelFormat::Nv12, coded, visible, sar, rotation, color },
            pts: MediaTime::ZERO,
            duration: Duration::ZERO,
            corrupt: false,
            lap: 0,
            discontinuity: false,
            memory: Memory::Cpu(Arc::new(VecPlanes { planes })),
        }
    }

    fn good() -> VideoFrame {
        frame(vec![(vec![16; 32], 8), (vec![128; 16], 8)])
    }

    #[test]
    fn textures_are_used_again() {
        let mut upload = upload();
        let mut seen = Vec::new();
        for _ in 0..6 {
            upload.submit_decoded_frame(good()).unwrap();
            let it = upload.acquire_renderable_frame().unwrap().unwrap();
            seen.push(it.planes);
            upload.release_frame(it);
        }
        assert_ne!(seen[0], seen[1], "the GPU may still be reading the last one");
        assert_eq!([seen[0], seen[1]], [seen[2], seen[3]]);
        assert_eq!([seen[0], seen[1]], [seen[4], seen[5]]);
    }

    #[test]
    fn a_frame_that_is_not_all_there_costs_only_itself() {
        let mut upload = upload();
        for bad in [
            frame(vec![(vec![16; 32], 8)]),
            frame(vec![(vec![16; 31], 8), (vec![128; 16], 8)]),
            frame(vec![(vec![16; 32], 7), (vec![128; 16], 8)]),
            frame(vec![(vec![16; 32], 0), (vec![128; 16], 8)]),
            frame(vec![(vec![16; 32], usize::MAX), (vec![128; 16], 8)]),
        ] {
            upload.submit_decoded_frame(bad).unwrap();
            assert!(upload.acquire_renderable_frame().is_err());
            upload.submit_decoded_frame(good()).unwrap();
            let it = upload.acquire_renderable_frame().unwrap().unwrap();
            upload.release_frame(it);
        }
    }

    #[test]
    fn a_crop_outside_the_picture_is_refused() {
        let mut upload = upload();
        let mut format = good().format;
        upload.init(&format).unwrap();
        format.visible.x = 1;
        assert!(upload.init(&format).is_err());
        format.visible.x = u32::MAX;
        assert!(upload.init(&format).is_err());
    }
}
