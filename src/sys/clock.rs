//! The kernel's monotonic clock.
use crate::base::time::MonoTime;

/// CLOCK_MONOTONIC now: the clock of page flips and of ALSA's timestamps.
pub fn monotonic_now() -> MonoTime {
    let mut it = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `it` is a valid timespec to write to, and lives across the call.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut it) } != 0;
    // POSIX lets the call fail for unknown clocks and bad pointers only; neither can happen here.
    debug_assert!(!failed, "clock_gettime(CLOCK_MONOTONIC) failed");
    MonoTime::from_nanos(it.tv_sec as u64 * 1_000_000_000 + it.tv_nsec as u64)
}
