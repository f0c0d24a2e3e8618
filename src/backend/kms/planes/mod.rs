//! Frames on planes, without anybody drawing them: which planes, set to what, decided by the hardware.
//!
//! ```text
//!   frame --PRIME, AddFB2--> framebuffer --plane--> CRTC        kept by the buffer's name: `imports`
//!     |
//!     +--format, place--> configuration --TEST_ONLY--> arrangement of planes     kept by configuration
//! ```
//!
//! An output's [`Planes`] belong to its presenter, which commits; the [`interop::PlaneInterop`] of the same output asks them
//! beforehand whether a frame can be shown. What can be shown of a frame is worked out in `config`, what planes offer in
//! `ability`, which arrangements are tried in [`crate::logic::plane_choice`].
mod ability;
mod choosing;
mod config;
mod imports;
mod interop;

use std::io;
use std::rc::Rc;

use drm::Device as _;
use drm::DriverCapability;
use drm::control::plane;

use crate::backend::kms::buffers::ScanoutBuffer;
use crate::backend::kms::device::Device;
use crate::backend::kms::pipe::Pipe;
use crate::base::format::{Rect, Size};
use crate::base::frame::VideoFrame;
use crate::logic::plane_choice::{ABOVE_LEVEL, Arrangement, Ground};
use crate::seam::interop::Place;
use crate::sys::kms::{AtomicRequest, DumbPicture, Importer, PropertyBlob};

use ability::VideoPlane;
pub use choosing::{is_passing, is_refusal};
use config::{Config, Pixels};
pub use imports::Imported;
use imports::Imports;
pub use interop::PlaneInterop;

/// What is said of [`Refusal::Late`].
pub const LATE: &str = "its decoder wants the memory back";

/// A frame that planes show. Dropped in this order: the framebuffer before the memory is given back.
#[derive(Debug)]
pub struct PlaneFrame {
    /// What is scanned out; nothing while the display is off.
    _imported: Option<Rc<Imported>>,
    /// Keeps the memory.
    _frame: VideoFrame,
}

impl PlaneFrame {
    /// Keeps both.
    pub fn new(imported: Option<Rc<Imported>>, frame: VideoFrame) -> Self {
        Self { _imported: imported, _frame: frame }
    }
}

/// How a frame is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    config: Config,
    arrangement: Arrangement,
}

/// A frame that can be committed.
#[derive(Debug)]
pub struct Ready {
    /// How.
    pub choice: Choice,
    /// Its framebuffer.
    pub imported: Rc<Imported>,
    /// The framebuffer of what is above it.
    pub above: Option<u64>,
}

/// Why a frame is not shown.
#[derive(Debug)]
pub enum Refusal {
    /// The hardware does not take such frames: what of them.
    Never(String),
    /// The decoder wants the frame's memory back: too late for this one.
    Late,
    /// Memory or descriptors are short now: for what.
    Short(String),
    /// Nobody can say now.
    Now(io::Error),
}

/// What the output is now.
#[derive(Debug)]
struct Stage {
    pipe: Rc<Pipe>,
    mode: Rc<PropertyBlob>,
    size: Size,
    /// Asked for when first needed.
    planes: Vec<VideoPlane>,
}

/// One output's.
#[derive(Debug)]
pub struct Planes {
    device: Rc<Device>,
    slot: usize,
    stage: Option<Stage>,
    imports: Imports,
    importer: Option<Importer>,
    has_modifiers: bool,
    known: Vec<(Config, Result<Arrangement, String>)>,
    /// What the planes were committed to; none while the primary plane shows what was drawn.
    shown: Option<Choice>,
    /// The CRTC is off, or to be set anew: the next commit sets the mode.
    pub is_dark: bool,
    /// What the primary plane shows below an overlay where it cannot be off.
    black: Option<DumbPicture>,
    /// The same of the mode before: on the screen until the next commit.
    old_black: Option<DumbPicture>,
    request: AtomicRequest,
}

