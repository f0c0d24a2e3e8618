//! What a process does about the console before it does anything else.

pub use crate::backend::console::guard::run as guard;

/// To be called before there is a second thread: the signals that speak of the console would end the process in any thread
/// that does not expect them.
pub fn prepare() {
    if let Err(reason) = crate::sys::vt::signals::block() {
        log::debug!("console switches cannot be heard: {reason}");
    }
}
