//! The cases, by what they are about.
mod audio;
mod boot;
mod power;

use crate::case::Case;

/// All of them.
pub fn all() -> Vec<Case> {
    [boot::CASES, audio::CASES, power::CASES].concat()
}
