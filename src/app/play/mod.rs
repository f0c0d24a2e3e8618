//! `lucarne play`: from the options to a picture, and back to an exit code.
use std::time::Duration;

use crate::app::cli::{DecoderChoice, DisplayChoice, InteropChoice, Pace as PaceChoice, PlayOptions, ZeroCopyFailure};
use crate::app::cli_values::{AudioChoice, LoopCount};
use crate::app::exit::{Exit, Failure};
use crate::app::inputs::{Item, Show};
use crate::app::log::LogTarget;
use crate::app::play::companion::PlayCompanion;
use crate::app::play::watcher::Watcher;
use crate::app::stats_file;
use crate::base::audio::AudioFormat;
use crate::base::stats::{AudioReport, Report, RunFacts};
use crate::base::time::MonoTime;
use crate::logic::interop_policy::{InteropMode, OnFailure};
use crate::pipeline::env::{Env, SinkChoice};
use crate::pipeline::player::interop::InteropSwitch;
use crate::pipeline::player::programme::{PlayItem, ProgrammeOptions};
use crate::pipeline::player::run::run;
use crate::pipeline::player::screen::Screen;
use crate::pipeline::player::{Ended, Pace, Player, PlayerOptions};
use crate::platform::{DisplayKind, DisplayRequest, OpenScreen, Platform, StopSignal, StopSignals, SyntheticSink};

mod companion;
mod frames;
mod watcher;

/// An input that has not answered for this long is dead.
const IO_TIMEOUT: Duration = Duration::from_secs(10);

/// What the display ended up being, for the statistics.
struct Chosen {
    display: &'static str,
    mode: String,
    refresh_hz: f64,
}

/// Plays. `started` is when the process began.
pub fn play(
    options: &PlayOptions,
    platform: &Platform,
    signals: &StopSignals,
    started: MonoTime,
) -> Result<Exit, Failure> {
    let show = Show::open(&options.inputs)?;
    let loops = options.loops.or(show.loops()).unwrap_or(LoopCount::Times(1));
    let forever = loops == LoopCount::Forever;
    let mut watcher = Watcher::new(show, forever, platform);
    let programme = ProgrammeOptions {
        items: to_items(watcher.expand()),
        turns: match loops {
            LoopCount::Times(times) => Some(u32::try_from(times).unwrap_or(u32::MAX)),
            LoopCount::Forever => None,
        },
        preroll: !options.no_preroll,
        waiting_text: watcher.waiting_text(),
        waits_when_empty: forever && watcher.has_folders(),
    };
    if programme.items.is_empty() && !programme.waits_when_empty {
        return Err(Failure::failed(format!("nothing to play in {}", options.inputs.join(", ")))
            .advise("name films, pictures or folders that hold some"));
    }
    let env = environment(options, platform);
    let stepped = (options.pace == PaceChoice::Fast).then(|| (platform.stepped_clock)(started));
    let player_options = PlayerOptions {
        pace: stepped.map_or(Pace::Realtime, Pace::Fast),
        rotation: options.rotate,
        fit: options.fit,
        frames: options.frames,
        duration: options.duration,
        started,
    };
    let mut waiter = (platform.waiter)().map_err(|it| Failure::failed(format!("cannot make a wait set: {it}")))?;
    signals.wake_by(waiter.waker());
    let observer = frames::Frames::new(options)?;
    let snapshots = observer.snapshots();
    let mut player = Player::new(env, player_options, programme, Box::new(observer), waiter.waker());
    let chosen = open_screen(options, platform, &mut player)?;
    let live = options.stats_interval;
    let mut companion = PlayCompanion::new(signals.clone(), watcher, live);
    let ended = run(&mut player, waiter.as_mut(), &mut companion);
    companion.finish();
    let report = report(&mut player, platform, &chosen);
    drop(player);
    if let Some(failure) = snapshots.and_then(|it| it.finish()) {
        return Err(failure);
    }
    if let Some(path) = &options.stats {
        stats_file::write(path, &report)?;
    }
    match (ended, signals.received()) {
        (_, Some(StopSignal::Interrupt)) => Ok(Exit::Interrupted),
        (_, Some(StopSignal::Terminate)) => Ok(Exit::Terminated),
        (Ended::NothingPlayable, None) => nothing_playable(&report, options),
        (Ended::GaveUp, None) => Err(Failure::failed("no way is left to get frames onto the screen")
            .advise("leave --interop and --on-zero-copy-failure at their defaults")),
        (Ended::Done | Ended::Asked, None) => Ok(Exit::Done),
    }
}

/// The player's items of an expanded list.
pub(super) fn to_items(items: Vec<Item>) -> Vec<PlayItem> {
    let play = |it: Item| PlayItem {
        input: it.input.to_string(),
        duration: it.settings.duration,
        still: it.settings.image_duration,
        fit: it.settings.fit,
        rotation: it.settings.rotate,
    };
    items.into_iter().map(play).collect()
}

fn environment(options: &PlayOptions, platform: &Platform) -> Env {
    let decoders = match options.decoder {
        DecoderChoice::Auto | DecoderChoice::Software => (platform.decoders)(options.threads.unwrap_or(0)),
    };
    Env {
        real: platform.clock.clone(),
        demuxers: platform.demuxers.clone(),
        decoders,
        audio_decoders: platform.audio_decoders.clone(),
        sink: sink(options, platform),
        io_timeout: options.io_timeout.unwrap_or(IO_TIMEOUT),
        allocations: platform.allocations,
    }
}

