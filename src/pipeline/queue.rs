//! The queue: bounded by items, bytes and duration; who gives way is a value.
use std::collections::VecDeque;
use std::time::Duration;

use crate::base::offer::{FlowPolicy, FlowSignal, Offer};
use crate::logic::flow::{Admission, Flow, ItemMeta, Level, Limits};

/// Places made beforehand at most. Queues bounded by bytes alone have no useful limit of items; past this they grow once
/// and keep what they grew to.
const PLACES_AT_MOST: usize = 1024;
/// Places for events beside the items; a handful at a seam.
const PLACES_FOR_EVENTS: usize = 8;
/// How much further `offer_over_limit` may go: enough for files whose tracks are some seconds apart, and still bounded.
const OVER_LIMIT_FACTOR: u32 = 4;

/// What became of the items so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct QueueStats {
    /// Items and events appended.
    pub accepted: u64,
    /// Items dropped by policy, newcomers and oldest.
    pub dropped: u64,
    /// Offers handed back.
    pub refused: u64,
    /// The most items (without events) there ever were.
    pub high_water: usize,
}

struct Entry<T> {
    item: T,
    meta: ItemMeta,
    /// What `Flow::added` answered.
    step: Duration,
}

/// A bounded queue. Allocates nothing once it has seen its fullest.
pub struct Queue<T> {
    entries: VecDeque<Entry<T>>,
    flow: Flow,
    stats: QueueStats,
    /// The last offer made an item go.
    dropped_last: bool,
}

impl<T> std::fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("level", &self.level()).field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl<T> Queue<T> {
    /// An empty queue.
    pub fn new(policy: FlowPolicy, limits: Limits) -> Self {
        let places = limits.items.min(PLACES_AT_MOST) + PLACES_FOR_EVENTS;
        Self {
            entries: VecDeque::with_capacity(places),
            flow: Flow::new(policy, limits),
            stats: QueueStats::default(),
            dropped_last: false,
        }
    }

    /// Appends the item, or does what the policy says. Only `Block` refuses; a dropped item counts as taken, and
    /// `signal` says `Drop`.
    pub fn offer(&mut self, item: T, meta: ItemMeta) -> Offer<T> {
        self.offer_within(self.flow.limits(), item, meta)
    }

    /// `offer` with limits four times as far away: for badly interleaved files, where the other track starves behind a
    /// full queue.
    pub fn offer_over_limit(&mut self, item: T, meta: ItemMeta) -> Offer<T> {
        self.offer_within(self.flow.limits().times(OVER_LIMIT_FACTOR), item, meta)
    }

    /// Takes out the oldest.
    pub fn take(&mut self) -> Option<T> {
        self.remove(0)
    }

    /// The oldest, and what is known of it.
    pub fn peek(&self) -> Option<(&T, &ItemMeta)> {
        self.entries.front().map(|it| (&it.item, &it.meta))
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&T, &ItemMeta)> {
        self.entries.iter().map(|it| (&it.item, &it.meta))
    }

    /// Flushes: items, events, and the memory of what was lost. Statistics stay.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.flow.clear();
        self.dropped_last = false;
    }

    /// How full it is, without events.
    pub fn level(&self) -> Level {
        self.flow.level()
    }

    /// Items and events.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Neither items nor events.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the source should know: `Drop` when its last offer cost an item (under `RingBuffer` the oldest), else
    /// `Busy` from the high-water mark down to the low one.
    pub fn signal(&self) -> FlowSignal {
        if self.dropped_last { FlowSignal::Drop } else { self.flow.signal() }
    }

    /// What became of the items so far.
    pub fn stats(&self) -> QueueStats {
        self.stats
    }

    fn offer_within(&mut self, limits: Limits, item: T, meta: ItemMeta) -> Offer<T> {
        self.dropped_last = false;
        loop {
            match self.flow.admit_within(limits, &meta) {
                Admission::Accept => break,
                Admission::Refuse => {
                    self.stats.refused += 1;
                    return Offer::Refused(item);
                }
                Admission::DropIncoming => {
                    self.note_drop();
                    return Offer::Taken;
                }
                Admission::DropOldest => self.drop_oldest(),
            }
        }
        let step = self.flow.added(&meta);
        self.entries.push_back(Entry { item, meta, step });
        self.stats.accepted += 1;
        self.stats.high_water = self.stats.high_water.max(self.level().items);
        Offer::Taken
    }

    /// Drops the oldest item, and behind it those that cannot be decoded without it. Events stay.
    fn drop_oldest(&mut self) {
        loop {
            let Some(index) = self.oldest_droppable() else { return };
            self.remove(index);
            self.note_drop();
            let next = self.oldest_droppable().and_then(|index| self.entries.get(index)).map(|it| &it.meta);
            if !self.flow.evicted(next) {
                return;
            }
        }
    }

    fn oldest_droppable(&self) -> Option<usize> {
        self.entries.iter().position(|it| it.meta.droppable)
    }

    fn remove(&mut self, index: usize) -> Option<T> {
        let entry = self.entries.remove(index)?;
        self.flow.removed(&entry.meta, entry.step);
        Some(entry.item)
    }

    fn note_drop(&mut self) {
        self.stats.dropped += 1;
        self.dropped_last = true;
    }
}

#[cfg(test)]
mod tests;
