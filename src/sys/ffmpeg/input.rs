//! An opened file or URL.
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ffmpeg_sys_next as ff;

use super::abi::getters;
use super::dictionary::Dictionary;
use super::error::{AvError, check};
use super::interrupt::{self, Interrupt};
use super::packet::AvPacket;
use super::parameters::Parameters;
use super::pool::Recycle;
use super::side_data::{self, Blob};
use crate::base::color::Luminance;
use crate::base::format::Ratio;
use crate::base::geometry::Rotation;

/// An owned `AVFormatContext`, opened for reading.
#[derive(Debug)]
pub struct Input {
    context: NonNull<ff::AVFormatContext>,
    /// The context's callback points at it, so it goes last.
    interrupt: Arc<Interrupt>,
}

// SAFETY: the context belongs to no thread, and its callback's target is `Sync`.
unsafe impl Send for Input {}

impl Input {
    /// Opens `url` (FFmpeg's idea of one: "file:" and a path, or a scheme it knows) with options for the context, the
    /// demuxer and the protocol. Blocks until `interrupt` says otherwise.
    pub fn open(url: &CStr, options: &[(&CStr, &CStr)], interrupt: Arc<Interrupt>) -> Result<Self, AvError> {
        let mut options = Dictionary::of(options)?;
        // SAFETY: allocates and sets defaults; null when out of memory.
        let mut context = unsafe { ff::avformat_alloc_context() };
        if context.is_null() {
            return Err(AvError::no_memory("avformat_alloc_context"));
        }
        let callback = ff::AVIOInterruptCB {
            callback: Some(interrupt::is_due),
            opaque: Arc::as_ptr(&interrupt).cast_mut().cast(),
        };
        // SAFETY: just allocated, ours alone.
        unsafe { (*context).interrupt_callback = callback };
        let any_format = ptr::null_mut();
        // SAFETY: a context of ours, which the call frees when it fails; strings and dictionary outlive the call, and the
        // interrupt's `Arc` outlives the context.
        let code = unsafe { ff::avformat_open_input(&raw mut context, url.as_ptr(), any_format, options.as_mut_ptr()) };
        check("avformat_open_input", code)?;
        let context = NonNull::new(context).ok_or(AvError::no_memory("avformat_open_input"))?;
        Ok(Self { context, interrupt })
    }

    fn as_ptr(&self) -> *mut ff::AVFormatContext {
        self.context.as_ptr()
    }

    getters! {
        nb_streams = nb_streams: libc::c_uint;
        streams_pointer = streams: *mut *mut ff::AVStream;
        format_pointer = iformat: *const ff::AVInputFormat;
        io = pb: *mut ff::AVIOContext;
        raw_duration = duration: i64;
        raw_start = start_time: i64;
        metadata_pointer = metadata: *mut ff::AVDictionary;
    }

    /// Reads as much as it takes to know the streams, trying decoders with `codec_options` where it must.
    pub fn find_streams(&mut self, codec_options: &[(&CStr, &CStr)]) -> Result<(), AvError> {
        let mut dictionaries = Vec::new();
        for _ in 0..self.nb_streams() {
            dictionaries.push(Dictionary::of(codec_options)?);
        }
        // The call takes an array of dictionary pointers, one per stream known so far, and may change each.
        // SAFETY: each is a valid `AVDictionary **`; reading the pointer it holds is what the array is for.
        let mut pointers: Vec<_> = dictionaries.iter_mut().map(|it| unsafe { it.as_mut_ptr().read() }).collect();
        let array = if pointers.is_empty() { ptr::null_mut() } else { pointers.as_mut_ptr() };
        // SAFETY: a context opened by `open`, and an array as long as it has streams.
        let code = unsafe { ff::avformat_find_stream_info(self.as_ptr(), array) };
        for (dictionary, pointer) in dictionaries.iter_mut().zip(&pointers) {
            // SAFETY: the dictionary's own place for its pointer; the call may have moved what it points to.
            unsafe { dictionary.as_mut_ptr().write(*pointer) };
        }
        check("avformat_find_stream_info", code).map(drop)
    }

    /// The next packet of any stream that is not discarded.
    pub fn read(&mut self, packet: &mut AvPacket) -> Result<(), AvError> {
        packet.clear();
        // SAFETY: a context opened by `open`, and an empty packet of ours.
        check("av_read_frame", unsafe { ff::av_read_frame(self.as_ptr(), packet.as_ptr()) }).map(drop)
    }

    /// What the byte source itself last complained about; reading turns that into an end of file.
    pub fn io_error(&self) -> Option<AvError> {
        let io = NonNull::new(self.io())?;
        // SAFETY: a plain field of the context's own byte source.
        let code = unsafe { (*io.as_ptr()).error };
        Some(AvError { call: "avio_read", code }).filter(|it| code < 0 && !it.is_end())
    }

