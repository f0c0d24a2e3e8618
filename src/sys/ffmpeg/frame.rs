//! Decoded pictures and sound as FFmpeg holds them.
use std::ptr::NonNull;

use ffmpeg_sys_next as ff;

use super::abi::{getters, numbers, setters};
use super::color::ColorNumbers;
use super::error::{AvError, check};
use super::memory::FirstBuffer;
use super::pool::Recycle;
use super::side_data::{self, Blob};
use crate::base::color::ColorTags;
use crate::base::format::{Ratio, Rect, Size};
use crate::base::geometry::Rotation;

/// `FF_DECODE_ERROR_*` and the like are not told apart: any bit means "damaged".
const NO_ERROR: i32 = 0;

/// An owned `AVFrame`.
#[derive(Debug)]
pub struct AvFrame(NonNull<ff::AVFrame>);

// SAFETY: an AVFrame belongs to no thread; its buffers are reference-counted atomically.
unsafe impl Send for AvFrame {}
// SAFETY: shared, it is only read.
unsafe impl Sync for AvFrame {}

impl AvFrame {
    pub(super) fn as_ptr(&self) -> *mut ff::AVFrame {
        self.0.as_ptr()
    }

    getters! {
        width = width: i32;
        height = height: i32;
        /// FFmpeg's number of the pixel or sample format.
        pub format = format: i32;
        flags = flags: i32;
        decode_errors = decode_error_flags: i32;
        best_effort = best_effort_timestamp: i64;
        raw_pts = pts: i64;
        crop_left = crop_left: usize;
        crop_right = crop_right: usize;
        crop_top = crop_top: usize;
        crop_bottom = crop_bottom: usize;
        aspect_num = sample_aspect_ratio.num: i32;
        aspect_den = sample_aspect_ratio.den: i32;
        /// Sample frames of sound.
        pub(super) samples = nb_samples: i32;
        /// Sample frames per second.
        pub(super) sample_rate = sample_rate: i32;
        pub(super) channels = ch_layout.nb_channels: i32;
        pub(super) data_pointers = data: [*mut u8; 8];
        pub(super) strides = linesize: [i32; 8];
        pub(super) extended_data = extended_data: *mut *mut u8;
    }

    numbers! {
        color_matrix = colorspace;
        color_range = color_range;
        color_transfer = color_trc;
        color_primaries = color_primaries;
        chroma_location = chroma_location;
    }

    setters! {
        set_width = width: i32;
        set_height = height: i32;
        set_format = format: i32;
        set_crop_left = crop_left: usize;
        set_crop_right = crop_right: usize;
        set_crop_top = crop_top: usize;
        set_crop_bottom = crop_bottom: usize;
    }

    /// The size of the picture in memory.
    pub fn coded_size(&self) -> Size {
        let side = |it: i32| u32::try_from(it).unwrap_or(0);
        Size::new(side(self.width()), side(self.height()))
    }

    /// The part of it to show; all of it where the numbers make no sense.
    pub fn visible_rect(&self) -> Rect {
        let coded = self.coded_size();
        let cut = |it: usize| u32::try_from(it).ok();
        let inside = || {
            let (x, y) = (cut(self.crop_left())?, cut(self.crop_top())?);
            let width = coded.width.checked_sub(x)?.checked_sub(cut(self.crop_right())?)?;
            let height = coded.height.checked_sub(y)?.checked_sub(cut(self.crop_bottom())?)?;
            (width > 0 && height > 0).then_some(Rect { x, y, width, height })
        };
        inside().unwrap_or(Rect::of(coded))
    }

    /// Its sample aspect ratio, where it has one.
    pub fn sar(&self) -> Option<Ratio> {
        Ratio::new(u32::try_from(self.aspect_num()).ok()?, u32::try_from(self.aspect_den()).ok()?)
    }

    /// When it is due, in the time base its packets were given in: the decoder's best guess.
    pub fn pts(&self) -> Option<i64> {
        [self.best_effort(), self.raw_pts()].into_iter().find(|it| *it != ff::AV_NOPTS_VALUE)
    }

    /// How long it lasts, in the time base its packets were given in; 0 where not known.
    pub fn duration(&self) -> i64 {
        #[cfg(ffmpeg_6_0)]
        // SAFETY: a plain field of a live frame.
        let it = unsafe { (*self.as_ptr()).duration };
        #[cfg(not(ffmpeg_6_0))]
        // SAFETY: a plain field of a live frame.
        let it = unsafe { (*self.as_ptr()).pkt_duration };
        it
    }

    /// The token its packet was submitted with.
    pub fn token(&self) -> u64 {
        #[cfg(ffmpeg_6_0)]
        // SAFETY: a plain field of a live frame; it holds a number, nothing points anywhere.
        let it = unsafe { (*self.as_ptr()).opaque }.addr() as u64;
        #[cfg(not(ffmpeg_6_0))]
        // SAFETY: a plain field of a live frame.
        let it = unsafe { (*self.as_ptr()).reordered_opaque }.cast_unsigned();
        it
    }

    /// It holds two fields of different moments.
    pub fn is_interlaced(&self) -> bool {
        #[cfg(ffmpeg_6_1)]
        let it = self.flags() & ff::AV_FRAME_FLAG_INTERLACED as i32 != 0;
        #[cfg(not(ffmpeg_6_1))]
        // SAFETY: a plain field of a live frame.
        let it = unsafe { (*self.as_ptr()).interlaced_frame } != 0;
        it
    }

    /// To be decoded, but not shown.
    pub fn is_discard(&self) -> bool {
        self.flags() & ff::AV_FRAME_FLAG_DISCARD != 0
    }

