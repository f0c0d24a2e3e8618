//! Errors in the seam's words.
use std::io;

use crate::seam::presenter::PresentError;

/// The backend's name.
pub const NAME: &str = "kms";

/// What the remedy is where another program has the screen.
const OTHER_MASTER: &str = "stop the other program (a desktop, a login screen, plymouth, a second player)";

/// It cannot be had here.
pub fn unavailable(what: String, advice: &str) -> PresentError {
    PresentError::Unavailable { what, advice: advice.to_owned() }
}

/// Another program has the card.
pub fn taken(node: &str, reason: &io::Error) -> PresentError {
    unavailable(format!("{node}: another program controls the display: {reason}"), OTHER_MASTER)
}

/// A call failed.
pub fn device(screen: &str, call: &'static str, reason: impl ToString) -> PresentError {
    PresentError::Device { screen: screen.to_owned(), call, reason: reason.to_string() }
}

/// What a refused commit means (`drm_atomic_commit` and `drm_ioctl_permit` in the kernel).
pub fn commit(screen: &str, error: &io::Error) -> PresentError {
    match error.raw_os_error() {
        Some(libc::EBUSY) => PresentError::Busy,
        Some(libc::EACCES | libc::EPERM) => lost(screen, error),
        _ => device(screen, "atomic commit", error),
    }
}

/// Somebody else is DRM master.
pub fn lost(screen: &str, reason: impl ToString) -> PresentError {
    PresentError::LostMaster { screen: screen.to_owned(), reason: reason.to_string() }
}
