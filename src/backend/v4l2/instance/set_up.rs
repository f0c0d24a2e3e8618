//! CAPTURE gets its buffers, and loses them.
use std::sync::Arc;

use nix::errno::Errno;

use super::{Instance, device};
use crate::backend::v4l2::factory::Buffers;
use crate::backend::v4l2::pool::{Layout, Pool, best_of};
use crate::base::dmabuf::PoolState;
use crate::base::format::Rect;
use crate::base::time::MonoTime;
use crate::logic::m2m_decoder::MAX_BUFFERS;
use crate::seam::decoder::DecodeError;
use crate::sys::dmabuf::{Dmabuf, Heap, Placement};
use crate::sys::v4l2::{Format, Memory, Queue, V4l2Error, Wanted};

/// Pictures that others hold: three in the queue to the player, one ahead with it, one drawn, one on its way to the
/// screen, one on it, and one being handed on.
const HELD: u32 = 8;
/// What a decoder keeps for itself at least, whatever it says: one being written, one done, two to go on with.
const KEPT: u32 = 4;
/// With fewer than these the screen would starve the decoder.
const FEWEST: u32 = 4;

impl Instance {
    /// What the driver says that its pictures are like.
    pub(super) fn answer(&self) -> Result<(Format, Rect), V4l2Error> {
        let format = self.node.format(Queue::Capture)?;
        let all = Rect { x: 0, y: 0, width: format.width, height: format.height };
        Ok((format, self.node.visible().unwrap_or(all)))
    }

    pub(super) fn set_up(&mut self, now: MonoTime) -> Result<(), DecodeError> {
        match self.answer() {
            Ok(_) => {}
            Err(V4l2Error { errno: Errno::EINVAL | Errno::EACCES, .. }) => {
                return self.machine.not_ready().map_err(|it| self.impossible(it));
            }
            Err(error) => return Err(self.failed(error)),
        }
        match self.make_pool() {
            Ok(pool) => {
                // A queue has 32 buffers at most.
                let count = pool.pictures.len() as u32;
                log::debug!("{}: {count} buffers of {:?}", self.node.card(), pool.layout);
                self.pool = Some(pool);
                self.machine.capture_ready(count, now).map_err(|it| self.impossible(it))
            }
            Err(error) => {
                self.machine.give_up();
                Err(error)
            }
        }
    }

    fn make_pool(&mut self) -> Result<Pool, DecodeError> {
        let failed = |it: V4l2Error| device(&self.node, it);
        let words = |reason: String| DecodeError::Device {
            call: "VIDIOC_S_FMT",
            reason: format!("{}: {reason}", self.node.card()),
        };
        let (said, visible) = self.answer().map_err(failed)?;
        let offered = self.node.formats(Queue::Capture).map_err(failed)?;
        let best = best_of(offered.iter().map(|it| it.fourcc)).ok_or_else(|| words("no format of ours".to_owned()))?;
        if said.fourcc != best {
            let (width, height) = if self.quirks.wants_visible_size {
                (visible.width, visible.height)
            } else {
                (said.width, said.height)
            };
            self.node.set_format(Queue::Capture, Wanted { fourcc: best, width, height, size: 0 }).map_err(failed)?;
        }
        let (format, visible) = self.answer().map_err(failed)?;
        if format.fourcc != best {
            return Err(words(format!("{best} was asked, {} answered", format.fourcc)));
        }
        let layout = Layout::new(&format, visible).map_err(|it| words(format!("an absurd answer: {it}")))?;
        let wanted = self.node.min_capture_buffers().unwrap_or(0).max(KEPT).saturating_add(HELD).min(MAX_BUFFERS);
        let is_imported = self.buffers == Buffers::Imported;
        let kind = if is_imported { Memory::Dmabuf } else { Memory::Mmap };
        let count = self.node.request_buffers(Queue::Capture, kind, wanted).map_err(failed)?.min(MAX_BUFFERS);
        let memory = if count < FEWEST {
            let reason = format!("{}: {count} buffers where {wanted} were asked", self.node.card());
            Err(DecodeError::Device { call: "VIDIOC_REQBUFS", reason })
        } else if is_imported {
            self.allocate(&format, count)
        } else {
            self.export(&format, count)
        };
        match memory {
            Ok(memory) => {
                self.captured = Some((format, visible));
                let bell = Arc::clone(self.alarm.bell());
                let state = PoolState::new(Box::new(move || bell.ring()));
                Ok(Pool::new(state, memory, layout, is_imported))
            }
            Err(error) => {
                // Nothing was started, and nobody has seen a buffer.
                let _ = self.node.request_buffers(Queue::Capture, kind, 0);
                Err(error)
            }
        }
    }

    fn export(&self, format: &Format, count: u32) -> Result<Vec<Dmabuf>, DecodeError> {
        let one = |index| {
            let fd = self.node.export(Queue::Capture, index).map_err(|it| device(&self.node, it))?;
            Dmabuf::adopt(fd, format.size as usize)
                .map_err(|it| DecodeError::Device { call: "VIDIOC_EXPBUF", reason: it.to_string() })
        };
        (0..count).map(one).collect()
    }

    fn allocate(&self, format: &Format, count: u32) -> Result<Vec<Dmabuf>, DecodeError> {
        let failed = |reason: String| DecodeError::Device { call: "DMA_HEAP_IOCTL_ALLOC", reason };
        let heap = Heap::find(Placement::Contiguous).or_else(|_| Heap::find(Placement::Anywhere)).map_err(failed)?;
        let one = |_| Pool::allocate(&heap, format).map_err(|it| failed(format!("{}: {it}", heap.path().display())));
        (0..count).map(one).collect()
    }

    /// Nobody holds any of it: our own descriptors go first, then the queue stops.
    pub(super) fn take_down(&mut self) -> Result<(), DecodeError> {
        let Some(pool) = self.pool.take() else { return Ok(()) };
        let kind = if pool.is_imported { Memory::Dmabuf } else { Memory::Mmap };
        self.captured = None;
        self.made = None;
        drop(pool);
        self.node.stream_off(Queue::Capture).map_err(|it| self.failed(it))?;
        self.node.request_buffers(Queue::Capture, kind, 0).map_err(|it| self.failed(it)).map(drop)
    }
}
