//! The figures of a show that runs for months: seams, sound with its pictures, memory, the first picture. In real time,
//! so one at a time; every limit leaves room for a machine that is twice as slow, none for one that is broken.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/listener.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod listener;
#[path = "../support/media.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod media;
#[path = "../support/lucarne.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod program;

mod memory;
mod seams;
mod sound;
mod start;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What measures time holds this: nothing of ours runs beside it.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A case that failed leaves nothing behind that would spoil the next one.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}
