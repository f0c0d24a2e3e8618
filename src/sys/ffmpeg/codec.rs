//! An opened decoder, for pictures or sound.
use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ffmpeg_sys_next as ff;

use super::abi::setters;
use super::error::{AvError, check};
use super::frame::AvFrame;
use super::memory::{FrameMemory, MemoryHook};
use super::packet::AvPacket;
use super::parameters::Parameters;
use super::pool::Recycle;
use crate::base::packet::Packet;
use crate::base::time::NANOS_PER_SECOND;

/// Every decoder is given its packets in nanoseconds, and so answers in them.
pub(super) const NANOSECONDS: ff::AVRational = ff::AVRational { num: 1, den: NANOS_PER_SECOND as i32 };

/// How to open a decoder.
#[derive(Debug, Clone, Copy)]
pub struct CodecOptions {
    /// Threads it may use; 1 for no delay beyond the codec's own.
    pub threads: u32,
    /// Pictures with more pixels are refused.
    pub max_pixels: u64,
}

/// What a decoder answered to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is the decoder's.
    Taken,
    /// Frames must be received first.
    Full,
}

/// What a decoder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A frame.
    Frame,
    /// Nothing until more is sent.
    Nothing,
    /// Nothing more until it is flushed.
    End,
}

/// An owned, opened `AVCodecContext`.
#[derive(Debug)]
pub struct Codec {
    context: NonNull<ff::AVCodecContext>,
    /// Carries each packet's reference and its rewritten times into the decoder.
    carrier: AvPacket,
    /// What the decoder asks for memory. Goes after it.
    _hook: Option<Arc<MemoryHook>>,
}

// SAFETY: the context belongs to no thread; FFmpeg's worker threads are its own affair.
unsafe impl Send for Codec {}

impl Codec {
    /// Opens the decoder FFmpeg prefers for the stream among those that need no device. Its pictures are in `memory`,
    /// where there is one, there is room, and the decoder lets others choose.
    pub fn open(
        parameters: &Parameters,
        options: CodecOptions,
        memory: Option<Arc<dyn FrameMemory>>,
    ) -> Result<Self, AvError> {
        let codec = find(parameters.codec_id())
            .ok_or(AvError { call: "avcodec_find_decoder", code: ff::AVERROR_DECODER_NOT_FOUND })?;
        // SAFETY: a decoder of FFmpeg's own list.
        let context = NonNull::new(unsafe { ff::avcodec_alloc_context3(codec) })
            .ok_or(AvError::no_memory("avcodec_alloc_context3"))?;
        let mut it = Self { context, carrier: AvPacket::empty()?, _hook: None };
        // SAFETY: a context that is not open yet, and live parameters.
        let code = unsafe { ff::avcodec_parameters_to_context(it.as_ptr(), parameters.as_ptr()) };
        check("avcodec_parameters_to_context", code)?;
        it.set_time_base(NANOSECONDS);
        it.set_threads(i32::try_from(options.threads).unwrap_or(1));
        it.set_max_pixels(i64::try_from(options.max_pixels).unwrap_or(i64::MAX));
        // The coded picture is handed on whole, with the visible part beside it: nothing is cut off, so nothing is copied.
        it.set_apply_cropping(0);
        it.carry_tokens();
        if let Some(memory) = memory {
            // SAFETY: a context that is not open yet; the hook stays until it is freed.
            it._hook = Some(unsafe { MemoryHook::install(it.as_ptr(), memory) });
        }
        // SAFETY: a context prepared for this very decoder.
        check("avcodec_open2", unsafe { ff::avcodec_open2(it.as_ptr(), codec, ptr::null_mut()) })?;
        Ok(it)
    }

    fn as_ptr(&self) -> *mut ff::AVCodecContext {
        self.context.as_ptr()
    }

    setters! {
        set_time_base = pkt_timebase: ff::AVRational;
        set_threads = thread_count: i32;
        set_max_pixels = max_pixels: i64;
        set_apply_cropping = apply_cropping: i32;
    }

    /// Offers a packet. `token` comes back with the frames it becomes; it survives the decoder's reordering.
    pub fn send(&mut self, packet: &Packet, token: u64) -> Result<Sent, AvError> {
        self.carrier.describe_as(packet)?;
        let before = self.attach_token(token);
        // SAFETY: an open decoder and a live packet, of which it takes a reference of its own.
        let code = unsafe { ff::avcodec_send_packet(self.as_ptr(), self.carrier.as_ptr()) };
        self.carrier.clear();
        match check("avcodec_send_packet", code) {
            Ok(_) => Ok(Sent::Taken),
            Err(it) if it.is_again() => {
                self.restore_token(before);
                Ok(Sent::Full)
            }
            Err(it) => Err(it),
        }
    }

    /// Nothing more will be sent until a flush: what is inside must come out. Only after `receive` has answered `Nothing`:
    /// FFmpeg forgets a packet that it has taken and not yet looked at. An error is one of a picture inside; the decoder
    /// drains all the same.
    pub fn drain(&mut self) -> Result<(), AvError> {
        // SAFETY: an open decoder; null asks it to drain.
        match check("avcodec_send_packet", unsafe { ff::avcodec_send_packet(self.as_ptr(), ptr::null()) }) {
            Err(it) if !it.is_end() => Err(it),
            _ => Ok(()),
        }
    }

