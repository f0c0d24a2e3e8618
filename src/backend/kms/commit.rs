//! What is committed when a picture is shown: one that was drawn, or a frame on planes.
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use drm::control::{AtomicCommitFlags, plane, property};

use crate::backend::kms::device::Device;
use crate::backend::kms::errors;
use crate::backend::kms::planes::{Choice, LATE, PlaneFrame, Ready, Refusal, is_passing, is_refusal};
use crate::backend::kms::presenter::KmsPresenter;
use crate::backend::kms::writeback::Join;
use crate::base::time::MonoTime;
use crate::logic::redraw::{How, NotNow, Submission};
use crate::seam::presenter::{PlanePicture, PresentError, RenderTarget, SubmissionId};
use crate::sys::gl::Fence;
use crate::sys::kms::AtomicRequest;

/// How long a GPU may take for a frame before we call it hung.
const GPU_PATIENCE: Duration = Duration::from_secs(2);

/// What is to be on the screen.
#[derive(Debug, Clone, Copy)]
enum Shot {
    /// What was drawn.
    Drawn {
        /// Its framebuffer.
        framebuffer: u64,
    },
    /// A frame.
    Frame {
        /// How planes show it.
        choice: Choice,
        /// Its framebuffer.
        framebuffer: u64,
        /// The framebuffer of what was drawn to be above it.
        above: Option<u64>,
    },
}

/// A request that is complete.
#[derive(Debug)]
struct Written {
    joined: Join,
    /// Open until the commit.
    _fence: Option<OwnedFd>,
}

impl Shot {
    fn choice(&self) -> Option<Choice> {
        match self {
            Shot::Drawn { .. } => None,
            Shot::Frame { choice, .. } => Some(*choice),
        }
    }
}

impl KmsPresenter {
    /// Shows what was drawn into `target`.
    pub(super) fn present_drawn(&mut self, now: MonoTime, target: &RenderTarget) -> Result<SubmissionId, PresentError> {
        let how = self.redraw.how().map_err(|why| self.refusal(why))?;
        let drawn = self.redraw.drawn().ok_or(NotNow::NothingDrawn).map_err(|why| self.refusal(why))?;
        if drawn.target() != *target {
            return Err(self.misuse());
        }
        let shot = Shot::Drawn { framebuffer: drawn.framebuffer() };
        if how != How::Unseen {
            return self.show(now, how, shot, Submission::Drawn);
        }
        let at = self.next_tick(now);
        self.redraw.submit_unseen(Submission::Drawn, at).map_err(|why| self.refusal(why))
    }

    /// Shows a frame as it is.
    pub(super) fn present_frame(&mut self, now: MonoTime, picture: PlanePicture) -> Result<SubmissionId, PresentError> {
        let how = self.redraw.how().map_err(|why| self.refusal(why))?;
        let PlanePicture { frame, place, above } = picture;
        let has_above = above.is_some();
        let drawn = self.redraw.drawn().filter(|_| has_above);
        if drawn.map(|it| it.target()) != above {
            return Err(self.misuse());
        }
        if how == How::Unseen {
            // Nobody sees it, so nobody is asked.
            let what = Submission::Frame { frame: PlaneFrame::new(None, frame), has_above };
            let at = self.next_tick(now);
            return self.redraw.submit_unseen(what, at).map_err(|why| self.refusal(why));
        }
        let prepared = self.planes.borrow_mut().prepare(&frame, &place, drawn);
        match prepared {
            Ok(Ready { choice, imported, above }) => {
                let shot = Shot::Frame { choice, framebuffer: imported.framebuffer(), above };
                let frame = PlaneFrame::new(Some(imported), frame);
                self.show(now, how, shot, Submission::Frame { frame, has_above })
            }
            // What cannot be had now can be drawn meanwhile.
            Err(Refusal::Never(what) | Refusal::Short(what)) => Err(self.refused(what)),
            Err(Refusal::Late) => Err(self.refused(LATE.to_owned())),
            Err(Refusal::Now(error)) if is_passing(&error) => Err(self.refused(error.to_string())),
            Err(Refusal::Now(error)) => Err(self.failed(now, &error)),
        }
    }

    /// Commits.
    fn show(
        &mut self,
        now: MonoTime,
        how: How,
        shot: Shot,
        what: Submission<PlaneFrame>,
    ) -> Result<SubmissionId, PresentError> {
        let fence = match self.commit(now, how, shot) {
            Ok(fence) => fence,
            Err(error) if shot.choice().is_some() && is_refusal(&error) => {
                if let Some(choice) = shot.choice() {
                    self.planes.borrow_mut().refused(&choice);
                }
                return Err(self.refused(error.to_string()));
            }
            Err(error) => return Err(self.failed(now, &error)),
        };
        self.committed_at = now;
        self.trouble.accepted(how == How::Modeset);
        self.has_shown = true;
        self.planes.borrow_mut().committed(shot.choice());
        let id = self.redraw.submit(what).map_err(|why| self.refusal(why))?;
        if let Some(up) = &mut self.up {
            up.checksums.committed(id);
        }
        if let Some(fence) = &fence
            && let Err(error) = self.device.also_wait_for(fence)
        {
            // Polls for other reasons find it, later.
            log::debug!("{}: waiting for the writeback's fence: {error}", self.name);
        }
        if let (Some(fence), Some(writeback)) = (fence, self.writeback()) {
            writeback.joined(id, fence, now);
        }
        Ok(id)
    }

