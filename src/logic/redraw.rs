//! The redraw loop of one output: who may draw into which buffer, and what the display controller reads.
//!
//! ```text
//!               connect                submit               flipped              submit
//!   NoDisplay ----------> Dark ---------------> Flipping ------------> Showing ---------+
//!       ^                  ^ ^                     ^                      |             |
//!       |                  | |                     +----------------------|-------------+
//!       | disconnect       | | regain                                     |
//!       | (from each but   | +-------- Lost <------- lose ----------------+
//!       |  Flipping)       |                                              |
//!       |                  | switch_on                                    | switch_off
//!       |                  +---------- SwitchedOff <----------------------+
//!       |                                 |   ^
//!       |                   submit_unseen v   | tick
//!       +-------------------------------- Unseen
//! ```
//!
//! Buffers are tokens that move: whatever the hardware may read is owned by the state that waits for it to stop reading,
//! and the state is the only way to get at it. Frames that the hardware reads as they are go the same way, and are let go
//! of when they are read no more. Nothing here commits anything; the caller does, and says how it went.
use crate::base::time::MonoTime;
use crate::seam::presenter::SubmissionId;

/// What the display controller reads.
#[derive(Debug, PartialEq, Eq)]
pub enum Picture<B, F> {
    /// A buffer that was drawn into.
    Drawn(B),
    /// A frame that nobody draws.
    Frame {
        /// The frame.
        frame: F,
        /// What was drawn to be above it.
        above: Option<B>,
    },
}

impl<B, F> Picture<B, F> {
    /// It is read no more: the frame is let go of, the buffer is left.
    fn into_buffer(self) -> Option<B> {
        match self {
            Picture::Drawn(buffer) => Some(buffer),
            Picture::Frame { above, .. } => above,
        }
    }
}

/// What is submitted.
#[derive(Debug)]
pub enum Submission<F> {
    /// What was drawn.
    Drawn,
    /// A frame.
    Frame {
        /// The frame.
        frame: F,
        /// What was drawn is above it. Else that stays as it is.
        has_above: bool,
    },
}

/// What the display controller does.
#[derive(Debug)]
pub enum Scanout<B, F> {
    /// There is no display; nothing is read.
    NoDisplay,
    /// There is a display and nothing of ours is on its way to it. What is submitted next sets the mode. An older picture
    /// of ours may still be on it, from before the mode changed.
    Dark {
        /// That picture.
        leaving: Option<Picture<B, F>>,
    },
    /// It repeats this picture until another is submitted.
    Showing {
        /// The picture.
        picture: Picture<B, F>,
    },
    /// A commit was accepted. At a vblank to come `coming` replaces `leaving`; until then both may be read.
    Flipping {
        /// The submission's name.
        id: SubmissionId,
        /// What comes.
        coming: Picture<B, F>,
        /// What goes.
        leaving: Option<Picture<B, F>>,
    },
    /// Somebody else is DRM master. Our picture may still be there.
    Lost {
        /// That picture.
        leaving: Option<Picture<B, F>>,
    },
    /// Switched off by us; nothing is read, and nothing is committed.
    SwitchedOff,
    /// Switched off, and a submission counts as shown at a vblank that would have been.
    Unseen {
        /// The submission's name.
        id: SubmissionId,
        /// Its picture, which nobody sees.
        picture: Picture<B, F>,
        /// When it counts as shown.
        at: MonoTime,
    },
}

/// A state's name, for logs and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// [`Scanout::NoDisplay`].
    NoDisplay,
    /// [`Scanout::Dark`].
    Dark,
    /// [`Scanout::Showing`] with nothing being drawn.
    Idle,
    /// [`Scanout::Showing`], the next picture being drawn.
    Drawing,
    /// [`Scanout::Flipping`].
    WaitingForFlip,
    /// [`Scanout::Lost`].
    Lost,
    /// [`Scanout::SwitchedOff`] or [`Scanout::Unseen`].
    SwitchedOff,
}

/// What must be done to show something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Set the mode.
    Modeset,
    /// Replace the picture.
    Flip,
    /// Nothing: the display is off.
    Unseen,
}

/// Why there is nothing to draw into, or to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    /// A flip is pending, or every buffer is in use.
    Busy,
    /// There is no display.
    NoDisplay,
    /// Somebody else is DRM master.
    Lost,
    /// Nothing was drawn.
    NothingDrawn,
}

/// One output's buffers and what becomes of them.
#[derive(Debug)]
pub struct Redraw<B, F> {
    scanout: Scanout<B, F>,
    drawing: Option<B>,
    free: Vec<B>,
    /// A picture of an older mode that is still on the screen. Not to be drawn into again; dropped when it is read no more.
    retiring: Option<Picture<B, F>>,
    next_id: SubmissionId,
}

