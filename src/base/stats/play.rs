//! What one present thread counts while it plays.
use std::time::Duration;

use serde::Serialize;

use crate::base::stats::histogram::Histogram;
use crate::base::stats::items::ItemTally;

/// Fallbacks kept: a device that keeps failing must not fill the memory with reasons.
const MAX_FALLBACKS: usize = 64;

/// One thing gave up and another took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// What gave up: "dmabuf", "v4l2"...
    pub from: String,
    /// What took over.
    pub to: String,
    /// Why.
    pub reason: String,
}

/// How items followed each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SeamTally {
    /// Seams between two items, or between an item's end and its start.
    pub count: u64,
    /// Display refreshes beyond one frame's duration between the last frame of an item and the first of the next.
    pub worst_gap_frames: u64,
    /// Seams whose first frame was not decoded when the last frame before it became due.
    pub late_starts: u64,
}

impl SeamTally {
    /// Counts one seam.
    pub fn record(&mut self, gap_frames: u64, late_start: bool) {
        self.count += 1;
        self.worst_gap_frames = self.worst_gap_frames.max(gap_frames);
        self.late_starts += u64::from(late_start);
    }
}

/// The figures of one output, counted by its present thread. Counting a frame never allocates.
#[derive(Debug, Default)]
pub struct PlayStats {
    /// What became of each item.
    pub items: ItemTally,
    /// Frames that came out of decoders.
    pub frames_decoded: u64,
    /// Distinct source frames that reached the display.
    pub frames_presented: u64,
    /// Frames never shown because a newer one was due as well.
    pub frames_dropped_stale: u64,
    /// Frames that had their time while no display was there to show them: neither shown nor dropped.
    pub frames_unseen: u64,
    /// Frames shown more than 0.05 s after they were due.
    pub late_frames: u64,
    /// Commits that flipped later than the vblank they were made for; `None` where nobody tells.
    pub missed_vblanks: Option<u64>,
    /// The way the newest frame shown took to the display.
    pub interop: Option<&'static str>,
    /// Why it did not take the best way there is; `None` where it did.
    pub interop_reason: Option<String>,
    /// The decoder that made the newest frame shown.
    pub decoder: Option<&'static str>,
    /// Shown frames whose bytes the CPU did not touch.
    pub zero_copy_frames: u64,
    /// Shown frames that were uploaded from memory.
    pub software_frames: u64,
    /// Pictures of ours that stood in while a decoder's pool went away.
    pub freeze_frames: u64,
    /// Frames the decoder called damaged.
    pub frames_corrupt: u64,
    /// Frames the decoder had to convert to a format the renderer samples.
    pub frames_converted: u64,
    /// Frames that went through the deinterlacer.
    pub frames_deinterlaced: u64,
    /// Frames decoded into ordinary memory because no dma-buf was free.
    pub frames_ordinary: u64,
    /// Times a decoder was opened. An item that goes round, and a stream that comes back as it was, keep theirs.
    pub decoders_opened: u64,
    /// Times a live input that had dropped came back.
    pub reconnects: u64,
    /// Times the display went away.
    pub display_lost: u64,
    /// Times it came back.
    pub display_regained: u64,
    /// Frames the interop took.
    pub submit_ok: u64,
    /// Frames the interop refused with an error.
    pub submit_failed: u64,
    /// Frames the interop took and could not make renderable.
    pub acquire_failed: u64,
    /// How long after it was due a frame was shown.
    pub queued_lag: Histogram,
    /// How far the picture was from the sound, whichever was first.
    pub av_offset: Histogram,
    /// Copying a frame's planes into textures.
    pub upload: Histogram,
    /// Issuing a frame's drawing.
    pub draw: Histogram,
    /// Making a frame renderable without a copy.
    pub import: Histogram,
    /// Handing a drawn frame to the display.
    pub present: Histogram,
    /// How items followed each other.
    pub seams: SeamTally,
    /// Times the whole playlist started again.
    pub loops: u64,
    /// From the program's entry, when the libraries are loaded, to the first frame on the display.
    pub first_frame: Option<Duration>,
    fallbacks: Vec<Fallback>,
}

impl PlayStats {
    /// With nothing counted; `counts_vblanks` where the display says when a frame was shown.
    pub fn new(counts_vblanks: bool) -> Self {
        Self { missed_vblanks: counts_vblanks.then_some(0), ..Self::default() }
    }

    /// Commits flipped late; stays unmeasured on a display that does not tell.
    pub fn missed(&mut self, vblanks: u64) {
        if let Some(it) = &mut self.missed_vblanks {
            *it += vblanks;
        }
    }

    /// A frame is on the display, and came there by this way; `reason`: why not by the best. Allocates only when that changes.
    pub fn shown_by(&mut self, way: &'static str, zero_copy: bool, reason: Option<&str>) {
        self.interop = Some(way);
        if self.interop_reason.as_deref() != reason {
            self.interop_reason = reason.map(str::to_owned);
        }
        let frames = if zero_copy { &mut self.zero_copy_frames } else { &mut self.software_frames };
        *frames += 1;
    }

    /// Notes that something gave up; only the first 64 are kept.
    pub fn fell_back(&mut self, it: Fallback) {
        if self.fallbacks.len() < MAX_FALLBACKS {
            self.fallbacks.push(it);
        }
    }

    /// What gave up, in order.
    pub fn fallbacks(&self) -> &[Fallback] {
        &self.fallbacks
    }
}
