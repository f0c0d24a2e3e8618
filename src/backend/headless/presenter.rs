//! A screen that nobody sees: framebuffers in a ring, flipped by a synthetic vblank.
//!
//! Vblanks lie on a grid that starts when the screen does. A submission flips at the first vblank it can still meet and
//! is reported by the first `poll` at or after it. The grid knows no clock: whether `now` is the machine's time or one
//! that a player moves as fast as it can decode makes no difference here.
use std::rc::Rc;
use std::time::Duration;

use crate::base::format::{Rect, Size};
use crate::base::time::{MonoTime, nanos_of};
use crate::seam::presenter::{DisplayMode, Layer, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId};
use crate::seam::wait::Waitable;
use crate::sys::gl::{Context, Fence, Framebuffer, GlError};

const NAME: &str = "headless";

/// One on the screen, one on its way there, one being drawn.
const BUFFER_COUNT: usize = 3;

/// A commit this close to a vblank misses it, as on real display hardware, which latches some lines ahead.
const COMMIT_LEAD: Duration = Duration::from_micros(200);

/// How long a GPU may take for a frame before we call it hung. A software rasteriser on a loaded machine needs tenths of
/// a second for the largest.
const GPU_PATIENCE: Duration = Duration::from_secs(2);

/// A frame rate nobody asks for, in place of a division by zero.
const SHORTEST_REFRESH: Duration = Duration::from_micros(100);

/// See the module's text.
#[derive(Debug)]
pub struct HeadlessPresenter {
    gl: Rc<Context>,
    mode: DisplayMode,
    /// The vblank with sequence number 0.
    start: MonoTime,
    buffers: [Buffer; BUFFER_COUNT],
    next_id: SubmissionId,
    flip: Flip,
    on_screen: Option<usize>,
    /// The buffer to draw into: the one after the last presented, so never one on screen or on its way there.
    next: usize,
    /// Somebody acquired it. Acquiring again, after a failed draw, gives the same one.
    is_drawing: bool,
}

#[derive(Debug)]
struct Buffer {
    framebuffer: Framebuffer,
    /// Reached when the GPU has drawn what was last presented from here.
    drawn: Option<Fence>,
}

/// What the screen is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flip {
    /// Nothing; it repeats what it shows.
    Idle,
    /// It shows another buffer from a vblank on.
    Pending { id: SubmissionId, buffer: usize, at: MonoTime, sequence: u64 },
}

impl HeadlessPresenter {
    /// A screen of `size` pixels with a vblank every `refresh`, the first at `start`.
    pub fn new(gl: Rc<Context>, size: Size, refresh: Duration, start: MonoTime) -> Result<Self, PresentError> {
        let refresh = refresh.max(SHORTEST_REFRESH);
        let buffers = [Buffer::new(&gl, size)?, Buffer::new(&gl, size)?, Buffer::new(&gl, size)?];
        Ok(Self {
            gl,
            mode: DisplayMode { size, refresh },
            start,
            buffers,
            next_id: SubmissionId(0),
            flip: Flip::Idle,
            on_screen: None,
            next: 0,
            is_drawing: false,
        })
    }

    /// What the screen shows now, for reading back; `None` before the first flip.
    pub fn on_screen(&self) -> Option<RenderTarget> {
        self.on_screen.map(|it| self.target(it))
    }

    fn target(&self, buffer: usize) -> RenderTarget {
        RenderTarget { framebuffer: self.buffers[buffer].framebuffer.name(), size: self.mode.size, top_down: true }
    }

    /// The first vblank that a commit at `now` still meets: its time and number.
    fn next_vblank(&self, now: MonoTime) -> (MonoTime, u64) {
        let refresh = nanos_of(self.mode.refresh);
        let since_start = (now + COMMIT_LEAD).delta_nanos(self.start);
        // Strictly after: at the vblank itself it is too late. Before the start there is none.
        let number = if since_start < 0 { 0 } else { since_start / refresh + 1 };
        (self.start.offset_by(number.saturating_mul(refresh)), number.unsigned_abs())
    }
}

impl Buffer {
    fn new(gl: &Rc<Context>, size: Size) -> Result<Self, PresentError> {
        let framebuffer = Framebuffer::new(gl, size).map_err(|it| device("creating a framebuffer", &it))?;
        // A screen shows black before anything was drawn, and never uninitialised memory.
        gl.viewport(Rect::of(size));
        gl.clear_black();
        Ok(Self { framebuffer, drawn: None })
    }
}

fn device(call: &'static str, error: &GlError) -> PresentError {
    PresentError::Device { screen: NAME.into(), call, reason: error.to_string() }
}

fn misuse(call: &'static str, reason: &str) -> PresentError {
    PresentError::Device { screen: NAME.into(), call, reason: reason.into() }
}

