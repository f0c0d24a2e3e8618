//! The kernel's mode setting: what the `drm` crate leaves open.
//!
//! The crate asks and answers safely, and `backend` uses it directly. Here is what would leak or is unsafe: the card
//! itself, framebuffers that are removed when they are dropped, property blobs, dumb buffers, dma-bufs, atomic requests
//! that keep their memory from one frame to the next, and the way from GBM's buffers to the kernel's.
mod abi;
mod atomic;
mod bits;
mod blob;
mod card;
mod dumb;
mod framebuffer;
mod prime;
#[cfg(test)]
mod tests;

pub use atomic::AtomicRequest;
pub use bits::bits_of;
pub use blob::PropertyBlob;
pub use card::Card;
pub use dumb::DumbPicture;
pub use framebuffer::Framebuffer;
pub use prime::{DmabufLayout, Importer, MOST_PLANES};
#[cfg(test)]
pub use tests::mode_of_bytes;