    /// To the last resume point at or before `time` microseconds of `AV_TIME_BASE`, or the first there is.
    pub fn seek_to_time(&mut self, time: i64) -> Result<(), AvError> {
        // SAFETY: a context opened by `open`; -1 is "no stream in particular".
        let code = unsafe { ff::avformat_seek_file(self.as_ptr(), -1, i64::MIN, time, time, 0) };
        check("avformat_seek_file", code).map(drop)
    }

    /// To the first byte, for containers that are a plain run of packets.
    pub fn seek_to_first_byte(&mut self) -> Result<(), AvError> {
        // SAFETY: as above.
        let code = unsafe { ff::avformat_seek_file(self.as_ptr(), -1, 0, 0, 0, ff::AVSEEK_FLAG_BYTE) };
        check("avformat_seek_file", code).map(drop)
    }

    /// FFmpeg's short name of the container ("mov,mp4,m4a,3gp,3g2,mj2").
    pub fn container(&self) -> &'static str {
        // SAFETY: an opened context has a format; both it and its name are static.
        let name = unsafe { (*self.format_pointer()).name };
        if name.is_null() {
            return "?";
        }
        // SAFETY: not null, static, ends in nul.
        unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?")
    }

    /// Length in microseconds.
    pub fn duration_micros(&self) -> Option<i64> {
        Some(self.raw_duration()).filter(|it| *it != ff::AV_NOPTS_VALUE && *it > 0)
    }

    /// Start of the timeline in microseconds.
    pub fn start_micros(&self) -> Option<i64> {
        Some(self.raw_start()).filter(|it| *it != ff::AV_NOPTS_VALUE)
    }

    /// Its bytes can be read again from anywhere.
    pub fn is_seekable(&self) -> bool {
        let Some(io) = NonNull::new(self.io()) else { return false };
        // SAFETY: a plain field of the context's own byte source.
        let how = unsafe { (*io.as_ptr()).seekable };
        how & ff::AVIO_SEEKABLE_NORMAL != 0
    }

    /// An entry of the container's metadata.
    pub fn metadata(&self, key: &CStr) -> Option<String> {
        // SAFETY: a null or live dictionary and a string that ends in nul.
        let entry = unsafe { ff::av_dict_get(self.metadata_pointer(), key.as_ptr(), ptr::null(), 0) };
        let entry = NonNull::new(entry)?;
        // SAFETY: a plain field of a live entry; entries always have a value.
        let value = unsafe { (*entry.as_ptr()).value };
        // SAFETY: ends in nul, and lives as long as the dictionary is left alone.
        Some(unsafe { CStr::from_ptr(value) }.to_string_lossy().into_owned())
    }

    /// How many streams there are so far.
    pub fn stream_count(&self) -> usize {
        self.nb_streams() as usize
    }

    /// Stream `index`.
    pub fn stream(&self, index: usize) -> Option<Stream<'_>> {
        if index >= self.stream_count() {
            return None;
        }
        // SAFETY: the array holds `nb_streams` pointers.
        let place = unsafe { self.streams_pointer().add(index) };
        // SAFETY: inside the array.
        let stream = NonNull::new(unsafe { place.read() })?;
        Some(Stream { stream, input: self.as_ptr(), owner: PhantomData })
    }

    /// Every stream.
    pub fn streams(&self) -> impl Iterator<Item = Stream<'_>> {
        (0..self.stream_count()).filter_map(|it| self.stream(it))
    }

    /// The sound that goes with stream `video`, as FFmpeg would choose.
    pub fn best_audio(&self, video: usize) -> Option<usize> {
        let related = i32::try_from(video).unwrap_or(-1);
        let kind = ff::AVMediaType::AVMEDIA_TYPE_AUDIO;
        // SAFETY: a context opened by `open`; no decoder is asked for. Nothing in the context changes.
        let index = unsafe { ff::av_find_best_stream(self.as_ptr(), kind, -1, related, ptr::null_mut(), 0) };
        usize::try_from(index).ok()
    }

    /// Packets of every stream but these are no longer read.
    pub fn keep_only(&mut self, wanted: &[usize]) {
        for (index, stream) in self.streams().enumerate() {
            let discard =
                if wanted.contains(&index) { ff::AVDiscard::AVDISCARD_DEFAULT } else { ff::AVDiscard::AVDISCARD_ALL };
            // SAFETY: a live stream of our own context, which nobody else looks at.
            unsafe { (*stream.as_ptr()).discard = discard };
        }
    }

    /// What ends its waits.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let mut context = self.as_ptr();
        // SAFETY: opened by `open`, closed once, here, before its interrupt goes.
        unsafe { ff::avformat_close_input(&raw mut context) };
    }
}

/// One stream of an input.
#[derive(Debug, Clone, Copy)]
pub struct Stream<'a> {
    stream: NonNull<ff::AVStream>,
    input: *mut ff::AVFormatContext,
    owner: PhantomData<&'a Input>,
}

