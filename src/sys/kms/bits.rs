//! Which bits a bitmask property knows; the `drm` crate says only that it is one.
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use drm::control::property;

use super::abi;
use super::card::Card;

/// The bits of a 64-bit value, and so the most that a bitmask has.
const MOST_BITS: usize = 64;

/// The bits that may be set in a bitmask property (DRM_IOCTL_MODE_GETPROPERTY).
pub fn bits_of(card: &Card, property: property::Handle) -> io::Result<u64> {
    let mut numbers = [0_u64; MOST_BITS];
    let mut asked = abi::ModeGetProperty {
        prop_id: property.into(),
        values_ptr: (&raw mut numbers).addr() as u64,
        // The kernel fills the list only where all of it fits, and says how many there are.
        count_values: MOST_BITS as u32,
        ..abi::ModeGetProperty::default()
    };
    // SAFETY: the kernel writes at most as many values as were said to fit into the list, which outlives the call.
    unsafe { mode_get_property(card.as_fd().as_raw_fd(), &mut asked) }?;
    let count = usize::try_from(asked.count_values).unwrap_or(0);
    let known = numbers.iter().take(count).filter_map(|it| u32::try_from(*it).ok());
    Ok(known.fold(0, |all, it| all | 1_u64.checked_shl(it).unwrap_or(0)))
}

nix::ioctl_readwrite!(mode_get_property, abi::DRM_IOCTL_BASE, abi::MODE_GETPROPERTY, abi::ModeGetProperty);
