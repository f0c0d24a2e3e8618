//! Pure state machines: input and time come in as values, decisions go out as values.
#![forbid(unsafe_code)]
pub mod audio_fill;
pub mod backoff;
pub mod cec;
pub mod device_trust;
pub mod fallback;
pub mod flow;
pub mod hotplug;
pub mod interop_policy;
pub mod laps;
pub mod lead;
pub mod m2m_decoder;
pub mod master_clock;
pub mod mode_choice;
pub mod outputs;
pub mod plane_choice;
pub mod playlist;
pub mod playsync;
pub mod redraw;
pub mod seams;
pub mod sight;
pub mod vblank;
