//! Where a decoder of FFmpeg's is between `drain` and `flush`.
//!
//! ```text
//! Decoding --drain--> Ending --all given--> Draining --all out--> Drained
//!    ^-------------------------flush from anywhere---------------------+
//! ```

/// A decoder's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Taking packets.
    Decoding,
    /// Told to drain; the codec will be once it has given what it has.
    Ending,
    /// The codec drains; what is left is still coming out.
    Draining,
    /// All is out, and `Drained` has been said.
    Drained,
}
