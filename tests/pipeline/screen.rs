//! A screen and interops that do what a test tells them.
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::frame::{Memory, VideoFormat, VideoFrame};
use lucarne::base::time::{MediaTime, MonoTime};
use lucarne::logic::interop_policy::InteropMode;
use lucarne::pipeline::player::interop::InteropSwitch;
use lucarne::pipeline::player::screen::Screen;
use lucarne::render::Compositor;
use lucarne::seam::interop::{InteropCapabilities, InteropError, Place, Renderable, Sampling, VideoInterop};
use lucarne::seam::presenter::{DisplayMode, Layer, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId};
use lucarne::seam::wait::Waitable;
use lucarne::sys::egl;
use lucarne::sys::gl::{Api, Context, Framebuffer};

pub const REFRESH: Duration = Duration::from_millis(10);
const SIZE: Size = Size::new(16, 16);

/// What a test does to the screen, and what it sees of it.
#[derive(Debug, Default)]
pub struct Script {
    /// What the player is told next, beside flips.
    pub events: VecDeque<PresentEvent>,
    /// The next acquires find every buffer on its way.
    pub busy: usize,
    /// The next commits are answered with `Busy`.
    pub busy_commits: usize,
    /// Acquiring fails as long as this is so.
    pub gone: bool,
    /// The next commit flips so many vblanks too late.
    pub misses: u64,
    pub acquired: usize,
    /// What it was switched to.
    pub powers: Vec<bool>,
    /// It cannot be switched.
    pub has_no_switch: bool,
    /// No display: buffers are refused, and what is on its way is never reported.
    pub unplugged: bool,
    /// What it stands on is gone for good.
    pub lost: bool,
    /// It is never said when a commit flips.
    pub stuck: bool,
    /// Frame rates the screen was told, and how often it had been drawn on by then.
    pub rates: Vec<(f64, usize)>,
    /// Pictures are taken from the wire...
    pub captures: bool,
    /// ...and never come.
    pub captures_fail: bool,
    /// Commits that were asked to be captured.
    pub captured: Vec<SubmissionId>,
    /// When each commit flipped.
    pub flips: Vec<MonoTime>,
    /// What each commit was: "plane" or "drawn".
    pub layers: Vec<&'static str>,
    /// The next so many frames are refused by the plane at the commit.
    pub plane_refuses: usize,
    /// How often the plane was asked whether it takes a frame.
    pub asked: usize,
    /// The ways that were told to prepare, and how many commits had flipped by then.
    pub prepared: Vec<(&'static str, usize)>,
    /// How often the plane was asked to let go.
    pub tidied: usize,
    /// Times of the frames that ways were given, also in vain.
    pub submitted: Vec<MediaTime>,
}

impl Script {
    /// The display goes away, and says so.
    pub fn unplug(&mut self) {
        self.unplugged = true;
        self.events.push_back(PresentEvent::Disconnected);
    }

