//! Images: memory of another device, seen as GL's own (EGL_EXT_image_dma_buf_import).
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;

use super::abi::{self, Attrib, Handle};
use super::display::Display;
use super::error::EglError;
use crate::base::format::Size;

/// One plane of a picture in a dma-buf.
#[derive(Debug)]
pub struct DmaBufPlane {
    /// The memory. EGL keeps its own reference; this one is closed when the description is dropped.
    pub fd: OwnedFd,
    /// Where the plane begins in it, in bytes.
    pub offset: u32,
    /// From one row to the next, in bytes.
    pub stride: u32,
}

/// A picture in dma-bufs, as `Documentation/userspace-api/dma-buf-alloc-exchange.rst` describes one.
#[derive(Debug)]
pub struct DmaBuf {
    /// Pixels.
    pub size: Size,
    /// The DRM format's four letters.
    pub fourcc: u32,
    /// How the pixels lie in memory; `None`: as the driver that made the buffer has it.
    pub modifier: Option<u64>,
    /// At most four.
    pub planes: Vec<DmaBufPlane>,
}

/// An EGLImage.
#[derive(Debug)]
pub struct Image {
    display: Display,
    raw: Handle,
}

/// The names of a plane's attributes: descriptor, offset, pitch, modifier low and high.
const PLANE_NAMES: [[Attrib; 5]; 4] = [
    [0x3272, 0x3273, 0x3274, 0x3443, 0x3444],
    [0x3275, 0x3276, 0x3277, 0x3445, 0x3446],
    [0x3278, 0x3279, 0x327A, 0x3447, 0x3448],
    [0x3440, 0x3441, 0x3442, 0x3449, 0x344A],
];

impl Image {
    /// Imports a picture. Copies nothing: what is drawn into the image is in the buffer.
    pub fn of_dma_buf(display: &Display, picture: &DmaBuf) -> Result<Self, EglError> {
        if !display.has_extension("EGL_EXT_image_dma_buf_import") {
            return Err(EglError::Missing { what: "EGL_EXT_image_dma_buf_import" });
        }
        let modifier = picture.modifier.filter(|_| display.has_extension("EGL_EXT_image_dma_buf_import_modifiers"));
        let mut attributes: Vec<Attrib> = vec![
            abi::WIDTH as Attrib,
            picture.size.width as Attrib,
            abi::HEIGHT as Attrib,
            picture.size.height as Attrib,
            abi::LINUX_DRM_FOURCC,
            picture.fourcc as Attrib,
        ];
        for (plane, names) in picture.planes.iter().zip(PLANE_NAMES) {
            let [fd, offset, pitch, low, high] = names;
            let descriptor = plane.fd.as_fd().as_raw_fd() as Attrib;
            attributes.extend([fd, descriptor, offset, plane.offset as Attrib, pitch, plane.stride as Attrib]);
            if let Some(modifier) = modifier {
                attributes.extend([low, modifier as u32 as Attrib, high, (modifier >> 32) as Attrib]);
            }
        }
        attributes.push(abi::NONE as Attrib);
        let lib = display.lib();
        // SAFETY: the display is open, imports take no context and no client buffer, and the list is terminated.
        let raw = unsafe {
            (lib.call.create_image)(
                display.raw(),
                ptr::null_mut(),
                abi::LINUX_DMA_BUF,
                ptr::null_mut(),
                attributes.as_ptr(),
            )
        };
        let raw = lib.check_handle("eglCreateImage", raw)?;
        Ok(Self { display: display.clone(), raw })
    }

    pub(super) fn display(&self) -> &Display {
        &self.display
    }

    pub(super) fn raw(&self) -> Handle {
        self.raw
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let lib = self.display.lib();
        // SAFETY: our own image; textures and renderbuffers made of it keep the memory themselves.
        let answer = unsafe { (lib.call.destroy_image)(self.display.raw(), self.raw) };
        if let Err(error) = lib.check("eglDestroyImage", answer) {
            log::warn!("{error}");
        }
    }
}