    /// Takes the next frame into `frame`.
    pub fn receive(&mut self, frame: &mut AvFrame) -> Result<Received, AvError> {
        // SAFETY: an open decoder and a live frame, which the call empties first.
        match check("avcodec_receive_frame", unsafe { ff::avcodec_receive_frame(self.as_ptr(), frame.as_ptr()) }) {
            Ok(_) => Ok(Received::Frame),
            Err(it) if it.is_again() => Ok(Received::Nothing),
            Err(it) if it.is_end() => Ok(Received::End),
            Err(it) => Err(it),
        }
    }

    /// Discards what is inside.
    pub fn flush(&mut self) {
        // SAFETY: an open decoder.
        unsafe { ff::avcodec_flush_buffers(self.as_ptr()) };
    }
}

/// Since FFmpeg 6.0 a packet carries the token itself.
#[cfg(ffmpeg_6_0)]
impl Codec {
    fn carry_tokens(&mut self) {
        // SAFETY: our own context, not open yet.
        unsafe { (*self.as_ptr()).flags |= ff::AV_CODEC_FLAG_COPY_OPAQUE as i32 };
    }
    fn attach_token(&mut self, token: u64) {
        // Where a pointer has 32 bits the token's upper half is lost; see `Token`, which keeps nothing vital there.
        self.carrier.set_opaque(ptr::without_provenance_mut(token as usize));
    }
    fn restore_token(&mut self, (): ()) {}
}

/// Before FFmpeg 6.0 the context holds the token of the packet it decodes next.
#[cfg(not(ffmpeg_6_0))]
impl Codec {
    fn carry_tokens(&mut self) {}
    /// Answers the token before, which is still the right one if the packet is not taken.
    fn attach_token(&mut self, token: u64) -> i64 {
        // SAFETY: a plain field of our own context.
        let before = unsafe { (*self.as_ptr()).reordered_opaque };
        self.restore_token(token.cast_signed());
        before
    }
    fn restore_token(&mut self, token: i64) {
        // SAFETY: a plain field of our own context, which decoders read on this thread.
        unsafe { (*self.as_ptr()).reordered_opaque = token };
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        let mut context = self.as_ptr();
        // SAFETY: allocated by `avcodec_alloc_context3`, freed once, here. Frames handed out keep their own buffers.
        unsafe { ff::avcodec_free_context(&raw mut context) };
    }
}

/// Whether this FFmpeg has a decoder of this name, or for the codec of this name.
pub fn has_decoder_named(name: &str) -> bool {
    let Ok(name) = std::ffi::CString::new(name) else { return false };
    // SAFETY: the name is a valid C string for the duration of the call.
    let descriptor = unsafe { ff::avcodec_descriptor_get_by_name(name.as_ptr()) };
    if descriptor.is_null() {
        return false;
    }
    // SAFETY: a descriptor that was found lives as long as the library.
    let id = unsafe { (*descriptor).id };
    find(id).is_some()
}

/// Whether there is a decoder for the stream that needs no device.
pub fn has_decoder(parameters: &Parameters) -> bool {
    find(parameters.codec_id()).is_some()
}

/// Whether the stream's decoder takes memory of the caller's for its pictures (AV_CODEC_CAP_DR1).
pub fn places_pictures(parameters: &Parameters) -> bool {
    let Some(codec) = find(parameters.codec_id()) else { return false };
    // SAFETY: a codec of FFmpeg's own list.
    let capabilities = unsafe { (*codec).capabilities };
    capabilities & ff::AV_CODEC_CAP_DR1 as i32 != 0
}

/// The first decoder of a codec in FFmpeg's own order that works without a device.
fn find(id: ff::AVCodecID) -> Option<*const ff::AVCodec> {
    let mut cursor = ptr::null_mut();
    loop {
        // SAFETY: the cursor is null at first and this call's own afterwards. The list is static.
        let codec = unsafe { ff::av_codec_iterate(&raw mut cursor) };
        if codec.is_null() {
            return None;
        }
        // SAFETY: a codec of FFmpeg's own list.
        let is_decoder = unsafe { ff::av_codec_is_decoder(codec) } != 0;
        // SAFETY: as above.
        let codec_id = unsafe { (*codec).id };
        if is_decoder && codec_id == id && works_alone(codec) {
            return Some(codec);
        }
    }
}

fn works_alone(codec: *const ff::AVCodec) -> bool {
    // SAFETY: a codec of FFmpeg's own list.
    let capabilities = unsafe { (*codec).capabilities };
    let unwanted = (ff::AV_CODEC_CAP_HARDWARE | ff::AV_CODEC_CAP_EXPERIMENTAL) as i32;
    // SAFETY: as above.
    let name = unsafe { (*codec).name };
    // SAFETY: static, ends in nul.
    let name = unsafe { CStr::from_ptr(name) };
    // FFmpeg's own "av1" only feeds hardware, whatever its capabilities say.
    capabilities & unwanted == 0 && name != c"av1"
}
