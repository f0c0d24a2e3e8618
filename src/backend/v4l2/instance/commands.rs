//! The machine's commands, carried out.
use std::sync::Arc;

use nix::errno::Errno;

use super::{Instance, Made, Said};
use crate::backend::v4l2::pool::Picture;
use crate::base::dmabuf::Lease;
use crate::base::time::MonoTime;
use crate::logic::m2m_decoder::{Command, Failure};
use crate::seam::decoder::DecodeError;
use crate::sys::v4l2::{Queue, V4l2Error};

impl Instance {
    /// Carries commands out up to the one that has something to say; whether there were any.
    pub(super) fn obey(&mut self, now: MonoTime) -> Result<(bool, Option<Said>), DecodeError> {
        let mut has_moved = false;
        while let Some(command) = self.machine.command() {
            has_moved = true;
            if let Some(said) = self.carry_out(command, now)? {
                return Ok((true, Some(said)));
            }
        }
        Ok((has_moved, None))
    }

    fn carry_out(&mut self, command: Command, now: MonoTime) -> Result<Option<Said>, DecodeError> {
        if !matches!(command, Command::Queue(_) | Command::Emit(_)) {
            log::debug!("{}: {command:?}", self.node.card());
        }
        match command {
            Command::SetUpCapture => self.set_up(now)?,
            Command::Queue(index) => self.queue_capture(index, now)?,
            Command::StartCapture => {
                self.node.stream_on(Queue::Capture).map_err(|it| self.failed(it))?;
                self.machine.capture_started(now);
            }
            Command::Emit(index) => return Ok(self.emit(index)),
            Command::Retire => {
                let Some(pool) = &self.pool else { return Ok(None) };
                pool.state.retire();
                // Nobody who has nothing needs to know.
                return Ok(if pool.is_home() { None } else { Some(Said::Retiring) });
            }
            Command::TakeDownCapture => self.take_down()?,
            Command::RestartOutput => {
                self.node.stream_off(Queue::Output).map_err(|it| self.failed(it))?;
                self.node.stream_on(Queue::Output).map_err(|it| self.failed(it))?;
            }
            Command::Stop => match self.node.stop_decoder() {
                // It is stopping already.
                Ok(()) | Err(V4l2Error { errno: Errno::EBUSY, .. }) => {}
                Err(error) => return Err(self.failed(error)),
            },
            Command::Start => match self.node.start_decoder() {
                Ok(()) => {}
                Err(error) if error.is_gone() => return Err(self.failed(error)),
                Err(error) => {
                    log::debug!("{}: {error}", self.node.card());
                    self.machine.start_refused(now);
                }
            },
            Command::Drained => return Ok(Some(Said::Drained)),
            Command::Fail(Failure::Stalled { after, packets }) => {
                let decoder = self.node.card().to_owned();
                return Err(DecodeError::Stalled { decoder, after, packets });
            }
            Command::Fail(Failure::Kept { after }) => {
                let held = self.pool.as_ref().map_or((0, 0), |it| (it.state.leases(), it.state.imports()));
                let (leases, imports) = held;
                log::warn!("{}: {leases} leases and {imports} imports were kept for {after:?}", self.node.card());
                let reason = format!("{}: pictures of before a change of size are still held", self.node.card());
                return Err(DecodeError::Device { call: "take its memory back", reason });
            }
        }
        Ok(None)
    }

    fn emit(&mut self, index: u32) -> Option<Said> {
        let (filled, facts) = self.made.take()?;
        let picture: &Arc<Picture> = self.pool.as_ref()?.pictures.get(index as usize)?;
        // The slot's own `Arc` is shared: nothing is allocated.
        let lease = Lease::new(Arc::<Picture>::clone(picture));
        Some(Said::Picture(Made { lease, facts, is_corrupt: filled.is_corrupt, is_interlaced: filled.is_interlaced }))
    }

    fn queue_capture(&mut self, index: u32, now: MonoTime) -> Result<(), DecodeError> {
        let Some(pool) = &self.pool else { return Ok(()) };
        let memory = pool.pictures.get(index as usize).filter(|_| pool.is_imported).map(|it| it.memory());
        match self.node.queue(Queue::Capture, index, memory, 0, 0) {
            Ok(()) => Ok(()),
            // Too small for what comes.
            Err(V4l2Error { errno: Errno::EINVAL, .. }) if self.captured != self.answer().ok() => {
                self.machine.queue_refused(index, now).map_err(|it| self.impossible(it))
            }
            Err(error) => Err(self.failed(error)),
        }
    }
}
