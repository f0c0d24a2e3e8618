//! Who wants to know about every frame that was shown: the frame log and the snapshots, kept by the layer above.
use crate::base::format::Size;
use crate::base::time::{MediaTime, MonoTime};

/// A frame that reached the display.
#[derive(Debug, Clone, Copy)]
pub struct PresentedFrame<'a> {
    /// Counts from 0 over the whole run.
    pub index: u64,
    /// The item's path or URL.
    pub item: &'a str,
    /// Which time round, from 0.
    pub lap: u64,
    /// Its time within the item, from the item's first picture.
    pub pts: MediaTime,
    /// When it became visible, from the first frame of the run.
    pub presented: MonoTime,
    /// The interop it went through.
    pub backend: &'static str,
    /// Its bytes were not touched by the CPU.
    pub zero_copy: bool,
    /// What was drawn, read back: top row first, four bytes a pixel; if `wants_pixels` said so, or `wants_picture` did and
    /// the screen cannot tell what it shows.
    pub pixels: Option<(&'a [u8], Size)>,
    /// The picture that `wants_picture` asked for is taken from the wire, and comes later.
    pub captured: bool,
    /// The checksum that `wants_checksum` asked for comes later, from the display controller.
    pub checked: bool,
}

/// Told of every frame, on the present thread: must not wait.
pub trait FrameObserver {
    /// Whether the frame with this index is to be read back, to be there when it is `presented`.
    fn wants_pixels(&self, index: u64) -> bool;
    /// Whether a checksum of the frame with this index, as the display controller computes it, would do instead of reading
    /// it back: where the screen offers that, the frame is not read back for `wants_pixels`.
    fn wants_checksum(&self, _index: u64) -> bool {
        false
    }
    /// Whether a picture of the frame with this index is wanted: from the wire where the screen offers that, as the display
    /// controller composed it, else read back.
    fn wants_picture(&self, _index: u64) -> bool {
        false
    }
    /// It was shown.
    fn presented(&mut self, frame: PresentedFrame<'_>);
    /// The picture from the wire of a frame that was `presented` before, in the same form as `pixels`. May never come: the
    /// display was unplugged, or the controller did not answer.
    fn captured(&mut self, _index: u64, _pixels: &[u8], _size: Size) {}
    /// The checksum of a frame that was `presented` before. May never come, as above; those that come are in order.
    fn checked(&mut self, _index: u64, _checksum: u32) {}
}

/// Nobody.
#[derive(Debug, Default)]
pub struct NoObserver;

impl FrameObserver for NoObserver {
    fn wants_pixels(&self, _index: u64) -> bool {
        false
    }
    fn presented(&mut self, _frame: PresentedFrame<'_>) {}
}
