//! A decoded picture, and the memory that stays its own while anyone holds it.
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::base::color::Color;
use crate::base::dmabuf::Lease;
use crate::base::format::{PixelFormat, Ratio, Rect, Size};
use crate::base::geometry::Rotation;
use crate::base::time::MediaTime;

/// What a frame is: its layout in memory and its meaning on a screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoFormat {
    /// Layout of the pixels.
    pub pixel: PixelFormat,
    /// The coded resolution: what is in memory.
    pub coded: Size,
    /// The visible part of it: what is shown.
    pub visible: Rect,
    /// Sample aspect ratio.
    pub sar: Ratio,
    /// The turn the stream asks for.
    pub rotation: Rotation,
    /// What the numbers mean.
    pub color: Color,
}

/// One plane's bytes. Row `y` starts at `y * stride`; the last row may end with the slice.
#[derive(Debug, Clone, Copy)]
pub struct PlaneBytes<'a> {
    /// The rows.
    pub bytes: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// CPU-readable planes of one picture. A pool keeps one `Arc` of each slot; when it is the only one left, the slot is
/// free again, so handing a frame on never allocates.
pub trait CpuPlanes: Any + Send + Sync + Debug {
    /// Plane `index` of the coded picture, or `None` past the last.
    fn plane(&self, index: usize) -> Option<PlaneBytes<'_>>;
}

/// Where a picture's bytes are.
#[derive(Debug, Clone)]
pub enum Memory {
    /// Readable by the CPU.
    Cpu(Arc<dyn CpuPlanes>),
    /// In a dma-buf.
    Dmabuf(Lease),
}

impl Memory {
    /// Whether its owner wants it back.
    pub fn is_wanted_back(&self) -> bool {
        match self {
            Memory::Cpu(_) => false,
            Memory::Dmabuf(lease) => lease.pool().is_retiring(),
        }
    }

    /// Lets the CPU read the planes, wherever they are. The error is in words.
    pub fn read(&self, with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        match self {
            Memory::Cpu(planes) => {
                with(&**planes);
                Ok(())
            }
            Memory::Dmabuf(lease) => lease.picture().read(with),
        }
    }
}

/// A picture in display order. Cheap to clone: the pixels are shared.
#[derive(Debug, Clone)]
pub struct VideoFrame {
    /// What it is.
    pub format: VideoFormat,
    /// When it is due on its stream's timeline.
    pub pts: MediaTime,
    /// How long it is meant to stay; zero where the stream does not say.
    pub duration: Duration,
    /// The decoder says the picture is damaged.
    pub corrupt: bool,
    /// Which turn of a loop it belongs to, copied from its packets by the pipeline.
    pub lap: u32,
    /// The timeline broke before this frame (a live source came back): its pts says nothing relative to earlier ones.
    pub discontinuity: bool,
    /// Its pixels.
    pub memory: Memory,
}

/// Planes in ordinary vectors: for generated pictures and tests.
#[derive(Debug, Clone, Default)]
pub struct VecPlanes {
    /// Bytes and stride of each plane.
    pub planes: Vec<(Vec<u8>, usize)>,
}

impl CpuPlanes for VecPlanes {
    fn plane(&self, index: usize) -> Option<PlaneBytes<'_>> {
        self.planes.get(index).map(|(bytes, stride)| PlaneBytes { bytes, stride: *stride })
    }
}
