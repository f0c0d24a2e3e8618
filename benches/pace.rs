//! `--pace fast` against the same decoder and the same drawing in a bare loop: what the pipeline around them costs.
//!
//! Both sides open the same film, decode it with the same decoder and threads, upload and draw with the same code into
//! the same kind of screen, which also holds both back alike when they outrun the GPU. One side is the player with its
//! threads and queues; the other a `while` loop.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lucarne::base::cancel::Cancel;
use lucarne::base::format::Size;
use lucarne::base::frame::VideoFrame;
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::offer::Offer;
use lucarne::base::packet::Track;
use lucarne::base::time::MonoTime;
use lucarne::logic::interop_policy::InteropMode;
use lucarne::pipeline::env::Env;
use lucarne::pipeline::player::interop::InteropSwitch;
use lucarne::pipeline::player::observer::NoObserver;
use lucarne::pipeline::player::programme::{PlayItem, ProgrammeOptions};
use lucarne::pipeline::player::run::{Companion, Waits, run};
use lucarne::pipeline::player::screen::Screen;
use lucarne::pipeline::player::{Pace, Player, PlayerOptions};
use lucarne::platform::{self, DecoderWish, DisplayRequest, OpenScreen, Platform};
use lucarne::seam::decoder::{DecodeEvent, Decoder};
use lucarne::seam::demuxer::{Demuxed, OpenOptions};
use lucarne::seam::presenter::{Layer, PresentEvent};

mod support;
use support::{judge, median, medians, say};

/// The rate that is left, at least.
const LIMIT: f64 = 0.9;
/// Pairs of runs; odd, so that there is a middle one.
const TURNS: usize = 5;
/// Pictures in a second of the film.
const FILM_RATE: u64 = 30;
/// Nothing here takes longer: the film is local.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Ten seconds of 1080p at 30 per second with grain in them, at the bit rate such films have.
fn film() -> std::path::PathBuf {
    let picture = "testsrc2=size=1920x1080:rate=30:duration=10,noise=alls=6:allf=t";
    let codec =
        ["libx264", "-preset", "veryfast", "-bf", "2", "-g", "60", "-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M"];
    support::media::silent("pace.mp4", picture, &[&codec[..], &["-pix_fmt", "yuv420p"]].concat())
}

fn open_screen(platform: &Platform, size: Size, now: MonoTime) -> OpenScreen {
    let kind = platform.displays.iter().find(|it| it.name == "headless").expect("it is always there");
    let request = DisplayRequest { size: Some(size), refresh_hz: None, outputs: Vec::new(), now };
    (kind.open)(&request).unwrap_or_else(|it| panic!("{it}")).remove(0)
}

/// Nobody.
struct Alone;

impl Companion for Alone {
    fn tick(&mut self, _now: MonoTime, _players: &mut [Player]) {}
    fn waitables<'a>(&'a self, _into: &mut Waits<'a>) {}
}

/// Plays `frames` of the film with the player, as fast as it can.
fn pipeline(platform: &Platform, film: &Path, size: Size, frames: u64) -> Duration {
    let started = platform.clock.now();
    let clock = (platform.stepped_clock)(started);
    let OpenScreen { interops, compositor, presenter, .. } = open_screen(platform, size, started);
    let interops = InteropSwitch::new(interops, InteropMode::Auto).unwrap_or_else(|it| panic!("{it}"));
    let mut waiter = (platform.waiter)().expect("a wait set");
    let env = Env {
        real: platform.clock.clone(),
        demuxers: platform.demuxers.clone(),
        decoders: (platform.decoders)(DecoderWish::default()),
        audio_decoders: platform.audio_decoders.clone(),
        sink: None,
        io_timeout: TIMEOUT,
        allocations: platform.allocations,
        waiter: platform.waiter,
        health: Arc::default(),
    };
    let options = PlayerOptions {
        pace: Pace::Fast(clock),
        rotation: Rotation::None,
        fit: Fit::Contain,
        frames: None,
        duration: None,
        started,
    };
    let input = film.to_str().expect("UTF-8").to_owned();
    // Cut rather than stopped: pictures decoded ahead and never shown would count for nothing.
    let duration = Some(Duration::from_millis(frames * 1000 / FILM_RATE));
    let programme = ProgrammeOptions {
        items: vec![PlayItem { input, duration, still: Duration::ZERO, fit: None, rotation: None }],
        turns: Some(1),
        preroll: true,
        waiting_text: String::new(),
        waits_when_empty: false,
    };
    support::time(|| {
        let mut player = Player::new(env, options, programme, Box::new(NoObserver), waiter.waker());
        player.attach(Screen { interops, compositor, presenter });
        run(std::slice::from_mut(&mut player), waiter.as_mut(), &mut Alone);
        assert_eq!(player.frames_presented(), frames);
    })
}

