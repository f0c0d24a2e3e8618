//! The screen.
use std::time::Duration;

use crate::base::format::Size;
use crate::base::offer::Severity;
use crate::base::time::MonoTime;
use crate::seam::wait::Waitable;

/// What the screen shows, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisplayMode {
    /// Pixels.
    pub size: Size,
    /// Time from one vblank to the next.
    pub refresh: Duration,
}

/// A back buffer to draw into. Whoever draws must leave every pixel defined.
#[derive(Debug, PartialEq, Eq)]
pub struct RenderTarget {
    /// GL framebuffer name; 0 is a window's own.
    pub framebuffer: u32,
    /// Pixels.
    pub size: Size,
    /// The framebuffer's first row is the screen's top one (offscreen buffers that are scanned out as they lie in
    /// memory); a window's first row is its bottom one.
    pub top_down: bool,
}

/// What to put on the screen.
#[derive(Debug)]
pub enum Layer {
    /// A picture drawn by GL into a target that `acquire` gave.
    Composed(RenderTarget),
}

/// Names one `present`; counts up by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SubmissionId(pub u64);

/// What a user did at a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserInput {
    /// Close, Esc or q.
    Quit,
    /// Space.
    TogglePause,
    /// Right arrow.
    Next,
    /// Left arrow.
    Previous,
    /// f.
    ToggleFullscreen,
}

/// What the screen says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresentEvent {
    /// The submission is on the screen since `at`.
    Presented {
        /// Which.
        id: SubmissionId,
        /// The vblank it became visible at; a window's best guess.
        at: MonoTime,
        /// Vblanks counted by the screen, where it does.
        sequence: Option<u64>,
    },
    /// The screen is another one now; draw everything again.
    ModeChanged(DisplayMode),
    /// Nobody can see anything until a `ModeChanged`.
    Disconnected,
    /// A user did something.
    Input(UserInput),
}

/// What can go wrong with a screen.
#[derive(Debug, thiserror::Error)]
pub enum PresentError {
    /// Every back buffer is on its way; ask again after `waitable`.
    #[error("the screen is busy")]
    Busy,
    /// Somebody else owns the screen.
    #[error("{screen}: somebody else owns it: {reason}")]
    LostMaster {
        /// The screen's name.
        screen: String,
        /// The system's words.
        reason: String,
    },
    /// It is not there, or a call failed.
    #[error("{screen}: {call}: {reason}")]
    Device {
        /// The screen's name.
        screen: String,
        /// The call that failed.
        call: &'static str,
        /// Why.
        reason: String,
    },
}

impl PresentError {
    /// What it asks of the caller.
    pub fn severity(&self) -> Severity {
        match self {
            PresentError::Busy => Severity::Retry,
            PresentError::LostMaster { .. } => Severity::Reconfigure,
            PresentError::Device { .. } => Severity::FallBack,
        }
    }
}

/// One screen. Lives on the present thread with the GL context. Nothing here waits.
pub trait Presenter {
    /// "headless", "window", "kms".
    fn name(&self) -> &'static str;
    /// What it shows now.
    fn mode(&self) -> DisplayMode;
    /// A back buffer to draw into with its context current, or `None` while all are on screen or on their way there.
    fn acquire(&mut self, now: MonoTime) -> Result<Option<RenderTarget>, PresentError>;
    /// Shows the layer at the next vblank that can still be met. One `Presented` follows for each.
    fn present(&mut self, now: MonoTime, layer: Layer) -> Result<SubmissionId, PresentError>;
    /// The next event, or `None`.
    fn poll(&mut self, now: MonoTime) -> Result<Option<PresentEvent>, PresentError>;
    /// When `poll` will have news by itself, where the screen knows (a synthetic vblank).
    fn deadline(&self) -> Option<MonoTime>;
    /// What fires when `poll` has news.
    fn waitable(&self) -> Waitable<'_>;
    /// Full screen or not; screens that are always full do nothing.
    fn set_fullscreen(&mut self, _on: bool) {}
}
