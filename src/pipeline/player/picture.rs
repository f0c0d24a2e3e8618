//! What is on a screen, or about to be: a frame, or a copy of one that had to be given back.
use std::rc::Rc;
use std::sync::Arc;

use crate::base::frame::{Memory, VecPlanes, VideoFrame};
use crate::base::time::MediaTime;
use crate::render::Kept;

/// See the module's text. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Picture {
    /// A frame, in its decoder's memory.
    Frame(VideoFrame),
    /// A copy that the GPU keeps.
    Kept(Rc<Kept>),
}

impl Picture {
    /// Its memory is wanted back.
    pub(super) fn is_wanted_back(&self) -> bool {
        matches!(self, Picture::Frame(frame) if frame.memory.is_wanted_back())
    }

    /// It may be a picture of ours: those are in ordinary memory.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self, Picture::Frame(VideoFrame { memory: Memory::Dmabuf(_), .. }))
    }

    /// The frame, unless it is a copy.
    pub(super) fn frame(&self) -> Option<&VideoFrame> {
        match self {
            Picture::Frame(frame) => Some(frame),
            Picture::Kept(_) => None,
        }
    }

    /// When it is due on its own timeline.
    pub(super) fn pts(&self) -> MediaTime {
        match self {
            Picture::Frame(frame) => frame.pts,
            Picture::Kept(kept) => kept.pts(),
        }
    }
}

/// Moves a frame into ordinary memory, if its own is wanted back: slow, for frames that will not be shown soon. One that
/// cannot be read loses its picture.
pub(super) fn move_home(frame: &mut VideoFrame) {
    if !frame.memory.is_wanted_back() {
        return;
    }
    let mut copy = VecPlanes::default();
    let read = frame.memory.read(&mut |planes| {
        copy.planes = (0..).map_while(|it| planes.plane(it)).map(|it| (it.bytes.to_vec(), it.stride)).collect();
    });
    if let Err(why) = read {
        log::warn!("a frame is lost: its memory is wanted back, and cannot be read: {why}");
    }
    frame.memory = Memory::Cpu(Arc::new(copy));
}
