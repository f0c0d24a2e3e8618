//! Dma-bufs for decoders on the CPU, so that what they write is shown without a copy.
//!
//! ```text
//!            take (a thread of the decoder's)        lease (the decode thread)
//!   FREE ------------------------------------> WRITTEN -------------------> SHOWN
//!     ^                                           |                           |
//!     |   FFmpeg's last reference is gone         |                           |  the last lease is gone
//!     +-------------------------------------------+---------------------------+  and FFmpeg's last reference is
//! ```
//!
//! A decoder may still refer to a picture while it is shown. Cached memory: it reads there as fast as anywhere.
mod buffer;
mod pool;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::frame_memory::pool::Pool;
use crate::base::dmabuf::Lease;
use crate::sys::dmabuf::{Heap, Placement};
use crate::sys::ffmpeg::{AvFrame, Claim, FrameMemory, FrameMemorySource, PictureLayout};

/// Sizes a decoder may have pictures of at once. A stream that changes oftener gets ordinary memory meanwhile.
const MAX_POOLS: usize = 3;

/// Makes memory of one heap.
#[derive(Debug)]
pub struct DmabufSource {
    heap: Arc<Heap>,
}

impl DmabufSource {
    /// Of contiguous memory, which every display controller takes, or where there is none of any. The error says what was
    /// tried.
    pub fn find() -> Result<Self, String> {
        let heap = Heap::find(Placement::Contiguous).or_else(|_| Heap::find(Placement::Anywhere))?;
        Ok(Self { heap: Arc::new(heap) })
    }

    /// The heap's device.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }
}

impl FrameMemorySource for DmabufSource {
    fn memory(&self, n_pictures: usize) -> Option<Arc<dyn FrameMemory>> {
        Some(Arc::new(DmabufMemory {
            heap: Arc::clone(&self.heap),
            limit: n_pictures,
            pools: Mutex::new(Vec::with_capacity(MAX_POOLS)),
            n_refused: AtomicU64::new(0),
        }))
    }
}

/// One decoder's dma-bufs. What is handed out outlives it.
#[derive(Debug)]
struct DmabufMemory {
    heap: Arc<Heap>,
    /// Buffers of each pool.
    limit: usize,
    /// The last is the one in use; the others are those of sizes before, until nobody needs them.
    pools: Mutex<Vec<Pool>>,
    n_refused: AtomicU64,
}

impl DmabufMemory {
    fn pools(&self) -> MutexGuard<'_, Vec<Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool for pictures of `layout`, which is the last from here on.
fn pool_for<'a>(pools: &'a mut Vec<Pool>, layout: &PictureLayout, limit: usize) -> Option<&'a mut Pool> {
    if pools.len() > 1 || pools.last().is_some_and(|it| it.layout() != layout) {
        pools.retain_mut(|it| it.layout() == layout || !it.is_over());
    }
    if pools.last().is_none_or(|it| it.layout() != layout) {
        match pools.iter().position(|it| it.layout() == layout) {
            Some(place) => pools[place..].rotate_left(1),
            None if pools.len() >= MAX_POOLS => return None,
            None => pools.push(Pool::new(*layout, limit)),
        }
    }
    pools.last_mut()
}

impl FrameMemory for DmabufMemory {
    fn take(&self, layout: &PictureLayout) -> Option<Claim> {
        let mut pools = self.pools();
        let claim = pool_for(&mut pools, layout, self.limit).and_then(|it| it.take(&self.heap));
        if claim.is_none() {
            self.n_refused.fetch_add(1, Ordering::Relaxed);
        }
        claim
    }

    fn lease(&self, frame: &AvFrame) -> Option<Lease> {
        self.pools().iter().rev().find_map(|it| it.lease(frame))
    }

    fn n_refused(&self) -> u64 {
        self.n_refused.load(Ordering::Relaxed)
    }
}
