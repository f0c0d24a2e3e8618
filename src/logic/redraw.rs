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
//! and the state is the only way to get at it. Nothing here commits anything; the caller does, and says how it went.
use crate::base::time::MonoTime;
use crate::seam::presenter::SubmissionId;

/// What the display controller does.
#[derive(Debug)]
pub enum Scanout<B> {
    /// There is no display; nothing is read.
    NoDisplay,
    /// There is a display and nothing of ours is on its way to it. What is submitted next sets the mode. An older picture
    /// of ours may still be on it, from before the mode changed.
    Dark {
        /// That picture.
        leaving: Option<B>,
    },
    /// It repeats this picture until another is submitted.
    Showing {
        /// The picture.
        buffer: B,
    },
    /// A commit was accepted. At a vblank to come `coming` replaces `leaving`; until then both may be read.
    Flipping {
        /// The submission's name.
        id: SubmissionId,
        /// What comes.
        coming: B,
        /// What goes.
        leaving: Option<B>,
    },
    /// Somebody else is DRM master. Our picture may still be there.
    Lost {
        /// That picture.
        leaving: Option<B>,
    },
    /// Switched off by us; nothing is read, and nothing is committed.
    SwitchedOff,
    /// Switched off, and a submission counts as shown at a vblank that would have been.
    Unseen {
        /// The submission's name.
        id: SubmissionId,
        /// Its picture, which nobody sees.
        buffer: B,
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

/// What must be done to show what was drawn.
#[derive(Debug, PartialEq, Eq)]
pub enum ToCommit<'a, B> {
    /// Set the mode, with this picture.
    Modeset(&'a B),
    /// Replace the picture.
    Flip(&'a B),
    /// Nothing: the display is off. Call [`Redraw::submit_unseen`].
    Nothing,
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
pub struct Redraw<B> {
    scanout: Scanout<B>,
    drawing: Option<B>,
    free: Vec<B>,
    /// A picture of an older mode that is still on the screen. Not to be drawn into again; dropped when it is read no more.
    retiring: Option<B>,
    next_id: SubmissionId,
}

impl<B> Default for Redraw<B> {
    fn default() -> Self {
        Self { scanout: Scanout::NoDisplay, drawing: None, free: Vec::new(), retiring: None, next_id: SubmissionId(0) }
    }
}

impl<B> Redraw<B> {
    /// What the display controller does.
    pub fn scanout(&self) -> &Scanout<B> {
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
            Scanout::Showing { buffer } => old.extend(self.retiring.replace(buffer)),
            Scanout::Dark { leaving: Some(buffer) } | Scanout::Lost { leaving: Some(buffer) } => {
                old.extend(self.retiring.replace(buffer));
            }
            Scanout::Unseen { buffer, .. } => old.push(buffer),
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
    fn settle(&mut self, next: Scanout<B>) -> bool {
        if self.is_flipping() {
            return false;
        }
        match std::mem::replace(&mut self.scanout, next) {
            Scanout::Showing { buffer } | Scanout::Unseen { buffer, .. } => self.free.push(buffer),
            Scanout::Dark { leaving } | Scanout::Lost { leaving } => self.free.extend(leaving),
            Scanout::NoDisplay | Scanout::SwitchedOff | Scanout::Flipping { .. } => {}
        }
        self.retiring = None;
        true
    }

    /// Somebody else is DRM master now.
    pub fn lose(&mut self) {
        self.scanout = match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Showing { buffer } => Scanout::Lost { leaving: Some(buffer) },
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
            Scanout::Showing { buffer } => Scanout::Dark { leaving: Some(buffer) },
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

    /// What was drawn, and how it gets onto the screen.
    pub fn to_commit(&self) -> Result<ToCommit<'_, B>, NotNow> {
        let drawn = self.drawing.as_ref();
        match self.scanout {
            Scanout::NoDisplay => Err(NotNow::NoDisplay),
            Scanout::Lost { .. } => Err(NotNow::Lost),
            Scanout::Flipping { .. } | Scanout::Unseen { .. } => Err(NotNow::Busy),
            Scanout::Dark { .. } => drawn.map(ToCommit::Modeset).ok_or(NotNow::NothingDrawn),
            Scanout::Showing { .. } => drawn.map(ToCommit::Flip).ok_or(NotNow::NothingDrawn),
            Scanout::SwitchedOff => drawn.map(|_| ToCommit::Nothing).ok_or(NotNow::NothingDrawn),
        }
    }

    /// The commit was accepted; its flip is pending.
    pub fn submit(&mut self) -> Result<SubmissionId, NotNow> {
        if matches!(self.to_commit()?, ToCommit::Nothing) {
            return Err(NotNow::Busy);
        }
        let coming = self.drawing.take().ok_or(NotNow::NothingDrawn)?;
        let id = self.take_id();
        let leaving = match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Showing { buffer } => Some(buffer),
            Scanout::Dark { leaving } => leaving,
            _ => None,
        };
        self.scanout = Scanout::Flipping { id, coming, leaving };
        Ok(id)
    }

    /// The display is off: what was drawn counts as shown `at` then.
    pub fn submit_unseen(&mut self, at: MonoTime) -> Result<SubmissionId, NotNow> {
        if !matches!(self.to_commit()?, ToCommit::Nothing) {
            return Err(NotNow::Busy);
        }
        let buffer = self.drawing.take().ok_or(NotNow::NothingDrawn)?;
        let id = self.take_id();
        self.scanout = Scanout::Unseen { id, buffer, at };
        Ok(id)
    }

    /// The commit was refused: what was drawn is free again.
    pub fn refuse(&mut self) {
        self.free.extend(self.drawing.take());
    }

    /// The kernel says that a flip is done. `None` where none was pending.
    pub fn flipped(&mut self) -> Option<SubmissionId> {
        match std::mem::replace(&mut self.scanout, Scanout::NoDisplay) {
            Scanout::Flipping { id, coming, leaving } => {
                self.free.extend(leaving);
                self.retiring = None;
                self.scanout = Scanout::Showing { buffer: coming };
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

    fn take_id(&mut self) -> SubmissionId {
        let id = self.next_id;
        self.next_id = SubmissionId(id.0 + 1);
        id
    }
}

#[cfg(test)]
mod tests;