    /// A display comes, with this refresh.
    pub fn plug(&mut self, refresh: Duration) {
        self.unplugged = false;
        self.events.push_back(PresentEvent::ModeChanged(DisplayMode { size: SIZE, refresh }));
    }
}

/// Flips at the next vblank on a grid of its refresh.
struct ScriptedPresenter {
    framebuffer: Framebuffer,
    script: Rc<RefCell<Script>>,
    refresh: Duration,
    output: String,
    capture_asked: bool,
    next_id: u64,
    pending: Option<(SubmissionId, MonoTime)>,
    /// What the display controller reads, and what it will read from the next flip on.
    scanned: Option<VideoFrame>,
    on_its_way: Option<VideoFrame>,
}

impl Presenter for ScriptedPresenter {
    fn name(&self) -> &'static str {
        "scripted"
    }
    fn mode(&self) -> DisplayMode {
        DisplayMode { size: SIZE, refresh: self.refresh }
    }
    fn output(&self) -> &str {
        &self.output
    }
    fn acquire(&mut self, _now: MonoTime) -> Result<Option<RenderTarget>, PresentError> {
        let mut script = self.script.borrow_mut();
        script.acquired += 1;
        if script.gone {
            return Err(PresentError::Device { screen: "scripted".into(), call: "acquire", reason: "gone".into() });
        }
        if script.unplugged {
            return Err(PresentError::NoDisplay { screen: self.output.clone() });
        }
        if 0 < script.busy {
            script.busy -= 1;
            return Ok(None);
        }
        assert!(self.pending.is_none(), "nothing is drawn while a flip is pending");
        Ok(Some(RenderTarget { framebuffer: self.framebuffer.name(), size: SIZE, top_down: true }))
    }
    fn present(&mut self, now: MonoTime, layer: Layer) -> Result<SubmissionId, PresentError> {
        let mut script = self.script.borrow_mut();
        if matches!(layer, Layer::Plane(_)) && 0 < script.plane_refuses {
            script.plane_refuses -= 1;
            return Err(PresentError::PlaneRefused { screen: self.output.clone(), reason: "on purpose".into() });
        }
        if 0 < script.busy_commits {
            script.busy_commits -= 1;
            return Err(PresentError::Busy);
        }
        assert!(self.pending.is_none(), "one flip at a time");
        let id = SubmissionId(self.next_id);
        self.next_id += 1;
        script.layers.push(if matches!(layer, Layer::Plane(_)) { "plane" } else { "drawn" });
        self.on_its_way = match layer {
            Layer::Plane(it) => Some(it.frame),
            Layer::Composed(_) => None,
        };
        if std::mem::take(&mut self.capture_asked) {
            script.captured.push(id);
        }
        let refresh = self.refresh.as_nanos() as u64;
        let vblank = now.nanos() / refresh + 1 + std::mem::take(&mut script.misses);
        self.pending = Some((id, MonoTime::from_nanos(vblank * refresh)));
        Ok(id)
    }
    fn poll(&mut self, now: MonoTime) -> Result<Option<PresentEvent>, PresentError> {
        let mut script = self.script.borrow_mut();
        if let Some(event) = script.events.pop_front() {
            return Ok(Some(event));
        }
        if script.unplugged {
            self.pending = None;
            (self.scanned, self.on_its_way) = (None, None);
        }
        match self.pending {
            Some((id, at)) if at <= now && !script.stuck => {
                self.pending = None;
                // What was read before is given back now.
                self.scanned = self.on_its_way.take();
                script.flips.push(at);
                if script.captured.contains(&id) && !script.captures_fail {
                    script.events.push_back(PresentEvent::Captured { id });
                }
                Ok(Some(PresentEvent::Presented { id, at, sequence: None }))
            }
            _ => Ok(None),
        }
    }
    fn prefer_rate(&mut self, frames_per_second: f64) {
        let mut script = self.script.borrow_mut();
        let acquired = script.acquired;
        script.rates.push((frames_per_second, acquired));
    }
    fn capture_next(&mut self) -> bool {
        self.capture_asked = self.script.borrow().captures;
        self.capture_asked
    }
    fn take_capture(&mut self, into: &mut Vec<u8>) -> Option<Size> {
        into.resize(SIZE.width as usize * SIZE.height as usize * 4, 0);
        Some(SIZE)
    }
    fn deadline(&self) -> Option<MonoTime> {
        self.pending.filter(|_| !self.script.borrow().stuck).map(|(_, at)| at)
    }
    fn waitable(&self) -> Waitable<'_> {
        Waitable::Ready
    }
    fn is_gone(&self) -> bool {
        self.script.borrow().lost
    }
    fn set_power(&mut self, on: bool) -> Result<(), PresentError> {
        let mut script = self.script.borrow_mut();
        if script.has_no_switch {
            return Err(PresentError::Device { screen: "scripted".into(), call: "switch", reason: "no switch".into() });
        }
        script.powers.push(on);
        if on {
            // What was on its way to nobody is never reported.
            self.pending = None;
        }
        Ok(())
    }
}

/// Software upload under another name, failing on demand.
pub struct Fussy {
    inner: SoftwareUpload,
    pub name: &'static str,
    pub zero_copy: bool,
    /// One per frame: what fails. Nothing once it is used up.
    pub fails: Rc<RefCell<VecDeque<Fails>>>,
    script: Rc<RefCell<Script>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    Nothing,
    Init,
    Submit,
    Acquire,
    Context,
    /// It cannot now.
    NotNow,
}

impl Fussy {
    fn error(&self, call: &'static str) -> InteropError {
        InteropError::Api { backend: self.name, call, reason: "on purpose".into() }
    }
    fn fails_next(&self) -> Option<Fails> {
        self.fails.borrow().front().copied()
    }
}

impl VideoInterop for Fussy {
    fn name(&self) -> &'static str {
        self.name
    }
    fn capabilities(&self) -> InteropCapabilities {
        InteropCapabilities { zero_copy: self.zero_copy, ..self.inner.capabilities() }
    }
    fn prepare(&mut self, _format: &VideoFormat) {
        let mut script = self.script.borrow_mut();
        let flipped = script.flips.len();
        script.prepared.push((self.name, flipped));
    }
    fn init(&mut self, format: &VideoFormat) -> Result<(), InteropError> {
        if self.fails_next() == Some(Fails::Init) {
            self.fails.borrow_mut().pop_front();
            return Err(self.error("init"));
        }
        self.inner.init(format)
    }
    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError> {
        self.script.borrow_mut().submitted.push(frame.pts);
        match self.fails_next() {
            Some(Fails::Submit) => {
                self.fails.borrow_mut().pop_front();
                Err(self.error("submit"))
            }
            Some(Fails::Context) => {
                self.fails.borrow_mut().pop_front();
                Err(InteropError::ContextLost { backend: self.name })
            }
            Some(Fails::NotNow) => {
                self.fails.borrow_mut().pop_front();
                Err(InteropError::NotNow { backend: self.name, reason: "out of memory".into() })
            }
            _ => self.inner.submit_decoded_frame(frame),
        }
    }
    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        if self.fails.borrow_mut().pop_front() == Some(Fails::Acquire) {
            return Err(self.error("acquire"));
        }
        let renderable = self.inner.acquire_renderable_frame()?;
        Ok(renderable.map(|it| Renderable { zero_copy: self.zero_copy, ..it }))
    }
    fn release_frame(&mut self, frame: Renderable) {
        self.inner.release_frame(frame);
    }
}

