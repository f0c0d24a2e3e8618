//! Bitstream filters: coded packets in another wrapping, such as H.264 from MP4 as a decoder in hardware wants it.
use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use ffmpeg_sys_next as ff;

use super::codec::NANOSECONDS;
use super::error::{AvError, check};
use super::packet::AvPacket;
use super::parameters::Parameters;
use super::pool::{Pool, Recycle};
use crate::base::packet::{Packet, Track};
use crate::base::time::MediaTime;

/// Packets its pool remembers: a hardware decoder's OUTPUT queue, twice.
const PACKET_SLOTS: usize = 64;

/// An owned, initialised `AVBSFContext`.
#[derive(Debug)]
pub struct BitstreamFilter {
    context: NonNull<ff::AVBSFContext>,
    carrier: AvPacket,
    pool: Pool<AvPacket>,
    /// Of the last packet submitted: filters keep none of it.
    label: Option<(Track, u32, bool)>,
}

// SAFETY: the context belongs to no thread.
unsafe impl Send for BitstreamFilter {}

impl BitstreamFilter {
    /// H.264 or HEVC with start codes and in-band parameter sets, whatever wrapping it came in; `None` for other codecs,
    /// which have but one.
    pub fn to_annex_b(parameters: &Parameters) -> Result<Option<Self>, AvError> {
        match parameters.codec() {
            "h264" => Self::new(c"h264_mp4toannexb", parameters).map(Some),
            "hevc" => Self::new(c"hevc_mp4toannexb", parameters).map(Some),
            _ => Ok(None),
        }
    }

    /// The filter FFmpeg calls `name`, for a stream coded like `parameters`.
    pub fn new(name: &CStr, parameters: &Parameters) -> Result<Self, AvError> {
        // SAFETY: a string that ends in nul; the answer is null or static.
        let filter = unsafe { ff::av_bsf_get_by_name(name.as_ptr()) };
        if filter.is_null() {
            return Err(AvError { call: "av_bsf_get_by_name", code: ff::AVERROR_BSF_NOT_FOUND });
        }
        let mut context = std::ptr::null_mut();
        // SAFETY: a filter of FFmpeg's list, and a place for the answer.
        check("av_bsf_alloc", unsafe { ff::av_bsf_alloc(filter, &raw mut context) })?;
        let context = NonNull::new(context).ok_or(AvError::no_memory("av_bsf_alloc"))?;
        let it = Self { context, carrier: AvPacket::empty()?, pool: Pool::new(PACKET_SLOTS), label: None };
        // SAFETY: a plain field of our own context, allocated with it.
        let input = unsafe { (*it.as_ptr()).par_in };
        // SAFETY: both are live, and the target is our context's own.
        check("avcodec_parameters_copy", unsafe { ff::avcodec_parameters_copy(input, parameters.as_ptr()) })?;
        // SAFETY: a plain field of our own context.
        unsafe { (*it.as_ptr()).time_base_in = NANOSECONDS };
        // SAFETY: a context whose input is described.
        check("av_bsf_init", unsafe { ff::av_bsf_init(it.as_ptr()) })?;
        Ok(it)
    }

    fn as_ptr(&self) -> *mut ff::AVBSFContext {
        self.context.as_ptr()
    }

    /// How its output is coded: the parameter sets that must go before the first packet.
    pub fn output(&self) -> Result<Parameters, AvError> {
        // SAFETY: a plain field of our own context, filled by `av_bsf_init`.
        let output = unsafe { (*self.as_ptr()).par_out };
        // SAFETY: live as long as the context.
        unsafe { Parameters::copy_of(output) }
    }

    /// Takes a packet; `poll` until `None` before the next.
    pub fn submit(&mut self, packet: &Packet) -> Result<(), AvError> {
        self.carrier.describe_as(packet)?;
        self.label = Some((packet.track, packet.lap, packet.discontinuity));
        // SAFETY: an initialised context and a live packet, whose references the call takes over.
        check("av_bsf_send_packet", unsafe { ff::av_bsf_send_packet(self.as_ptr(), self.carrier.as_ptr()) }).map(drop)
    }

    /// The next packet, or `None` until more is submitted.
    pub fn poll(&mut self) -> Result<Option<Packet>, AvError> {
        self.carrier.clear();
        // SAFETY: an initialised context and an empty packet.
        let code = unsafe { ff::av_bsf_receive_packet(self.as_ptr(), self.carrier.as_ptr()) };
        match check("av_bsf_receive_packet", code) {
            Ok(_) => {}
            Err(it) if it.is_again() || it.is_end() => return Ok(None),
            Err(it) => return Err(it),
        }
        let (track, lap, discontinuity) = self.label.unwrap_or((Track::Video, 0, false));
        let it = &self.carrier;
        let (pts, dts) = (it.pts().map(MediaTime::from_nanos), it.dts().map(MediaTime::from_nanos));
        let duration = Duration::from_nanos(u64::try_from(it.duration()).unwrap_or(0));
        let (keyframe, discard) = (it.is_keyframe(), it.is_discard());
        let data: Arc<AvPacket> = self.pool.share(&mut self.carrier)?;
        Ok(Some(Packet { track, pts, dts, duration, keyframe, discard, lap, discontinuity, data }))
    }

    /// Discards what was submitted, and puts parameter sets before the next packet again.
    pub fn flush(&mut self) {
        // SAFETY: an initialised context.
        unsafe { ff::av_bsf_flush(self.as_ptr()) };
    }
}

impl Drop for BitstreamFilter {
    fn drop(&mut self) {
        let mut context = self.as_ptr();
        // SAFETY: allocated by `av_bsf_alloc`, freed once, here.
        unsafe { ff::av_bsf_free(&raw mut context) };
    }
}
