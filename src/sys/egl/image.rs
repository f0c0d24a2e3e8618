//! Images: memory of another device, seen as GL's own (EGL_EXT_image_dma_buf_import).
use std::os::fd::AsRawFd;
use std::ptr;

use super::abi::{self, Attrib, Handle};
use super::display::Display;
use super::error::EglError;
use crate::base::color::{ChromaSiting, Matrix, Range};
use crate::base::dmabuf::DmabufPlane;
use crate::base::format::Size;

/// What the driver is to know of a YCbCr picture that it converts to RGB itself. They are hints: a driver may not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YuvHints {
    /// Matrix coefficients.
    pub matrix: Matrix,
    /// Range.
    pub range: Range,
    /// Chroma location.
    pub siting: ChromaSiting,
}

/// A picture in dma-bufs, as
/// [the kernel's documentation](https://docs.kernel.org/userspace-api/dma-buf-alloc-exchange.html) describes one.
#[derive(Debug, Clone, Copy)]
pub struct DmaBuf<'a> {
    /// Pixels.
    pub size: Size,
    /// The DRM format's four letters.
    pub fourcc: u32,
    /// How the pixels lie in memory; `None`: as the driver that made the buffer has it.
    pub modifier: Option<u64>,
    /// At most four. EGL keeps its own references to the memory.
    pub planes: &'a [DmabufPlane<'a>],
    /// For YCbCr formats.
    pub yuv: Option<YuvHints>,
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

/// The extension's words for a picture's hints, as names and values.
fn hint_attributes(hints: YuvHints) -> [[Attrib; 2]; 4] {
    const AT_THE_SAMPLE: Attrib = 0x3284;
    const IN_BETWEEN: Attrib = 0x3285;
    let matrix = match hints.matrix {
        Matrix::Bt601 => 0x327F,
        Matrix::Bt709 => 0x3280,
        Matrix::Bt2020 => 0x3281,
    };
    let range = match hints.range {
        Range::Full => 0x3282,
        Range::Limited => 0x3283,
    };
    let (across, down) = match hints.siting {
        ChromaSiting::Left => (AT_THE_SAMPLE, IN_BETWEEN),
        ChromaSiting::Center => (IN_BETWEEN, IN_BETWEEN),
        ChromaSiting::TopLeft => (AT_THE_SAMPLE, AT_THE_SAMPLE),
    };
    [[0x327B, matrix], [0x327C, range], [0x327D, across], [0x327E, down]]
}

/// An attribute list without a heap: as long as the longest that a picture can need, and the end.
struct Attributes {
    list: [Attrib; Self::ROOM + 1],
    len: usize,
}

impl Attributes {
    /// Three of the picture itself, five of each plane, four hints, each with its name.
    const ROOM: usize = 2 * (3 + 5 * PLANE_NAMES.len() + 4);

    fn of(picture: &DmaBuf<'_>, modifier: Option<u64>) -> Self {
        let mut it = Self { list: [abi::NONE as Attrib; Self::ROOM + 1], len: 0 };
        it.push(abi::WIDTH as Attrib, picture.size.width as Attrib);
        it.push(abi::HEIGHT as Attrib, picture.size.height as Attrib);
        it.push(abi::LINUX_DRM_FOURCC, picture.fourcc as Attrib);
        for (plane, names) in picture.planes.iter().zip(PLANE_NAMES) {
            let [fd, offset, pitch, low, high] = names;
            it.push(fd, plane.fd.as_raw_fd() as Attrib);
            it.push(offset, plane.offset as Attrib);
            it.push(pitch, plane.stride as Attrib);
            if let Some(modifier) = modifier {
                it.push(low, modifier as u32 as Attrib);
                it.push(high, (modifier >> 32) as Attrib);
            }
        }
        for [name, value] in picture.yuv.map(hint_attributes).iter().flatten() {
            it.push(*name, *value);
        }
        it
    }

    /// The last place is never written, so the list always ends.
    fn push(&mut self, name: Attrib, value: Attrib) {
        if self.len + 2 <= Self::ROOM {
            self.list[self.len] = name;
            self.list[self.len + 1] = value;
            self.len += 2;
        }
    }
}

impl Image {
    /// Imports a picture. Copies nothing: what is drawn into the image is in the buffer, and what is written into the
    /// buffer is in the image.
    pub fn of_dma_buf(display: &Display, picture: &DmaBuf<'_>) -> Result<Self, EglError> {
        if !display.has_extension("EGL_EXT_image_dma_buf_import") {
            return Err(EglError::Missing { what: "EGL_EXT_image_dma_buf_import" });
        }
        let modifier = picture.modifier.filter(|_| display.has_extension("EGL_EXT_image_dma_buf_import_modifiers"));
        let attributes = Attributes::of(picture, modifier);
        let lib = display.lib();
        // SAFETY: the display is open, imports take no context and no client buffer, and the list is terminated.
        let raw = unsafe {
            (lib.call.create_image)(
                display.raw(),
                ptr::null_mut(),
                abi::LINUX_DMA_BUF,
                ptr::null_mut(),
                attributes.list.as_ptr(),
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

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn the_longest_list_there_can_be_ends() {
        let input = std::io::stdin();
        let plane = DmabufPlane { fd: input.as_fd(), offset: 7, stride: 8 };
        let yuv = Some(YuvHints { matrix: Matrix::Bt2020, range: Range::Full, siting: ChromaSiting::Left });
        let planes = [plane; 4];
        let picture = DmaBuf { size: Size::new(16, 8), fourcc: 9, modifier: None, planes: &planes, yuv };
        let it = Attributes::of(&picture, Some(5 << 32 | 6));
        assert_eq!(it.len, Attributes::ROOM);
        assert_eq!(it.list[Attributes::ROOM], abi::NONE as Attrib);
        // Names are unique: each of them says one thing.
        let mut names: Vec<Attrib> = it.list.chunks_exact(2).map(|it| it[0]).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len() * 2, Attributes::ROOM);
        let value = |name: Attrib| it.list.chunks_exact(2).find(|it| it[0] == name).map(|it| it[1]);
        assert_eq!([value(0x3449), value(0x344A)], [Some(6), Some(5)], "the last plane's modifier");
        assert_eq!([value(0x327B), value(0x327C), value(0x327D)], [Some(0x3281), Some(0x3282), Some(0x3284)]);
    }
}
