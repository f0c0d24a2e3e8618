//! The cases, by what they are about.
mod audio;
mod boot;
mod checksums;
mod console;
mod faults;
mod hotplug;
mod outputs;
mod pacing;
mod pictures;
mod power;
mod seams;
mod surroundings;

use crate::case::Case;

/// All of them.
pub fn all() -> Vec<Case> {
    [
        boot::CASES,
        audio::CASES,
        pacing::CASES,
        seams::CASES,
        hotplug::CASES,
        console::CASES,
        power::CASES,
        pictures::CASES,
        outputs::CASES,
        checksums::CASES,
        faults::CASES,
        surroundings::CASES,
    ]
    .concat()
}
