//! `lucarne play`: from the options to pictures, and back to an exit code.
use std::sync::Arc;
use std::time::Duration;

use crate::app::cli::{DisplayChoice, InteropChoice, Pace as PaceChoice, PlayOptions};
use crate::app::cli_values::{AudioChoice, LoopCount};
use crate::app::costs_file;
use crate::app::exit::{Exit, Failure};
use crate::app::log::LogTarget;
use crate::app::play::companion::PlayCompanion;
use crate::app::play::parts::{Part, to_items};
use crate::app::play::power::Power;
use crate::app::play::screens::Opened;
use crate::app::play::seats::Seats;
use crate::app::stats_file;
use crate::base::audio::AudioFormat;
use crate::base::stats::ItemReport;
use crate::base::time::MonoTime;
use crate::pipeline::env::{Env, SinkChoice};
use crate::pipeline::player::observer::{FrameObserver, NoObserver};
use crate::pipeline::player::run::run;
use crate::pipeline::player::{Ended, Pace, Player, PlayerOptions};
use crate::platform::{DecoderWish, DmabufWish, Injection, Platform, StopSignal, StopSignals, SyntheticSink};
use crate::seam::wait::Waiter;

mod companion;
mod figures;
mod frames;
mod parts;
mod power;
mod screens;
mod seats;
mod watcher;

pub use screens::has_desktop;

/// An input that has not answered for this long is dead.
const IO_TIMEOUT: Duration = Duration::from_secs(10);

/// Plays. `started` is when the process began.
pub fn play(
    options: &PlayOptions,
    platform: &Platform,
    signals: &StopSignals,
    started: MonoTime,
) -> Result<Exit, Failure> {
    let parts = parts::parts(options)?;
    let pace = match options.pace {
        PaceChoice::Fast => Pace::Fast((platform.stepped_clock)(started)),
        PaceChoice::Realtime => Pace::Realtime,
    };
    let display_now = || match &pace {
        Pace::Fast(clock) => clock.now(),
        Pace::Realtime => platform.clock.now(),
    };
    let costs = options.inject.as_deref().map(costs_file::load).transpose()?;
    let injection = costs.map(|it| Injection::new(it, platform.clock.clone()));
    // What the screens take is known when they are open, and the first film is opened meanwhile: unless somebody minds it is
    // decoded into dma-bufs, which can be copied from as well.
    let dmabuf = DmabufWish::default();
    dmabuf.make(options.interop != InteropChoice::ForceSoftware);
    let open = || screens::open(options, platform, injection.as_ref(), &dmabuf, display_now());
    // How often to play it may hang on which display there is. Where it does not, films are opened before the display.
    let mut opened = None;
    let usual = match options.display {
        DisplayChoice::Kms => LoopCount::Forever,
        DisplayChoice::Window | DisplayChoice::Headless => LoopCount::Times(1),
        DisplayChoice::Auto if parts.iter().all(|it| it.loops(options).is_some()) => LoopCount::Times(1),
        DisplayChoice::Auto if opened.insert(open()?).display == "kms" => LoopCount::Forever,
        DisplayChoice::Auto => LoopCount::Times(1),
    };
    let order = seats::order(&parts);
    let mut waiter = (platform.waiter)().map_err(|it| Failure::failed(format!("cannot make a wait set: {it}")))?;
    signals.wake_by(waiter.waker());
    let frames = frames::Frames::new(options)?;
    let (snapshots, log_failure) = (frames.snapshots(), frames.failure());
    let env = environment(options, platform, injection.as_ref(), dmabuf.clone());
    let mut cast =
        Cast { options, platform, env, pace: pace.clone(), usual, started, players: vec![], watchers: vec![] };
    let mut observer: Option<Box<dyn FrameObserver>> = Some(Box::new(frames));
    for part in parts {
        cast.add(part, observer.take().unwrap_or(Box::new(NoObserver)), waiter.as_ref())?;
    }
    let Cast { mut players, watchers, .. } = cast;
    let Opened { display, screens } = opened.map_or_else(open, Ok)?;
    seats::seat(&mut players, screens, &order);
    let reopen = || screens::reopen(display, options, platform, injection.as_ref(), &dmabuf, display_now());
    let seats = Seats::new(&order, &reopen);
    let power = Power::open(signals.clone(), options.cec, display, platform);
    let mut companion = PlayCompanion::new(signals.clone(), watchers, power, seats, options.stats_interval);
    let ended = run(&mut players, waiter.as_mut(), &mut companion);
    companion.finish();
    let report = figures::report(&mut players, &order, platform, display);
    let of_nothing = ended.iter().position(|it| *it == Ended::NothingPlayable);
    let nothing = of_nothing.and_then(|it| players.get(it)).map(|it| it.stats.items.report());
    let gave_up = players.iter().find_map(Player::gave_up).map(str::to_owned);
    drop(players);
    if let Some(failure) = snapshots.and_then(|it| it.finish()) {
        return Err(failure);
    }
    if let (Some(path), Some(report)) = (&options.stats, &report) {
        stats_file::write(path, report)?;
    }
    if let Some(failure) = log_failure.take() {
        return Err(failure);
    }
    match (signals.received(), nothing) {
        (Some(StopSignal::Interrupt), _) => Ok(Exit::Interrupted),
        (Some(StopSignal::Terminate), _) => Ok(Exit::Terminated),
        (None, _) if ended.contains(&Ended::GaveUp) => {
            Err(Failure::failed(gave_up.unwrap_or_else(|| "no way is left to get frames onto the screen".to_owned())))
        }
        (None, Some(items)) => nothing_playable(&items, options),
        (None, None) => Ok(Exit::Done),
    }
}

