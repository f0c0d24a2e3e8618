//! Reading a picture back from the wire: the display controller writes what it composed into memory (writeback connectors,
//! `Documentation/gpu/drm-kms.rst`).
//!
//! ```text
//!   Ready --commit--> OnItsWay --fence signalled, flip reported--> Resting --a vblank later--> Ready
//! ```
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use drm::control::{Device as _, connector, property};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::backend::kms::device::Device;
use crate::backend::kms::pipe::Pipe;
use crate::backend::kms::properties::Properties;
use crate::base::format::Size;
use crate::base::time::MonoTime;
use crate::seam::presenter::SubmissionId;
use crate::sys::kms::{AtomicRequest, DumbPicture};

/// XR24: the one format all of them write.
const XRGB8888: u32 = u32::from_le_bytes(*b"XR24");

/// A picture is written within a few refreshes. One that takes this long is given up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the writing stands.
#[derive(Debug)]
enum State {
    /// The next commit may ask for a picture.
    Ready,
    /// A commit asked for one; the fence is signalled when it is written.
    OnItsWay { id: SubmissionId, fence: OwnedFd, since: MonoTime },
    /// One was written, and the driver is tidying up. vkms switches its composer off when it has tidied up, so that a
    /// picture asked for before that would never be written; one vblank is enough.
    Resting { until: MonoTime },
}

/// One CRTC's writeback connector.
#[derive(Debug)]
pub struct Writeback {
    connector: connector::Handle,
    crtc_id: property::Handle,
    framebuffer_id: property::Handle,
    out_fence: property::Handle,
    state: State,
    is_wanted: bool,
    is_attached: bool,
    /// Made when first asked for.
    picture: Option<DumbPicture>,
    /// The picture is whole, and nobody has taken it.
    is_written: bool,
}

impl Writeback {
    /// The one that can read what this pipe's CRTC composes; `None` where there is none.
    pub fn of(device: &Device, pipe: &Pipe) -> Option<Self> {
        let topology = device.topology();
        let bit = topology.crtc_bit(pipe.crtc());
        let mut fitting = topology.connectors.iter().filter(|it| it.is_writeback && it.wish.possible & bit != 0);
        fitting
            .find_map(|it| Self::new(device, it.handle).inspect_err(|error| log::debug!("{}: {error}", it.name)).ok())
    }

    fn new(device: &Device, connector: connector::Handle) -> io::Result<Self> {
        let all = Properties::of(device.card(), connector)?;
        let formats = all.value("WRITEBACK_PIXEL_FORMATS").unwrap_or(0);
        let formats = device.card().get_property_blob(formats)?;
        if !formats.chunks_exact(4).any(|it| it == XRGB8888.to_ne_bytes()) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it does not write XRGB8888"));
        }
        Ok(Self {
            connector,
            crtc_id: all.required("CRTC_ID")?,
            framebuffer_id: all.required("WRITEBACK_FB_ID")?,
            out_fence: all.required("WRITEBACK_OUT_FENCE_PTR")?,
            state: State::Ready,
            is_wanted: false,
            is_attached: false,
            picture: None,
            is_written: false,
        })
    }

    /// The next submission is wanted.
    pub fn want(&mut self) {
        self.is_wanted = true;
    }

    /// Adds to a commit of the pipe that a picture of `size` is wanted, if one is and it can be had now. The answer says
    /// whether it was added, and whether the commit must be allowed to set modes because of it.
    pub fn join(
        &mut self,
        request: &mut AtomicRequest,
        device: &Device,
        pipe: &Pipe,
        size: Size,
        now: MonoTime,
    ) -> Join {
        if let State::Resting { until } = self.state
            && now >= until
        {
            self.state = State::Ready;
        }
        if !self.is_wanted || !matches!(self.state, State::Ready) {
            return Join::No;
        }
        if self.picture.as_ref().is_none_or(|it| it.size() != size) {
            match DumbPicture::new(device.card(), size) {
                Ok(it) => self.picture = Some(it),
                Err(error) => {
                    log::warn!("no memory to read the picture back into: {error}");
                    self.is_wanted = false;
                    return Join::No;
                }
            }
        }
        let Some(picture) = &self.picture else { return Join::No };
        self.is_written = false;
        request.set(self.connector, self.crtc_id, u64::from(u32::from(pipe.crtc())));
        request.set(self.connector, self.framebuffer_id, picture.framebuffer().id());
        request.set_out_fence(self.connector, self.out_fence);
        if self.is_attached { Join::Yes } else { Join::NeedsModeset }
    }

    /// The commit that was joined was accepted.
    pub fn joined(&mut self, id: SubmissionId, fence: OwnedFd, now: MonoTime) {
        self.is_wanted = false;
        self.is_attached = true;
        self.state = State::OnItsWay { id, fence, since: now };
    }

    /// The submission whose picture has become whole, once, and not before its flip was reported.
    pub fn poll(&mut self, now: MonoTime, refresh: Duration, is_flipping: bool) -> Option<SubmissionId> {
        let State::OnItsWay { id, fence, since } = &self.state else { return None };
        let id = *id;
        if !is_signalled(fence) {
            if now.saturating_since(*since) > PATIENCE {
                log::warn!("the display controller has not written a picture for 1 s; given up");
                self.state = State::Resting { until: now + refresh };
            }
            return None;
        }
        if is_flipping {
            return None;
        }
        self.state = State::Resting { until: now + refresh };
        self.is_written = true;
        Some(id)
    }

    /// When `poll` should be called though nothing fires: to give up.
    pub fn deadline(&self) -> Option<MonoTime> {
        match &self.state {
            State::OnItsWay { since, .. } => Some(*since + PATIENCE),
            State::Ready | State::Resting { .. } => None,
        }
    }

    /// The picture as RGBA, once.
    pub fn take(&mut self, into: &mut Vec<u8>) -> Option<Size> {
        if !std::mem::take(&mut self.is_written) {
            return None;
        }
        let picture = self.picture.as_mut()?;
        into.clear();
        let read = picture.read_rows(|row| {
            // XRGB8888 is B, G, R, X in memory; the screen is opaque.
            into.extend(row.chunks_exact(4).flat_map(|it| [it[2], it[1], it[0], 0xFF]));
        });
        match read {
            Ok(()) => Some(picture.size()),
            Err(error) => {
                log::warn!("reading the picture back: {error}");
                None
            }
        }
    }

    /// The connector lets go of the CRTC, which is to stop.
    pub fn detach(&mut self, request: &mut AtomicRequest) {
        if std::mem::take(&mut self.is_attached) {
            request.set(self.connector, self.crtc_id, 0);
        }
        self.state = State::Ready;
    }
}

/// What a commit is to do for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Nothing.
    No,
    /// It asks for one.
    Yes,
    /// It asks for one, and the connector is new to the CRTC.
    NeedsModeset,
}

/// Whether a sync file is signalled: readable, by `Documentation/driver-api/sync_file.rst`.
fn is_signalled(fence: &OwnedFd) -> bool {
    poll(&mut [PollFd::new(fence.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO).is_ok_and(|it| it > 0)
}
