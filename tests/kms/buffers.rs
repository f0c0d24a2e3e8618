//! Decoders' memory: dma-bufs of another driver (vgem), written once, held by leases.
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use drm::Device as _;
use drm::buffer::{Buffer as _, DrmFourcc};
use drm::control::Device as _;
use lucarne::base::dmabuf::{DmabufPicture, DmabufPlane, Lease, PoolState, Slot};
use lucarne::base::frame::{CpuPlanes, Memory, VideoFrame};

use crate::cards::Node;
use crate::pictures::Picture;

/// Rows of the dumb buffers that stand for memory as such.
const ROW: u32 = 4096;

/// A pool with a buffer for each picture.
pub struct Buffers {
    pub pool: Arc<PoolState>,
    pictures: Vec<(Picture, Arc<Buffer>)>,
    /// Closed last, and the memory with it.
    _node: Node,
}

#[derive(Debug)]
struct Buffer {
    slot: Slot,
    memory: OwnedFd,
    /// Offset and stride of each plane.
    planes: Vec<(u32, u32)>,
}

impl DmabufPicture for Buffer {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        let (offset, stride) = *self.planes.get(index)?;
        Some(DmabufPlane { fd: self.memory.as_fd(), offset, stride })
    }

    fn read(&self, _with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        Err("nobody is to touch it".to_owned())
    }
}

/// The node of a driver that has memory and no screen.
fn vgem() -> Option<PathBuf> {
    let folder = std::fs::read_dir("/dev/dri").ok()?;
    let is_vgem = |it: &PathBuf| {
        let is_card = it.file_name().is_some_and(|it| it.to_string_lossy().starts_with("card"));
        let Ok(_) = File::options().read(true).write(true).open(it) else { return false };
        is_card && Node::open(it).get_driver().is_ok_and(|it| it.name() == "vgem")
    };
    folder.flatten().map(|it| it.path()).find(is_vgem)
}

impl Buffers {
    /// A pool of these pictures; `None` where there is no vgem.
    pub fn of(pictures: Vec<Picture>) -> Option<Self> {
        let node = Node::open(&vgem()?);
        let pool = PoolState::new(Box::new(|| {}));
        let made = pictures.into_iter().zip(0..).map(|(picture, index)| {
            let buffer = Arc::new(buffer(&node, &picture, Slot::new(&pool, index)));
            (picture, buffer)
        });
        Some(Self { pictures: made.collect(), pool, _node: node })
    }

    /// A frame of a picture.
    pub fn frame(&self, index: usize) -> VideoFrame {
        let (picture, buffer) = &self.pictures[index];
        let mut frame = picture.frame_of(Arc::default(), lucarne::base::time::MediaTime::ZERO);
        let buffer: Arc<dyn DmabufPicture> = buffer.clone();
        frame.memory = Memory::Dmabuf(Lease::new(buffer));
        frame
    }

    /// The picture.
    pub fn picture(&self, index: usize) -> &Picture {
        &self.pictures[index].0
    }

    /// Whether its decoder may write into a picture's buffer.
    pub fn is_home(&self, index: usize) -> bool {
        self.pictures[index].1.slot.is_home()
    }
}

fn buffer(node: &Node, picture: &Picture, slot: Slot) -> Buffer {
    // A padding that no format asks for.
    let planes = picture.planes(64).planes;
    let mut bytes = Vec::new();
    let mut described = Vec::new();
    for ((plane, stride), layout) in planes.iter().zip(picture.format.pixel.planes()) {
        described.push((u32::try_from(bytes.len()).unwrap(), u32::try_from(*stride).unwrap()));
        let whole = *stride * layout.size(picture.format.coded).height as usize;
        bytes.extend_from_slice(plane);
        bytes.extend(std::iter::repeat_n(0xA5, whole - plane.len()));
    }
    let rows = u32::try_from(bytes.len()).unwrap().div_ceil(ROW);
    let mut dumb = node.create_dumb_buffer((ROW, rows), DrmFourcc::R8, 8).unwrap();
    node.map_dumb_buffer(&mut dumb).unwrap()[..bytes.len()].copy_from_slice(&bytes);
    let memory = node.buffer_to_prime_fd(dumb.handle(), 0).unwrap();
    node.destroy_dumb_buffer(dumb).unwrap();
    Buffer { slot, memory, planes: described }
}
