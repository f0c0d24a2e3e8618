//! Vocabulary: plain values every layer may name. No I/O, no threads, no unsafe.
pub mod audio;
pub mod cancel;
pub mod capability;
pub mod color;
pub mod dmabuf;
pub mod format;
pub mod frame;
pub mod geometry;
pub mod offer;
pub mod packet;
pub mod stats;
pub mod stream;
pub mod time;
