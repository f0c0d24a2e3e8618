//! libavfilter's bwdif: one picture out for each picture in, interlaced ones rebuilt, others passed through.
use std::ffi::CStr;
use std::io::Write;
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ff;

use super::codec::{NANOSECONDS, Received};
use super::error::{AvError, check};
use super::filters::Filters;
use super::frame::AvFrame;
use crate::base::format::Size;

/// One frame per frame, field order from the frame's own flag, only what is flagged interlaced.
const OPTIONS: &CStr = c"mode=send_frame:parity=auto:deint=interlaced";

/// An owned graph: buffer, bwdif, buffersink. It gives back as many pictures as it takes, in the same order, one late.
#[derive(Debug)]
pub struct Deinterlacer {
    filters: &'static Filters,
    graph: NonNull<ff::AVFilterGraph>,
    source: NonNull<ff::AVFilterContext>,
    sink: NonNull<ff::AVFilterContext>,
    format: i32,
    size: Size,
}

// SAFETY: the graph belongs to no thread; its worker threads are its own affair.
unsafe impl Send for Deinterlacer {}

impl Deinterlacer {
    /// A graph for pictures like `frame`, with `threads` workers. `Err` where bwdif does not take its format.
    pub fn new(frame: &AvFrame, threads: u32) -> Result<Self, AvError> {
        let filters = Filters::get()?;
        // SAFETY: allocates and sets defaults; null when out of memory.
        let graph =
            NonNull::new(unsafe { (filters.graph_alloc)() }).ok_or(AvError::no_memory("avfilter_graph_alloc"))?;
        // Dropped, and the graph with it, on any early return; the two ends are put in below.
        let mut it = Self {
            filters,
            graph,
            source: NonNull::dangling(),
            sink: NonNull::dangling(),
            format: frame.format(),
            size: frame.coded_size(),
        };
        // SAFETY: our own graph, still empty.
        unsafe { (*graph.as_ptr()).nb_threads = i32::try_from(threads).unwrap_or(1) };
        let arguments = describe(frame);
        it.source = it.add(c"buffer", CStr::from_bytes_until_nul(&arguments).unwrap_or_default())?;
        let filter = it.add(c"bwdif", OPTIONS)?;
        it.sink = it.add(c"buffersink", c"")?;
        it.link(it.source, filter)?;
        it.link(filter, it.sink)?;
        // SAFETY: a graph of three linked filters.
        check("avfilter_graph_config", unsafe { (filters.graph_config)(graph.as_ptr(), ptr::null_mut()) })?;
        Ok(it)
    }

    fn add(&mut self, name: &CStr, arguments: &CStr) -> Result<NonNull<ff::AVFilterContext>, AvError> {
        const CALL: &str = "avfilter_graph_create_filter";
        // SAFETY: a string that ends in nul; the answer is null or static.
        let filter = unsafe { (self.filters.get_by_name)(name.as_ptr()) };
        if filter.is_null() {
            return Err(AvError { call: CALL, code: ff::AVERROR_FILTER_NOT_FOUND });
        }
        let mut context = ptr::null_mut();
        // SAFETY: our own graph, a filter of FFmpeg's list, and strings that end in nul and are copied.
        let code = unsafe {
            (self.filters.graph_create_filter)(
                &raw mut context,
                filter,
                name.as_ptr(),
                arguments.as_ptr(),
                ptr::null_mut(),
                self.graph.as_ptr(),
            )
        };
        check(CALL, code)?;
        NonNull::new(context).ok_or(AvError::no_memory(CALL))
    }

    fn link(&self, from: NonNull<ff::AVFilterContext>, to: NonNull<ff::AVFilterContext>) -> Result<(), AvError> {
        // SAFETY: two filters of one graph, each with one free pad on that side.
        check("avfilter_link", unsafe { (self.filters.link)(from.as_ptr(), 0, to.as_ptr(), 0) }).map(drop)
    }

    /// Whether `frame` is like the one the graph was made for.
    pub fn takes(&self, frame: &AvFrame) -> bool {
        frame.format() == self.format && frame.coded_size() == self.size
    }

    /// Gives a picture, whose content is moved, or `None` for the end.
    pub fn push(&mut self, frame: Option<&mut AvFrame>) -> Result<(), AvError> {
        let frame = frame.map_or(ptr::null_mut(), |it| it.as_ptr());
        // SAFETY: the configured source of our graph, and null or a live frame, whose references the call takes over.
        let code = unsafe { (self.filters.buffersrc_add_frame_flags)(self.source.as_ptr(), frame, 0) };
        check("av_buffersrc_add_frame_flags", code).map(drop)
    }

    /// Takes the next picture into `frame`. Its times mean nothing: the caller knows them by their order.
    pub fn pull(&mut self, frame: &mut AvFrame) -> Result<Received, AvError> {
        // SAFETY: the configured sink of our graph, and a live frame that is empty, as `Recycle::clear` leaves it.
        let code = unsafe { (self.filters.buffersink_get_frame_flags)(self.sink.as_ptr(), frame.as_ptr(), 0) };
        match check("av_buffersink_get_frame_flags", code) {
            Ok(_) => Ok(Received::Frame),
            Err(it) if it.is_again() => Ok(Received::Nothing),
            Err(it) if it.is_end() => Ok(Received::End),
            Err(it) => Err(it),
        }
    }
}

/// Bytes the arguments below may take: their words, and seven numbers of at most ten digits.
const ARGUMENT_BYTES: usize = 256;

/// The buffer source's arguments for pictures like `frame`. In place: a graph is built for every turn of a loop.
fn describe(frame: &AvFrame) -> [u8; ARGUMENT_BYTES] {
    let mut text = [0; ARGUMENT_BYTES];
    // The last byte stays zero whatever happens, and what does not fit is refused by FFmpeg.
    let mut rest = &mut text[..ARGUMENT_BYTES - 1];
    let Size { width, height } = frame.coded_size();
    let (format, num, den) = (frame.format(), NANOSECONDS.num, NANOSECONDS.den);
    let _ = write!(rest, "video_size={width}x{height}:pix_fmt={format}:time_base={num}/{den}:pixel_aspect=1/1");
    if cfg!(ffmpeg_7_0) {
        // Since 7.0 a graph wants to know these, or complains about every frame.
        let (matrix, range) = frame.color_numbers();
        let _ = write!(rest, ":colorspace={matrix}:range={range}");
    }
    text
}

impl Drop for Deinterlacer {
    fn drop(&mut self) {
        let mut graph = self.graph.as_ptr();
        // SAFETY: allocated by `avfilter_graph_alloc`, freed once, here, with its filters.
        unsafe { (self.filters.graph_free)(&raw mut graph) };
    }
}
