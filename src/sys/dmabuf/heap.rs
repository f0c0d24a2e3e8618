//! Where dma-bufs come from.
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Access, Dmabuf, abi};

/// Where the kernel's heaps are.
const HEAPS: &str = "/dev/dma_heap";
/// Dma-bufs of a memfd's pages.
const UDMABUF: &str = "/dev/udmabuf";
/// The contiguous heaps' names: the Raspberry Pi's by its device tree, the kernel's since 6.17, and what it called the
/// default area before, by where the area was reserved.
const CONTIGUOUS: [&str; 4] = ["linux,cma", "default_cma_region", "cma", "reserved"];
/// Pages of anywhere in memory.
const SYSTEM: &str = "system";
/// All architectures with dma-bufs have pages of a power of two up to this; a buffer of whole such pages suits them all.
const PAGE: usize = 65_536;

/// What its users need of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In one piece of physical memory: display controllers and codecs that go past no IOMMU, as the Raspberry Pi 4's do.
    Contiguous,
    /// Pages of anywhere: the GPU, and devices behind an IOMMU.
    Anywhere,
}

/// How the kernel is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    /// `DMA_HEAP_IOCTL_ALLOC`.
    Heap,
    /// `UDMABUF_CREATE` on a memfd.
    Udmabuf,
}

/// One way to dma-bufs, tried out.
#[derive(Debug)]
pub struct Heap {
    device: File,
    path: PathBuf,
    method: Method,
    placement: Placement,
}

impl Heap {
    /// The first way that gives a buffer the CPU can map and write. The error names each that is there and what it
    /// answered.
    pub fn find(placement: Placement) -> Result<Self, String> {
        let contiguous = CONTIGUOUS.iter().map(|it| (Path::new(HEAPS).join(it), Method::Heap, Placement::Contiguous));
        let system = (Path::new(HEAPS).join(SYSTEM), Method::Heap, Placement::Anywhere);
        let udmabuf = (PathBuf::from(UDMABUF), Method::Udmabuf, Placement::Anywhere);
        // Contiguous memory is scarce: it serves for anything else only where nothing else is.
        let anywhere = [system, udmabuf].into_iter().filter(|_| placement == Placement::Anywhere);
        let mut refusals = Vec::new();
        for (path, method, placement) in anywhere.chain(contiguous) {
            match Self::open(&path, method, placement) {
                Ok(it) => return Ok(it),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => refusals.push(format!("{}: {error}", path.display())),
            }
        }
        let why = match refusals.as_slice() {
            [] => format!("nothing of {HEAPS} and {UDMABUF} that suits is there, load dma-heap or udmabuf"),
            tried => tried.join("; "),
        };
        Err(format!("no dma-bufs here: {why}"))
    }

    fn open(path: &Path, method: Method, placement: Placement) -> io::Result<Self> {
        let device = OpenOptions::new().read(true).write(true).open(path)?;
        let it = Self { device, path: path.to_owned(), method, placement };
        it.try_out()?;
        Ok(it)
    }

    /// A buffer is made, mapped, written and read again.
    fn try_out(&self) -> io::Result<()> {
        let buffer = self.allocate(1)?;
        let mut mapping = buffer.map()?;
        buffer.begin(Access::Write)?;
        mapping.bytes_mut().fill(0xA5);
        buffer.end(Access::Write)?;
        buffer.begin(Access::Read)?;
        let is_kept = mapping.bytes().iter().all(|it| *it == 0xA5);
        buffer.end(Access::Read)?;
        if is_kept { Ok(()) } else { Err(io::Error::other("a buffer of it does not keep what is written")) }
    }

    /// Its device's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its memory is good for.
    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// A new buffer of at least `length` bytes, cached where the architecture caches such memory. ENOMEM where a
    /// contiguous area is used up.
    pub fn allocate(&self, length: usize) -> io::Result<Dmabuf> {
        let too_long = || io::Error::from(io::ErrorKind::InvalidInput);
        let length = length.max(1).checked_next_multiple_of(PAGE).ok_or_else(too_long)?;
        let bytes = length as u64;
        let fd = match self.method {
            Method::Heap => self.allocate_from_heap(bytes)?,
            Method::Udmabuf => self.allocate_from_memfd(bytes)?,
        };
        Dmabuf::adopt(fd, length)
    }

    fn allocate_from_heap(&self, len: u64) -> io::Result<OwnedFd> {
        let fd_flags = (libc::O_RDWR | libc::O_CLOEXEC).cast_unsigned();
        let mut it = abi::HeapAllocation { len, fd_flags, ..Default::default() };
        // SAFETY: `it` is a whole dma_heap_allocation_data that outlives the call; what is no heap answers ENOTTY.
        unsafe { abi::raw::heap_alloc(self.device.as_raw_fd(), &mut it) }?;
        // SAFETY: the call has just made this descriptor for us, and nobody else knows of it.
        Ok(unsafe { OwnedFd::from_raw_fd(it.fd.cast_signed()) })
    }

    fn allocate_from_memfd(&self, size: u64) -> io::Result<OwnedFd> {
        let name = CString::default();
        let memory = File::from(memfd_create(name.as_c_str(), MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
        memory.set_len(size)?;
        // The kernel pins its pages: they must not go.
        fcntl(&memory, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK))?;
        let memfd = memory.as_raw_fd().cast_unsigned();
        let it = abi::UdmabufCreate { memfd, flags: abi::UDMABUF_CLOEXEC, offset: 0, size };
        // SAFETY: `it` is a whole udmabuf_create that outlives the call, and so does the memfd it names.
        let fd: RawFd = unsafe { abi::raw::udmabuf_create(self.device.as_raw_fd(), &it) }?;
        // SAFETY: the call answers a new descriptor, which nobody else knows of.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
