//! Framebuffers on somebody else's memory: dma-bufs, imported (PRIME, `Documentation/gpu/drm-mm.rst`).
//!
//! A GEM handle belongs to an open file, and the same memory imported twice through one file has one handle, which is not
//! counted: whoever closes it first takes it from the other. GBM imports through the card's own file, so framebuffers are
//! made through a file of their own, in which no handle outlives the call. The framebuffer keeps the memory by itself.
use std::io;
use std::rc::Rc;

use drm::Device as _;
use drm::buffer::{DrmFourcc, DrmModifier, Handle, PlanarBuffer};
use drm::control::{Device as _, FbCmd2Flags};

use super::card::Card;
use super::framebuffer::Framebuffer;
use crate::base::dmabuf::DmabufPlane;
use crate::base::format::Size;

/// The most planes a framebuffer has (DRM_FORMAT_MAX_PLANES).
pub const MOST_PLANES: usize = 4;

/// A card's second file: not its DRM master, with no handles but those of the call that is going on.
#[derive(Debug)]
pub struct Importer {
    card: Rc<Card>,
}

/// A picture in dma-bufs.
#[derive(Debug, Clone, Copy)]
pub struct DmabufLayout<'a> {
    /// The coded picture's pixels.
    pub size: Size,
    /// How its components lie.
    pub fourcc: DrmFourcc,
    /// How its pixels lie; `None` where the driver knows no modifiers.
    pub modifier: Option<u64>,
    /// Its planes, the first ones.
    pub planes: [Option<DmabufPlane<'a>>; MOST_PLANES],
}

impl Importer {
    /// Opens the node of `card`, whose master we are, once more.
    pub fn beside(card: &Card) -> io::Result<Self> {
        let second = Card::open(card.path())?;
        // The first to open a node nobody is master of becomes it, which is not meant here. Refused to who is not.
        let _ = second.release_master_lock();
        Ok(Self { card: Rc::new(second) })
    }

    /// Makes a framebuffer (DRM_IOCTL_PRIME_FD_TO_HANDLE, DRM_IOCTL_MODE_ADDFB2). Its number is good for every file of the
    /// card.
    pub fn import(&self, layout: &DmabufLayout<'_>) -> io::Result<Framebuffer> {
        let mut handles = Handles { card: &self.card, of_planes: [None; MOST_PLANES] };
        for (handle, plane) in handles.of_planes.iter_mut().zip(&layout.planes) {
            if let Some(plane) = plane {
                *handle = Some(self.card.prime_fd_to_buffer(plane.fd)?);
            }
        }
        let planar = Planar { layout, handles: handles.of_planes };
        // The crate insists that the flag and the modifier agree.
        let flags = if planar.modifier().is_some() { FbCmd2Flags::MODIFIERS } else { FbCmd2Flags::empty() };
        let raw = self.card.add_planar_framebuffer(&planar, flags)?;
        Ok(Framebuffer::owned(&self.card, raw))
    }
}

/// Closed when dropped, each once.
struct Handles<'a> {
    card: &'a Card,
    of_planes: [Option<Handle>; MOST_PLANES],
}

impl Drop for Handles<'_> {
    fn drop(&mut self) {
        for (index, handle) in self.of_planes.iter().enumerate() {
            let Some(handle) = handle.filter(|it| !self.of_planes[..index].contains(&Some(*it))) else { continue };
            if let Err(error) = self.card.close_buffer(handle) {
                log::debug!("{}: closing a GEM handle: {error}", self.card.path().display());
            }
        }
    }
}

struct Planar<'a> {
    layout: &'a DmabufLayout<'a>,
    handles: [Option<Handle>; MOST_PLANES],
}

impl PlanarBuffer for Planar<'_> {
    fn size(&self) -> (u32, u32) {
        (self.layout.size.width, self.layout.size.height)
    }

    fn format(&self) -> DrmFourcc {
        self.layout.fourcc
    }

    fn modifier(&self) -> Option<DrmModifier> {
        self.layout.modifier.map(DrmModifier::from).filter(|it| *it != DrmModifier::Invalid)
    }

    fn pitches(&self) -> [u32; 4] {
        self.layout.planes.map(|it| it.map_or(0, |it| it.stride))
    }

    fn handles(&self) -> [Option<Handle>; 4] {
        self.handles
    }

    fn offsets(&self) -> [u32; 4] {
        self.layout.planes.map(|it| it.map_or(0, |it| it.offset))
    }
}