impl Presenter for HeadlessPresenter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn mode(&self) -> DisplayMode {
        self.mode
    }

    fn acquire(&mut self, _now: MonoTime) -> Result<Option<RenderTarget>, PresentError> {
        if self.flip != Flip::Idle {
            return Ok(None);
        }
        // From a full turn of the ring ago, so normally long done. Where virtual time outruns the GPU, this is what holds
        // it back: else the driver would pile up frames without bound.
        if let Some(drawn) = self.buffers[self.next].drawn.take()
            && !drawn.is_reached(GPU_PATIENCE).map_err(|it| device("glClientWaitSync", &it))?
        {
            return Err(misuse("waiting for the GPU", "it has not finished a frame for 2 s"));
        }
        self.is_drawing = true;
        Ok(Some(self.target(self.next)))
    }

    fn present(&mut self, now: MonoTime, layer: Layer) -> Result<SubmissionId, PresentError> {
        if self.flip != Flip::Idle {
            return Err(PresentError::Busy);
        }
        let Layer::Composed(target) = layer else {
            return Err(misuse("present", "there are no planes here"));
        };
        let buffer = self.next;
        if !self.is_drawing || self.target(buffer) != target {
            return Err(misuse("present", "the target is not the one that was acquired"));
        }
        // The fence also flushes, when it is first asked; the flush here starts the GPU now.
        self.buffers[buffer].drawn = Some(Fence::new(&self.gl).map_err(|it| device("glFenceSync", &it))?);
        self.gl.flush();
        self.is_drawing = false;
        self.next = (buffer + 1) % BUFFER_COUNT;
        let id = self.next_id;
        self.next_id = SubmissionId(id.0 + 1);
        let (at, sequence) = self.next_vblank(now);
        self.flip = Flip::Pending { id, buffer, at, sequence };
        Ok(id)
    }

    fn poll(&mut self, now: MonoTime) -> Result<Option<PresentEvent>, PresentError> {
        match self.flip {
            Flip::Pending { id, buffer, at, sequence } if now >= at => {
                self.flip = Flip::Idle;
                self.on_screen = Some(buffer);
                Ok(Some(PresentEvent::Presented { id, at, sequence: Some(sequence) }))
            }
            Flip::Pending { .. } | Flip::Idle => Ok(None),
        }
    }

    fn deadline(&self) -> Option<MonoTime> {
        match self.flip {
            Flip::Pending { at, .. } => Some(at),
            Flip::Idle => None,
        }
    }

    fn waitable(&self) -> Waitable<'_> {
        // There is no device: `deadline` says when to ask, and a vblank is the longest it can be.
        Waitable::Every(self.mode.refresh)
    }
    fn set_power(&mut self, _on: bool) -> Result<(), PresentError> {
        // Nobody sees it either way.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::egl;
    use crate::sys::gl::Api;

    /// Vblanks every 10 ms from 1 s on.
    fn screen() -> HeadlessPresenter {
        let gl = Context::new(egl::Context::surfaceless(Api::Gles3).unwrap()).unwrap();
        let start = MonoTime::from_nanos(1_000_000_000);
        HeadlessPresenter::new(gl, Size::new(16, 16), Duration::from_millis(10), start).unwrap()
    }

    #[test]
    fn a_submission_flips_at_the_first_vblank_it_can_meet() {
        let mut screen = screen();
        for (now_us, vblank_us, number) in [
            (990_000, 1_000_000, 0),
            // In time, but for the commit.
            (999_900, 1_010_000, 1),
            (1_010_000, 1_020_000, 2),
            (1_029_799, 1_030_000, 3),
            (1_039_801, 1_050_000, 5),
            // Missed vblanks are counted.
            (2_000_001, 2_010_000, 101),
        ] {
            let (now, at) = (MonoTime::from_nanos(now_us * 1000), MonoTime::from_nanos(vblank_us * 1000));
            let target = screen.acquire(now).unwrap().unwrap();
            let id = screen.present(now, Layer::Composed(target)).unwrap();
            assert_eq!(screen.deadline(), Some(at), "submitted at {now_us} us");
            assert_eq!(screen.acquire(now).unwrap(), None, "nothing to draw into while a flip is pending");
            assert_eq!(screen.poll(at - Duration::from_nanos(1)).unwrap(), None);
            let presented = PresentEvent::Presented { id, at, sequence: Some(number) };
            assert_eq!(screen.poll(at + Duration::from_millis(3)).unwrap(), Some(presented));
            assert_eq!(screen.deadline(), None);
        }
    }

    #[test]
    fn what_was_presented_is_on_screen_after_its_flip() {
        let mut screen = screen();
        let now = screen.start;
        assert_eq!(screen.on_screen(), None);
        let target = screen.acquire(now).unwrap().unwrap();
        let framebuffer = target.framebuffer;
        screen.present(now, Layer::Composed(target)).unwrap();
        assert_eq!(screen.on_screen(), None);
        screen.poll(now + Duration::from_millis(10)).unwrap();
        assert_eq!(screen.on_screen().map(|it| it.framebuffer), Some(framebuffer));
    }
}