impl<B, F> Default for Redraw<B, F> {
    fn default() -> Self {
        Self { scanout: Scanout::NoDisplay, drawing: None, free: Vec::new(), retiring: None, next_id: SubmissionId(0) }
    }
}

impl<B, F> Redraw<B, F> {
    /// What the display controller does.
    pub fn scanout(&self) -> &Scanout<B, F> {
        &self.scanout
    }

    /// The state's name.
    pub fn phase(&self) -> Phase {
        match &self.scanout {
            Scanout::NoDisplay => Phase::NoDisplay,
            Scanout::Dark { .. } => Phase::Dark,
            Scanout::Showing { .. } if self.drawing.is_some() => Phase::Drawing,
            Scanout::Showing { .. } => Phase::Idle,
            Scanout::Flipping { .. } => Phase::WaitingForFlip,
            Scanout::Lost { .. } => Phase::Lost,
            Scanout::SwitchedOff | Scanout::Unseen { .. } => Phase::SwitchedOff,
        }
    }

    /// A flip is pending: the output may not be reconfigured until [`Redraw::flipped`].
    pub fn is_flipping(&self) -> bool {
        matches!(self.scanout, Scanout::Flipping { .. })
    }

    /// A display is there, or another mode is wanted on it: these buffers are drawn into from now on, and the next
    /// submission sets the mode. Gives back what is no longer needed; a picture that is still on the screen stays until
    /// that. Does nothing but give the buffers back while a flip is pending.
    pub fn connect(&mut self, buffers: Vec<B>) -> Vec<B> {
        if self.is_flipping() {
            return buffers;
        }
        let mut old = std::mem::replace(&mut self.free, buffers);
        old.extend(self.drawing.take());
        match std::mem::replace(&mut self.scanout, Scanout::Dark { leaving: None }) {
            Scanout::Showing { picture }
            | Scanout::Dark { leaving: Some(picture) }
            | Scanout::Lost { leaving: Some(picture) } => {
                old.extend(self.retiring.replace(picture).and_then(Picture::into_buffer));
            }
            Scanout::Unseen { picture, .. } => old.extend(picture.into_buffer()),
            _ => {}
        }
        old
    }

    /// A display is there again, for which the buffers we have will do. The next submission sets the mode.
    pub fn reconnect(&mut self) {
        match self.scanout {
            Scanout::NoDisplay => self.scanout = Scanout::Dark { leaving: None },
            _ => self.need_modeset(),
        }
    }

    /// The display is gone, and the output was switched off. `false`, and nothing done, while a flip is pending.
    pub fn disconnect(&mut self) -> bool {
        self.settle(Scanout::NoDisplay)
    }

    /// The output was switched off. `false`, and nothing done, while a flip is pending or there is no display.
    pub fn switch_off(&mut self) -> bool {
        !matches!(self.scanout, Scanout::NoDisplay) && self.settle(Scanout::SwitchedOff)
    }

    /// The display is wanted again: the next submission sets its mode. A submission nobody saw is taken back and never
    /// reported.
    pub fn switch_on(&mut self) {
        if self.phase() == Phase::SwitchedOff {
            self.settle(Scanout::Dark { leaving: None });
        }
    }

    /// Everything that was read is free again.
    fn settle(&mut self, next: Scanout<B, F>) -> bool {
        if self.is_flipping() {
            return false;
        }
        match std::mem::replace(&mut self.scanout, next) {
            Scanout::Showing { picture } | Scanout::Unseen { picture, .. } => self.free.extend(picture.into_buffer()),
            Scanout::Dark { leaving } | Scanout::Lost { leaving } => {
                self.free.extend(leaving.and_then(Picture::into_buffer));
            }
            Scanout::NoDisplay | Scanout::SwitchedOff | Scanout::Flipping { .. } => {}
        }
        self.retiring = None;
        true
    }

