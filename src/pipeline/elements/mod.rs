//! The stages of the player: each a `Step` that never waits; its runner does.
pub mod decode;
pub mod feed;
pub mod sound;
