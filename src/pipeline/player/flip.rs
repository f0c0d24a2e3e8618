//! A picture on its way to the screen.
use std::time::Duration;

use crate::base::format::Size;
use crate::base::time::{MediaTime, MonoTime};
use crate::pipeline::player::interop::Way;
use crate::pipeline::player::picture::Picture;
use crate::seam::presenter::{Layer, SubmissionId};

/// What was committed, until the screen says it is visible.
#[derive(Debug)]
pub struct Flip {
    /// Its name.
    pub id: SubmissionId,
    /// The vblank it was made for.
    pub wanted: MonoTime,
    /// The frame it shows for the first time; `None` when an old picture was drawn again.
    pub frame: Option<FlipFrame>,
}

/// A picture that is drawn and not yet committed.
#[derive(Debug)]
pub struct Drawn {
    /// What goes to the screen.
    pub layer: Layer,
    /// The way it took there, where it is a frame.
    pub way: Option<Way>,
    /// The vblank it was made for.
    pub vblank: MonoTime,
    /// What it shows for the first time.
    pub frame: Option<FlipFrame>,
    /// The picture, to be drawn again when the screen changes.
    pub picture: Picture,
    /// How long drawing it took.
    pub cost: Duration,
}

/// A frame being shown for the first time.
#[derive(Debug, Clone, Copy)]
pub struct FlipFrame {
    /// Its deck.
    pub deck: u64,
    /// Its lap on that deck.
    pub lap: u32,
    /// When it is due, on the programme's timeline.
    pub pts: MediaTime,
    /// When it should have been visible; `None` before the clock runs.
    pub due: Option<MonoTime>,
    /// The interop it went through.
    pub backend: &'static str,
    /// Its bytes were not touched by the CPU.
    pub zero_copy: bool,
    /// It was read back, with this size.
    pub pixels: Option<Size>,
    /// The screen was asked to take its picture from the wire.
    pub captured: bool,
    /// The screen was asked to tell its checksum.
    pub checked: bool,
}