    /// Somebody else is DRM master now.
    pub fn lose(&mut self) {
        self.scanout = match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Showing { picture } => Scanout::Lost { leaving: Some(picture) },
            Scanout::Dark { leaving } => Scanout::Lost { leaving },
            // A flip that is pending still ends; then the next commit says so again.
            other => other,
        };
    }

    /// We are DRM master again: the next submission sets the mode.
    pub fn regain(&mut self) {
        self.scanout = match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Lost { leaving } => Scanout::Dark { leaving },
            other => other,
        };
    }

    /// The picture on the screen stays, and the next submission sets the mode again.
    pub fn need_modeset(&mut self) {
        self.scanout = match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Showing { picture } => Scanout::Dark { leaving: Some(picture) },
            other => other,
        };
    }

    /// A buffer to draw into; the same one until it is submitted.
    pub fn acquire(&mut self) -> Result<&B, NotNow> {
        match self.scanout {
            Scanout::NoDisplay => return Err(NotNow::NoDisplay),
            Scanout::Lost { .. } => return Err(NotNow::Lost),
            Scanout::Flipping { .. } | Scanout::Unseen { .. } => return Err(NotNow::Busy),
            Scanout::Dark { .. } | Scanout::Showing { .. } | Scanout::SwitchedOff => {}
        }
        if self.drawing.is_none() {
            // The one that was freed first: the GPU is surely done with it.
            self.drawing = (!self.free.is_empty()).then(|| self.free.remove(0));
        }
        self.drawing.as_ref().ok_or(NotNow::Busy)
    }

    /// How something gets onto the screen now.
    pub fn how(&self) -> Result<How, NotNow> {
        match self.scanout {
            Scanout::NoDisplay => Err(NotNow::NoDisplay),
            Scanout::Lost { .. } => Err(NotNow::Lost),
            Scanout::Flipping { .. } | Scanout::Unseen { .. } => Err(NotNow::Busy),
            Scanout::Dark { .. } => Ok(How::Modeset),
            Scanout::Showing { .. } => Ok(How::Flip),
            Scanout::SwitchedOff => Ok(How::Unseen),
        }
    }

    /// What was drawn, or is being.
    pub fn drawn(&self) -> Option<&B> {
        self.drawing.as_ref()
    }

    /// The commit was accepted; its flip is pending.
    pub fn submit(&mut self, what: Submission<F>) -> Result<SubmissionId, NotNow> {
        if self.how()? == How::Unseen {
            return Err(NotNow::Busy);
        }
        let (id, coming) = self.take(what)?;
        let leaving = match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Showing { picture } => Some(picture),
            Scanout::Dark { leaving } => leaving,
            _ => None,
        };
        self.scanout = Scanout::Flipping { id, coming, leaving };
        Ok(id)
    }

    /// The display is off: what is submitted counts as shown `at` then.
    pub fn submit_unseen(&mut self, what: Submission<F>, at: MonoTime) -> Result<SubmissionId, NotNow> {
        if self.how()? != How::Unseen {
            return Err(NotNow::Busy);
        }
        let (id, picture) = self.take(what)?;
        self.scanout = Scanout::Unseen { id, picture, at };
        Ok(id)
    }

    /// What is submitted, with its name.
    fn take(&mut self, what: Submission<F>) -> Result<(SubmissionId, Picture<B, F>), NotNow> {
        let picture = match what {
            Submission::Drawn => Picture::Drawn(self.drawing.take().ok_or(NotNow::NothingDrawn)?),
            Submission::Frame { frame, has_above: false } => Picture::Frame { frame, above: None },
            Submission::Frame { frame, has_above: true } => {
                let above = Some(self.drawing.take().ok_or(NotNow::NothingDrawn)?);
                Picture::Frame { frame, above }
            }
        };
        let id = self.next_id;
        self.next_id = SubmissionId(id.0 + 1);
        Ok((id, picture))
    }

    /// The commit was refused: what was drawn is free again.
    pub fn refuse(&mut self) {
        self.free.extend(self.drawing.take());
    }

    /// The kernel says that a flip is done. `None` where none was pending.
    pub fn flipped(&mut self) -> Option<SubmissionId> {
        match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Flipping { id, coming, leaving } => {
                self.free.extend(leaving.and_then(Picture::into_buffer));
                self.retiring = None;
                self.scanout = Scanout::Showing { picture: coming };
                Some(id)
            }
            other => {
                self.scanout = other;
                None
            }
        }
    }

    /// Time goes on: what counts as shown by `now`, and since when.
    pub fn tick(&mut self, now: MonoTime) -> Option<(SubmissionId, MonoTime)> {
        let Scanout::Unseen { id, at, .. } = self.scanout else { return None };
        if now < at {
            return None;
        }
        self.settle(Scanout::SwitchedOff);
        Some((id, at))
    }

    /// When `tick` has something to say.
    pub fn tick_at(&self) -> Option<MonoTime> {
        match self.scanout {
            Scanout::Unseen { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Gives up everything, to be dropped.
    pub fn take_all(&mut self) -> Self {
        let next_id = self.next_id;
        std::mem::replace(self, Self { next_id, ..Self::default() })
    }
}

#[cfg(test)]
mod tests;
