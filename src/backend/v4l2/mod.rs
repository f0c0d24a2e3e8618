//! Decoding by hardware through the kernel's stateful codecs. Pictures stay in the driver's memory, as dma-bufs.
//!
//! ```text
//! packet -> bitstream filter -> OUTPUT buffer (the one copy, of coded bytes) -> device -> CAPTURE buffer -> lease -> frame
//!                                                                                 ^                             |
//!                                                                                 +------- came home <----------+
//! ```
//!
//! What is to be done when is [`crate::logic::m2m_decoder`]'s to say. An open node with its buffers (`instance`)
//! outlives its decoder: the next stream coded the same way gets it, so that a loop or a playlist neither opens nodes nor
//! asks for memory.
mod alarm;
mod aside;
mod coded;
mod decoder;
mod factory;
mod instance;
mod nodes;
mod pool;
mod refusal;
mod tokens;

pub use factory::{Buffers, V4l2DecoderFactory};
