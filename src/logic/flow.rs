//! How full a queue may get, and who gives way when it is.
//!
//! The machine knows nothing of the items: it is told what comes and goes, and answers what to do.
//! A queue (`pipeline::queue`) holds the items and obeys.
use std::time::Duration;

use crate::base::offer::{FlowPolicy, FlowSignal};
use crate::base::packet::Packet;
use crate::base::time::MediaTime;

/// At or above this share of any limit the source is told to slow down.
const HIGH_WATER_PERCENT: u128 = 80;
/// Once told, it is slow until the fullest limit is at or below this share: the distance keeps the signal from fluttering.
const LOW_WATER_PERCENT: u128 = 20;
/// A step between neighbours above this is a break of the timeline, not media that waits in the queue.
const LONGEST_STEP: Duration = Duration::from_secs(10);

/// How full, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items.
    pub items: usize,
    /// Bytes of all items.
    pub bytes: usize,
    /// Media from the oldest item's start to the newest one's end.
    pub span: Duration,
}

impl Limits {
    /// No limit but the number of items.
    pub const fn items(items: usize) -> Self {
        Self { items, bytes: usize::MAX, span: Duration::MAX }
    }
    /// Every limit `factor` times as far away.
    pub const fn times(self, factor: u32) -> Self {
        Self {
            items: self.items.saturating_mul(factor as usize),
            bytes: self.bytes.saturating_mul(factor as usize),
            span: self.span.saturating_mul(factor),
        }
    }
}

/// How full. Events are not counted: no limit applies to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Items.
    pub items: usize,
    /// Bytes of all items.
    pub bytes: usize,
    /// Media they hold.
    pub span: Duration,
}

/// What a queue needs to know of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemMeta {
    /// Its size in memory.
    pub bytes: usize,
    /// The pts of a frame, the dts of a packet (else its pts): what grows in queue order.
    pub media_time: Option<MediaTime>,
    /// How long it lasts; zero where not known, and then the step from its predecessor counts.
    pub duration: Duration,
    /// It can be used without its predecessors. True for frames and sound.
    pub keyframe: bool,
    /// Policy may drop it. Never so for events and the end of the stream, which no limit refuses either.
    pub droppable: bool,
}

impl ItemMeta {
    /// A decoded picture, or decoded sound: independent of its neighbours.
    pub const fn frame(pts: MediaTime, duration: Duration, bytes: usize) -> Self {
        Self { bytes, media_time: Some(pts), duration, keyframe: true, droppable: true }
    }
    /// A coded packet.
    pub fn packet(it: &Packet) -> Self {
        Self {
            bytes: it.data.bytes().len(),
            media_time: it.dts.or(it.pts),
            duration: it.duration,
            keyframe: it.keyframe,
            droppable: true,
        }
    }
    /// Something that is not media: a format change, the end of the stream.
    pub const fn event() -> Self {
        Self { bytes: 0, media_time: None, duration: Duration::ZERO, keyframe: true, droppable: false }
    }
}

/// What to do with an item that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Append it, and say so with `added`.
    Accept,
    /// Hand it back.
    Refuse,
    /// Drop it.
    DropIncoming,
    /// Take out the oldest droppable item, say so with `evicted`, and ask again.
    DropOldest,
}

/// The state of one queue's flow.
#[derive(Debug)]
pub struct Flow {
    policy: FlowPolicy,
    limits: Limits,
    level: Level,
    /// Above the high-water mark and not yet below the low one.
    busy: bool,
    /// A coded item was lost; what depends on it is noise until the next keyframe.
    broken: bool,
    /// Where the newest item starts.
    newest: Option<MediaTime>,
}

