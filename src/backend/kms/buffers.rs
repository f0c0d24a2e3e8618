//! Buffers that GL draws into and planes scan out.
use std::cell::OnceCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use drm::buffer::DrmFourcc;
use gbm::{BufferObject, BufferObjectFlags};

use crate::backend::kms::device::Device;
use crate::base::dmabuf::DmabufPlane;
use crate::base::format::Size;
use crate::seam::presenter::RenderTarget;
use crate::sys::egl::{DmaBuf, Image, ImageFramebuffer};
use crate::sys::kms::Framebuffer;

/// One on the screen, one on its way there, one being drawn.
pub const BUFFER_COUNT: usize = 3;

/// What GL draws into, and what is shown of it on the primary plane: without alpha where the plane can do that, for nothing of
/// ours is to be blended with what lies below. A plane above another shows it with.
const FORMATS: [(DrmFourcc, DrmFourcc); 6] = [
    (DrmFourcc::Argb8888, DrmFourcc::Xrgb8888),
    (DrmFourcc::Xrgb8888, DrmFourcc::Xrgb8888),
    (DrmFourcc::Argb8888, DrmFourcc::Argb8888),
    (DrmFourcc::Abgr8888, DrmFourcc::Xbgr8888),
    (DrmFourcc::Xbgr8888, DrmFourcc::Xbgr8888),
    (DrmFourcc::Abgr8888, DrmFourcc::Abgr8888),
];

/// Those with transparency.
const ALPHA: [DrmFourcc; 2] = [DrmFourcc::Argb8888, DrmFourcc::Abgr8888];

/// One buffer. Dropped in this order: what refers to the memory before the memory.
#[derive(Debug)]
pub struct ScanoutBuffer {
    drawn_by: ImageFramebuffer,
    _image: Image,
    shown_as: Framebuffer,
    /// With its transparency; made when first needed.
    above: OnceCell<Framebuffer>,
    format: DrmFourcc,
    memory: BufferObject<()>,
}

impl ScanoutBuffer {
    /// Three of them, of the first format that both the plane and the GPU take.
    pub fn ring(device: &Device, size: Size, plane_formats: &[u32]) -> io::Result<Vec<Self>> {
        let usage = BufferObjectFlags::SCANOUT | BufferObjectFlags::RENDERING;
        let fits = |(drawn, shown): &&(DrmFourcc, DrmFourcc)| {
            plane_formats.contains(&(*shown as u32)) && device.gbm().is_format_supported(*drawn, usage)
        };
        let formats = FORMATS.iter().find(fits).copied().ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "no 32-bit RGB format that both the plane and the GPU take")
        })?;
        (0..BUFFER_COUNT).map(|_| Self::new(device, size, formats, usage)).collect()
    }

    fn new(
        device: &Device,
        size: Size,
        (format, shown): (DrmFourcc, DrmFourcc),
        usage: BufferObjectFlags,
    ) -> io::Result<Self> {
        let memory = device.gbm().create_buffer_object::<()>(size.width, size.height, format, usage)?;
        let shown_as = Framebuffer::of_gbm(device.card(), &memory, shown)?;
        let count = i32::try_from(memory.plane_count()).unwrap_or(0);
        let fds =
            (0..count).map(|it| memory.fd_for_plane(it).map_err(io::Error::other)).collect::<io::Result<Vec<_>>>()?;
        let modifier = Some(memory.modifier()).filter(|it| *it != drm::buffer::DrmModifier::Invalid).map(u64::from);
        let plane = |(index, fd)| {
            let fd = OwnedFd::as_fd(fd);
            DmabufPlane { fd, offset: memory.offset(index), stride: memory.stride_for_plane(index) }
        };
        let planes: Vec<DmabufPlane<'_>> = (0..).zip(&fds).map(plane).collect();
        let picture = DmaBuf { size, fourcc: format as u32, modifier, planes: &planes, yuv: None };
        let image = Image::of_dma_buf(device.display(), &picture).map_err(io::Error::other)?;
        let drawn_by = ImageFramebuffer::new(device.gl(), &image, size).map_err(io::Error::other)?;
        Ok(Self { drawn_by, _image: image, shown_as, above: OnceCell::new(), format, memory })
    }

    /// What to draw into. The image's first row in memory is the screen's top one.
    pub fn target(&self) -> RenderTarget {
        RenderTarget { framebuffer: self.drawn_by.name(), size: self.drawn_by.size(), top_down: true }
    }

    /// What a plane's FB_ID takes.
    pub fn framebuffer(&self) -> u64 {
        self.shown_as.id()
    }

    /// The same with its transparency, for a plane above another.
    pub fn framebuffer_above(&self, device: &Device) -> io::Result<u64> {
        if let Some(it) = self.above.get() {
            return Ok(it.id());
        }
        if !ALPHA.contains(&self.format) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the GPU draws into no format with transparency"));
        }
        let made = Framebuffer::of_gbm(device.card(), &self.memory, self.format)?;
        Ok(self.above.get_or_init(|| made).id())
    }

    /// How its components lie.
    pub fn format(&self) -> DrmFourcc {
        self.format
    }
}
