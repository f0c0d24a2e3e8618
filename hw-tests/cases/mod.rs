//! The cases, by what they are about.
mod audio;
mod boot;
mod console;
mod hotplug;

use crate::case::Case;

/// All of them.
pub fn all() -> Vec<Case> {
    [boot::CASES, audio::CASES, hotplug::CASES, console::CASES].concat()
}
