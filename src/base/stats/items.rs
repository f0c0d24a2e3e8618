//! What became of each item of a playlist, in bounded memory however often it loops.
use std::collections::VecDeque;

use serde::Serialize;

/// Entries kept. A watched folder may bring new names for years; past this many the oldest entry goes.
const MAX_ITEMS: usize = 1024;
/// Bytes of a reason kept: FFmpeg quotes the file's own bytes in some.
const MAX_REASON: usize = 300;

/// How an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A frame of it reached the display, at least once.
    Played,
    /// Nothing of it was shown.
    Skipped,
}

/// One item in the statistics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemReport {
    /// Its path or URL.
    pub input: String,
    /// Whether anything was seen of it.
    pub outcome: Outcome,
    /// Why it was skipped or cut short, the last time it was.
    pub reason: Option<String>,
    /// Frames its decoder handed out, over all its turns.
    pub frames_decoded: u64,
    /// Frames of it that reached the display, over all its turns.
    pub frames_presented: u64,
}

/// Names an entry of an `ItemTally`. Counting on one that has been dropped for a newer does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemId(u64);

#[derive(Debug)]
struct Entry {
    position: usize,
    report: ItemReport,
}

/// The items of one output in the order they first came up.
#[derive(Debug, Default)]
pub struct ItemTally {
    entries: VecDeque<Entry>,
    /// Entries dropped from the front: the id of the first one kept.
    dropped: u64,
}

impl ItemTally {
    /// No items yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry of `input` at `position` of the playlist; its next turns share it.
    pub fn begin(&mut self, position: usize, input: &str) -> ItemId {
        let known = self.entries.iter().position(|it| it.position == position && it.report.input == input);
        let index = known.unwrap_or_else(|| {
            if self.entries.len() == MAX_ITEMS {
                self.entries.pop_front();
                self.dropped += 1;
            }
            let report = ItemReport {
                input: input.to_owned(),
                outcome: Outcome::Skipped,
                reason: None,
                frames_decoded: 0,
                frames_presented: 0,
            };
            self.entries.push_back(Entry { position, report });
            self.entries.len() - 1
        });
        ItemId(self.dropped + index as u64)
    }

    /// Frames of the item came out of its decoder.
    pub fn decoded(&mut self, id: ItemId, frames: u64) {
        if let Some(it) = self.get(id) {
            it.frames_decoded += frames;
        }
    }

    /// A frame of the item reached the display.
    pub fn presented(&mut self, id: ItemId) {
        if let Some(it) = self.get(id) {
            it.frames_presented += 1;
            it.outcome = Outcome::Played;
        }
    }

    /// The item was skipped, or ended early, for this reason.
    pub fn failed(&mut self, id: ItemId, reason: &str) {
        if let Some(it) = self.get(id) {
            let mut reason = reason.to_owned();
            while reason.len() > MAX_REASON {
                reason.pop();
            }
            it.reason = Some(reason);
        }
    }

    /// Something was seen of at least one item.
    pub fn any_played(&self) -> bool {
        self.entries.iter().any(|it| it.report.outcome == Outcome::Played)
    }

    /// The entries, oldest first.
    pub fn report(&self) -> Vec<ItemReport> {
        self.entries.iter().map(|it| it.report.clone()).collect()
    }

    fn get(&mut self, id: ItemId) -> Option<&mut ItemReport> {
        let index = usize::try_from(id.0.checked_sub(self.dropped)?).ok()?;
        self.entries.get_mut(index).map(|it| &mut it.report)
    }
}
