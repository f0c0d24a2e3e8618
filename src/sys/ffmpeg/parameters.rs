//! How a stream is coded.
use std::any::Any;
use std::ffi::{CStr, CString};
use std::ptr::NonNull;
use std::sync::Arc;

use ffmpeg_sys_next as ff;

use super::abi::{getters, numbers};
use super::color::ColorNumbers;
use super::error::{AvError, check};
use super::pixel;
use crate::base::color::{ColorTags, Luminance};
use crate::base::format::{Ratio, Size};
use crate::base::stream::NativeParameters;

/// What kind of stream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Words.
    Subtitle,
    /// Anything else.
    Other,
}

/// An owned `AVCodecParameters`. Never changed once made.
#[derive(Debug)]
pub struct Parameters(NonNull<ff::AVCodecParameters>);

// SAFETY: it belongs to no thread.
unsafe impl Send for Parameters {}
// SAFETY: nothing writes to it once it is made.
unsafe impl Sync for Parameters {}

impl Parameters {
    pub(super) fn as_ptr(&self) -> *mut ff::AVCodecParameters {
        self.0.as_ptr()
    }

    getters! {
        pub(super) codec_id = codec_id: ff::AVCodecID;
        codec_type = codec_type: ff::AVMediaType;
        profile_number = profile: i32;
        format = format: i32;
        width = width: i32;
        height = height: i32;
        aspect_num = sample_aspect_ratio.num: i32;
        aspect_den = sample_aspect_ratio.den: i32;
        rate = sample_rate: i32;
        channel_count = ch_layout.nb_channels: i32;
        extra_pointer = extradata: *mut u8;
        extra_size = extradata_size: i32;
    }

    numbers! {
        color_matrix = color_space;
        color_range = color_range;
        color_transfer = color_trc;
        color_primaries = color_primaries;
        chroma_location = chroma_location;
        field_order = field_order;
    }

    fn empty() -> Result<Self, AvError> {
        // SAFETY: allocates and sets defaults; null when out of memory.
        let it = unsafe { ff::avcodec_parameters_alloc() };
        NonNull::new(it).map(Self).ok_or(AvError::no_memory("avcodec_parameters_alloc"))
    }

    /// # Safety
    /// `source` is a live `AVCodecParameters`.
    pub(super) unsafe fn copy_of(source: *const ff::AVCodecParameters) -> Result<Self, AvError> {
        let it = Self::empty()?;
        // SAFETY: both are live, the target is ours alone.
        check("avcodec_parameters_copy", unsafe { ff::avcodec_parameters_copy(it.as_ptr(), source) })?;
        Ok(it)
    }

    /// Parameters of a stream that did not come from FFmpeg's demuxer: the codec's FFmpeg name, its out-of-band
    /// parameter sets, and the size of the pictures.
    pub fn of_codec(codec: &str, extra: &[u8], size: Size) -> Result<Self, AvError> {
        let unknown = AvError { call: "avcodec_descriptor_get_by_name", code: ff::AVERROR_DECODER_NOT_FOUND };
        let too_large = AvError::errno("avcodec_parameters_alloc", libc::EINVAL);
        let name = CString::new(codec).map_err(|_| unknown)?;
        // SAFETY: a string that ends in nul; the answer is null or static.
        let descriptor = unsafe { ff::avcodec_descriptor_get_by_name(name.as_ptr()) };
        if descriptor.is_null() {
            return Err(unknown);
        }
        let width = i32::try_from(size.width).map_err(|_| too_large)?;
        let height = i32::try_from(size.height).map_err(|_| too_large)?;
        let mut it = Self::empty()?;
        // SAFETY: not null, static.
        let id = unsafe { (*descriptor).id };
        // SAFETY: not null, static.
        let kind = unsafe { (*descriptor).type_ };
        // SAFETY: ours alone.
        unsafe { (*it.as_ptr()).codec_id = id };
        // SAFETY: ours alone.
        unsafe { (*it.as_ptr()).codec_type = kind };
        // SAFETY: ours alone.
        unsafe { (*it.as_ptr()).width = width };
        // SAFETY: ours alone.
        unsafe { (*it.as_ptr()).height = height };
        it.set_extra(extra)?;
        Ok(it)
    }

