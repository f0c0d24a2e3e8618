//! The software backend against real files: what comes out, in which order, how often.
#[path = "../support/decoder_suite.rs"]
mod decoder_suite;
#[path = "../support/media.rs"]
mod media;

mod annex_b;
mod bad_input;
mod conformance;
mod films;
mod injected;
mod pictures;
mod player;
mod sound;
mod steady;
mod stills;