impl Flow {
    /// An empty queue.
    pub const fn new(policy: FlowPolicy, limits: Limits) -> Self {
        let level = Level { items: 0, bytes: 0, span: Duration::ZERO };
        Self { policy, limits, level, busy: false, broken: false, newest: None }
    }
    /// Its limits.
    pub const fn limits(&self) -> Limits {
        self.limits
    }
    /// How full it is.
    pub const fn level(&self) -> Level {
        self.level
    }
    /// What the source is told, apart from drops and the end.
    pub const fn signal(&self) -> FlowSignal {
        if self.busy { FlowSignal::Busy } else { FlowSignal::Ok }
    }
    /// What to do with an item.
    pub fn admit(&mut self, item: &ItemMeta) -> Admission {
        self.admit_within(self.limits, item)
    }
    /// `admit` as if the limits were `limits`.
    pub fn admit_within(&mut self, limits: Limits, item: &ItemMeta) -> Admission {
        if !item.droppable {
            return Admission::Accept;
        }
        if item.keyframe {
            // Whatever was lost before it does not matter to it; if it is lost itself, that is noted below.
            self.broken = false;
        } else if self.broken {
            return Admission::DropIncoming;
        }
        // An item larger than the whole queue must still pass an empty one.
        if self.level.items == 0 || self.fits(limits, item) {
            return Admission::Accept;
        }
        match self.policy {
            FlowPolicy::Block => Admission::Refuse,
            FlowPolicy::Drop => {
                self.broken = true;
                Admission::DropIncoming
            }
            FlowPolicy::RingBuffer => Admission::DropOldest,
        }
    }
    /// The item was appended. Answers how much media it stands for; `removed` wants that back.
    pub fn added(&mut self, item: &ItemMeta) -> Duration {
        if !item.droppable {
            return Duration::ZERO;
        }
        let step = self.step(item);
        self.newest = item.media_time.or(self.newest);
        self.level.items += 1;
        self.level.bytes = self.level.bytes.saturating_add(item.bytes);
        self.level.span = self.level.span.saturating_add(step);
        self.busy = self.busy || self.is_any_above(HIGH_WATER_PERCENT);
        step
    }
    /// The item has left; `step` is what `added` answered for it.
    pub fn removed(&mut self, item: &ItemMeta, step: Duration) {
        if !item.droppable {
            return;
        }
        self.level.items = self.level.items.saturating_sub(1);
        self.level.bytes = self.level.bytes.saturating_sub(item.bytes);
        self.level.span = self.level.span.saturating_sub(step);
        self.busy = self.busy && self.is_any_above(LOW_WATER_PERCENT);
    }
    /// The oldest item was dropped, `next` is now the oldest droppable one (`None`: there is none). True when that
    /// has lost what it depends on and must go as well.
    pub fn evicted(&mut self, next: Option<&ItemMeta>) -> bool {
        match next {
            Some(next) => !next.keyframe,
            None => {
                self.broken = true;
                false
            }
        }
    }
    /// The queue was emptied on purpose; nothing is owed to what comes next.
    pub fn clear(&mut self) {
        *self = Self::new(self.policy, self.limits);
    }

    /// How much media an item adds: its duration, else the step from its predecessor.
    fn step(&self, item: &ItemMeta) -> Duration {
        if !item.duration.is_zero() {
            return item.duration;
        }
        let (Some(newest), Some(this)) = (self.newest, item.media_time) else { return Duration::ZERO };
        let step = Duration::from_nanos(u64::try_from(this.delta_nanos(newest)).unwrap_or(0));
        if step > LONGEST_STEP { Duration::ZERO } else { step }
    }
    fn fits(&self, limits: Limits, item: &ItemMeta) -> bool {
        self.level.items < limits.items
            && self.level.bytes.saturating_add(item.bytes) <= limits.bytes
            && self.level.span.saturating_add(self.step(item)) <= limits.span
    }
    /// Whether any level is at or above (for the low mark: above) that share of its limit.
    fn is_any_above(&self, percent: u128) -> bool {
        let reaches = |level: u128, limit: u128| {
            let (level, mark) = (level.saturating_mul(100), limit.saturating_mul(percent));
            level > mark || (level == mark && percent == HIGH_WATER_PERCENT && level > 0)
        };
        reaches(self.level.items as u128, self.limits.items as u128)
            || reaches(self.level.bytes as u128, self.limits.bytes as u128)
            || reaches(self.level.span.as_nanos(), self.limits.span.as_nanos())
    }
}
