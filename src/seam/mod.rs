//! The ports: what the pipeline asks of a machine. One trait a file, base types only; the docs are the contract.
pub mod audio_decoder;
pub mod audio_sink;
pub mod clock;
pub mod decoder;
pub mod demuxer;
pub mod interop;
pub mod presenter;
pub mod seat;
pub mod television;
pub mod wait;
pub mod watch;