    /// The decoder says it is damaged.
    pub fn is_corrupt(&self) -> bool {
        self.flags() & ff::AV_FRAME_FLAG_CORRUPT != 0 || self.decode_errors() != NO_ERROR
    }

    /// FFmpeg's numbers of its matrix and range, for FFmpeg's own use.
    pub(super) fn color_numbers(&self) -> (i32, i32) {
        (self.color_matrix(), self.color_range())
    }

    /// Its own colour tags.
    pub fn color(&self) -> ColorTags {
        use ff::AVFrameSideDataType as Kind;
        let numbers = ColorNumbers {
            matrix: self.color_matrix(),
            range: self.color_range(),
            transfer: self.color_transfer(),
            primaries: self.color_primaries(),
            siting: self.chroma_location(),
        };
        numbers.tags(side_data::luminance(
            self.side_data(Kind::AV_FRAME_DATA_CONTENT_LIGHT_LEVEL),
            self.side_data(Kind::AV_FRAME_DATA_MASTERING_DISPLAY_METADATA),
        ))
    }

    /// The turn it asks for (H.26x display orientation, EXIF).
    pub fn rotation(&self) -> Option<Rotation> {
        self.side_data(ff::AVFrameSideDataType::AV_FRAME_DATA_DISPLAYMATRIX)?.rotation()
    }

    fn side_data(&self, kind: ff::AVFrameSideDataType) -> Option<Blob<'_>> {
        // SAFETY: a live frame; answers null or an entry that lives as long as the frame is left alone.
        let entry = NonNull::new(unsafe { ff::av_frame_get_side_data(self.as_ptr(), kind) })?;
        // SAFETY: a plain field of that entry.
        let data = unsafe { (*entry.as_ptr()).data };
        // SAFETY: a plain field of that entry.
        let size = unsafe { (*entry.as_ptr()).size };
        // SAFETY: the entry's own bytes, unchanged while `self` is borrowed.
        unsafe { Blob::new(data, size) }
    }

    /// The buffer of its first plane, where it has one.
    pub(super) fn first_buffer(&self) -> Option<FirstBuffer> {
        // SAFETY: a plain field of a live frame.
        NonNull::new(unsafe { (*self.as_ptr()).buf[0] }).map(FirstBuffer)
    }

    /// Says that the picture in memory is of `size`, of which less was said before. The caller has looked that it is.
    pub(super) fn widen(&mut self, size: Size) {
        self.set_width(i32::try_from(size.width).unwrap_or(i32::MAX));
        self.set_height(i32::try_from(size.height).unwrap_or(i32::MAX));
    }

    /// The bytes from `start` to the end of the buffer of plane `index`; 0 where `start` is in no buffer of it.
    pub(super) fn bytes_from(&self, index: usize, start: *const u8) -> usize {
        // SAFETY: a live frame; answers null for planes it has not.
        let buffer = unsafe { ff::av_frame_get_plane_buffer(self.as_ptr(), index as i32) };
        if buffer.is_null() {
            return 0;
        }
        // SAFETY: a plain field of a live buffer reference.
        let base = unsafe { (*buffer).data }.addr();
        // SAFETY: a plain field of a live buffer reference.
        let size = unsafe { (*buffer).size };
        start.addr().checked_sub(base).and_then(|offset| size.checked_sub(offset)).unwrap_or(0)
    }

    /// Becomes a picture of its own memory: not initialised where new, kept where it fits and nobody else refers to it.
    pub(super) fn reserve(&mut self, format: i32, size: Size) -> Result<(), AvError> {
        // SAFETY: a live frame; answers 0 for one without buffers.
        let is_ours = unsafe { ff::av_frame_is_writable(self.as_ptr()) } != 0;
        if is_ours && self.format() == format && self.coded_size() == size {
            return Ok(());
        }
        self.clear();
        let side = |it: u32| i32::try_from(it).map_err(|_| AvError::errno("av_frame_get_buffer", libc::EINVAL));
        self.set_format(format);
        self.set_width(side(size.width)?);
        self.set_height(side(size.height)?);
        // SAFETY: an empty frame whose format and size have just been set; 0 lets FFmpeg choose its alignment.
        check("av_frame_get_buffer", unsafe { ff::av_frame_get_buffer(self.as_ptr(), 0) }).map(drop)
    }

    /// Takes over which part is to be shown.
    pub(super) fn crop_as(&mut self, other: &AvFrame) {
        self.set_crop_left(other.crop_left());
        self.set_crop_right(other.crop_right());
        self.set_crop_top(other.crop_top());
        self.set_crop_bottom(other.crop_bottom());
    }

    /// Copies the pixels of a frame of the same format and size; either may be stored bottom up.
    pub fn copy_pixels(&mut self, source: &AvFrame) -> Result<(), AvError> {
        // SAFETY: both are live; the call checks format and size itself, and this frame's buffers are its own.
        check("av_frame_copy", unsafe { ff::av_frame_copy(self.as_ptr(), source.as_ptr()) }).map(drop)
    }
}

impl Recycle for AvFrame {
    fn empty() -> Result<Self, AvError> {
        // SAFETY: allocates and sets defaults; null when out of memory.
        let frame = unsafe { ff::av_frame_alloc() };
        NonNull::new(frame).map(Self).ok_or(AvError::no_memory("av_frame_alloc"))
    }

    fn clear(&mut self) {
        // SAFETY: a live frame that nobody else sees.
        unsafe { ff::av_frame_unref(self.as_ptr()) };
    }
}

impl Drop for AvFrame {
    fn drop(&mut self) {
        let mut frame = self.as_ptr();
        // SAFETY: allocated by `av_frame_alloc`, freed once, here.
        unsafe { ff::av_frame_free(&raw mut frame) };
    }
}
