//! What every machine has: software decoding, a screen in memory, a loudspeaker that is none.
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::dmabuf::{DmabufInterop, Imports};
use crate::backend::headless::audio_sink::{HeadlessSinkFactory, HeadlessSinkParams};
use crate::backend::headless::display_clock::ManualClock;
use crate::backend::headless::presenter::HeadlessPresenter;
use crate::backend::software::audio_decoder::SoftwareAudioDecoderFactory;
use crate::backend::software::factory::SoftwareDecoderFactory;
use crate::backend::software::upload::{SoftwareUpload, WideTexels};
use crate::base::capability::Capability;
use crate::base::format::Size;
use crate::base::time::MonoTime;
use crate::platform::{DecoderWish, DisplayKind, DisplayRequest, DmabufWish, OpenScreen, SyntheticSink};
use crate::render::Compositor;
use crate::seam::audio_decoder::AudioDecoderFactory;
use crate::seam::audio_sink::AudioSinkFactory;
use crate::seam::clock::{AdvanceClock, Clock};
use crate::seam::decoder::DecoderFactory;
use crate::seam::interop::VideoInterop;
use crate::seam::presenter::{PresentError, Presenter};
use crate::sys::egl;
use crate::sys::ffmpeg::{FrameMemory, FrameMemorySource};
use crate::sys::gl;

/// The headless display's refresh rate where nobody says: what most screens have.
const DEFAULT_REFRESH: Duration = Duration::from_nanos(16_666_667);
/// A window's and the headless display's size where nobody says.
const DEFAULT_SIZE: Size = Size::new(1280, 720);

/// A screen in memory, drawn by EGL without a surface.
pub fn display() -> DisplayKind {
    DisplayKind { name: "headless", probe: |_desktop| Ok(()), open }
}

fn open(request: &DisplayRequest) -> Result<Vec<OpenScreen>, PresentError> {
    let size = size_without_outputs("headless", request)?;
    let failed = |call: &'static str, reason: String| PresentError::Device { screen: "headless".into(), call, reason };
    let egl = egl::Context::surfaceless(gl::Api::Gles3).map_err(|it| failed("open EGL", it.to_string()))?;
    egl.make_current(None).map_err(|it| failed("make the context current", it.to_string()))?;
    let gl = gl::Context::new(egl.clone()).map_err(|it| failed("load GL", it.to_string()))?;
    let refresh = request.refresh_hz.map_or(DEFAULT_REFRESH, |it| Duration::from_secs_f64(1.0 / it));
    let presenter = HeadlessPresenter::new(gl.clone(), size, refresh, request.now)?;
    let imports = Imports::open_tried(&gl, egl.display());
    Ok(vec![screen(gl, &imports, Box::new(presenter))?])
}

/// The size of a display that has no outputs to choose from.
pub fn size_without_outputs(kind: &str, request: &DisplayRequest) -> Result<Size, PresentError> {
    match request.outputs.first() {
        None => Ok(request.size.unwrap_or(DEFAULT_SIZE)),
        Some(output) => Err(PresentError::Unavailable {
            what: format!("{output}: the {kind} display has no outputs"),
            advice: "name outputs with --display kms only".to_owned(),
        }),
    }
}

/// What goes with a presenter whose context is `gl`; `imports` is what that can import, or why it cannot.
pub fn screen(
    gl: Rc<gl::Context>,
    imports: &Result<Rc<Imports>, String>,
    presenter: Box<dyn Presenter>,
) -> Result<OpenScreen, PresentError> {
    let renderer = format!("{} ({})", gl.renderer(), gl.version());
    let compositor = Compositor::new(gl.clone()).map_err(|it| PresentError::Device {
        screen: presenter.name().to_owned(),
        call: "make the compositor",
        reason: it.to_string(),
    })?;
    let mut interops: Vec<Box<dyn VideoInterop>> = Vec::new();
    let mut missing = Vec::new();
    match imports {
        Ok(it) => interops.push(Box::new(DmabufInterop::new(Rc::clone(it)))),
        Err(why) => {
            log::debug!("no dmabuf: {why}");
            missing.push(Capability::no("dmabuf", why.as_str()));
        }
    }
    interops.push(Box::new(SoftwareUpload::new(gl, WideTexels::Auto)));
    Ok(OpenScreen { interops, missing, compositor, presenter, renderer })
}

/// Software decoders, whose pictures are in `memory` as long as somebody wishes.
pub fn software(wish: &DecoderWish, memory: Option<Arc<dyn FrameMemorySource>>) -> Arc<dyn DecoderFactory> {
    let usual = SoftwareDecoderFactory::default();
    let threads = if wish.threads == 0 { usual.threads } else { wish.threads };
    let memory = memory.map(|it| -> Arc<dyn FrameMemorySource> { Arc::new(Wished(wish.dmabuf.clone(), it)) });
    Arc::new(SoftwareDecoderFactory { threads, memory })
}

/// Memory for those decoders that are opened while somebody wishes for it.
#[derive(Debug)]
struct Wished(DmabufWish, Arc<dyn FrameMemorySource>);

impl FrameMemorySource for Wished {
    fn memory(&self, n_pictures: usize) -> Option<Arc<dyn FrameMemory>> {
        if self.0.is_made() { self.1.memory(n_pictures) } else { None }
    }
}

/// Sound decoders.
pub fn audio_decoders() -> Arc<dyn AudioDecoderFactory> {
    Arc::new(SoftwareAudioDecoderFactory)
}

/// A clock that stands still until told.
pub fn stepped_clock(start: MonoTime) -> Arc<dyn AdvanceClock> {
    Arc::new(ManualClock::new(start))
}

/// A loudspeaker that is none.
pub fn synthetic_sink(habits: SyntheticSink, clock: Arc<dyn Clock>) -> Arc<dyn AudioSinkFactory> {
    let params = HeadlessSinkParams {
        period: habits.period,
        jitter: habits.jitter,
        drift_ppm: habits.drift_ppm.round() as i32,
        rate: Some(habits.format.rate),
        max_channels: habits.format.channels,
        ..HeadlessSinkParams::default()
    };
    Arc::new(HeadlessSinkFactory::new(clock, params))
}
