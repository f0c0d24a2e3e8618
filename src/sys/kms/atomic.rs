//! Atomic commits without an allocation a frame.
//!
//! The `drm` crate's request is used up by its commit. This one is filled again and again and keeps its memory.
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use drm::control::{AtomicCommitFlags, RawResourceHandle, ResourceHandle, property};

use super::abi;
use super::card::Card;

/// How often an interrupted call is tried again. The kernel is interrupted by signals only; this many in a row do not
/// come.
const TRIES: usize = 16;

/// Property changes that take effect together or not at all.
#[derive(Debug, Default)]
pub struct AtomicRequest {
    objects: Vec<u32>,
    counts: Vec<u32>,
    properties: Vec<u32>,
    values: Vec<u64>,
    /// Which value is to point at where the kernel writes a fence's descriptor.
    out_fence: Option<usize>,
}

impl AtomicRequest {
    /// An empty request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but its memory.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.counts.clear();
        self.properties.clear();
        self.values.clear();
        self.out_fence = None;
    }

    /// Sets one property of one object. Properties of one object are best set one after the other.
    pub fn set<H: ResourceHandle>(&mut self, object: H, property: property::Handle, value: u64) {
        self.set_raw(object.into(), property, value);
    }

    /// The same, for an object of whichever kind.
    pub fn set_raw(&mut self, object: RawResourceHandle, property: property::Handle, value: u64) {
        let object = u32::from(object);
        match (self.objects.last(), self.counts.last_mut()) {
            (Some(last), Some(count)) if *last == object => *count += 1,
            _ => {
                self.objects.push(object);
                self.counts.push(1);
            }
        }
        self.properties.push(property.into());
        self.values.push(value);
    }

    /// Asks for a fence through a property that takes a pointer (`OUT_FENCE_PTR`, `WRITEBACK_OUT_FENCE_PTR`). One a
    /// request; the last one counts.
    pub fn set_out_fence<H: ResourceHandle>(&mut self, object: H, property: property::Handle) {
        self.set(object, property, 0);
        self.out_fence = Some(self.values.len() - 1);
    }

    /// Commits (DRM_IOCTL_MODE_ATOMIC), and gives back the fence where one was asked for and the kernel made one.
    pub fn commit(&mut self, card: &Card, flags: AtomicCommitFlags) -> io::Result<Option<OwnedFd>> {
        // The kernel writes a C int; -1 where it makes none.
        let mut fence: i32 = -1;
        if let Some(index) = self.out_fence {
            self.values[index] = (&raw mut fence).addr() as u64;
        }
        let mut atomic = abi::ModeAtomic {
            flags: flags.bits(),
            count_objs: u32::try_from(self.objects.len()).unwrap_or(u32::MAX),
            objs_ptr: self.objects.as_ptr().addr() as u64,
            count_props_ptr: self.counts.as_ptr().addr() as u64,
            props_ptr: self.properties.as_ptr().addr() as u64,
            prop_values_ptr: self.values.as_ptr().addr() as u64,
            ..abi::ModeAtomic::default()
        };
        for _ in 0..TRIES {
            // SAFETY: the lists live across the call and are as long as their counts add up to, which `set` keeps; the
            // one pointer among the values is that of `fence`, which outlives the call too.
            match unsafe { mode_atomic(card.as_fd().as_raw_fd(), &mut atomic) } {
                Ok(_) => {
                    // SAFETY: not negative, so the kernel made it for us in this call, and nobody else knows it.
                    return Ok((fence >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fence) }));
                }
                Err(nix::Error::EINTR | nix::Error::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(nix::Error::EINTR.into())
    }
}

nix::ioctl_readwrite!(mode_atomic, abi::DRM_IOCTL_BASE, abi::MODE_ATOMIC, abi::ModeAtomic);
