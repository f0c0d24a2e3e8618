//! From a decoded picture to a frame: kept as it is where a renderer can sample it, converted once where not.
use std::sync::Arc;
use std::time::Duration;

use crate::backend::software::conversion::{self, Handling, Plan};
use crate::backend::software::limits;
use crate::backend::software::opening::decode_error;
use crate::base::color::{ChromaSiting, Color, ColorTags, Range};
use crate::base::format::{PixelFormat, Ratio, Rect};
use crate::base::frame::{CpuPlanes, Memory, VideoFormat, VideoFrame};
use crate::base::geometry::Rotation;
use crate::base::time::MediaTime;
use crate::seam::decoder::DecodeError;
use crate::sys::ffmpeg::{AvError, AvFrame, Conversion, FrameMemory, Picture, Pool, Recycle, Scaler, make_even, pixel};

/// Pictures a pool remembers: what queue B, the present thread and the screen hold, with room to spare.
const PICTURE_SLOTS: usize = 32;

/// All about a picture that is not its pixels: it does not go through the deinterlacer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub pts: MediaTime,
    pub duration: Duration,
    pub corrupt: bool,
    pub lap: u32,
    pub discontinuity: bool,
    pub visible: Rect,
    pub sar: Ratio,
    pub rotation: Rotation,
    pub tags: ColorTags,
}

/// Makes frames of one stream's pictures.
#[derive(Debug)]
pub(super) struct Framer {
    codec: String,
    /// Codecs of single pictures mean full range when they say nothing.
    is_picture_codec: bool,
    /// On its way into a pool.
    kept: Picture,
    converted: Picture,
    pictures: Pool<Picture>,
    conversions: Pool<Picture>,
    scaler: Option<Scaler>,
    handling: Option<Handling>,
    converted_count: u64,
    /// Where the decoder's pictures may be.
    memory: Option<Arc<dyn FrameMemory>>,
}

impl Framer {
    /// For pictures decoded by `codec`, perhaps into `memory`.
    pub(super) fn new(codec: &str, memory: Option<Arc<dyn FrameMemory>>) -> Result<Self, AvError> {
        Ok(Self {
            codec: codec.to_owned(),
            is_picture_codec: is_picture_codec(codec),
            kept: Picture::empty()?,
            converted: Picture::empty()?,
            pictures: Pool::new(PICTURE_SLOTS),
            conversions: Pool::new(PICTURE_SLOTS),
            scaler: None,
            handling: None,
            converted_count: 0,
            memory,
        })
    }

    /// Pictures converted so far.
    pub(super) fn converted(&self) -> u64 {
        self.converted_count
    }

    /// Makes a frame of the picture in `decoded`, which is left empty or not; it is not needed any more.
    pub(super) fn frame(&mut self, decoded: &mut AvFrame, facts: Facts) -> Result<VideoFrame, DecodeError> {
        let handling = self.handling_of(decoded.format())?;
        let color = self.color_of(&facts, handling);
        let pixel = handling.plan.target();
        // Whether a picture found room in a dma-buf or not, it is described the same.
        if self.memory.is_some() && handling.plan == Plan::Keep(pixel) && pixel.planes().len() > 1 {
            make_even(decoded, pixel);
        }
        let coded = decoded.coded_size();
        if !limits::allows(coded) {
            let what = format!("a picture of {coded}");
            return Err(DecodeError::OverLimit { what, limit: limits::PICTURE_LIMIT.to_owned() });
        }
        let memory = match self.leased(decoded, handling) {
            Some(it) => it,
            None => Memory::Cpu(self.shared(decoded, handling, color).map_err(|it| decode_error(&self.codec, it))?),
        };
        let is_converted_to_rgb = pixel.is_rgb() && handling.plan == Plan::Convert(pixel);
        let color = if is_converted_to_rgb { Color { range: Range::Full, ..color } } else { color };
        let visible = facts.visible;
        Ok(VideoFrame {
            format: VideoFormat { pixel, coded, visible, sar: facts.sar, rotation: facts.rotation, color },
            pts: facts.pts,
            duration: facts.duration,
            corrupt: facts.corrupt,
            lap: facts.lap,
            discontinuity: facts.discontinuity,
            memory,
        })
    }

