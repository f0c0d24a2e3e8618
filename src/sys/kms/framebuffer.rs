//! Framebuffers: memory in a form that planes can scan out.
use std::io;
use std::rc::Rc;

use drm::buffer::{Buffer as _, DrmFourcc, DrmModifier, Handle, PlanarBuffer};
use drm::control::dumbbuffer::DumbBuffer;
use drm::control::{Device as _, FbCmd2Flags, framebuffer};
use gbm::BufferObject;

use super::card::Card;
use crate::base::format::Size;

/// Bits in a pixel of XRGB8888.
const XRGB_BITS: u32 = 32;
/// Of those, how many say something.
const XRGB_DEPTH: u32 = 24;

/// A framebuffer. Removed when dropped (DRM_IOCTL_MODE_RMFB), which takes it off every plane that still shows it.
#[derive(Debug)]
pub struct Framebuffer {
    card: Rc<Card>,
    raw: framebuffer::Handle,
}

impl Framebuffer {
    /// Of a buffer GBM made on the same card, seen as `format`: its own, or that with or without alpha.
    pub fn of_gbm(card: &Rc<Card>, buffer: &BufferObject<()>, format: DrmFourcc) -> io::Result<Self> {
        let planar = GbmPlanes(buffer, format);
        // The crate insists that the flag and the modifier agree.
        let flags = if planar.modifier().is_some() { FbCmd2Flags::MODIFIERS } else { FbCmd2Flags::empty() };
        let raw = card.add_planar_framebuffer(&planar, flags)?;
        Ok(Self { card: Rc::clone(card), raw })
    }

    /// One that was made through `card`.
    pub(super) fn owned(card: &Rc<Card>, raw: framebuffer::Handle) -> Self {
        Self { card: Rc::clone(card), raw }
    }

    /// Of a dumb XRGB8888 buffer.
    pub(super) fn of_dumb(card: &Rc<Card>, buffer: &DumbBuffer) -> io::Result<Self> {
        let raw = card.add_framebuffer(buffer, XRGB_DEPTH, XRGB_BITS)?;
        Ok(Self { card: Rc::clone(card), raw })
    }

    /// Of a dumb buffer of bytes, whose planes of `fourcc` begin with these rows of it.
    pub(super) fn of_rows(
        card: &Rc<Card>,
        buffer: &DumbBuffer,
        size: Size,
        fourcc: DrmFourcc,
        starts: [Option<u32>; 4],
    ) -> io::Result<Self> {
        let raw = card.add_planar_framebuffer(&RowPlanes { buffer, size, fourcc, starts }, FbCmd2Flags::empty())?;
        Ok(Self { card: Rc::clone(card), raw })
    }

    /// What a plane's FB_ID takes.
    pub fn id(&self) -> u64 {
        u64::from(u32::from(self.raw))
    }
}

impl Drop for Framebuffer {
    fn drop(&mut self) {
        if let Err(error) = self.card.destroy_framebuffer(self.raw) {
            log::debug!("{}: removing a framebuffer: {error}", self.card.path().display());
        }
    }
}

/// A dumb buffer's rows as planes, one below the other.
struct RowPlanes<'a> {
    buffer: &'a DumbBuffer,
    size: Size,
    fourcc: DrmFourcc,
    starts: [Option<u32>; 4],
}

impl PlanarBuffer for RowPlanes<'_> {
    fn size(&self) -> (u32, u32) {
        (self.size.width, self.size.height)
    }

    fn format(&self) -> DrmFourcc {
        self.fourcc
    }

    fn modifier(&self) -> Option<DrmModifier> {
        None
    }

    fn pitches(&self) -> [u32; 4] {
        self.starts.map(|it| it.map_or(0, |_| self.buffer.pitch()))
    }

    fn handles(&self) -> [Option<Handle>; 4] {
        self.starts.map(|it| it.map(|_| self.buffer.handle()))
    }

    fn offsets(&self) -> [u32; 4] {
        // The kernel checks that planes lie inside their memory.
        self.starts.map(|it| it.map_or(0, |it| it.saturating_mul(self.buffer.pitch())))
    }
}

/// GBM's buffer as the `drm` crate wants to see it; gbm's own bridge is for another version of that crate.
struct GbmPlanes<'a>(&'a BufferObject<()>, DrmFourcc);

impl GbmPlanes<'_> {
    /// One value for each plane there is.
    fn each<T: Copy>(&self, none: T, value: impl Fn(i32) -> T) -> [T; 4] {
        let count = self.0.plane_count() as usize;
        std::array::from_fn(|index| if index < count { value(index as i32) } else { none })
    }
}

impl PlanarBuffer for GbmPlanes<'_> {
    fn size(&self) -> (u32, u32) {
        (self.0.width(), self.0.height())
    }

    fn format(&self) -> DrmFourcc {
        self.1
    }

    fn modifier(&self) -> Option<DrmModifier> {
        Some(self.0.modifier()).filter(|it| *it != DrmModifier::Invalid)
    }

    fn pitches(&self) -> [u32; 4] {
        self.each(0, |plane| self.0.stride_for_plane(plane))
    }

    fn handles(&self) -> [Option<Handle>; 4] {
        self.each(None, |plane| {
            let handle = self.0.handle_for_plane(plane);
            // SAFETY: on DRM, which is what the card is, the union holds a GEM handle: its u32.
            drm::control::from_u32(unsafe { handle.u32_ })
        })
    }

    fn offsets(&self) -> [u32; 4] {
        self.each(0, |plane| self.0.offset(plane))
    }
}