fn sink(options: &PlayOptions, platform: &Platform) -> Option<SinkChoice> {
    let volume = f32::from(options.volume) / 100.0;
    // Faster than real time there is nothing to hear.
    if options.pace == PaceChoice::Fast {
        return None;
    }
    let (factory, device) = match &options.audio {
        AudioChoice::None => return None,
        AudioChoice::Auto => (platform.sinks.first()?.clone(), "default".to_owned()),
        AudioChoice::Device(name) => (platform.sinks.first()?.clone(), name.clone()),
        AudioChoice::Synthetic(it) => {
            let device = SyntheticSink {
                period: it.period,
                jitter: it.jitter,
                drift_ppm: it.drift_ppm,
                format: AudioFormat { rate: 48_000, channels: 2 },
            };
            ((platform.synthetic_sink)(device, platform.clock.clone()), "synthetic".to_owned())
        }
    };
    let is_optional = options.audio == AudioChoice::Auto;
    Some(SinkChoice { factory, device, volume, is_optional })
}

fn open_screen(options: &PlayOptions, platform: &Platform, player: &mut Player) -> Result<Chosen, Failure> {
    let request = DisplayRequest {
        size: options.size.size,
        refresh_hz: options.size.refresh_hz,
        outputs: Vec::new(),
        now: player.now(),
    };
    let (kind, screens) = choose_display(options.display, platform, &request)?;
    let Some(open) = screens.into_iter().next() else {
        return Err(Failure::failed(format!("the {kind} display has no screen")));
    };
    log::info!("showing on {} with {}", kind, open.renderer);
    let OpenScreen { interops, compositor, presenter, .. } = open;
    let mode = match options.interop {
        InteropChoice::Auto => InteropMode::Auto,
        InteropChoice::ForceSoftware => InteropMode::ForceSoftware,
        InteropChoice::ForceZeroCopy => InteropMode::ForceZeroCopy(match options.on_zero_copy_failure {
            ZeroCopyFailure::Fail => OnFailure::Fail,
            ZeroCopyFailure::Downgrade => OnFailure::Downgrade,
        }),
    };
    let mode_now = presenter.mode();
    let chosen =
        Chosen { display: kind, mode: mode_now.size.to_string(), refresh_hz: 1.0 / mode_now.refresh.as_secs_f64() };
    let interops = InteropSwitch::new(interops, mode).map_err(|it| Failure::failed(it.to_string()))?;
    player.attach(Screen { interops, compositor, presenter });
    Ok(chosen)
}

fn choose_display(
    choice: DisplayChoice,
    platform: &Platform,
    request: &DisplayRequest,
) -> Result<(&'static str, Vec<OpenScreen>), Failure> {
    let desktop = has_desktop();
    let wanted = |kind: &&DisplayKind| match choice {
        DisplayChoice::Auto => true,
        DisplayChoice::Kms => kind.name == "kms",
        DisplayChoice::Window => kind.name == "window",
        DisplayChoice::Headless => kind.name == "headless",
    };
    let mut refusals = Vec::new();
    for kind in platform.displays.iter().filter(wanted) {
        match (kind.probe)(desktop).and_then(|()| (kind.open)(request).map_err(|it| it.to_string())) {
            Ok(open) => return Ok((kind.name, open)),
            Err(reason) => {
                log::info!("no {} display: {reason}", kind.name);
                refusals.push(format!("{}: {reason}", kind.name));
            }
        }
    }
    let what = format!("no display could be opened ({})", refusals.join("; "));
    Err(Failure::failed(what).advise("install libegl1 and libgl1-mesa-dri, or start it in a desktop session"))
}

/// Every item that was skipped has had its line in the log. Somebody who reads that is not told twice.
fn nothing_playable(report: &Report, options: &PlayOptions) -> Result<Exit, Failure> {
    let was_told = log::log_enabled!(log::Level::Warn) && options.log.target != LogTarget::Journal;
    match report.items.as_slice() {
        [_] if was_told => Ok(Exit::Failed),
        items if was_told => {
            Err(Failure::failed(format!("nothing could be played: all of {} inputs were skipped", items.len()))
                .advise("see the reasons above"))
        }
        items => {
            let first = items.iter().find_map(|it| it.reason.as_deref()).unwrap_or("no input could be shown");
            Err(Failure::failed(format!("nothing could be played: {first}")))
        }
    }
}

fn report(player: &mut Player, platform: &Platform, chosen: &Chosen) -> Report {
    player.settle_stats();
    let sound = player.sound_report().clone();
    let facts = RunFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        display: chosen.display.to_owned(),
        decoder: player.programme().decoder_name().map(str::to_owned),
        interop: player.screen().and_then(|it| it.interops.shown()).map(str::to_owned),
        output: chosen.display.to_owned(),
        mode: chosen.mode.clone(),
        refresh_hz: Some(chosen.refresh_hz),
        elapsed: player.elapsed(),
        audio: (!sound.device.is_empty()).then(|| AudioReport {
            device: sound.device.clone(),
            xruns: sound.xruns,
            clock_switches: player.clock_switches(),
        }),
        peak_rss_kib: (platform.peak_rss_kib)(),
        allocations_per_frame: player.allocations_per_frame(),
    };
    player.stats.report(facts)
}

/// Whether there is a desktop session to open a window in. The environment is read here and nowhere below.
pub fn has_desktop() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(|it| std::env::var_os(it).is_some_and(|it| !it.is_empty()))
}
