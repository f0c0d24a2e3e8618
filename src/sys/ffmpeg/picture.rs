//! A decoded picture as the rest of the house sees it: planes of bytes that stay its own.
use ffmpeg_sys_next as ff;

use super::error::AvError;
use super::frame::AvFrame;
use super::pixel;
use super::pool::Recycle;
use crate::base::format::{PixelFormat, Size};
use crate::base::frame::{CpuPlanes, PlaneBytes};

/// Planes of the widest format of the house.
const MAX_PLANES: usize = 3;

/// One plane inside the frame's buffers. Checked once, when the frame was adopted.
#[derive(Debug, Clone, Copy)]
struct PlaneView {
    start: *const u8,
    length: usize,
    stride: usize,
}

impl PlaneView {
    const NONE: PlaneView = PlaneView { start: std::ptr::null(), length: 0, stride: 0 };
}

/// A frame whose planes were checked to lie inside its buffers.
#[derive(Debug)]
pub struct Picture {
    frame: AvFrame,
    planes: [PlaneView; MAX_PLANES],
}

// SAFETY: the pointers lead into buffers the frame keeps, which belong to no thread.
unsafe impl Send for Picture {}
// SAFETY: shared, the bytes are only read: decoders never write to a buffer somebody else holds a reference to, except to
// finish a picture they are still decoding, and those have not been handed out.
unsafe impl Sync for Picture {}

impl Picture {
    /// The frame behind it.
    pub fn frame(&self) -> &AvFrame {
        &self.frame
    }

    /// Takes the picture in `frame`, which gets an empty one. `false`, and nothing taken, if it is not stored top down in
    /// a format of the house.
    pub fn adopt(&mut self, frame: &mut AvFrame, pixel: PixelFormat) -> bool {
        let Some(planes) = views(frame, pixel, frame.coded_size()) else { return false };
        self.frame.clear();
        std::mem::swap(&mut self.frame, frame);
        self.planes = planes;
        true
    }

    /// Makes it a picture of its own memory in `pixel`, as large and cropped as `like`, and lets `fill` write it.
    pub fn build(
        &mut self,
        pixel: PixelFormat,
        like: &AvFrame,
        fill: impl FnOnce(&mut AvFrame) -> Result<(), AvError>,
    ) -> Result<(), AvError> {
        self.planes = [PlaneView::NONE; MAX_PLANES];
        self.frame.reserve(pixel::number_of(pixel), like.coded_size())?;
        self.frame.crop_as(like);
        fill(&mut self.frame)?;
        self.planes = views(&self.frame, pixel, self.frame.coded_size())
            .ok_or(AvError::errno("av_frame_get_buffer", libc::EINVAL))?;
        Ok(())
    }

    /// The bytes of a plane, to be written. `None` past the last plane, and where somebody else refers to them.
    pub fn plane_mut(&mut self, index: usize) -> Option<(&mut [u8], usize)> {
        let view = self.planes.get(index).filter(|it| it.length > 0)?;
        // SAFETY: a live frame.
        let is_ours = unsafe { ff::av_frame_is_writable(self.frame.as_ptr()) } != 0;
        if !is_ours {
            return None;
        }
        // SAFETY: `views` checked the range; nobody else refers to the buffer, and `&mut self` lets nobody look.
        let bytes = unsafe { std::slice::from_raw_parts_mut(view.start.cast_mut(), view.length) };
        Some((bytes, view.stride))
    }
}

/// Makes the picture in `frame`, which is in `pixel`, even both ways, where its memory is: a framebuffer has no half texels
/// of chroma. What is shown of it stays the same, and is not told here.
pub fn make_even(frame: &mut AvFrame, pixel: PixelFormat) {
    let even = |it: u32| it.checked_next_multiple_of(2).unwrap_or(it);
    let coded = frame.coded_size();
    let size = Size::new(even(coded.width), even(coded.height));
    if size != coded && views(frame, pixel, size).is_some() {
        frame.widen(size);
    }
}

/// Where the planes of a frame of `size` in `pixel` lie; `None` where one is not wholly inside its buffer, or bottom up.
fn views(frame: &AvFrame, pixel: PixelFormat, size: Size) -> Option<[PlaneView; MAX_PLANES]> {
    let mut planes = [PlaneView::NONE; MAX_PLANES];
    if size.is_empty() {
        return None;
    }
    for (index, layout) in pixel.planes().iter().enumerate() {
        let extent = layout.size(size);
        let row = (extent.width as usize).checked_mul(layout.texel_bytes())?;
        let stride = usize::try_from(frame.strides()[index]).ok().filter(|it| *it >= row)?;
        let length = stride.checked_mul(extent.height as usize - 1)?.checked_add(row)?;
        let start = frame.data_pointers()[index].cast_const();
        if start.is_null() || frame.bytes_from(index, start) < length {
            return None;
        }
        planes[index] = PlaneView { start, length, stride };
    }
    Some(planes)
}

impl Recycle for Picture {
    fn empty() -> Result<Self, AvError> {
        Ok(Self { frame: AvFrame::empty()?, planes: [PlaneView::NONE; MAX_PLANES] })
    }

    fn clear(&mut self) {
        self.planes = [PlaneView::NONE; MAX_PLANES];
        self.frame.clear();
    }
}

impl CpuPlanes for Picture {
    fn plane(&self, index: usize) -> Option<PlaneBytes<'_>> {
        let view = self.planes.get(index).filter(|it| it.length > 0)?;
        // SAFETY: `views` checked the range, and the frame keeps the buffer it lies in.
        let bytes = unsafe { std::slice::from_raw_parts(view.start, view.length) };
        Some(PlaneBytes { bytes, stride: view.stride })
    }
}
