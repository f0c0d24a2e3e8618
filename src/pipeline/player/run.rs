//! The present thread's loop: turns, and the waits between them.
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::pipeline::player::{Ended, Pace, Player, Turn};
use crate::seam::wait::{Waitable, Waiter};

/// However quiet it is, look up this often: a lost wake-up must not become a black screen.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// What the layer above does between turns: watches folders, prints a live line, asks for the end.
pub trait Companion {
    /// Called after every turn, and after every wait.
    fn tick(&mut self, now: MonoTime, player: &mut Player);
    /// What it waits on besides.
    fn waitable(&self) -> Waitable<'_>;
}

/// Plays until it is over.
pub fn run(player: &mut Player, waiter: &mut dyn Waiter, companion: &mut dyn Companion) -> Ended {
    loop {
        let turn = player.step();
        companion.tick(player.real_now(), player);
        let (until, starving) = match turn {
            Turn::Ended(how) => return how,
            Turn::Again => continue,
            Turn::Wait { until, starving } => (until, starving),
        };
        let now = player.now();
        let timeout = match (player.pace(), until) {
            (Pace::Fast(clock), Some(until)) if !starving => {
                // Nobody is waited for: the display's clock moves on by itself.
                clock.advance_to(until);
                continue;
            }
            (Pace::Fast(_), _) => LONGEST_WAIT,
            (Pace::Realtime, Some(until)) => until.saturating_since(now).min(LONGEST_WAIT),
            (Pace::Realtime, None) => LONGEST_WAIT,
        };
        let screen = player.screen_waitable();
        waiter.wait(&[screen, companion.waitable()], Some(timeout));
    }
}
