//! CAPTURE's buffers as pictures in dma-bufs.
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};

use crate::base::dmabuf::{DmabufPicture, DmabufPlane, PoolState, Slot};
use crate::base::format::{PixelFormat, Rect, Size};
use crate::base::frame::{CpuPlanes, PlaneBytes};
use crate::sys::dmabuf::{Access, Dmabuf, Heap};
use crate::sys::mapping::Mapping;
use crate::sys::v4l2::{Format, FourCc};

/// The formats a screen or a renderer takes, the best first: two planes are two fetches.
const PIXELS: [(FourCc, PixelFormat); 3] = [
    (FourCc::new(b"NV12"), PixelFormat::Nv12),
    (FourCc::new(b"YU12"), PixelFormat::Yuv420p),
    (FourCc::new(b"NV21"), PixelFormat::Nv21),
];
/// Larger than any decoder's pictures: a driver that says more is mistaken.
const MAX_SIDE: u32 = 16_384;

/// The best of the formats on offer.
pub(super) fn best_of(offered: impl Iterator<Item = FourCc> + Clone) -> Option<FourCc> {
    PIXELS.iter().map(|it| it.0).find(|it| offered.clone().any(|offer| offer == *it))
}

/// How pictures lie in their buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub pixel: PixelFormat,
    pub coded: Size,
    pub visible: Rect,
    /// Offset and stride of each plane.
    planes: [(u32, u32); 3],
    n_planes: usize,
    /// Bytes all of it takes.
    length: u32,
}

impl Layout {
    /// By the kernel's description of planes in one piece of memory: the chroma planes follow the luma at once, with the
    /// same stride, or half of it where there are two. The error says what is wrong with the driver's answer.
    pub(super) fn new(format: &Format, visible: Rect) -> Result<Self, String> {
        let said = || {
            format!(
                "{}x{} {} of {} bytes in rows of {}",
                format.width, format.height, format.fourcc, format.size, format.stride
            )
        };
        let pixel = PIXELS.iter().find(|it| it.0 == format.fourcc).map(|it| it.1).ok_or_else(said)?;
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&format.width) || !sides.contains(&format.height) || format.n_memories != 1 {
            return Err(said());
        }
        if format.stride < format.width || MAX_SIDE * 4 < format.stride {
            return Err(said());
        }
        // At most 2^16 by 2^14, so that no sum below overflows.
        let luma = format.stride * format.height;
        let (planes, n_planes, length) = match pixel {
            PixelFormat::Yuv420p => {
                let (stride, chroma) = (format.stride / 2, format.stride / 2 * format.height.div_ceil(2));
                ([(0, format.stride), (luma, stride), (luma + chroma, stride)], 3, luma + 2 * chroma)
            }
            _ => (
                [(0, format.stride), (luma, format.stride), (0, 0)],
                2,
                luma + format.stride * format.height.div_ceil(2),
            ),
        };
        if format.size < length {
            return Err(said());
        }
        let coded = Size::new(format.width, format.height);
        let inside =
            |at: u32, length: u32, side: u32| 0 < length && at.checked_add(length).is_some_and(|it| it <= side);
        if !inside(visible.x, visible.width, coded.width) || !inside(visible.y, visible.height, coded.height) {
            return Err(format!("{}, of which {visible:?} is visible", said()));
        }
        Ok(Self { pixel, coded, visible, planes, n_planes, length })
    }
}

/// One buffer.
#[derive(Debug)]
pub(super) struct Picture {
    slot: Slot,
    memory: Dmabuf,
    layout: Layout,
    /// For the CPU, made when somebody reads: in the steady state nobody does.
    readable: OnceLock<Result<Readable, String>>,
}

#[derive(Debug)]
struct Readable {
    mapping: Mapping,
    layout: Layout,
}

impl CpuPlanes for Readable {
    fn plane(&self, index: usize) -> Option<PlaneBytes<'_>> {
        let layout = self.layout.pixel.planes().get(index)?;
        let (offset, stride) = *self.layout.planes.get(index)?;
        let (offset, stride) = (offset as usize, stride as usize);
        let rows = layout.size(self.layout.coded).height as usize;
        let bytes = self.mapping.bytes().get(offset..offset + stride * rows)?;
        Some(PlaneBytes { bytes, stride })
    }
}