/// The players of a run, as they are made.
struct Cast<'a> {
    options: &'a PlayOptions,
    platform: &'a Platform,
    env: Env,
    pace: Pace,
    /// How often a playlist is played when nobody says.
    usual: LoopCount,
    started: MonoTime,
    players: Vec<Player>,
    watchers: Vec<watcher::Watcher>,
}

impl Cast<'_> {
    fn add(&mut self, part: Part, observer: Box<dyn FrameObserver>, waiter: &dyn Waiter) -> Result<(), Failure> {
        let options = self.options;
        let is_heard = match &options.audio_from {
            Some(name) => part.outputs.iter().any(|it| options.outputs.get(*it).is_some_and(|it| it.name == *name)),
            None => part.outputs.contains(&0),
        };
        let (programme, watcher) = part.prepare(options, self.usual, self.platform)?;
        let mut env = self.env.clone();
        env.sink = env.sink.filter(|_| is_heard);
        let player_options = PlayerOptions {
            pace: self.pace.clone(),
            rotation: options.rotate,
            fit: options.fit,
            frames: options.frames,
            duration: options.duration,
            started: self.started,
        };
        self.players.push(Player::new(env, player_options, programme, observer, waiter.waker()));
        self.watchers.push(watcher);
        Ok(())
    }
}

fn environment(options: &PlayOptions, platform: &Platform, injection: Option<&Injection>, dmabuf: DmabufWish) -> Env {
    let wish = DecoderWish { threads: options.threads.unwrap_or(0), dmabuf };
    let mut decoders = (platform.decoders)(wish);
    if let Some(name) = options.decoder.name() {
        decoders.retain(|it| it.name() == name);
    }
    let demuxers = platform.demuxers.clone();
    let (demuxers, decoders) = match injection {
        Some(it) => (it.demuxers(demuxers), it.decoders(decoders)),
        None => (demuxers, decoders),
    };
    Env {
        real: platform.clock.clone(),
        demuxers,
        decoders,
        audio_decoders: platform.audio_decoders.clone(),
        sink: sink(options, platform),
        io_timeout: options.io_timeout.unwrap_or(IO_TIMEOUT),
        allocations: platform.allocations,
        waiter: platform.waiter,
        health: Arc::default(),
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

/// Every item that was skipped has had its line in the log. Somebody who reads that is not told twice.
fn nothing_playable(items: &[ItemReport], options: &PlayOptions) -> Result<Exit, Failure> {
    let was_told = log::log_enabled!(log::Level::Warn) && options.log.target != LogTarget::Journal;
    match items {
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
