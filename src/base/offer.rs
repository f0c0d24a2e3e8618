//! The words of back-pressure: what a stage answers, what a queue tells its source, what an error asks for.

/// The answer to an offer between stages. A full stage hands the item back: back-pressure, never an error.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<T> {
    /// The stage owns the item now.
    Taken,
    /// No room; the item comes back. Offer it again when the stage's `waitable` fires.
    Refused(T),
}

/// What a queue tells its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowSignal {
    /// Below the low-water mark: go on.
    Ok,
    /// Above the high-water mark: slow down.
    Busy,
    /// The last item was dropped by policy.
    Drop,
    /// The stream has ended; nothing more will be taken.
    Eos,
}

/// Who gives way when a queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowPolicy {
    /// Nothing is lost: the item is refused and the producer waits.
    Block,
    /// The newcomer goes. After a coded packet is lost, all up to the next keyframe go with it.
    Drop,
    /// The oldest goes.
    RingBuffer,
}

/// What an error asks of the caller. Every seam error answers this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Only this item is affected: try the next.
    Retry,
    /// The device or stream must be set up again.
    Reconfigure,
    /// This backend is done for; another may do.
    FallBack,
    /// Nothing will help.
    Fatal,
}
