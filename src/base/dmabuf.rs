//! Pictures in dma-bufs: memory that a decoder writes, and that a display controller or a GPU reads without a copy.
//!
//! A decoder owns a *pool* of buffers. A frame holds a *lease* of its buffer; while there is one, the decoder writes
//! nothing into it. Who scans it out or samples it makes an *import* of it (a framebuffer, an EGLImage) and keeps that from
//! frame to frame, by the buffer's name. A pool that is to go is *retired*: importers let go of what they made, leases come
//! home, and only then the decoder takes the memory away.
//! ([dma-buf](https://docs.kernel.org/driver-api/dma-buf.html),
//! [exchanging pixel buffers](https://docs.kernel.org/userspace-api/dma-buf-alloc-exchange.html))
use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::base::frame::CpuPlanes;

/// DRM_FORMAT_MOD_LINEAR: rows one after the other.
pub const MODIFIER_LINEAR: u64 = 0;

/// Names a buffer for the whole life of the process: never used again for another. Descriptors are (the kernel gives the
/// lowest that is free), so caches go by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BufferId {
    /// The pool.
    pub pool: u64,
    /// The buffer's place in it.
    pub slot: u32,
}

/// Where one plane of a picture lies.
#[derive(Debug, Clone, Copy)]
pub struct DmabufPlane<'a> {
    /// The memory. Several planes may lie in one.
    pub fd: BorrowedFd<'a>,
    /// Where the plane begins in it, in bytes.
    pub offset: u32,
    /// From one row to the next, in bytes.
    pub stride: u32,
}

/// What its owner and its users share of a pool.
pub struct PoolState {
    id: u64,
    retiring: AtomicBool,
    leases: AtomicU32,
    imports: AtomicU32,
    came_home: Box<dyn Fn() + Send + Sync>,
}

impl PoolState {
    /// A pool with a new name. `came_home` is called, on any thread, when a buffer's last lease, the pool's last lease or
    /// its last import is gone: it must neither block nor allocate (write an eventfd).
    pub fn new(came_home: Box<dyn Fn() + Send + Sync>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            retiring: AtomicBool::new(false),
            leases: AtomicU32::new(0),
            imports: AtomicU32::new(0),
            came_home,
        })
    }

    /// Its name.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The owner wants its memory back: importers let go of theirs at their next chance. What somebody still has a lease of may be
    /// imported meanwhile (to copy it, say), and is let go of likewise.
    pub fn retire(&self) {
        self.retiring.store(true, Ordering::Release);
    }

    /// Whether the memory is wanted back.
    pub fn is_retiring(&self) -> bool {
        self.retiring.load(Ordering::Acquire)
    }

    /// Leases there are, clones among them. With none, nobody but the owner has a picture, or a descriptor of its memory.
    pub fn leases(&self) -> u32 {
        self.leases.load(Ordering::Acquire)
    }

    /// Things somebody made of its buffers and has not destroyed.
    pub fn imports(&self) -> u32 {
        self.imports.load(Ordering::Acquire)
    }

    /// Nobody but the owner has anything of it. Leases are looked at first: imports are made by who has one, so none is
    /// missed.
    pub fn is_home(&self) -> bool {
        self.leases() == 0 && self.imports() == 0
    }
}

impl fmt::Debug for PoolState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolState")
            .field("id", &self.id)
            .field("retiring", &self.is_retiring())
            .field("leases", &self.leases())
            .field("imports", &self.imports())
            .finish_non_exhaustive()
    }
}

/// One buffer's place in its pool.
#[derive(Debug)]
pub struct Slot {
    pool: Arc<PoolState>,
    index: u32,
    leases: AtomicU32,
}

impl Slot {
    /// Place `index` of a pool.
    pub fn new(pool: &Arc<PoolState>, index: u32) -> Self {
        Self { pool: Arc::clone(pool), index, leases: AtomicU32::new(0) }
    }

    /// The buffer's name.
    pub fn id(&self) -> BufferId {
        BufferId { pool: self.pool.id, slot: self.index }
    }

    /// The pool.
    pub fn pool(&self) -> &Arc<PoolState> {
        &self.pool
    }

    /// Nobody holds it: its owner may write into it.
    pub fn is_home(&self) -> bool {
        self.leases.load(Ordering::Acquire) == 0
    }
}

/// A picture in a dma-buf.
pub trait DmabufPicture: Send + Sync + fmt::Debug {
    /// Its place in its pool.
    fn slot(&self) -> &Slot;
    /// Plane `index` of the coded picture, or `None` past the last.
    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>>;
    /// How the pixels lie in memory: a DRM_FORMAT_MOD.
    fn modifier(&self) -> u64 {
        MODIFIER_LINEAR
    }
    /// Lets the CPU read it (DMA_BUF_IOCTL_SYNC around the call): the slow way, which is counted. The error is in words.
    fn read(&self, with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String>;
}

/// Somebody holds a buffer. Cloning and dropping allocate nothing; the last one to go calls the pool's owner.
pub struct Lease {
    /// Goes first: with it may go the memory's descriptor, which must not outlive what `held` says.
    picture: Arc<dyn DmabufPicture>,
    held: Held,
}

/// One lease, as its pool counts them.
struct Held {
    pool: Arc<PoolState>,
    /// It was the last of its buffer.
    was_last: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_pool_home = self.pool.leases.fetch_sub(1, Ordering::AcqRel) == 1;
        if self.was_last || is_pool_home {
            (self.pool.came_home)();
        }
    }
}