/// The next picture of the decoder, if it has one.
fn poll(decoder: &mut dyn Decoder) -> Option<VideoFrame> {
    loop {
        match decoder.poll().unwrap_or_else(|it| panic!("{it}")) {
            Some(DecodeEvent::Frame(it)) => return Some(it),
            Some(DecodeEvent::FormatChanged(_) | DecodeEvent::Retiring) => {}
            Some(DecodeEvent::Drained) | None => return None,
        }
    }
}

/// Plays `frames` of the film in a loop.
fn bare(platform: &Platform, film: &Path, size: Size, frames: u64) -> Duration {
    let mut now = platform.clock.now();
    let mut screen = open_screen(platform, size, now);
    let refresh = screen.presenter.mode().refresh;
    let options = OpenOptions { timeout: TIMEOUT, without_audio: true, cancel: Cancel::new() };
    let mut show = |frame: VideoFrame| {
        let target = screen.presenter.acquire(now).ok().flatten().expect("a back buffer");
        let interop = &mut screen.interops[0];
        interop.submit_decoded_frame(frame).expect("it takes any frame");
        let renderable = interop.acquire_renderable_frame().ok().flatten().expect("textures");
        let picture = Some((&renderable, Fit::Contain, Rotation::None));
        screen.compositor.compose(&target, picture).expect("it can be drawn");
        screen.interops[0].release_frame(renderable);
        screen.presenter.present(now, Layer::Composed(target)).expect("it can be shown");
        // The screen's clock moves on by itself, by as much as it takes for the flip.
        now = now + refresh * 2;
        let shown = screen.presenter.poll(now).expect("it has news");
        assert!(matches!(shown, Some(PresentEvent::Presented { .. })));
    };
    support::time(|| {
        let input = film.to_str().expect("UTF-8");
        let mut demuxer = platform.demuxers.open(input, &options).unwrap_or_else(|it| panic!("{it}"));
        let video = demuxer.info().video.clone().expect("pictures");
        let factory = (platform.decoders)(DecoderWish::default()).remove(0);
        let mut decoder = factory.open(&video).unwrap_or_else(|it| panic!("{it}"));
        let mut shown = 0;
        'film: while let Demuxed::Packet(mut packet) = demuxer.read().unwrap_or_else(|it| panic!("{it}")) {
            if packet.track != Track::Video {
                continue;
            }
            while let Offer::Refused(back) = decoder.submit(packet).unwrap_or_else(|it| panic!("{it}")) {
                packet = back;
                show(poll(decoder.as_mut()).expect("a full decoder has a picture"));
                shown += 1;
                if shown == frames {
                    break 'film;
                }
            }
        }
        assert_eq!(shown, frames, "the film is too short");
    })
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Pictures in a second.
    rate: f64,
    /// CPU time of all threads, in the kernel's ticks.
    ticks: f64,
}

/// CPU time this process has used, in the kernel's ticks; 0 where there is no procfs.
fn ticks() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th fields behind it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum()
}

fn compare(platform: &Platform, film: &Path, size: Size, frames: u64) {
    let run = |play: fn(&Platform, &Path, Size, u64) -> Duration| {
        let before = ticks();
        let took = play(platform, film, size, frames);
        Run { rate: frames as f64 / took.as_secs_f64(), ticks: ticks() - before }
    };
    // Not counted: the film comes into memory, and the driver's own threads start.
    run(bare);
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        // Each goes first in turn, so that a machine that gets busier, or hotter, favours neither.
        if turn % 2 == 0 {
            let first = run(pipeline);
            turns.push((first, run(bare)));
        } else {
            let first = run(bare);
            turns.push((run(pipeline), first));
        }
    }
    let (with, without) = medians(&turns.iter().map(|(a, b)| (a.rate, b.rate)).collect::<Vec<_>>());
    let ratios: Vec<f64> = turns.iter().map(|(a, b)| a.rate / b.rate).collect();
    let (least, most) = ratios.iter().fold((f64::MAX, 0f64), |(a, b), it| (a.min(*it), b.max(*it)));
    let cpu = median(turns.iter().map(|(a, b)| a.ticks / b.ticks).collect());
    say(&format!(
        "  on {size}: player {with:.1}/s, bare loop {without:.1}/s, pairs {least:.2} to {most:.2}, CPU {cpu:.2}"
    ));
    judge(&format!("on {size}: player / bare loop"), median(ratios), LIMIT);
}

fn main() {
    let film = film();
    let platform = platform::open();
    let threads: Vec<Arc<_>> = (platform.decoders)(DecoderWish::default());
    say(&format!("pace: 1080p H.264, `--pace fast`, decoder {}", threads[0].name()));
    // Where drawing dominates, and where decoding does.
    compare(&platform, &film, Size::new(1920, 1080), 90);
    compare(&platform, &film, Size::new(320, 180), 270);
}