    fn set_extra(&mut self, extra: &[u8]) -> Result<(), AvError> {
        if extra.is_empty() {
            return Ok(());
        }
        let too_large = AvError::errno("avcodec_parameters_alloc", libc::EINVAL);
        let size = i32::try_from(extra.len()).map_err(|_| too_large)?;
        // SAFETY: zeroed memory of that size, or null. Decoders read past the end, so the padding belongs to it.
        let memory = unsafe { ff::av_mallocz(extra.len() + ff::AV_INPUT_BUFFER_PADDING_SIZE as usize) }.cast::<u8>();
        if memory.is_null() {
            return Err(AvError::no_memory("av_mallocz"));
        }
        // SAFETY: just allocated with room for them; new memory overlaps nothing.
        unsafe { std::ptr::copy_nonoverlapping(extra.as_ptr(), memory, extra.len()) };
        // SAFETY: ours alone; `avcodec_parameters_free` will free the memory.
        unsafe { (*self.as_ptr()).extradata = memory };
        // SAFETY: ours alone.
        unsafe { (*self.as_ptr()).extradata_size = size };
        Ok(())
    }

    /// What kind of stream it is.
    pub fn kind(&self) -> StreamKind {
        match self.codec_type() {
            ff::AVMediaType::AVMEDIA_TYPE_VIDEO => StreamKind::Video,
            ff::AVMediaType::AVMEDIA_TYPE_AUDIO => StreamKind::Audio,
            ff::AVMediaType::AVMEDIA_TYPE_SUBTITLE => StreamKind::Subtitle,
            _ => StreamKind::Other,
        }
    }

    /// FFmpeg's name of the codec.
    pub fn codec(&self) -> &'static str {
        // SAFETY: always answers a static string.
        let name = unsafe { ff::avcodec_get_name(self.codec_id()) };
        // SAFETY: static, ends in nul.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?")
    }

    /// The profile, in words.
    pub fn profile(&self) -> Option<&'static str> {
        // SAFETY: any number will do; answers null or a static string.
        let name = unsafe { ff::avcodec_profile_name(self.codec_id(), self.profile_number()) };
        if name.is_null() {
            return None;
        }
        // SAFETY: not null, static, ends in nul.
        unsafe { CStr::from_ptr(name) }.to_str().ok()
    }

    /// Out-of-band parameter sets.
    pub fn extra(&self) -> Arc<[u8]> {
        let size = usize::try_from(self.extra_size()).unwrap_or(0);
        if self.extra_pointer().is_null() || size == 0 {
            return Arc::from([]);
        }
        // SAFETY: that many readable bytes, kept and unchanged while `self` lives.
        unsafe { std::slice::from_raw_parts(self.extra_pointer(), size) }.into()
    }

    /// Picture size; empty where not known.
    pub fn size(&self) -> Size {
        let side = |it: i32| u32::try_from(it).unwrap_or(0);
        Size::new(side(self.width()), side(self.height()))
    }

    /// FFmpeg's name of the pixel format.
    pub fn pixel_format(&self) -> Option<&'static str> {
        pixel::describe(self.format()).map(|it| it.name)
    }

    /// Sample aspect ratio, where it has one.
    pub fn sar(&self) -> Option<Ratio> {
        Ratio::new(u32::try_from(self.aspect_num()).ok()?, u32::try_from(self.aspect_den()).ok()?)
    }

    /// Its fields are of different moments.
    pub fn is_interlaced(&self) -> bool {
        // 0 is unknown, 1 progressive; the other four say which field comes first.
        (2..=5).contains(&self.field_order())
    }

    /// Colour tags, with HDR figures from elsewhere.
    pub fn color(&self, luminance: Luminance) -> ColorTags {
        let numbers = ColorNumbers {
            matrix: self.color_matrix(),
            range: self.color_range(),
            transfer: self.color_transfer(),
            primaries: self.color_primaries(),
            siting: self.chroma_location(),
        };
        numbers.tags(luminance)
    }

    /// Sample frames per second; 0 where not known.
    pub fn sample_rate(&self) -> u32 {
        u32::try_from(self.rate()).unwrap_or(0)
    }

    /// Channels; 0 where not known.
    pub fn channels(&self) -> u16 {
        u16::try_from(self.channel_count()).unwrap_or(0)
    }
}

impl NativeParameters for Parameters {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        let mut it = self.as_ptr();
        // SAFETY: allocated by `avcodec_parameters_alloc`, freed once, here.
        unsafe { ff::avcodec_parameters_free(&raw mut it) };
    }
}
