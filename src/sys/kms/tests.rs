//! What can be told without a card: the layout of what we hand to the kernel.
use std::mem::{offset_of, size_of};
use std::path::Path;

use super::abi::{ModeAtomic, ModeGetProperty};
use super::{AtomicRequest, Card};

#[test]
fn the_atomic_ioctl_has_the_headers_layout() {
    // struct drm_mode_atomic of include/uapi/drm/drm_mode.h.
    assert_eq!(size_of::<ModeAtomic>(), 56);
    assert_eq!(offset_of!(ModeAtomic, objs_ptr), 8);
    assert_eq!(offset_of!(ModeAtomic, count_props_ptr), 16);
    assert_eq!(offset_of!(ModeAtomic, props_ptr), 24);
    assert_eq!(offset_of!(ModeAtomic, prop_values_ptr), 32);
    assert_eq!(offset_of!(ModeAtomic, user_data), 48);
}

#[test]
fn the_property_ioctl_has_the_headers_layout() {
    // struct drm_mode_get_property.
    assert_eq!(size_of::<ModeGetProperty>(), 64);
    assert_eq!(offset_of!(ModeGetProperty, prop_id), 16);
    assert_eq!(offset_of!(ModeGetProperty, count_values), 56);
}

#[test]
fn what_is_not_a_card_refuses_a_commit() {
    let card = Card::open(Path::new("/dev/null")).unwrap();
    let error = AtomicRequest::new().commit(&card, drm::control::AtomicCommitFlags::empty()).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOTTY));
}

/// A mode line of `struct drm_mode_modeinfo`'s bytes, which the crate lets nobody else fill in.
pub fn mode_of_bytes(bytes: &[u8; 68]) -> drm::control::Mode {
    // SAFETY: `Mode` is a transparent wrapper of that struct, which is integers all through, and of this size.
    unsafe { std::mem::transmute::<[u8; 68], drm::control::Mode>(*bytes) }
}