/// A way from frames to textures, as a test describes it.
#[derive(Debug, Clone)]
pub struct Way {
    pub name: &'static str,
    pub zero_copy: bool,
    pub fails: Vec<Fails>,
    /// Dma-bufs go to the screen as they are, and nothing else does.
    pub is_plane: bool,
}

impl Way {
    /// One that copies.
    pub fn upload(name: &'static str, fails: Vec<Fails>) -> Self {
        Self { name, zero_copy: false, fails, is_plane: false }
    }

    /// A plane.
    pub fn plane() -> Self {
        Self { name: "plane", zero_copy: true, fails: Vec::new(), is_plane: true }
    }
}

/// Gives dma-bufs to the screen as they are, unless they are turned.
#[derive(Default)]
struct ScriptedPlane {
    pending: Option<VideoFrame>,
    script: Rc<RefCell<Script>>,
}

impl VideoInterop for ScriptedPlane {
    fn name(&self) -> &'static str {
        "plane"
    }
    fn capabilities(&self) -> InteropCapabilities {
        InteropCapabilities { formats: &PixelFormat::ALL, max_size: 4096, zero_copy: true }
    }
    fn accepts(&mut self, frame: &VideoFrame, place: &Place) -> Result<(), InteropError> {
        self.script.borrow_mut().asked += 1;
        let no = |what: &str| Err(InteropError::Unsupported { backend: "plane", what: what.into() });
        match &frame.memory {
            Memory::Cpu(_) => no("ordinary memory"),
            Memory::Dmabuf(_) if place.rotation.swaps_axes() => no("a picture on its side"),
            Memory::Dmabuf(_) => Ok(()),
        }
    }
    fn init(&mut self, _format: &VideoFormat) -> Result<(), InteropError> {
        Ok(())
    }
    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError> {
        self.script.borrow_mut().submitted.push(frame.pts);
        self.pending = Some(frame);
        Ok(())
    }
    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        Ok(self.pending.take().map(|frame| Renderable {
            format: frame.format,
            planes: [None; 3],
            sampling: Sampling::Scanout,
            zero_copy: true,
            frame,
        }))
    }
    fn release_frame(&mut self, _frame: Renderable) {}
    fn tidy(&mut self) {
        self.script.borrow_mut().tidied += 1;
    }
}

/// Screens of these refreshes, on one GL context.
pub fn screens(refreshes: &[Duration], ways: &[Way], mode: InteropMode) -> Vec<(Screen, Rc<RefCell<Script>>)> {
    let gl = Context::new(egl::Context::surfaceless(Api::Gles3).unwrap()).unwrap();
    let refreshes = refreshes.iter().enumerate();
    refreshes.map(|(index, refresh)| screen(&gl, &format!("X-{index}"), *refresh, ways, mode)).collect()
}

fn screen(
    gl: &Rc<Context>,
    output: &str,
    refresh: Duration,
    ways: &[Way],
    mode: InteropMode,
) -> (Screen, Rc<RefCell<Script>>) {
    let script = Rc::new(RefCell::new(Script::default()));
    let interops = ways.iter().map(|way| {
        if way.is_plane {
            return Box::new(ScriptedPlane { script: Rc::clone(&script), ..ScriptedPlane::default() })
                as Box<dyn VideoInterop>;
        }
        let inner = SoftwareUpload::new(Rc::clone(gl), WideTexels::Auto);
        let fails = Rc::new(RefCell::new(way.fails.iter().copied().collect()));
        let script = Rc::clone(&script);
        Box::new(Fussy { inner, name: way.name, zero_copy: way.zero_copy, fails, script }) as Box<dyn VideoInterop>
    });
    let presenter = ScriptedPresenter {
        framebuffer: Framebuffer::new(gl, SIZE).unwrap(),
        script: Rc::clone(&script),
        refresh,
        output: output.to_owned(),
        capture_asked: false,
        next_id: 0,
        pending: None,
        scanned: None,
        on_its_way: None,
    };
    let screen = Screen {
        interops: InteropSwitch::new(interops.collect(), mode).unwrap(),
        compositor: Compositor::new(Rc::clone(gl)).unwrap(),
        presenter: Box::new(presenter),
    };
    (screen, script)
}
