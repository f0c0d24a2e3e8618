//! One dma-buf for one picture.
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::dmabuf::{DmabufPicture, DmabufPlane, Lease, Slot};
use crate::base::frame::{CpuPlanes, PlaneBytes};
use crate::sys::dmabuf::{Access, Dmabuf, Heap};
use crate::sys::ffmpeg::{AvFrame, BufferRef, Claim, FrameBuffer, PictureLayout};

/// See the module's text.
#[derive(Debug)]
pub(super) struct Buffer {
    slot: Slot,
    layout: PictureLayout,
    dmabuf: Dmabuf,
    memory: Arc<FrameBuffer>,
    /// The CPU's access has begun and not ended.
    is_written: AtomicBool,
    /// Keeps the decoder from writing while there is a lease: some write the next picture over one that nobody refers to.
    /// Let go of when the buffer is looked at next.
    hold: Mutex<Option<BufferRef>>,
}

impl Buffer {
    /// Allocates one and maps it.
    pub(super) fn new(heap: &Heap, layout: PictureLayout, slot: Slot) -> std::io::Result<Self> {
        let dmabuf = heap.allocate(layout.bytes)?;
        let memory = FrameBuffer::new(dmabuf.map()?);
        Ok(Self { slot, layout, dmabuf, memory, is_written: AtomicBool::new(false), hold: Mutex::new(None) })
    }

    fn hold(&self) -> MutexGuard<'_, Option<BufferRef>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody holds it, and no decoder refers to it.
    pub(super) fn is_free(&self) -> bool {
        if !self.slot.is_home() {
            return false;
        }
        drop(self.hold().take_if(|_| self.slot.is_home()));
        !self.memory.is_claimed()
    }

    /// Takes it to be written, if it is free.
    pub(super) fn claim(&self) -> Option<Claim> {
        let claim = if self.is_free() { self.memory.claim() } else { None }?;
        if !self.is_written.swap(true, Ordering::AcqRel)
            && let Err(error) = self.dmabuf.begin(Access::Write)
        {
            log::debug!("DMA_BUF_IOCTL_SYNC before a picture: {error}");
            self.is_written.store(false, Ordering::Release);
            return None;
        }
        Some(claim)
    }

    /// Whether the picture in `frame` is in it.
    pub(super) fn holds(&self, frame: &AvFrame) -> bool {
        self.memory.holds(frame)
    }

    /// Hands out the picture in `frame`, which is in it, to devices.
    pub(super) fn lease(self: &Arc<Self>, frame: &AvFrame) -> Option<Lease> {
        if self.is_written.swap(false, Ordering::AcqRel)
            && let Err(error) = self.dmabuf.end(Access::Write)
        {
            log::debug!("DMA_BUF_IOCTL_SYNC behind a picture: {error}");
            return None;
        }
        let mut hold = self.hold();
        // Before the hold: whoever finds the buffer home takes that away.
        let lease = Lease::new(Arc::<Self>::clone(self));
        if hold.is_none() {
            *hold = BufferRef::of(frame);
        }
        hold.is_some().then_some(lease)
    }
}

impl DmabufPicture for Buffer {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        let it = self.layout.planes.get(index).filter(|_| index < self.layout.pixel.planes().len())?;
        Some(DmabufPlane { fd: self.dmabuf.as_fd(), offset: it.offset, stride: it.stride })
    }

    fn read(&self, with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("DMA_BUF_IOCTL_SYNC: {error}");
        self.dmabuf.begin(Access::Read).map_err(failed)?;
        with(self);
        self.dmabuf.end(Access::Read).map_err(failed)
    }
}

impl CpuPlanes for Buffer {
    fn plane(&self, index: usize) -> Option<PlaneBytes<'_>> {
        let it = self.layout.planes.get(index).filter(|_| index < self.layout.pixel.planes().len())?;
        let bytes = self.memory.bytes().get(it.offset as usize..)?.get(..it.length as usize)?;
        Some(PlaneBytes { bytes, stride: it.stride as usize })
    }
}
