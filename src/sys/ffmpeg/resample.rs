//! Sound of any layout, rate and sample format to interleaved `f32` of one, by libswresample.
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ff;

use super::error::{AvError, check};
use super::frame::AvFrame;
use crate::base::audio::AudioFormat;
use crate::base::time::NANOS_PER_SECOND;

/// An owned `AVChannelLayout`.
struct Layout(ff::AVChannelLayout);

impl Layout {
    fn empty() -> Self {
        // SAFETY: all zeros is what FFmpeg's own documentation starts a layout from: no order, no channels.
        Self(unsafe { MaybeUninit::zeroed().assume_init() })
    }

    /// The usual layout of so many channels; where there is none, the first so many speakers FFmpeg has names for.
    fn usual(channels: i32) -> Result<Self, AvError> {
        let mut it = Self::empty();
        // SAFETY: a layout of ours that owns nothing yet.
        unsafe { ff::av_channel_layout_default(&raw mut it.0, channels) };
        // SAFETY: a layout this call only reads.
        if unsafe { ff::av_channel_layout_check(&raw const it.0) } != 0 && !it.is_unspecified() {
            return Ok(it);
        }
        let invalid = AvError::errno("av_channel_layout_from_mask", libc::EINVAL);
        let count = u32::try_from(channels).ok().filter(|it| (1..64).contains(it)).ok_or(invalid)?;
        // SAFETY: a layout of ours that owns nothing.
        let code = unsafe { ff::av_channel_layout_from_mask(&raw mut it.0, (1u64 << count) - 1) };
        check("av_channel_layout_from_mask", code)?;
        Ok(it)
    }

    /// The layout of the sound in `frame`; the usual one where it only has a number of channels.
    fn of(frame: &AvFrame) -> Result<Self, AvError> {
        let mut it = Self::empty();
        // SAFETY: the address of a field of a live frame.
        let theirs = unsafe { &raw const (*frame.as_ptr()).ch_layout };
        // SAFETY: a layout of ours that owns nothing, and a live frame's.
        check("av_channel_layout_copy", unsafe { ff::av_channel_layout_copy(&raw mut it.0, theirs) })?;
        if it.is_unspecified() { Self::usual(frame.channels()) } else { Ok(it) }
    }

    fn is_unspecified(&self) -> bool {
        // The first of the orders: a number of channels and no more.
        const UNSPECIFIED: i32 = ff::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC as i32;
        // SAFETY: an enum is an int in C; the field is initialised.
        let order = unsafe { (&raw const self.0.order).cast::<i32>().read() };
        order == UNSPECIFIED
    }

    fn is_same_as(&self, other: &Layout) -> bool {
        // SAFETY: two layouts this call only reads.
        unsafe { ff::av_channel_layout_compare(&raw const self.0, &raw const other.0) == 0 }
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        // SAFETY: a layout of ours; frees a custom channel map where there is one.
        unsafe { ff::av_channel_layout_uninit(&raw mut self.0) };
    }
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Layout({} channels)", self.0.nb_channels)
    }
}

/// An owned, initialised `SwrContext`. Surround is mixed down by ITU-R BS.775: centre and surrounds at -3 dB, no LFE, not
/// made quieter for it, so that the result may pass 1.0.
#[derive(Debug)]
pub struct Resampler {
    context: NonNull<ff::SwrContext>,
    layout: Layout,
    rate: i32,
    format: i32,
    channels: usize,
}

// SAFETY: the context belongs to no thread; layouts are plain memory.
unsafe impl Send for Resampler {}

