//! The only way to learn the time outside `backend`.
use crate::base::time::MonoTime;

/// CLOCK_MONOTONIC, or a test's idea of it.
pub trait Clock: Send + Sync {
    /// The time. Never goes backwards.
    fn now(&self) -> MonoTime;
}

/// A clock that stands still until it is told: for playing as fast as frames are ready, and for tests.
pub trait AdvanceClock: Clock {
    /// Moves on to `to`; a time that has passed changes nothing.
    fn advance_to(&self, to: MonoTime);
}
