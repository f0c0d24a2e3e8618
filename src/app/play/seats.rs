//! Which screen is whose, and new screens for players whose graphics card was gone.
use std::time::Duration;

use crate::app::exit::Failure;
use crate::app::play::parts::Part;
use crate::base::time::MonoTime;
use crate::pipeline::player::Player;
use crate::pipeline::player::screen::Screen;

/// How often a card that is gone is looked for. With the time that opening it takes, a viewer sees the picture within a
/// second of its return; nobody sees that the present thread is held up meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// For each output its player, and its place there: 0 leads, the others mirror.
pub type Order = Vec<(usize, usize)>;

/// The outputs of a run.
pub fn order(parts: &[Part]) -> Order {
    let outputs = parts.iter().enumerate().flat_map(|(player, part)| {
        part.outputs.iter().enumerate().map(move |(place, output)| (*output, (player, place)))
    });
    let mut outputs: Vec<_> = outputs.collect();
    outputs.sort_by_key(|(output, _)| *output);
    outputs.into_iter().map(|(_, it)| it).collect()
}

/// Gives each player its screens.
pub fn seat(players: &mut [Player], screens: Vec<Screen>, order: &[(usize, usize)]) {
    for (screen, (player, place)) in screens.into_iter().zip(order) {
        match (players.get_mut(*player), place) {
            (Some(player), 0) => player.attach(screen),
            (Some(player), _) => player.mirror_on(screen),
            (None, _) => log::error!("an output has no player: this is our own bug"),
        }
    }
}

/// ```text
///            a screen's device is gone: all are dropped
///   Seated ---------------------------------------------> Standing --+
///      ^                                                   |    ^    | LOOK_EVERY
///      +---------------------------------------------------+    +----+
///            opened again
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Every player has its screens.
    Seated,
    /// None has; they are looked for at `next`. `told` is why they could not be opened, as the log says.
    Standing { next: MonoTime, told: String },
}

/// See the module's text.
pub struct Seats<'a> {
    open: &'a dyn Fn() -> Result<Vec<Screen>, Failure>,
    order: &'a [(usize, usize)],
    state: State,
}

impl std::fmt::Debug for Seats<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seats").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'a> Seats<'a> {
    /// Every player is seated, in this order; `open` opens the screens again, one for each output.
    pub fn new(order: &'a [(usize, usize)], open: &'a dyn Fn() -> Result<Vec<Screen>, Failure>) -> Self {
        Self { open, order, state: State::Seated }
    }

    /// Between turns, at `now` on CLOCK_MONOTONIC.
    pub fn tick(&mut self, now: MonoTime, players: &mut [Player]) {
        match &mut self.state {
            State::Seated => {
                if players.iter().any(Player::is_unseated) {
                    // All of them: they share one GL context, of which there can be one.
                    players.iter_mut().for_each(Player::detach);
                    // At once: what is gone may be back already.
                    self.state = State::Standing { next: now, told: String::new() };
                }
            }
            State::Standing { next, .. } if now < *next => {}
            State::Standing { next, told } => match (self.open)() {
                Ok(screens) => {
                    log::info!("the display's device is back");
                    seat(players, screens, self.order);
                    self.state = State::Seated;
                }
                Err(failure) => {
                    *next = now + LOOK_EVERY;
                    let why = failure.to_string();
                    if why != *told {
                        log::warn!("{why}; trying again until it can be");
                        *told = why;
                    }
                }
            },
        }
    }
}