impl Planes {
    /// Those of an output with no display so far.
    pub fn new(device: &Rc<Device>, slot: usize) -> Self {
        Self {
            device: Rc::clone(device),
            slot,
            stage: None,
            imports: Imports::default(),
            importer: None,
            has_modifiers: false,
            known: Vec::new(),
            shown: None,
            is_dark: true,
            black: None,
            old_black: None,
            request: AtomicRequest::new(),
        }
    }

    /// The output has a mode. What was decided for another is forgotten.
    pub fn enter(&mut self, pipe: &Rc<Pipe>, mode: &Rc<PropertyBlob>, size: Size) {
        let same = self.stage.take_if(|it| it.pipe.crtc() == pipe.crtc() && it.pipe.plane() == pipe.plane());
        // What is on them is so until the mode is set.
        let planes = match same {
            Some(stage) => stage.planes,
            None => {
                self.leave();
                Vec::new()
            }
        };
        self.known.clear();
        self.is_dark = true;
        self.stage = Some(Stage { pipe: Rc::clone(pipe), mode: Rc::clone(mode), size, planes });
    }

    /// The output has no display.
    pub fn leave(&mut self) {
        self.stage = None;
        self.known.clear();
        self.shown = None;
        self.device.unclaim(self.slot);
        self.is_dark = true;
    }

    /// The presenter goes: nothing is kept.
    pub fn end(&mut self) {
        self.leave();
        self.imports.clear();
        (self.black, self.old_black) = (None, None);
    }

    /// Lets go of framebuffers whose memory is wanted back, but for the one on the screen, which its presenter holds.
    pub fn tidy(&mut self) {
        self.imports.tidy();
    }

    /// Makes a frame's framebuffer, if there is none.
    pub fn import(&mut self, frame: &VideoFrame) -> Result<Rc<Imported>, Refusal> {
        let (pixels, lease) = Pixels::of(frame).map_err(Refusal::Never)?;
        if self.importer.is_none() {
            // Whoever opens a card that has no master becomes it.
            if !self.device.is_master() {
                return Err(Refusal::Now(io::Error::from_raw_os_error(libc::EACCES)));
            }
            self.importer = Some(Importer::beside(self.device.card()).map_err(Refusal::Now)?);
            let modifiers = self.device.card().get_driver_capability(DriverCapability::AddFB2Modifiers);
            self.has_modifiers = modifiers.is_ok_and(|it| it != 0);
        }
        let Some(importer) = &self.importer else { return Err(Refusal::Now(io::ErrorKind::NotConnected.into())) };
        if lease.pool().is_retiring() {
            return Err(Refusal::Late);
        }
        self.imports.of(lease, &pixels, importer, self.has_modifiers)
    }

