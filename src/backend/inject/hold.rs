//! The one wait of this backend: on the kernel's clock, as the cost it stands for would pass.
use std::time::Duration;

use nix::poll::ppoll;
use nix::sys::time::TimeSpec;

use crate::base::cancel::Cancel;
use crate::sys::clock::monotonic_now;

/// How often somebody who may be cancelled looks up: what a user who stops the player does not notice.
const LOOK_UP: Duration = Duration::from_millis(10);

/// Blocks the calling thread for this long. In virtual time exactly, in real time as late as timers are.
pub fn hold(cost: Duration) {
    // Never cancelled, so always held to the end.
    let _held = hold_unless(cost, None);
}

/// As `hold`; `false` as soon as somebody cancelled.
pub fn hold_unless(cost: Duration, cancel: Option<&Cancel>) -> bool {
    let is_cancelled = || cancel.is_some_and(Cancel::is_cancelled);
    if cost.is_zero() {
        return !is_cancelled();
    }
    let until = monotonic_now() + cost;
    loop {
        if is_cancelled() {
            return false;
        }
        let left = until.saturating_since(monotonic_now());
        if left.is_zero() {
            return true;
        }
        let left = if cancel.is_some() { left.min(LOOK_UP) } else { left };
        // A signal ends it early; the loop asks the clock.
        let _ = ppoll(&mut [], Some(TimeSpec::from_duration(left)), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_at_least_as_long_as_it_costs() {
        let (cost, begun) = (Duration::from_millis(2), monotonic_now());
        hold(cost);
        assert!(cost <= monotonic_now().saturating_since(begun));
    }

    #[test]
    fn a_cancelled_one_gives_up() {
        let (cancel, begun) = (Cancel::new(), monotonic_now());
        let canceller = std::thread::spawn({
            let cancel = cancel.clone();
            move || cancel.cancel()
        });
        assert!(!hold_unless(Duration::from_secs(60), Some(&cancel)));
        assert!(monotonic_now().saturating_since(begun) < Duration::from_secs(30));
        canceller.join().unwrap();
    }
}