impl Lease {
    /// Holds a buffer.
    pub fn new(picture: Arc<dyn DmabufPicture>) -> Self {
        let slot = picture.slot();
        slot.leases.fetch_add(1, Ordering::AcqRel);
        slot.pool.leases.fetch_add(1, Ordering::AcqRel);
        let held = Held { pool: Arc::clone(&slot.pool), was_last: false };
        Self { picture, held }
    }

    /// The picture in it.
    pub fn picture(&self) -> &dyn DmabufPicture {
        &*self.picture
    }

    /// The buffer's name.
    pub fn id(&self) -> BufferId {
        self.picture.slot().id()
    }

    /// Its pool.
    pub fn pool(&self) -> &Arc<PoolState> {
        &self.held.pool
    }
}

impl Clone for Lease {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.picture))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.was_last = self.picture.slot().leases.fetch_sub(1, Ordering::AcqRel) == 1;
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.id()).finish()
    }
}

/// Something made of a pool's buffer (an EGLImage, a framebuffer). To be held beside it, and dropped after it.
#[derive(Debug)]
pub struct Import(Arc<PoolState>);

impl Import {
    /// Notes an import of a leased buffer: the lease keeps the memory where it is until the import is noted.
    pub fn new(lease: &Lease) -> Self {
        let pool = lease.pool();
        pool.imports.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(pool))
    }

    /// The pool.
    pub fn pool(&self) -> &PoolState {
        &self.0
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        if self.0.imports.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.0.came_home)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nothing(Slot);

    impl DmabufPicture for Nothing {
        fn slot(&self) -> &Slot {
            &self.0
        }
        fn plane(&self, _index: usize) -> Option<DmabufPlane<'_>> {
            None
        }
        fn read(&self, _with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
            Err("nothing in it".into())
        }
    }

    fn pool() -> (Arc<PoolState>, Arc<AtomicU32>) {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        (
            PoolState::new(Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
            })),
            calls,
        )
    }

    #[test]
    fn a_buffer_is_home_when_its_last_lease_is_gone() {
        let (pool, calls) = pool();
        let picture = Arc::new(Nothing(Slot::new(&pool, 3)));
        let lease = Lease::new(picture.clone());
        let second = lease.clone();
        drop(lease);
        assert!(!picture.0.is_home() && pool.leases() == 1 && calls.load(Ordering::Relaxed) == 0);
        drop(second);
        assert!(picture.0.is_home() && pool.leases() == 0 && calls.load(Ordering::Relaxed) == 1);
    }

    /// Notes how many leases there were when it went.
    #[derive(Debug)]
    struct Witness(Slot, Arc<AtomicU32>);

    impl Drop for Witness {
        fn drop(&mut self) {
            self.1.store(self.0.pool().leases(), Ordering::Relaxed);
        }
    }

    impl DmabufPicture for Witness {
        fn slot(&self) -> &Slot {
            &self.0
        }
        fn plane(&self, _index: usize) -> Option<DmabufPlane<'_>> {
            None
        }
        fn read(&self, _with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
            Err("nothing in it".into())
        }
    }

    #[test]
    fn a_pool_is_home_when_nobody_else_has_a_picture_of_it() {
        let (pool, calls) = pool();
        let seen = Arc::new(AtomicU32::new(u32::MAX));
        let lease = Lease::new(Arc::new(Witness(Slot::new(&pool, 0), Arc::clone(&seen))));
        let second = lease.clone();
        assert_eq!(pool.leases(), 2, "each has the picture");
        drop(lease);
        drop(second);
        assert_eq!((seen.load(Ordering::Relaxed), pool.leases()), (1, 0), "the picture went first");
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_pool_is_not_home_while_there_is_an_import() {
        let (pool, calls) = pool();
        let lease = Lease::new(Arc::new(Nothing(Slot::new(&pool, 0))));
        let import = Import::new(&lease);
        pool.retire();
        // As late as that, for who has a lease.
        let late = Import::new(&lease);
        drop(lease);
        assert!(!pool.is_home() && pool.imports() == 2 && calls.load(Ordering::Relaxed) == 1);
        drop(import);
        assert!(!pool.is_home() && calls.load(Ordering::Relaxed) == 1);
        drop(late);
        assert!(pool.is_home() && calls.load(Ordering::Relaxed) == 2);
    }

    #[test]
    fn no_two_pools_have_one_name() {
        assert_ne!(pool().0.id(), pool().0.id());
    }
}
