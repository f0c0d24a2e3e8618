//! `VIDIOC_SUBSCRIBE_EVENT`, `VIDIOC_DQEVENT`: what the driver says out of turn.
use std::os::fd::AsFd;

use nix::errno::Errno;
use v4l::v4l_sys::*;

use super::abi::{self, Uapi};
use super::{Node, V4l2Error};

/// What a codec says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The stream's pictures are, or will be, of another format.
    SourceChanged,
    /// The last picture is made.
    EndOfStream,
    /// Another, which nobody subscribed to.
    Other(u32),
}

impl Node {
    /// Wants to hear of changes of the source, and of the end. EINVAL where the driver has no such event.
    pub fn subscribe(&self, event: Event) -> Result<(), V4l2Error> {
        let type_ = match event {
            Event::SourceChanged => V4L2_EVENT_SOURCE_CHANGE,
            Event::EndOfStream => V4L2_EVENT_EOS,
            Event::Other(it) => it,
        };
        let mut it = v4l2_event_subscription { type_, ..Uapi::zeroed() };
        // SAFETY: the request takes a v4l2_event_subscription.
        unsafe { abi::ioctl(self.as_fd(), "VIDIOC_SUBSCRIBE_EVENT", abi::SUBSCRIBE_EVENT, &mut it) }
    }

    /// The next event, or `None`.
    pub fn event(&self) -> Result<Option<Event>, V4l2Error> {
        let mut it = v4l2_event::zeroed();
        // SAFETY: the request takes a v4l2_event.
        match unsafe { abi::ioctl(self.as_fd(), "VIDIOC_DQEVENT", abi::DQEVENT, &mut it) } {
            Ok(()) => Ok(Some(match it.type_ {
                V4L2_EVENT_SOURCE_CHANGE => Event::SourceChanged,
                V4L2_EVENT_EOS => Event::EndOfStream,
                other => Event::Other(other),
            })),
            Err(V4l2Error { errno: Errno::ENOENT | Errno::EAGAIN, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