    /// The picture in `decoded`, if it is in a dma-buf; the lease is all that is needed of it then.
    fn leased(&mut self, decoded: &mut AvFrame, handling: Handling) -> Option<Memory> {
        let memory = self.memory.as_ref().filter(|_| matches!(handling.plan, Plan::Keep(_)))?;
        let lease = memory.lease(decoded)?;
        decoded.clear();
        Some(Memory::Dmabuf(lease))
    }

    /// The picture in `decoded`, shared.
    fn shared(&mut self, decoded: &mut AvFrame, handling: Handling, color: Color) -> Result<Arc<Picture>, AvError> {
        // Pictures that came back keep FFmpeg's buffers from being used again.
        self.pictures.trim();
        let pixel = handling.plan.target();
        let is_kept = handling.plan == Plan::Keep(pixel) && self.kept.adopt(decoded, pixel);
        if is_kept && !(pixel == PixelFormat::Rgba && picture_is_transparent(&self.kept)) {
            let shared = self.pictures.share(&mut self.kept);
            self.kept.clear();
            return shared;
        }
        if is_kept {
            // Somebody else may refer to these pixels, so black is worked into a copy.
            let source = self.kept.frame();
            self.converted.build(pixel, source, |to| to.copy_pixels(source))?;
            self.kept.clear();
        } else {
            self.convert(decoded, handling, color)?;
        }
        if handling.has_alpha && pixel == PixelFormat::Rgba {
            picture_over_black(&mut self.converted);
        }
        self.converted_count += 1;
        self.conversions.share(&mut self.converted)
    }

    fn handling_of(&mut self, format: i32) -> Result<Handling, DecodeError> {
        if let Some(it) = self.handling.filter(|it| it.format == format) {
            return Ok(it);
        }
        let it = conversion::handling(format).ok_or_else(|| DecodeError::Unsupported {
            codec: self.codec.clone(),
            reason: format!("its pixel format (FFmpeg's number {format}) is not one the CPU can read"),
        })?;
        self.handling = Some(it);
        Ok(it)
    }

    fn color_of(&self, facts: &Facts, handling: Handling) -> Color {
        let mut tags = facts.tags;
        if handling.is_full_range || (tags.range.is_none() && self.is_picture_codec) {
            tags.range = Some(Range::Full);
        }
        if tags.siting.is_none() && self.is_picture_codec {
            tags.siting = Some(ChromaSiting::Center);
        }
        tags.resolve(facts.visible.size(), handling.is_rgb)
    }

    /// Converts the picture in `source` into `converted`; the same format means it was only stored bottom up.
    fn convert(&mut self, source: &AvFrame, handling: Handling, color: Color) -> Result<(), AvError> {
        let target = handling.plan.target();
        if handling.plan == Plan::Keep(target) && !handling.is_full_range {
            self.converted.build(target, source, |to| to.copy_pixels(source))?;
        } else {
            let range = if target.is_rgb() && !handling.is_rgb { Range::Full } else { color.range };
            let wanted = Conversion {
                from: handling.format,
                to: pixel::number_of(target),
                size: source.coded_size(),
                matrix: color.matrix,
                from_range: color.range,
                to_range: range,
            };
            let scaler = match self.scaler.take().filter(|it| it.conversion() == wanted) {
                Some(it) => self.scaler.insert(it),
                None => self.scaler.insert(Scaler::new(wanted)?),
            };
            self.converted.build(target, source, |to| scaler.convert(source, to))?;
        }
        Ok(())
    }
}

fn picture_is_transparent(picture: &Picture) -> bool {
    let width = picture.frame().coded_size().width as usize;
    picture.plane(0).is_some_and(|it| conversion::is_transparent(it.bytes, it.stride, width))
}

fn picture_over_black(picture: &mut Picture) {
    let width = picture.frame().coded_size().width as usize;
    if let Some((bytes, stride)) = picture.plane_mut(0) {
        conversion::lay_over_black(bytes, stride, width);
    }
}

/// Codecs whose every picture stands alone, as files of one picture do.
pub(super) fn is_picture_codec(codec: &str) -> bool {
    const CODECS: [&str; 16] = [
        "mjpeg", "jpegls", "jpeg2000", "jpegxl", "png", "apng", "gif", "webp", "bmp", "tiff", "targa", "pgm", "pgmyuv",
        "ppm", "pam", "pbm",
    ];
    CODECS.contains(&codec)
}
