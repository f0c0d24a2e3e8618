//! What happens beside the player: signals, watched folders, the live line.
use std::time::Duration;

use crate::app::output;
use crate::app::play::power::Power;
use crate::app::play::seats::Seats;
use crate::app::play::to_items;
use crate::app::play::watcher::Watcher;
use crate::base::time::MonoTime;
use crate::pipeline::player::Player;
use crate::pipeline::player::run::{Companion, Waits};
use crate::platform::StopSignals;

/// The live line on a terminal, overwritten in place.
#[derive(Debug)]
struct LiveLine {
    every: Duration,
    next: MonoTime,
    last: (MonoTime, u64),
    is_terminal: bool,
}

impl LiveLine {
    fn print(&mut self, now: MonoTime, player: &mut Player) {
        player.settle_stats();
        let shown = player.frames_presented();
        let seconds = now.saturating_since(self.last.0).as_secs_f64().max(0.001);
        let rate = shown.saturating_sub(self.last.1) as f64 / seconds;
        self.last = (now, shown);
        let stats = &player.stats;
        let lag = stats.queued_lag.milliseconds().map_or(0.0, |it| it.p95);
        let offset = stats.av_offset.milliseconds().map_or("-".to_owned(), |it| format!("{:.0} ms", it.p95));
        let line = format!(
            "{:.0} s  {shown} shown  {rate:.1}/s  {} dropped  lag p95 {lag:.1} ms  A/V p95 {offset}  seams {} (late {})",
            player.elapsed().as_secs_f64(),
            stats.frames_dropped_stale,
            stats.seams.count,
            stats.seams.late_starts,
        );
        output::tell_progress(&line, self.is_terminal);
    }
}

/// Called by the player between turns.
#[derive(Debug)]
pub struct PlayCompanion<'a> {
    signals: StopSignals,
    /// One for each player.
    watchers: Vec<Watcher>,
    power: Power,
    seats: Seats<'a>,
    live: Option<LiveLine>,
}

impl<'a> PlayCompanion<'a> {
    /// With a watcher for each player, and a live line of the first every `live`.
    pub fn new(
        signals: StopSignals,
        watchers: Vec<Watcher>,
        power: Power,
        seats: Seats<'a>,
        live: Option<Duration>,
    ) -> Self {
        let is_terminal = output::has_terminal();
        let live = live.map(|every| LiveLine { every, next: MonoTime::ZERO, last: (MonoTime::ZERO, 0), is_terminal });
        Self { signals, watchers, power, seats, live }
    }

    /// Leaves the terminal on a line of its own.
    pub fn finish(&mut self) {
        if self.live.as_ref().is_some_and(|it| it.is_terminal) {
            output::end_progress();
        }
    }
}

impl Companion for PlayCompanion<'_> {
    fn tick(&mut self, now: MonoTime, players: &mut [Player]) {
        if self.signals.received().is_some() {
            players.iter_mut().for_each(Player::stop);
        }
        self.seats.tick(now, players);
        self.power.tick(players);
        for (watcher, player) in self.watchers.iter_mut().zip(players.iter_mut()) {
            if let Some(change) = watcher.changed() {
                player.programme().replace_items(to_items(change.items), &change.renewed);
            }
        }
        if let (Some(live), Some(player)) = (&mut self.live, players.first_mut())
            && live.next <= now
        {
            live.next = now + live.every;
            live.print(now, player);
        }
    }

    fn waitables<'w>(&'w self, into: &mut Waits<'w>) {
        self.watchers.iter().for_each(|it| into.push(it.waitable()));
    }
}
