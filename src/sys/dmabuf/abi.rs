//! `linux/dma-heap.h`, `linux/udmabuf.h` and `linux/dma-buf.h`, as far as buffers are made and touched here.
//!
//! Each number is compared with the headers themselves by a test, where they are installed.

/// `DMA_HEAP_IOC_MAGIC`.
pub(super) const HEAP_MAGIC: u8 = b'H';
/// The number in `DMA_HEAP_IOCTL_ALLOC`.
pub(super) const HEAP_ALLOC: u8 = 0;
/// The letter in `UDMABUF_CREATE`.
pub(super) const UDMABUF_MAGIC: u8 = b'u';
/// The number in `UDMABUF_CREATE`.
pub(super) const UDMABUF_CREATE: u8 = 0x42;
/// `UDMABUF_FLAGS_CLOEXEC`.
pub(super) const UDMABUF_CLOEXEC: u32 = 1;
/// `DMA_BUF_BASE`.
pub(super) const DMA_BUF_BASE: u8 = b'b';
/// The number in `DMA_BUF_IOCTL_SYNC`.
pub(super) const DMA_BUF_SYNC: u8 = 0;
/// `DMA_BUF_SYNC_READ`.
pub(super) const SYNC_READ: u64 = 1;
/// `DMA_BUF_SYNC_WRITE`.
pub(super) const SYNC_WRITE: u64 = 2;
/// `DMA_BUF_SYNC_END`; its absence is `DMA_BUF_SYNC_START`.
pub(super) const SYNC_END: u64 = 4;

/// `struct dma_heap_allocation_data`.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct HeapAllocation {
    /// Bytes.
    pub(super) len: u64,
    /// Comes back: the buffer.
    pub(super) fd: u32,
    /// `O_CLOEXEC` and the access mode.
    pub(super) fd_flags: u32,
    /// None are defined.
    pub(super) heap_flags: u64,
}

/// `struct udmabuf_create`.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct UdmabufCreate {
    /// Sealed against shrinking.
    pub(super) memfd: u32,
    pub(super) flags: u32,
    /// In whole pages.
    pub(super) offset: u64,
    /// In whole pages.
    pub(super) size: u64,
}

/// `struct dma_buf_sync`.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Sync {
    pub(super) flags: u64,
}

pub(super) mod raw {
    use crate::sys::dmabuf::abi;

    nix::ioctl_readwrite!(heap_alloc, abi::HEAP_MAGIC, abi::HEAP_ALLOC, abi::HeapAllocation);
    nix::ioctl_write_ptr!(udmabuf_create, abi::UDMABUF_MAGIC, abi::UDMABUF_CREATE, abi::UdmabufCreate);
    nix::ioctl_write_ptr!(sync, abi::DMA_BUF_BASE, abi::DMA_BUF_SYNC, abi::Sync);
}
