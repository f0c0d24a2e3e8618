//! The ladder of a file: the decoders that would be tried, and the ways its frames would take to the screen, best first.
use crate::app::probe::file::FULL_RANGE_NAMES;
use crate::base::capability::Capability;
use crate::base::format::{PixelFormat, Rect, Size};
use crate::base::frame::VideoFormat;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stream::VideoStream;
use crate::seam::decoder::DecoderFactory;
use crate::seam::interop::{Place, VideoInterop};
use crate::seam::presenter::Presenter;

/// A screen, as far as the ladder needs one.
pub struct Stage {
    /// Pixels.
    pub size: Size,
    /// Ways to it, best first.
    pub ways: Vec<Box<dyn VideoInterop>>,
    /// Ways that there are not here, and why.
    pub missing: Vec<Capability>,
    /// Some ways ask it, so it stays as long as they do.
    pub presenter: Option<Box<dyn Presenter>>,
}

/// What each decoder says to the stream, and each way to the frames of the first decoder that takes it.
pub fn ladder(video: &VideoStream, decoders: &[&dyn DecoderFactory], stage: Option<&Stage>) -> Vec<Capability> {
    let mut steps: Vec<Capability> = decoders
        .iter()
        .map(|it| match it.probe(video) {
            Ok(()) => Capability::yes(it.name(), "decodes it"),
            Err(why) => Capability::no(it.name(), why.to_string()),
        })
        .collect();
    let chosen = steps.iter().position(|it| it.works);
    let (Some(decoder), Some(stage)) = (chosen.and_then(|it| decoders.get(it)), stage) else { return steps };
    let memory = decoder.gives_dmabufs(video);
    let format = format(video, memory.as_ref().ok().copied());
    let place = Place { fit: Fit::Contain, rotation: Rotation::None, screen: stage.size };
    steps.extend(stage.missing.iter().map(|it| Capability::no(it.name.clone(), it.detail.clone())));
    steps.extend(stage.ways.iter().map(|way| {
        let is_zero_copy = way.capabilities().zero_copy;
        let said = match &memory {
            Err(why) if is_zero_copy => Err(format!("{}: {why}", decoder.name())),
            _ => way.would_accept(&format, &place).map_err(|it| it.to_string()),
        };
        match said {
            Ok(()) if is_zero_copy => Capability::yes(way.name(), "without a copy"),
            Ok(()) => Capability::yes(way.name(), "copied by the processor"),
            Err(why) => Capability::no(way.name(), why),
        }
    }));
    steps
}

/// What its frames will probably be, where the decoder does not say.
fn format(video: &VideoStream, said: Option<PixelFormat>) -> VideoFormat {
    let name = video.pixel_format.as_deref().unwrap_or_default();
    let name = if FULL_RANGE_NAMES.contains(&name) { name.replacen('j', "", 1) } else { name.to_owned() };
    let native = PixelFormat::ALL.into_iter().find(|it| it.name() == name);
    let pixel = said.or(native).unwrap_or(PixelFormat::Yuv420p);
    VideoFormat {
        pixel,
        coded: video.size,
        visible: Rect::of(video.size),
        sar: video.sar,
        rotation: video.rotation,
        color: video.color.resolve(video.size, pixel.is_rgb()),
    }
}