impl Stream<'_> {
    fn as_ptr(&self) -> *mut ff::AVStream {
        self.stream.as_ptr()
    }

    getters! {
        parameters_pointer = codecpar: *mut ff::AVCodecParameters;
        disposition = disposition: i32;
        frame_count = nb_frames: i64;
        base = time_base: ff::AVRational;
        aspect_num = sample_aspect_ratio.num: i32;
        aspect_den = sample_aspect_ratio.den: i32;
    }

    /// A copy of how it is coded.
    pub fn parameters(&self) -> Result<Parameters, AvError> {
        // SAFETY: every stream has parameters.
        unsafe { Parameters::copy_of(self.parameters_pointer()) }
    }

    /// A cover or a thumbnail, not a film.
    pub fn is_attached_picture(&self) -> bool {
        self.disposition() & (ff::AV_DISPOSITION_ATTACHED_PIC | ff::AV_DISPOSITION_TIMED_THUMBNAILS) != 0
    }

    /// The one its maker means to be played.
    pub fn is_default(&self) -> bool {
        self.disposition() & ff::AV_DISPOSITION_DEFAULT != 0
    }

    /// Seconds per tick, as a fraction.
    pub fn time_base(&self) -> (i32, i32) {
        (self.base().num, self.base().den)
    }

    /// Frames, where the container counts them.
    pub fn frames(&self) -> Option<u64> {
        u64::try_from(self.frame_count()).ok().filter(|it| *it > 0)
    }

    /// The container's sample aspect ratio.
    pub fn sar(&self) -> Option<Ratio> {
        Ratio::new(u32::try_from(self.aspect_num()).ok()?, u32::try_from(self.aspect_den()).ok()?)
    }

    /// Average frames per second, as far as FFmpeg can tell.
    pub fn frame_rate(&self) -> Option<Ratio> {
        // SAFETY: a stream of a live context, without a frame to help. Nothing in either changes.
        let rate = unsafe { ff::av_guess_frame_rate(self.input, self.as_ptr(), ptr::null_mut()) };
        Ratio::new(u32::try_from(rate.num).ok()?, u32::try_from(rate.den).ok()?)
    }

    /// The turn the container asks for.
    pub fn rotation(&self) -> Option<Rotation> {
        self.side_data(ff::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX)?.rotation()
    }

    /// HDR figures of the container.
    pub fn luminance(&self) -> Luminance {
        use ff::AVPacketSideDataType as Kind;
        side_data::luminance(
            self.side_data(Kind::AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
            self.side_data(Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
        )
    }

    /// Until FFmpeg 6.0 side data hung on the stream, since 6.1 it hangs on its parameters.
    #[cfg(not(ffmpeg_6_1))]
    fn side_data(&self, kind: ff::AVPacketSideDataType) -> Option<Blob<'_>> {
        let mut size = 0;
        // SAFETY: a live stream; answers null or bytes that live as long as the stream is left alone.
        let data = unsafe { ff::av_stream_get_side_data(self.as_ptr(), kind, &raw mut size) };
        // SAFETY: as just said.
        unsafe { Blob::new(data, size) }
    }

    /// Until FFmpeg 6.0 side data hung on the stream, since 6.1 it hangs on its parameters.
    #[cfg(ffmpeg_6_1)]
    fn side_data(&self, kind: ff::AVPacketSideDataType) -> Option<Blob<'_>> {
        // SAFETY: every stream has parameters.
        let list = unsafe { (*self.parameters_pointer()).coded_side_data };
        // SAFETY: every stream has parameters.
        let count = unsafe { (*self.parameters_pointer()).nb_coded_side_data };
        // SAFETY: the list and its own length; answers null or one of its entries.
        let entry = NonNull::new(unsafe { ff::av_packet_side_data_get(list, count, kind) }.cast_mut())?;
        // SAFETY: a plain field of that entry.
        let data = unsafe { (*entry.as_ptr()).data };
        // SAFETY: a plain field of that entry.
        let size = unsafe { (*entry.as_ptr()).size };
        // SAFETY: the entry's own bytes, which live as long as the parameters are left alone.
        unsafe { Blob::new(data, size) }
    }
}

/// A comma-separated list of every demuxer FFmpeg has but those named, as its option `format_whitelist` takes it.
pub fn demuxers_except(unwanted: &[&str]) -> CString {
    let mut list = Vec::<u8>::new();
    let mut cursor = ptr::null_mut();
    loop {
        // SAFETY: the cursor is null at first and this call's own afterwards. The list is static.
        let format = unsafe { ff::av_demuxer_iterate(&raw mut cursor) };
        if format.is_null() {
            break;
        }
        // SAFETY: a demuxer of FFmpeg's own list.
        let name = unsafe { (*format).name };
        // SAFETY: static, ends in nul.
        let name = unsafe { CStr::from_ptr(name) };
        let is_unwanted = name.to_str().is_ok_and(|it| it.split(',').any(|it| unwanted.contains(&it)));
        if !is_unwanted {
            list.extend_from_slice(name.to_bytes());
            list.push(b',');
        }
    }
    list.pop();
    CString::new(list).unwrap_or_default()
}
