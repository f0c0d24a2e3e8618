//! The pipeline with everything around it made of tables, mostly in virtual time: what it does when all goes well,
//! and when each of its neighbours does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
mod codec;
mod elements;
mod film;
mod hardware;
mod rig;
mod screen;

mod broken;
mod control;
mod fallbacks;
mod outputs;
mod power;
mod retiring;
mod seams;
mod sight;
mod sound;
mod waiting;
mod ways;