    /// No plane takes the frame. What was drawn above it is free again; what is on the screen stays.
    fn refused(&mut self, reason: String) -> PresentError {
        self.redraw.refuse();
        PresentError::PlaneRefused { screen: self.name.clone(), reason }
    }

    /// A commit failed. What was drawn for it is free again; what is on the screen stays.
    fn failed(&mut self, now: MonoTime, error: &io::Error) -> PresentError {
        self.redraw.refuse();
        self.device.note(error);
        let error = errors::commit(&self.name, error);
        self.trouble.refused(&self.name, now, &error);
        if matches!(error, PresentError::LostMaster { .. }) {
            self.device.lose_master(now);
            self.redraw.lose();
        }
        error
    }

    /// Commits; with a picture read back where one is wanted, whose fence is the answer.
    fn commit(&mut self, now: MonoTime, how: How, shot: Shot) -> io::Result<Option<OwnedFd>> {
        let written = self.write(now, how, shot, true)?;
        match self.send(how, &written) {
            // Either the picture or its being read back.
            Err(error) if written.joined != Join::No && error.raw_os_error() == Some(libc::EINVAL) => {
                let written = self.write(now, how, shot, false)?;
                let sent = self.send(how, &written)?;
                log::warn!("{}: the hardware does not read pictures back: {error}", self.name);
                if let Some(up) = &mut self.up {
                    up.writeback = None;
                }
                Ok(sent)
            }
            sent => sent,
        }
    }

    fn send(&mut self, how: How, written: &Written) -> io::Result<Option<OwnedFd>> {
        let mut flags = AtomicCommitFlags::NONBLOCK | AtomicCommitFlags::PAGE_FLIP_EVENT;
        if how == How::Modeset || written.joined == Join::NeedsModeset {
            flags |= AtomicCommitFlags::ALLOW_MODESET;
        }
        let sent = self.request.commit(self.device.card(), flags);
        if sent.is_ok()
            && flags.contains(AtomicCommitFlags::ALLOW_MODESET)
            && let Some(up) = &mut self.up
        {
            up.checksums.restart();
        }
        sent
    }

    /// Fills the request.
    fn write(&mut self, now: MonoTime, how: How, shot: Shot, reads_back: bool) -> io::Result<Written> {
        let Some(up) = &mut self.up else { return Err(io::ErrorKind::NotConnected.into()) };
        let is_modeset = how == How::Modeset;
        self.request.clear();
        let drawn_on = match shot {
            Shot::Drawn { framebuffer } => {
                let planes = self.planes.borrow();
                if is_modeset {
                    up.pipe.set_mode(&mut self.request, up.blob.id());
                    up.pipe.clear_others(&self.device, self.slot, [None; 2], &mut self.request)?;
                }
                if is_modeset || planes.is_shown() {
                    planes.hide(&mut self.request);
                    up.pipe.show(&mut self.request, framebuffer, self.mode.size);
                } else {
                    up.pipe.flip(&mut self.request, framebuffer);
                }
                Some(up.pipe.in_fence().map(|it| (up.pipe.plane(), it)))
            }
            Shot::Frame { choice, framebuffer, above } => {
                let mut planes = self.planes.borrow_mut();
                planes.write(&mut self.request, choice, framebuffer, above, is_modeset)?;
                // Nobody draws the frame, so nobody waits for the GPU.
                above.map(|_| planes.above_fence(&choice))
            }
        };
        let _fence = match drawn_on {
            Some(plane) => wait_for_gpu(&self.device, &mut self.request, plane)?,
            None => None,
        };
        let joined = match &mut up.writeback {
            Some(it) if reads_back => it.join(&mut self.request, &self.device, &up.pipe, self.mode.size, now),
            _ => Join::No,
        };
        Ok(Written { joined, _fence })
    }
}

/// Nothing is shown before the GPU has drawn it: the kernel waits where the plane and the driver can do that.
fn wait_for_gpu(
    device: &Device,
    request: &mut AtomicRequest,
    plane: Option<(plane::Handle, property::Handle)>,
) -> io::Result<Option<OwnedFd>> {
    if let Some((plane, property)) = plane
        && let Some(fence) = device.fence()
    {
        request.set(plane, property, u64::from(fence.as_fd().as_raw_fd().unsigned_abs()));
        return Ok(Some(fence));
    }
    // Nobody else waits for the GPU, so we do, before anything can be seen.
    let drawn = Fence::new(device.gl()).map_err(io::Error::other)?;
    match drawn.is_reached(GPU_PATIENCE) {
        Ok(true) => Ok(None),
        Ok(false) => Err(io::Error::new(io::ErrorKind::TimedOut, "the GPU has not finished a frame for 2 s")),
        Err(error) => Err(io::Error::other(error)),
    }
}
