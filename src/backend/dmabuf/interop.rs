//! The way of a frame: from its buffer to textures, and home when the GPU has read it.
use std::collections::VecDeque;
use std::rc::Rc;

use super::NAME;
use super::cache::{CAPACITY, Cache};
use super::importer::ImportError;
use super::imports::Imports;
use super::layout::{self, Layout, Planes};
use super::trial::color_name;
use crate::base::capability::Capability;
use crate::base::dmabuf::{Import, Lease};
use crate::base::frame::{Memory, VideoFormat, VideoFrame};
use crate::seam::interop::{InteropCapabilities, InteropError, Place, Renderable, Sampling, TextureId, VideoInterop};
use crate::sys::gl::{Fence, GlError};

/// A frame that the GPU may still be reading.
#[derive(Debug)]
struct Flight {
    names: [Option<TextureId>; 3],
    read: Fence,
    /// Dropped last: the decoder may write into it then.
    _frame: VideoFrame,
}

/// The interop of one screen. See the module's text.
#[derive(Debug)]
pub struct DmabufInterop {
    imports: Rc<Imports>,
    cache: Cache,
    pending: Option<VideoFrame>,
    /// Oldest first. As many as a decoder has buffers, so nothing bounds it but that.
    flights: VecDeque<Flight>,
    /// Imports whose textures were deleted, and when the driver has let go of them.
    leaving: Vec<Import>,
    left: Option<Fence>,
}

impl DmabufInterop {
    /// An interop by what trials find, for the context they were made with.
    pub fn new(imports: Rc<Imports>) -> Self {
        Self {
            imports,
            cache: Cache::new(),
            pending: None,
            flights: VecDeque::with_capacity(CAPACITY),
            leaving: Vec::with_capacity(CAPACITY),
            left: None,
        }
    }

    /// How many buffers it has textures of.
    pub fn imported(&self) -> usize {
        self.cache.len()
    }

    /// How frames of such a format and colour are imported; an error where they are not. The first of a format waits for its
    /// trial.
    fn sampling(&self, format: &VideoFormat) -> Result<Sampling, InteropError> {
        let name = format.pixel.name();
        let verdict = self.imports.verdict(format.pixel).map_err(|it| match it {
            ImportError::ContextLost => InteropError::ContextLost { backend: NAME },
            ImportError::Refused(why) => failed("trial", format!("{name}: {why}")),
        })?;
        let verdict = verdict.ok_or_else(|| unsupported(name.to_owned()))?;
        let sampling = verdict.sampling.ok_or_else(|| unsupported(verdict.to_string()))?;
        if !verdict.shows(&format.color) {
            let color = color_name(format.color.matrix, format.color.range);
            return Err(unsupported(format!("{name} of {color}: this driver's own colours are others")));
        }
        Ok(sampling)
    }

    /// The textures of a frame's buffer, imported if they were not yet. Whether they could be.
    fn textures(
        &mut self,
        format: &VideoFormat,
        lease: &Lease,
    ) -> Result<([Option<TextureId>; 3], Sampling), InteropError> {
        let sampling = self.sampling(format)?;
        let picture = lease.picture();
        let wrong = |why: String| unsupported(format!("{}: {why}", layout::in_words(format, picture)));
        let layout = Layout::of(format, picture).map_err(wrong)?;
        if let Some(entry) = self.cache.find(lease.id(), &layout, sampling) {
            return Ok((entry.names(), sampling));
        }
        let planes = Planes::of(format.pixel, picture);
        layout.check(planes.lengths()).map_err(wrong)?;
        self.imports.check_modifier(&layout, sampling).map_err(wrong)?;
        if !self.cache.make_room() {
            return Err(failed("import", format!("all of {CAPACITY} buffers are in use")));
        }
        let textures = self.imports.import(&layout, &planes, sampling).map_err(|it| match it {
            ImportError::ContextLost => self.lost(),
            ImportError::Refused(why) => failed("import", format!("{}: {why}", layout::in_words(format, picture))),
        })?;
        log::debug!("{NAME}: imported {}", layout::in_words(format, picture));
        self.cache.insert(lease.id(), layout, sampling, textures, Import::new(lease));
        let entry = self.cache.find(lease.id(), &layout, sampling);
        entry.map(|it| (it.names(), sampling)).ok_or_else(|| failed("import", "it was not kept".to_owned()))
    }

    /// The context is gone, and all reading with it: everything is let go of.
    fn lost(&mut self) -> InteropError {
        self.flights.clear();
        self.cache.clear();
        self.left = None;
        self.leaving.clear();
        InteropError::ContextLost { backend: NAME }
    }

    fn gl_failed(&mut self, call: &'static str, error: &GlError) -> InteropError {
        if error.is_context_lost() { self.lost() } else { failed(call, error.to_string()) }
    }

    /// Frames that the GPU has read go home.
    fn land(&mut self) -> Result<(), InteropError> {
        while let Some(flight) = self.flights.front() {
            if !self.has_passed(&flight.read).ok_or_else(|| self.lost())? {
                break;
            }
            if let Some(flight) = self.flights.pop_front() {
                self.cache.give_back(&flight.names);
            }
        }
        Ok(())
    }

