//! Frames in dma-bufs: of a heap, where a decoder would have its own.
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use lucarne::base::dmabuf::{DmabufPicture, DmabufPlane, Lease, MODIFIER_LINEAR, PoolState, Slot};
use lucarne::base::frame::{CpuPlanes, Memory, VecPlanes, VideoFrame};
use lucarne::base::time::MediaTime;
use lucarne::sys::dmabuf::{Access, Dmabuf, Heap};
use lucarne::sys::mapping::Mapping;

use crate::interop_conformance::FrameSource;
use crate::pictures::Picture;

/// A buffer with a picture in it.
#[derive(Debug)]
pub struct HeapPicture {
    slot: Slot,
    buffer: Dmabuf,
    mapping: Mutex<Mapping>,
    /// Offset, stride and rows of each plane.
    pub places: Vec<(u32, u32, u32)>,
    pub modifier: u64,
}

impl DmabufPicture for HeapPicture {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        self.places.get(index).map(|it| DmabufPlane { fd: self.buffer.as_fd(), offset: it.0, stride: it.1 })
    }

    fn modifier(&self) -> u64 {
        self.modifier
    }

    fn read(&self, with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        let mapping = self.mapping.lock().unwrap();
        self.buffer.begin(Access::Read).map_err(|it| it.to_string())?;
        let plane = |it: &(u32, u32, u32)| {
            let bytes = &mapping.bytes()[it.0 as usize..][..(it.1 * it.2) as usize];
            (bytes.to_vec(), it.1 as usize)
        };
        with(&VecPlanes { planes: self.places.iter().map(plane).collect() });
        self.buffer.end(Access::Read).map_err(|it| it.to_string())
    }
}

/// A pool of buffers.
pub struct DmabufFrames {
    heap: Rc<Heap>,
    pub pool: Arc<PoolState>,
    pub slots: Vec<Arc<HeapPicture>>,
    came_home: Arc<AtomicU32>,
}

impl DmabufFrames {
    pub fn new(heap: Rc<Heap>) -> Self {
        let came_home = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&came_home);
        let pool = PoolState::new(Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }));
        Self { heap, pool, slots: Vec::new(), came_home }
    }

    /// How often the pool was told that something came home.
    pub fn came_home(&self) -> u32 {
        self.came_home.load(Ordering::Relaxed)
    }

    /// A new buffer, in the pool's next slot, for such a picture; `change` may spoil it.
    pub fn add(&mut self, picture: &Picture, padding: usize, change: impl Fn(&mut HeapPicture)) -> usize {
        let planes = picture.planes(padding).planes;
        let mut places = Vec::new();
        let mut length = 0;
        for (bytes, stride) in &planes {
            let rows = bytes.len().div_ceil(*stride);
            // Wherever the plane before it ends, as most decoders have it.
            places.push((
                u32::try_from(length).unwrap(),
                u32::try_from(*stride).unwrap(),
                u32::try_from(rows).unwrap(),
            ));
            length += rows * stride;
        }
        let buffer = self.heap.allocate(length).unwrap();
        let mapping = Mutex::new(buffer.map().unwrap());
        let index = self.slots.len();
        let slot = Slot::new(&self.pool, u32::try_from(index).unwrap());
        let mut it = HeapPicture { slot, buffer, mapping, places, modifier: MODIFIER_LINEAR };
        it.fill(picture, padding);
        change(&mut it);
        self.slots.push(Arc::new(it));
        index
    }

    /// A frame of what lies in a slot.
    pub fn lend(&self, slot: usize, picture: &Picture, pts: MediaTime) -> VideoFrame {
        let frame = picture.frame_of(Arc::new(VecPlanes::default()), pts);
        VideoFrame {
            memory: Memory::Dmabuf(Lease::new(Arc::clone(&self.slots[slot]) as Arc<dyn DmabufPicture>)),
            ..frame
        }
    }
}

impl HeapPicture {
    /// Writes another picture of the same layout into it.
    pub fn fill(&self, picture: &Picture, padding: usize) {
        let mut mapping = self.mapping.lock().unwrap();
        self.buffer.begin(Access::Write).unwrap();
        for ((bytes, _), (offset, ..)) in picture.planes(padding).planes.iter().zip(&self.places) {
            mapping.bytes_mut()[*offset as usize..][..bytes.len()].copy_from_slice(bytes);
        }
        self.buffer.end(Access::Write).unwrap();
    }
}

impl FrameSource for DmabufFrames {
    fn frame(&mut self, picture: &Picture, padding: usize, pts: MediaTime) -> VideoFrame {
        let slot = self.add(picture, padding, |_| {});
        self.lend(slot, picture, pts)
    }

    fn held(&self) -> usize {
        self.slots.iter().filter(|it| !it.slot.is_home()).count()
    }
}
