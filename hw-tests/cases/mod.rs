//! The cases, by what they are about.
mod audio;
mod boot;
mod console;
mod hotplug;
mod pacing;
mod power;
mod seams;

use crate::case::Case;

/// All of them, the slowest first: they are taken in this order, and short ones at the end leave no CPU idle for long.
pub fn all() -> Vec<Case> {
    [pacing::CASES, seams::CASES, hotplug::CASES, audio::CASES, boot::CASES, console::CASES, power::CASES].concat()
}
