//! The buffers of pictures that lie alike.
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};

use crate::backend::frame_memory::buffer::Buffer;
use crate::base::dmabuf::{Lease, PoolState, Slot};
use crate::sys::dmabuf::Heap;
use crate::sys::ffmpeg::{AvFrame, Claim, PictureLayout};

/// What a pool and its leases share.
#[derive(Debug, Default)]
struct Life {
    /// The decoder needs the pool no more.
    is_over: AtomicBool,
    state: OnceLock<Weak<PoolState>>,
}

impl Life {
    /// A lease has come home, or the pool's life has ended: importers need what they made no longer once both are true.
    /// Earlier they would have to copy a picture that they show.
    fn look(&self) {
        // Of two that look at the same time, one sees what the other did.
        fence(Ordering::SeqCst);
        if !self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let state = self.state.get().and_then(Weak::upgrade);
        if let Some(it) = state.filter(|it| it.leases() == 0) {
            it.retire();
        }
    }
}

/// See the module's text. Buffers are made when they are needed first, and stay.
#[derive(Debug)]
pub(super) struct Pool {
    layout: PictureLayout,
    limit: usize,
    state: Arc<PoolState>,
    life: Arc<Life>,
    buffers: Vec<Arc<Buffer>>,
    /// Buffers usually come home in the order they went out, so the oldest is looked at first.
    cursor: usize,
    /// The heap gave no more: said once, and not asked again.
    is_heap_empty: bool,
}

impl Pool {
    /// Of at most `limit` buffers.
    pub(super) fn new(layout: PictureLayout, limit: usize) -> Self {
        let life = Arc::new(Life::default());
        let looked = Arc::clone(&life);
        let state = PoolState::new(Box::new(move || looked.look()));
        let _ = life.state.set(Arc::downgrade(&state));
        Self { layout, limit, state, life, buffers: Vec::with_capacity(limit), cursor: 0, is_heap_empty: false }
    }

    /// What its pictures are.
    pub(super) fn layout(&self) -> &PictureLayout {
        &self.layout
    }

    /// A buffer to be written. `None` where there is no more.
    pub(super) fn take(&mut self, heap: &Heap) -> Option<Claim> {
        let known = self.buffers.len();
        for step in 0..known {
            let index = (self.cursor + step) % known;
            if let Some(it) = self.buffers[index].claim() {
                self.cursor = index + 1;
                return Some(it);
            }
        }
        if known == self.limit || self.is_heap_empty {
            return None;
        }
        let slot = Slot::new(&self.state, u32::try_from(known).unwrap_or(u32::MAX));
        match Buffer::new(heap, self.layout, slot) {
            Ok(it) => {
                let it = Arc::new(it);
                self.buffers.push(Arc::clone(&it));
                it.claim()
            }
            Err(error) => {
                let (path, bytes) = (heap.path().display(), self.layout.bytes);
                log::warn!(
                    "{path} gave {known} buffers of {bytes} bytes and no more, pictures beyond them are copied: {error}"
                );
                self.is_heap_empty = true;
                None
            }
        }
    }

    /// Hands out the picture in `frame`, if it is in a buffer of this pool.
    pub(super) fn lease(&self, frame: &AvFrame) -> Option<Lease> {
        self.buffers.iter().find(|it| it.holds(frame)).and_then(|it| it.lease(frame))
    }

    /// Whether nobody needs any of its buffers.
    pub(super) fn is_over(&mut self) -> bool {
        self.buffers.iter().all(|it| it.is_free())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.life.is_over.store(true, Ordering::Relaxed);
        self.life.look();
    }
}
