//! Our copy of the headers against the headers themselves, and buffers where this machine has them. The board has them
//! all: see `hw-tests/cases`.
use std::fs::File;
use std::mem::{offset_of, size_of};
use std::os::fd::OwnedFd;
use std::path::Path;

use super::abi::*;
use super::{Access, Dmabuf, Heap, Placement};
use crate::sys::c_headers;

/// A C expression, and what we say it is.
fn claims() -> Vec<(&'static str, u64)> {
    let alloc = nix::request_code_readwrite!(HEAP_MAGIC, HEAP_ALLOC, size_of::<HeapAllocation>());
    let create = nix::request_code_write!(UDMABUF_MAGIC, UDMABUF_CREATE, size_of::<UdmabufCreate>());
    let sync = nix::request_code_write!(DMA_BUF_BASE, DMA_BUF_SYNC, size_of::<Sync>());
    vec![
        ("DMA_HEAP_IOCTL_ALLOC", alloc as u64),
        ("UDMABUF_CREATE", create as u64),
        ("DMA_BUF_IOCTL_SYNC", sync as u64),
        ("sizeof(struct dma_heap_allocation_data)", size_of::<HeapAllocation>() as u64),
        ("offsetof(struct dma_heap_allocation_data, fd)", offset_of!(HeapAllocation, fd) as u64),
        ("offsetof(struct dma_heap_allocation_data, fd_flags)", offset_of!(HeapAllocation, fd_flags) as u64),
        ("offsetof(struct dma_heap_allocation_data, heap_flags)", offset_of!(HeapAllocation, heap_flags) as u64),
        ("sizeof(struct udmabuf_create)", size_of::<UdmabufCreate>() as u64),
        ("offsetof(struct udmabuf_create, flags)", offset_of!(UdmabufCreate, flags) as u64),
        ("offsetof(struct udmabuf_create, offset)", offset_of!(UdmabufCreate, offset) as u64),
        ("offsetof(struct udmabuf_create, size)", offset_of!(UdmabufCreate, size) as u64),
        ("sizeof(struct dma_buf_sync)", size_of::<Sync>() as u64),
        ("UDMABUF_FLAGS_CLOEXEC", UDMABUF_CLOEXEC.into()),
        ("DMA_BUF_SYNC_READ", SYNC_READ),
        ("DMA_BUF_SYNC_WRITE", SYNC_WRITE),
        ("DMA_BUF_SYNC_END", SYNC_END),
        ("DMA_BUF_SYNC_START", 0),
    ]
}

#[test]
fn every_struct_and_number_is_the_headers() {
    c_headers::check(&["linux/dma-heap.h", "linux/udmabuf.h", "linux/dma-buf.h"], &claims());
}

#[test]
fn a_heap_gives_what_was_asked_for_or_says_what_was_tried() {
    for placement in [Placement::Contiguous, Placement::Anywhere] {
        match Heap::find(placement) {
            Ok(heap) => {
                let buffer = heap.allocate(3_110_400).expect("a picture of 1080p");
                assert!(buffer.len() >= 3_110_400 && buffer.len() % 4096 == 0, "{}", buffer.len());
                assert_eq!(buffer.map().expect("mapped").len(), buffer.len());
                assert!(placement == Placement::Anywhere || heap.placement() == Placement::Contiguous);
                assert!(heap.allocate(usize::MAX).is_err());
            }
            Err(words) => {
                let is_there = |path: &str| Path::new(path).exists();
                assert_eq!(words.contains("/dev/dma_heap/linux,cma: "), is_there("/dev/dma_heap/linux,cma"), "{words}");
                let tries_system = placement == Placement::Anywhere && is_there("/dev/dma_heap/system");
                assert_eq!(words.contains("/dev/dma_heap/system: "), tries_system, "{words}");
            }
        }
    }
}

/// A memfd stands for a dma-buf where only its descriptor is looked at.
fn memory(length: u64) -> OwnedFd {
    let it = File::from(nix::sys::memfd::memfd_create(c"", nix::sys::memfd::MFdFlags::MFD_CLOEXEC).expect("a memfd"));
    it.set_len(length).expect("room");
    it.into()
}

#[test]
fn a_buffer_that_is_too_small_is_refused() {
    let error = Dmabuf::adopt(memory(4096), 4097).expect_err("one byte short");
    assert_eq!(error.to_string(), "a dma-buf of 4096 bytes where 4097 are needed");
    assert_eq!(Dmabuf::adopt(memory(4096), 4096).expect("just enough").len(), 4096);
}

#[test]
fn what_is_no_dma_buf_says_so() {
    let it = Dmabuf::adopt(memory(4096), 1).expect("it has a size");
    let error = it.begin(Access::Read).expect_err("a memfd is none");
    assert_eq!(error.raw_os_error(), Some(libc::ENOTTY));
    let (pipe, _other) = std::io::pipe().expect("a pipe");
    assert_eq!(Dmabuf::adopt(pipe.into(), 0).expect_err("no size").raw_os_error(), Some(libc::ESPIPE));
}

#[test]
fn two_mappings_show_the_same_bytes() {
    let it = Dmabuf::adopt(memory(8192), 8192).expect("a buffer");
    let (mut one, other) = (it.map().expect("mapped"), it.map().expect("mapped"));
    drop(it);
    one.bytes_mut()[8191] = 7;
    assert_eq!((other.bytes()[8191], other.len()), (7, 8192));
}
