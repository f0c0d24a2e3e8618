//! Which streams the CPU decodes, and decoders for them.
use std::sync::Arc;

use crate::backend::software::decoder::{SoftwareDecoder, stands_alone};
use crate::backend::software::opening::{check_size, no_decoder, with_parameters};
use crate::base::format::PixelFormat;
use crate::base::stream::VideoStream;
use crate::seam::decoder::{DecodeError, Decoder, DecoderFactory};
use crate::sys::ffmpeg::{self, FrameMemorySource};

/// More threads than this cost a frame of delay and of memory each, and decode no faster than a screen shows.
const MAX_THREADS: u32 = 4;
/// What films and pictures are coded in; `probe` says which of them this FFmpeg decodes.
const USUAL_CODECS: [&str; 16] = [
    "h264",
    "hevc",
    "av1",
    "vp9",
    "vp8",
    "mpeg2video",
    "mpeg4",
    "mjpeg",
    "prores",
    "vc1",
    "theora",
    "png",
    "webp",
    "gif",
    "bmp",
    "tiff",
];

/// Makes software decoders.
#[derive(Debug, Clone)]
pub struct SoftwareDecoderFactory {
    /// Threads each decoder may use.
    pub threads: u32,
    /// Where their pictures are to be, instead of in memory of FFmpeg's.
    pub memory: Option<Arc<dyn FrameMemorySource>>,
}

impl Default for SoftwareDecoderFactory {
    /// As many threads as there are cores, at most four.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |it| u32::try_from(it.get()).unwrap_or(MAX_THREADS));
        Self { threads: cores.min(MAX_THREADS), memory: None }
    }
}

impl DecoderFactory for SoftwareDecoderFactory {
    fn name(&self) -> &'static str {
        "software"
    }

    fn codecs(&self) -> Vec<&'static str> {
        USUAL_CODECS.into_iter().filter(|it| ffmpeg::has_decoder_named(it)).collect()
    }

    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError> {
        check_size(stream)?;
        with_parameters(&stream.parameters, stream.size, |it| {
            if ffmpeg::has_decoder(it) { Ok(()) } else { Err(no_decoder(&stream.parameters.codec)) }
        })
    }

    fn gives_dmabufs(&self, stream: &VideoStream) -> Result<PixelFormat, String> {
        let codec = stream.parameters.codec.as_str();
        if stands_alone(codec) {
            return Err("a still is in ordinary memory".to_owned());
        }
        if stream.interlaced {
            return Err("what it deinterlaces is in ordinary memory".to_owned());
        }
        let pixels = stream.pixel_format.as_deref().unwrap_or("unknown");
        let placed = ffmpeg::placed_format(pixels).ok_or_else(|| format!("{pixels} pixels are in ordinary memory"))?;
        let places = with_parameters(&stream.parameters, stream.size, |it| Ok(ffmpeg::places_pictures(it)));
        if !places.is_ok_and(|it| it) {
            return Err(format!("FFmpeg's decoder of {codec} has memory of its own"));
        }
        match self.memory.as_ref().and_then(|it| it.memory(1)) {
            Some(_) => Ok(placed),
            None => Err("there are no dma-bufs for it here".to_owned()),
        }
    }

    fn open(&self, stream: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        Ok(Box::new(SoftwareDecoder::open(stream, self.threads, self.memory.as_deref())?))
    }
}