    /// Whether such frames can be shown in such a place. That one comes too late says nothing of others like it.
    pub fn accepts(&mut self, frame: &VideoFrame, place: &Place) -> Result<(), Refusal> {
        match self.prepare(frame, place, None) {
            Ok(_) | Err(Refusal::Late) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Everything a commit needs to show a frame, with what was drawn above it.
    pub fn prepare(
        &mut self,
        frame: &VideoFrame,
        place: &Place,
        above: Option<&ScanoutBuffer>,
    ) -> Result<Ready, Refusal> {
        let config = Config::of(frame, place, above.is_some()).map_err(Refusal::Never)?;
        if self.stage.as_ref().is_some_and(|it| it.size != place.screen) {
            return Err(Refusal::Never(format!("a frame placed on a screen of {}", place.screen)));
        }
        let above = match above {
            Some(it) => {
                let framebuffer = it.framebuffer_above(&self.device);
                Some((
                    framebuffer.map_err(|it| Refusal::Never(format!("a picture above the frame: {it}")))?,
                    it.format(),
                ))
            }
            None => None,
        };
        let imported = self.import(frame)?;
        let arrangement = self.choose(&config, imported.framebuffer(), above)?;
        Ok(Ready { choice: Choice { config, arrangement }, imported, above: above.map(|it| it.0) })
    }

    /// The planes of an arrangement that are not the output's primary one.
    fn overlays(&self, arrangement: &Arrangement) -> [Option<plane::Handle>; 2] {
        let Some(stage) = &self.stage else { return [None; 2] };
        let handle = |at: usize| stage.planes.get(at).map(|it| it.handle).filter(|it| *it != stage.pipe.plane());
        [handle(arrangement.video), arrangement.above.and_then(handle)]
    }

    /// Adds to a commit what shows a frame: with the mode, and all that is to be off, or only what is new.
    pub fn write(
        &mut self,
        request: &mut AtomicRequest,
        choice: Choice,
        framebuffer: u64,
        above: Option<u64>,
        with_mode: bool,
    ) -> io::Result<()> {
        let Choice { config, arrangement } = choice;
        if arrangement.ground == Ground::Black && self.black.as_ref().is_none_or(|it| it.size() != config.screen) {
            let black = DumbPicture::new(self.device.card(), config.screen)?;
            self.old_black = self.black.replace(black);
        }
        let keep = self.overlays(&arrangement);
        let Some(stage) = &self.stage else { return Err(io::ErrorKind::NotConnected.into()) };
        let plane = |at: usize| stage.planes.get(at).ok_or(io::ErrorKind::NotConnected);
        let (video, above_plane) = (plane(arrangement.video)?, arrangement.above.map(plane).transpose()?);
        let above = above_plane.zip(above);
        if !with_mode && self.shown == Some(choice) {
            video.flip(request, framebuffer);
            if let Some((plane, framebuffer)) = above {
                plane.flip(request, framebuffer);
            }
            return Ok(());
        }
        let pipe = &stage.pipe;
        if with_mode {
            pipe.set_mode(request, stage.mode.id());
            pipe.clear_others(&self.device, self.slot, keep, request)?;
        } else {
            self.hide_but(request, keep);
        }
        match (arrangement.ground, &self.black) {
            (Ground::Off, _) => pipe.hide(request),
            (Ground::Black, Some(black)) => {
                pipe.show(request, black.framebuffer().id(), stage.size);
                if let Some(primary) = stage.planes.iter().find(|it| it.facts.is_primary) {
                    primary.sink(request);
                }
            }
            _ => {}
        }
        let crtc = pipe.crtc_id();
        video.show(request, crtc, framebuffer, &config, arrangement.video_level());
        if let Some((plane, framebuffer)) = above {
            plane.show_above(request, crtc, framebuffer, Rect::of(stage.size), ABOVE_LEVEL);
        }
        Ok(())
    }

    /// Tells the kernel through this property what to wait for before it shows what is above the frame.
    pub fn above_fence(&self, choice: &Choice) -> Option<(plane::Handle, drm::control::property::Handle)> {
        let plane = self.stage.as_ref()?.planes.get(choice.arrangement.above?)?;
        Some((plane.handle, plane.in_fence()?))
    }

    /// Whether planes show a frame.
    pub fn is_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// Adds to a commit that no overlay shows anything.
    pub fn hide(&self, request: &mut AtomicRequest) {
        self.hide_but(request, [None; 2]);
    }

    fn hide_but(&self, request: &mut AtomicRequest, keep: [Option<plane::Handle>; 2]) {
        let (Some(stage), Some(shown)) = (&self.stage, &self.shown) else { return };
        let off = self.overlays(&shown.arrangement).into_iter().flatten().filter(|it| !keep.contains(&Some(*it)));
        for handle in off {
            if let Some(plane) = stage.planes.iter().find(|it| it.handle == handle) {
                plane.hide(request);
            }
        }
    }

    /// Overlays that were used, to be off at the end.
    pub fn hide_all(&self, request: &mut AtomicRequest) {
        let Some(stage) = &self.stage else { return };
        for plane in stage.planes.iter().filter(|it| self.device.claims(self.slot, it.handle)) {
            plane.hide(request);
        }
    }

    /// A commit was accepted: what planes show now, or that they show none.
    pub fn committed(&mut self, choice: Option<Choice>) {
        self.shown = choice;
        self.old_black = None;
    }

    /// The hardware refused in earnest what it took when it was asked: it is asked again next time.
    pub fn refused(&mut self, choice: &Choice) {
        self.known.retain(|it| it.0 != choice.config);
    }
}