    /// Whether the GPU has got to a fence. `None`: it never will, and reads nothing any more.
    fn has_passed(&self, fence: &Fence) -> Option<bool> {
        let why = match self.imports.has_passed(fence) {
            Ok(it) => return Some(it),
            Err(ImportError::ContextLost) => "glClientWaitSync".to_owned(),
            Err(ImportError::Refused(why)) => why,
        };
        log::warn!("{NAME}: {why}; the GL context is taken for lost");
        // Should it not be, nothing is being read after this.
        self.imports.gl().finish();
        None
    }
}

fn unsupported(what: String) -> InteropError {
    InteropError::Unsupported { backend: NAME, what }
}

fn failed(call: &'static str, reason: String) -> InteropError {
    InteropError::Api { backend: NAME, call, reason }
}

/// The buffer of a frame that is in one.
fn lease_of(frame: &VideoFrame) -> Result<&Lease, InteropError> {
    match &frame.memory {
        Memory::Dmabuf(lease) => Ok(lease),
        Memory::Cpu(_) => Err(unsupported(format!("{} in ordinary memory", frame.format.pixel.name()))),
    }
}

impl VideoInterop for DmabufInterop {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> InteropCapabilities {
        let max_size = self.imports.gl().max_texture_size();
        InteropCapabilities { formats: self.imports.formats(), max_size, zero_copy: true }
    }

    fn accepts(&mut self, frame: &VideoFrame, _anywhere: &Place) -> Result<(), InteropError> {
        let lease = lease_of(frame)?;
        self.check(&frame.format)?;
        // What the driver refuses now it would refuse later; what it takes is wanted at once.
        match self.textures(&frame.format, lease) {
            Err(InteropError::Api { reason, .. }) => Err(unsupported(reason)),
            other => other.map(drop),
        }
    }

    fn describe(&self) -> Vec<Capability> {
        self.imports.describe()
    }

    fn would_accept(&self, format: &VideoFormat, _anywhere: &Place) -> Result<(), InteropError> {
        self.check(format)
    }

    fn prepare(&mut self, format: &VideoFormat) {
        self.imports.prepare(format.pixel);
    }

    fn init(&mut self, format: &VideoFormat) -> Result<(), InteropError> {
        self.check(format)
    }

    fn submit_decoded_frame(&mut self, frame: VideoFrame) -> Result<(), InteropError> {
        lease_of(&frame)?;
        self.land()?;
        self.pending = Some(frame);
        Ok(())
    }

    fn acquire_renderable_frame(&mut self) -> Result<Option<Renderable>, InteropError> {
        let Some(frame) = self.pending.take() else { return Ok(None) };
        let (planes, sampling) = self.textures(&frame.format, lease_of(&frame)?)?;
        let gl = Rc::clone(self.imports.gl());
        gl.check("importing a picture").map_err(|it| self.gl_failed("import", &it))?;
        self.cache.take(&planes);
        Ok(Some(Renderable { format: frame.format, planes, sampling, zero_copy: true, frame }))
    }

    fn release_frame(&mut self, frame: Renderable) {
        let (names, frame) = (frame.planes, frame.frame);
        match Fence::new(self.imports.gl()) {
            Ok(read) => self.flights.push_back(Flight { names, read, _frame: frame }),
            Err(error) => {
                // There are no fences without a context, and no reading either.
                log::warn!("{NAME}: {error}; the GL context is taken for lost");
                self.lost();
            }
        }
    }

    fn tidy(&mut self) {
        // The next frame hears of it again: it is imported anew.
        let _told = self.land();
        if self.cache.drop_retiring(&mut self.leaving) {
            self.imports.forget_deleted();
            // Without a context there is nothing to wait for.
            self.left = Fence::new(self.imports.gl()).ok();
        }
        if self.left.as_ref().is_none_or(|it| self.has_passed(it).unwrap_or(true)) {
            self.left = None;
            self.leaving.clear();
        }
    }
}

impl DmabufInterop {
    /// Whether pictures of such a format can be shown, wherever they lie.
    fn check(&self, format: &VideoFormat) -> Result<(), InteropError> {
        let too_large = |it: GlError| unsupported(format!("a picture that big: {it}"));
        self.imports.gl().check_size(format.coded).map_err(too_large)?;
        let (coded, visible) = (format.coded, format.visible);
        let fits = |start: u32, length: u32, whole: u32| start.checked_add(length).is_some_and(|end| end <= whole);
        let is_inside = fits(visible.x, visible.width, coded.width) && fits(visible.y, visible.height, coded.height);
        if coded.is_empty() || !is_inside {
            return Err(unsupported(format!("a picture of {coded} that shows {visible:?} of itself")));
        }
        self.sampling(format).map(drop)
    }
}

impl Drop for DmabufInterop {
    fn drop(&mut self) {
        // The screen is no more, so nothing is late; and no buffer may go home that is still being read.
        self.imports.gl().finish();
        self.flights.clear();
        self.cache.clear();
        self.imports.forget_deleted();
        self.imports.gl().finish();
    }
}
