//! HDMI's control line through the kernel's own API (Documentation/userspace-api/media/cec).
pub mod abi;
mod adapter;
mod calls;

pub use adapter::{Adapter, Addresses, Received};

#[cfg(test)]
mod tests;
