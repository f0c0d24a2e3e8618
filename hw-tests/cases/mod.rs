//! The cases, by what they are about.
mod audio;
mod boot;
mod checksums;
mod codec;
mod codec_faults;
mod codec_films;
mod console;
mod decoder;
mod faults;
mod hotplug;
mod interop;
mod memory;
mod outputs;
mod pacing;
mod pictures;
mod planes;
mod power;
mod programs;
mod seams;
mod surroundings;
mod zero_copy;

use crate::case::Case;

/// All of them, the slowest first: they are taken in this order, and short ones at the end leave no CPU idle for long.
pub fn all() -> Vec<Case> {
    [
        pacing::CASES,
        zero_copy::CASES,
        pictures::CASES,
        planes::CASES,
        outputs::CASES,
        memory::CASES,
        seams::CASES,
        decoder::CASES,
        codec_faults::CASES,
        faults::CASES,
        interop::CASES,
        hotplug::CASES,
        surroundings::CASES,
        checksums::CASES,
        codec::CASES,
        audio::CASES,
        boot::CASES,
        console::CASES,
        power::CASES,
    ]
    .concat()
}