impl Resampler {
    /// For sound like that in `frame`.
    pub fn new(frame: &AvFrame, output: AudioFormat) -> Result<Self, AvError> {
        const CALL: &str = "swr_alloc_set_opts2";
        let invalid = AvError::errno(CALL, libc::EINVAL);
        let format = sample_format(frame.format()).ok_or(invalid)?;
        let mut layout = Layout::of(frame)?;
        let mut mixed = Layout::usual(i32::from(output.channels))?;
        let rate = i32::try_from(output.rate).map_err(|_| invalid)?;
        let mut context = ptr::null_mut();
        // SAFETY: null asks for a new context; both layouts are only read and copied.
        let code = unsafe {
            ff::swr_alloc_set_opts2(
                &raw mut context,
                &raw mut mixed.0,
                ff::AVSampleFormat::AV_SAMPLE_FMT_FLT,
                rate,
                &raw mut layout.0,
                format,
                frame.sample_rate(),
                0,
                ptr::null_mut(),
            )
        };
        check(CALL, code)?;
        let context = NonNull::new(context).ok_or(AvError::no_memory(CALL))?;
        let channels = usize::from(output.channels);
        let it = Self { context, layout, rate: frame.sample_rate(), format: frame.format(), channels };
        // SAFETY: a context with all of its options set.
        check("swr_init", unsafe { ff::swr_init(it.as_ptr()) })?;
        Ok(it)
    }

    fn as_ptr(&self) -> *mut ff::SwrContext {
        self.context.as_ptr()
    }

    /// Whether `frame` is like the one it was made for.
    pub fn takes(&self, frame: &AvFrame) -> bool {
        frame.format() == self.format
            && frame.sample_rate() == self.rate
            && Layout::of(frame).is_ok_and(|it| it.is_same_as(&self.layout))
    }

    /// Sound taken in and not yet given out, in nanoseconds.
    pub fn delay_nanos(&self) -> i64 {
        // SAFETY: an initialised context.
        unsafe { ff::swr_get_delay(self.as_ptr(), NANOS_PER_SECOND) }
    }

    /// Appends what becomes of `frame`, or, with `None`, the rest of what was taken in. Answers the sample frames appended.
    pub fn convert(&mut self, frame: Option<&AvFrame>, out: &mut Vec<f32>) -> Result<usize, AvError> {
        let samples = frame.map_or(0, AvFrame::samples);
        let input = frame.map_or(ptr::null_mut(), AvFrame::extended_data);
        // SAFETY: an initialised context; an upper bound of what the next call gives.
        let room = check("swr_get_out_samples", unsafe { ff::swr_get_out_samples(self.as_ptr(), samples) })?;
        let before = out.len();
        let room_samples = usize::try_from(room).unwrap_or(0);
        out.resize(before + room_samples * self.channels, 0.0);
        let mut target = out[before..].as_mut_ptr().cast::<u8>();
        // SAFETY: an initialised context; `target` has room for `room` interleaved sample frames, as just made; the input is
        // null or a frame of the format the context was made for, with `samples` in each of its planes.
        let code = unsafe { ff::swr_convert(self.as_ptr(), &raw mut target, room, input.cast::<*const u8>(), samples) };
        let converted = check("swr_convert", code);
        let given = converted.map_or(0, |it| usize::try_from(it).unwrap_or(0));
        out.truncate(before + given * self.channels);
        converted.map(|_| given)
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        let mut context = self.as_ptr();
        // SAFETY: allocated by `swr_alloc_set_opts2`, freed once, here.
        unsafe { ff::swr_free(&raw mut context) };
    }
}

/// FFmpeg's sample format of that number.
fn sample_format(number: i32) -> Option<ff::AVSampleFormat> {
    use ff::AVSampleFormat as Av;
    let all = [
        Av::AV_SAMPLE_FMT_U8,
        Av::AV_SAMPLE_FMT_S16,
        Av::AV_SAMPLE_FMT_S32,
        Av::AV_SAMPLE_FMT_FLT,
        Av::AV_SAMPLE_FMT_DBL,
        Av::AV_SAMPLE_FMT_U8P,
        Av::AV_SAMPLE_FMT_S16P,
        Av::AV_SAMPLE_FMT_S32P,
        Av::AV_SAMPLE_FMT_FLTP,
        Av::AV_SAMPLE_FMT_DBLP,
        Av::AV_SAMPLE_FMT_S64,
        Av::AV_SAMPLE_FMT_S64P,
    ];
    all.into_iter().find(|it| *it as i32 == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_channels_has_a_layout_that_can_be_mixed() {
        for channels in 1..=32 {
            let it = Layout::usual(channels).expect("a layout");
            assert_eq!(it.0.nb_channels, channels);
            assert!(!it.is_unspecified(), "{channels}");
        }
        assert!(Layout::usual(0).is_err());
        assert!(Layout::usual(-3).is_err());
    }
}
