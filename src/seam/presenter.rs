//! The screen.
use std::time::Duration;

use crate::base::capability::Capability;
use crate::base::format::Size;
use crate::base::frame::VideoFrame;
use crate::base::offer::Severity;
use crate::base::time::MonoTime;
use crate::seam::interop::Place;
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
    /// A frame that the display controller reads itself (`Sampling::Scanout`), and keeps until another is shown. Only
    /// screens that gave an interop for it take one.
    Plane(PlanePicture),
}

/// A frame on a plane of its own, black around it.
#[derive(Debug)]
pub struct PlanePicture {
    /// The frame. Its memory stays leased while it is read.
    pub frame: VideoFrame,
    /// Where it goes.
    pub place: Place,
    /// A picture above it, drawn by GL with its transparency: a target that `acquire` gave.
    pub above: Option<RenderTarget>,
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
    /// Nobody can see anything until a `ModeChanged`. A screen that has no display from the start says so first of all;
    /// its `mode` is then a guess. Submissions on their way are never reported.
    Disconnected,
    /// The picture that `capture_next` asked for can be taken.
    Captured {
        /// The submission it shows.
        id: SubmissionId,
    },
    /// The checksum that `check_next` asked for.
    Checked {
        /// The submission it is of.
        id: SubmissionId,
        /// As the display controller computes it: only equal pictures in the same mode can be told by it.
        checksum: u32,
    },
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
    /// It cannot be had here.
    #[error("{what}")]
    Unavailable {
        /// What is missing, on what, and why.
        what: String,
        /// What to do about it.
        advice: String,
    },
    /// The display controller does not take this frame on a plane, though it took others like it: draw it.
    #[error("{screen}: no plane takes it: {reason}")]
    PlaneRefused {
        /// The screen's name.
        screen: String,
        /// The system's words.
        reason: String,
    },
    /// No display is connected; the screen says `ModeChanged` when one is.
    #[error("{screen}: no display is connected")]
    NoDisplay {
        /// The screen's name.
        screen: String,
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
            PresentError::Busy | PresentError::NoDisplay { .. } | PresentError::PlaneRefused { .. } => Severity::Retry,
            PresentError::LostMaster { .. } => Severity::Reconfigure,
            PresentError::Unavailable { .. } | PresentError::Device { .. } => Severity::FallBack,
        }
    }

    /// What a user can do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        match self {
            PresentError::Unavailable { advice, .. } => Some(advice),
            PresentError::LostMaster { .. } => {
                Some("stop the other program (a desktop, a login screen, plymouth, a second player)")
            }
            PresentError::Busy
            | PresentError::NoDisplay { .. }
            | PresentError::PlaneRefused { .. }
            | PresentError::Device { .. } => None,
        }
    }
}

/// One screen. Lives on the present thread with the GL context. Nothing here waits.
pub trait Presenter {
    /// "headless", "window", "kms".
    fn name(&self) -> &'static str;
    /// The output it is: "HDMI-A-1", or the kind's name where there is only one.
    fn output(&self) -> &str {
        self.name()
    }
    /// What it shows now; a guess while no display is connected.
    fn mode(&self) -> DisplayMode;
    /// What it can do, for `probe`: each plane with its formats, scaling and turns.
    fn describe(&self) -> Vec<Capability> {
        Vec::new()
    }
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
    /// The device behind it is gone for good: a graphics card that was unplugged, or whose driver was unbound. Another
    /// screen is to be opened, when this one and all that shares its GL context are dropped.
    fn is_gone(&self) -> bool {
        false
    }
    /// Full screen or not; screens that are always full do nothing.
    fn set_fullscreen(&mut self, _on: bool) {}
    /// What is about to be played has this many frames a second. A screen that is free to choose its mode takes the
    /// refresh that suits it, if it has shown nothing since it was connected; `ModeChanged` follows where it does.
    fn prefer_rate(&mut self, _frames_per_second: f64) {}
    /// Asks that the next submission is also read back from the wire, as the display controller composed it. `false`
    /// where it cannot be; else `Captured` follows its `Presented`.
    fn capture_next(&mut self) -> bool {
        false
    }
    /// The captured picture: RGBA, 8 bits each, top row first, without padding. `into` is resized to fit and so keeps
    /// its memory from one to the next. `None` where there is none.
    fn take_capture(&mut self, _into: &mut Vec<u8>) -> Option<Size> {
        None
    }
    /// Asks that the next submission's checksum is told, as the display controller computes it of what it sends. `false`
    /// where it does not; else `Checked` follows its `Presented`, unless the picture did not stay for a whole refresh.
    fn check_next(&mut self) -> bool {
        false
    }
    /// Switches the display on or off. Off, pictures are taken and timed as before, and nobody sees them. Fails where
    /// the display cannot be switched.
    fn set_power(&mut self, _on: bool) -> Result<(), PresentError> {
        Err(PresentError::Unavailable {
            what: format!("{}: its power is not ours to switch", self.output()),
            advice: "use --display kms".to_owned(),
        })
    }
}
