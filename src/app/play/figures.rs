//! The statistics of a run, brought together from its players.
use crate::base::stats::{AudioReport, OutputReport, Report, RunFacts};
use crate::pipeline::player::Player;
use crate::platform::Platform;

/// The figures of all `players`; top-level ones are the first's. `order` says for each output which player's screen it
/// is, and which of that: 0 its own, then its mirrors.
pub fn report(players: &mut [Player], order: &[(usize, usize)], platform: &Platform, display: &str) -> Option<Report> {
    players.iter_mut().for_each(Player::settle_stats);
    let outputs = order.iter().filter_map(|(player, place)| output(players.get(*player)?, *place)).collect();
    let audio = players.iter().find_map(audio);
    let first = players.first_mut()?;
    let facts = RunFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        display: display.to_owned(),
        elapsed: first.elapsed(),
        audio,
        peak_rss_kib: (platform.peak_rss_kib)(),
        allocations_per_frame: first.allocations_per_frame(),
    };
    Some(first.stats.report(facts, outputs))
}

fn output(player: &Player, place: usize) -> Option<OutputReport> {
    match place.checked_sub(1) {
        None => player.own_output(),
        Some(mirror) => player.mirror_output(mirror),
    }
}

fn audio(player: &Player) -> Option<AudioReport> {
    let sound = player.sound_report();
    (!sound.device.is_empty()).then(|| AudioReport {
        device: sound.device.clone(),
        xruns: sound.xruns,
        clock_switches: player.clock_switches(),
    })
}
