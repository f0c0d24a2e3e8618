//! The present thread's loop: turns of all players, and the waits between them.
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::pipeline::player::{Ended, Pace, Player, Turn};
use crate::seam::wait::{Waitable, Waiter};

/// However quiet it is, look up this often: a lost wake-up must not become a black screen.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// What the present thread waits on at most: four outputs are the most a board has, and as many folders are watched.
const MOST_WAITS: usize = 16;
/// What finds no place among them is looked at this often: a fraction of any refresh.
const WITHOUT_PLACE: Duration = Duration::from_millis(4);

/// What the present thread waits on, gathered anew for each wait without allocating.
#[derive(Debug)]
pub struct Waits<'a> {
    all: [Waitable<'a>; MOST_WAITS],
    count: usize,
}

impl<'a> Waits<'a> {
    fn new() -> Self {
        Self { all: [Waitable::Ready; MOST_WAITS], count: 0 }
    }

    /// Waits on this as well.
    pub fn push(&mut self, it: Waitable<'a>) {
        match self.all.get_mut(self.count) {
            Some(place) => {
                *place = it;
                self.count += 1;
            }
            None => self.all[MOST_WAITS - 1] = Waitable::Every(WITHOUT_PLACE),
        }
    }

    fn as_slice(&self) -> &[Waitable<'a>] {
        &self.all[..self.count]
    }
}

/// What the layer above does between turns: watches folders, prints a live line, asks for the end.
pub trait Companion {
    /// Called after every turn, and after every wait.
    fn tick(&mut self, now: MonoTime, players: &mut [Player]);
    /// What it waits on besides.
    fn waitables<'a>(&'a self, into: &mut Waits<'a>);
}

/// One turn of every player; one that has ended keeps its last picture on its screen. `ended` has a place for each, and
/// is filled in. `None` when all have ended.
pub fn step_all(players: &mut [Player], ended: &mut [Option<Ended>]) -> Option<Turn> {
    let mut all = Turn::Wait { until: None, starving: false };
    for (player, ended) in players.iter_mut().zip(ended.iter_mut()) {
        let turn = match ended {
            None => player.step(),
            Some(_) => player.linger(),
        };
        if let Turn::Ended(how) = turn {
            *ended = Some(how);
        }
        all = all.sooner(turn);
    }
    if ended.iter().all(Option::is_some) {
        return None;
    }
    // One screen's events may have been read by another that was asked later, as those of one card are.
    let deadline = players.iter().filter_map(Player::deadline).min();
    Some(match all {
        Turn::Wait { until, starving } => Turn::Wait { until: earlier(until, deadline), starving },
        Turn::Again | Turn::Ended(_) => Turn::Again,
    })
}

/// The earlier of two times, either of which may be never.
pub(super) fn earlier(a: Option<MonoTime>, b: Option<MonoTime>) -> Option<MonoTime> {
    a.into_iter().chain(b).min()
}

/// Plays until all is over; says how each player ended.
pub fn run(players: &mut [Player], waiter: &mut dyn Waiter, companion: &mut dyn Companion) -> Vec<Ended> {
    let mut ended = vec![None; players.len()];
    loop {
        let turn = step_all(players, &mut ended);
        if let Some(player) = players.first() {
            companion.tick(player.real_now(), players);
        }
        let (Some(turn), Some(first)) = (turn, players.first()) else {
            return ended.into_iter().flatten().collect();
        };
        let Turn::Wait { until, starving } = turn else { continue };
        let timeout = match (first.pace(), until) {
            (Pace::Fast(clock), Some(until)) if !starving => {
                // Nobody is waited for: the display's clock, which all players share, moves on by itself.
                clock.advance_to(until);
                continue;
            }
            (Pace::Fast(_), _) => LONGEST_WAIT,
            (Pace::Realtime, Some(until)) => until.saturating_since(first.now()).min(LONGEST_WAIT),
            (Pace::Realtime, None) => LONGEST_WAIT,
        };
        let mut waits = Waits::new();
        for player in players.iter() {
            player.waitables(&mut waits);
        }
        companion.waitables(&mut waits);
        waiter.wait(waits.as_slice(), Some(timeout));
    }
}
