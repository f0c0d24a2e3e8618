//! When a window's frames count as shown: ticks as far apart as the monitor's refreshes.
use std::time::Duration;

use crate::base::time::{MonoTime, nanos_of};

/// Ticks every refresh, from the first frame on. The phase is ours: nobody tells the monitor's.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    origin: Option<MonoTime>,
    refresh: Duration,
}

impl Grid {
    /// Ticks every `refresh`.
    pub fn new(refresh: Duration) -> Self {
        Self { origin: None, refresh }
    }

    /// Another refresh; ticks begin anew with the next frame if it differs.
    pub fn set_refresh(&mut self, refresh: Duration) {
        if refresh != self.refresh {
            *self = Self::new(refresh);
        }
    }

    /// The first tick after `now`.
    pub fn tick_after(&mut self, now: MonoTime) -> MonoTime {
        let origin = *self.origin.get_or_insert(now);
        let refresh = nanos_of(self.refresh).max(1).unsigned_abs();
        let ticks = now.saturating_since(origin).as_nanos() as u64 / refresh + 1;
        origin + Duration::from_nanos(ticks.saturating_mul(refresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> MonoTime {
        MonoTime::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_tick_is_always_after_now_and_on_the_grid() {
        let mut grid = Grid::new(Duration::from_millis(20));
        for (now, want) in
            [(1_000, 1_020), (1_000, 1_020), (1_019, 1_020), (1_020, 1_040), (1_111, 1_120), (9_000, 9_020)]
        {
            assert_eq!(grid.tick_after(at(now)), at(want), "{now}");
        }
    }

    #[test]
    fn another_refresh_begins_anew_and_the_same_one_does_not() {
        let mut grid = Grid::new(Duration::from_millis(20));
        grid.tick_after(at(1_000));
        grid.set_refresh(Duration::from_millis(20));
        assert_eq!(grid.tick_after(at(1_007)), at(1_020));
        grid.set_refresh(Duration::from_millis(10));
        assert_eq!(grid.tick_after(at(1_007)), at(1_017));
    }
}