impl DmabufPicture for Picture {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        if self.layout.n_planes <= index {
            return None;
        }
        let (offset, stride) = *self.layout.planes.get(index)?;
        Some(DmabufPlane { fd: self.memory.as_fd(), offset, stride })
    }

    fn read(&self, with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        let map = || match self.memory.map() {
            Ok(mapping) => Ok(Readable { mapping, layout: self.layout }),
            Err(it) => Err(format!("mmap of a decoder's buffer: {it}")),
        };
        let readable = self.readable.get_or_init(map).as_ref().map_err(Clone::clone)?;
        let failed = |it: std::io::Error| format!("DMA_BUF_IOCTL_SYNC: {it}");
        self.memory.begin(Access::Read).map_err(failed)?;
        with(readable);
        self.memory.end(Access::Read).map_err(failed)
    }
}

/// All of CAPTURE's buffers.
#[derive(Debug)]
pub(super) struct Pool {
    pub state: Arc<PoolState>,
    pub pictures: Vec<Arc<Picture>>,
    pub layout: Layout,
    /// The memory is ours and goes to the driver with each buffer.
    pub is_imported: bool,
}

impl Pool {
    /// Pictures in these buffers.
    pub(super) fn new(state: Arc<PoolState>, memory: Vec<Dmabuf>, layout: Layout, is_imported: bool) -> Self {
        let picture = |(index, memory): (usize, Dmabuf)| {
            // A queue has 32 buffers at most.
            let slot = Slot::new(&state, index as u32);
            Arc::new(Picture { slot, memory, layout, readable: OnceLock::new() })
        };
        let pictures = memory.into_iter().enumerate().map(picture).collect();
        Self { state, pictures, layout, is_imported }
    }

    /// Bytes a buffer must have.
    pub(super) fn allocate(heap: &Heap, format: &Format) -> std::io::Result<Dmabuf> {
        heap.allocate(format.size as usize)
    }

    /// Nobody holds a buffer, and nobody has made anything of one.
    pub(super) fn is_home(&self) -> bool {
        self.state.is_home()
    }
}

impl Picture {
    /// Its memory, for a queue that takes it with each buffer.
    pub(super) fn memory(&self) -> std::os::fd::BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// Nobody holds it.
    pub(super) fn is_home(&self) -> bool {
        self.slot.is_home()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(fourcc: &[u8; 4], width: u32, height: u32, stride: u32, size: u32) -> Format {
        Format { fourcc: FourCc::new(fourcc), width, height, stride, size, n_memories: 1, field: 1, colorspace: 0 }
    }

    #[test]
    fn planes_follow_each_other() {
        let visible = Rect { x: 0, y: 0, width: 1920, height: 1080 };
        let nv12 = Layout::new(&format(b"NV12", 1920, 1088, 1920, 3_133_440), visible).unwrap();
        assert_eq!((nv12.n_planes, nv12.planes[1]), (2, (2_088_960, 1920)));
        let visible = Rect { x: 0, y: 0, width: 854, height: 480 };
        let yu12 = Layout::new(&format(b"YU12", 854, 480, 896, 645_120), visible).unwrap();
        assert_eq!((yu12.planes, yu12.length), ([(0, 896), (430_080, 448), (537_600, 448)], 645_120));
    }

    #[test]
    fn absurd_answers_are_said() {
        let visible = Rect { x: 0, y: 0, width: 64, height: 64 };
        for bad in [
            format(b"NV12", 0, 64, 64, 6144),
            format(b"NV12", 64, 64, 32, 6144),
            format(b"NV12", 64, 64, 64, 6143),
            format(b"NV12", 32, 64, 64, 6144),
            format(b"NV12", u32::MAX, u32::MAX, u32::MAX, u32::MAX),
            format(b"RGB3", 64, 64, 192, 12_288),
        ] {
            assert!(Layout::new(&bad, visible).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn two_planes_are_better_than_three() {
        let offered = [FourCc::new(b"YU12"), FourCc::new(b"NV12"), FourCc::new(b"RGBP")];
        assert_eq!(best_of(offered.into_iter()), Some(FourCc::new(b"NV12")));
        assert_eq!(best_of([FourCc::new(b"RGBP")].into_iter()), None);
    }
}
