//! No screen, no loudspeaker: what tests run on, and what plays where there is no device. Compiled everywhere, always.
pub mod audio_sink;
pub mod console;
pub mod display_clock;
pub mod journal;
pub mod presenter;
pub mod wait;
