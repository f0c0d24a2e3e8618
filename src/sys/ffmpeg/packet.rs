//! Coded packets that stay FFmpeg's own: moved by reference, never copied.
use std::any::Any;
use std::ptr::NonNull;

use ffmpeg_sys_next as ff;

use super::abi::{getters, setters};
use super::error::{AvError, check};
use super::pool::Recycle;
use crate::base::packet::{CodedData, Packet};
use crate::base::time::{MediaTime, nanos_of};

/// An owned `AVPacket`.
#[derive(Debug)]
pub struct AvPacket(NonNull<ff::AVPacket>);

// SAFETY: an AVPacket belongs to no thread; its bytes are reference-counted atomically.
unsafe impl Send for AvPacket {}
// SAFETY: shared, it is only read: its fields by us, and by `av_packet_ref`, which counts atomically.
unsafe impl Sync for AvPacket {}

impl AvPacket {
    pub(super) fn as_ptr(&self) -> *mut ff::AVPacket {
        self.0.as_ptr()
    }

    getters! {
        /// Index of its stream.
        pub stream_index = stream_index: i32;
        /// `AV_PKT_FLAG_*`.
        flags = flags: i32;
        /// In ticks of the stream's time base; `None` where not known.
        raw_pts = pts: i64;
        raw_dts = dts: i64;
        /// In ticks of the stream's time base; 0 where not known.
        pub duration = duration: i64;
        /// Byte of the file it starts at; negative where not known.
        pub position = pos: i64;
        data_pointer = data: *mut u8;
        data_size = size: i32;
    }

    setters! {
        set_pts = pts: i64;
        set_dts = dts: i64;
        set_duration = duration: i64;
        set_flags = flags: i32;
        #[cfg(ffmpeg_6_0)]
        pub(super) set_opaque = opaque: *mut libc::c_void;
    }

    /// Presentation time in ticks of the stream's time base.
    pub fn pts(&self) -> Option<i64> {
        Some(self.raw_pts()).filter(|it| *it != ff::AV_NOPTS_VALUE)
    }

    /// Decoding time in ticks of the stream's time base.
    pub fn dts(&self) -> Option<i64> {
        Some(self.raw_dts()).filter(|it| *it != ff::AV_NOPTS_VALUE)
    }

    /// Decoding can start here.
    pub fn is_keyframe(&self) -> bool {
        self.flags() & ff::AV_PKT_FLAG_KEY != 0
    }

    /// To be decoded, but not shown.
    pub fn is_discard(&self) -> bool {
        self.flags() & ff::AV_PKT_FLAG_DISCARD != 0
    }

    /// Becomes what `packet` is, with its times in nanoseconds: another reference to the same bytes where they are
    /// FFmpeg's, a copy where they are not.
    pub(super) fn describe_as(&mut self, packet: &Packet) -> Result<(), AvError> {
        match packet.data.as_any().downcast_ref::<AvPacket>() {
            Some(it) => self.refer_to(it)?,
            None => self.copy_from(packet.data.bytes())?,
        }
        let ticks = |it: Option<MediaTime>| it.map_or(ff::AV_NOPTS_VALUE, MediaTime::nanos);
        self.set_pts(ticks(packet.pts));
        self.set_dts(ticks(packet.dts));
        self.set_duration(nanos_of(packet.duration));
        let flag = |set: bool, flag: i32| if set { flag } else { 0 };
        self.set_flags(flag(packet.keyframe, ff::AV_PKT_FLAG_KEY) | flag(packet.discard, ff::AV_PKT_FLAG_DISCARD));
        Ok(())
    }

    /// Becomes another reference to the bytes and side data of `other`.
    fn refer_to(&mut self, other: &AvPacket) -> Result<(), AvError> {
        self.clear();
        // SAFETY: both are live packets, and this one has just been emptied.
        check("av_packet_ref", unsafe { ff::av_packet_ref(self.as_ptr(), other.as_ptr()) }).map(drop)
    }

    /// Becomes a copy of `bytes`, for packets that did not come from FFmpeg.
    fn copy_from(&mut self, bytes: &[u8]) -> Result<(), AvError> {
        self.clear();
        let size = i32::try_from(bytes.len()).map_err(|_| AvError::errno("av_new_packet", libc::EFBIG))?;
        // SAFETY: this packet has just been emptied; the call adds the padding decoders read.
        check("av_new_packet", unsafe { ff::av_new_packet(self.as_ptr(), size) })?;
        // SAFETY: `av_new_packet` has made room for `size` bytes, and new memory overlaps nothing.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data_pointer(), bytes.len()) };
        Ok(())
    }
}

impl Recycle for AvPacket {
    fn empty() -> Result<Self, AvError> {
        // SAFETY: allocates and sets defaults; null when out of memory.
        let packet = unsafe { ff::av_packet_alloc() };
        NonNull::new(packet).map(Self).ok_or(AvError::no_memory("av_packet_alloc"))
    }

    fn clear(&mut self) {
        // SAFETY: a live packet that nobody else sees.
        unsafe { ff::av_packet_unref(self.as_ptr()) };
    }
}

impl CodedData for AvPacket {
    fn bytes(&self) -> &[u8] {
        let size = usize::try_from(self.data_size()).unwrap_or(0);
        if self.data_pointer().is_null() || size == 0 {
            return &[];
        }
        // SAFETY: an AVPacket's data is `size` readable bytes, kept by the reference it holds; nobody writes to them.
        unsafe { std::slice::from_raw_parts(self.data_pointer(), size) }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for AvPacket {
    fn drop(&mut self) {
        let mut packet = self.as_ptr();
        // SAFETY: allocated by `av_packet_alloc`, freed once, here.
        unsafe { ff::av_packet_free(&raw mut packet) };
    }
}
