//! The program from outside: what users type, what they get. Headless and as fast as it can go but where time itself
//! is the matter; how well it keeps time is in tests/realtime.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/listener.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod listener;
#[path = "../support/media.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod media;
#[path = "../support/pictures.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod pictures;
#[path = "../support/lucarne.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod program;
#[path = "../support/reference.rs"]
#[allow(dead_code, reason = "each test program uses its own part of it")]
mod reference;
#[path = "../support/xserver.rs"]
mod xserver;

mod endings;
mod film;
mod films;
mod folders;
mod heard;
mod looks;
mod playlists;
mod probing;
mod window;
