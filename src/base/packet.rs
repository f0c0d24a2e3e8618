//! One access unit of coded media.
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::base::time::MediaTime;

/// Which stream of a file a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Track {
    /// The pictures.
    Video,
    /// The sound.
    Audio,
}

/// The bytes of a packet, and whatever else its maker keeps with them. Slots of a pool, as `CpuPlanes` are.
pub trait CodedData: Any + Send + Sync + Debug {
    /// The coded bytes.
    fn bytes(&self) -> &[u8];
    /// For a decoder that knows the maker's own type.
    fn as_any(&self) -> &dyn Any;
}

/// A coded access unit. Cheap to clone: the bytes are shared.
#[derive(Debug, Clone)]
pub struct Packet {
    /// Its stream.
    pub track: Track,
    /// Presentation time on the stream's timeline, where known.
    pub pts: Option<MediaTime>,
    /// Decoding time, where known.
    pub dts: Option<MediaTime>,
    /// How long it lasts; zero where not known.
    pub duration: Duration,
    /// Decoding can start here.
    pub keyframe: bool,
    /// Decode it but do not show it (edit lists).
    pub discard: bool,
    /// Which turn of a loop it belongs to; its pts already includes the turns before.
    pub lap: u32,
    /// The timeline broke before this packet.
    pub discontinuity: bool,
    /// The bytes.
    pub data: Arc<dyn CodedData>,
}

/// Bytes in an ordinary vector: for tests.
#[derive(Debug, Clone, Default)]
pub struct VecData(pub Vec<u8>);

impl CodedData for VecData {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
