//! Every sound device passes the same suite.
#[path = "../support/audio_sink_suite.rs"]
mod suite;

mod alsa;
mod headless;
mod scripted_pcm;
