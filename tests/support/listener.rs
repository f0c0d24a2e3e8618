//! A player in this process, in real time, with a screen nobody sees and a loudspeaker that remembers: what was heard
//! when, and what was shown when.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lucarne::backend::headless::audio_sink::{AudioCapture, HeadlessSinkFactory, HeadlessSinkParams};
use lucarne::base::audio::{AudioFormat, AudioPosition};
use lucarne::base::format::Size;
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::stats::{PlayStats, Report, RunFacts};
use lucarne::base::time::MonoTime;
use lucarne::logic::interop_policy::InteropMode;
use lucarne::pipeline::env::{Env, SinkChoice};
use lucarne::pipeline::player::interop::InteropSwitch;
use lucarne::pipeline::player::observer::{FrameObserver, PresentedFrame};
use lucarne::pipeline::player::programme::{PlayItem, ProgrammeOptions};
use lucarne::pipeline::player::run::{Companion, Waits, run};
use lucarne::pipeline::player::screen::Screen;
use lucarne::pipeline::player::{Ended, Pace, Player, PlayerOptions};
use lucarne::platform::{self, DecoderWish, DisplayRequest, Platform};
use lucarne::seam::audio_sink::{AudioError, AudioSink, AudioSinkFactory};
use lucarne::seam::clock::Clock;
use lucarne::seam::wait::Waitable;

/// What the loudspeaker takes.
pub const RATE: u32 = 48_000;
const CHANNELS: usize = 2;

/// What happened.
pub struct Heard {
    /// All that was written, interleaved stereo.
    pub samples: Vec<f32>,
    /// Sample frames heard, and when that was so: as the first device said.
    pub positions: Vec<AudioPosition>,
    /// Each picture: its time in its item, and when it was shown.
    pub frames: Vec<(Duration, MonoTime)>,
    /// Times the clock changed its master.
    pub clock_switches: u64,
    /// Times the device ran dry.
    pub xruns: u64,
    /// Whether the device kept time to the end.
    pub trusted: bool,
    /// The statistics.
    pub report: Report,
}

impl Heard {
    /// When a sample frame was heard.
    pub fn heard_at(&self, frame: usize) -> MonoTime {
        let nearest = self.positions.iter().min_by_key(|it| (it.heard as i64 - frame as i64).abs());
        let nearest = nearest.expect("the device was asked where it is");
        let ahead = frame as i64 - nearest.heard as i64;
        nearest.at.offset_by(ahead * 1_000_000_000 / i64::from(RATE))
    }

    /// One channel.
    pub fn channel(&self, index: usize) -> Vec<f32> {
        self.samples.iter().skip(index).step_by(CHANNELS).copied().collect()
    }
}

type Shared<T> = Arc<Mutex<T>>;

fn push<T>(list: &Shared<Vec<T>>, it: T) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(it);
}

fn taken<T>(list: &Shared<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *list.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Opens devices that write down what they answer.
struct Remembering {
    inner: HeadlessSinkFactory,
    positions: Shared<Vec<AudioPosition>>,
}

impl AudioSinkFactory for Remembering {
    fn name(&self) -> &'static str {
        "remembering"
    }
    fn open(&self, device: &str) -> Result<Box<dyn AudioSink>, AudioError> {
        let inner = self.inner.open(device)?;
        Ok(Box::new(RememberingSink { inner, positions: self.positions.clone() }))
    }
}

struct RememberingSink {
    inner: Box<dyn AudioSink>,
    positions: Shared<Vec<AudioPosition>>,
}

impl AudioSink for RememberingSink {
    fn device(&self) -> &str {
        self.inner.device()
    }
    fn configure(&mut self, want: AudioFormat) -> Result<AudioFormat, AudioError> {
        self.inner.configure(want)
    }
    fn capacity(&self) -> usize {
        self.inner.capacity()
    }
    fn write(&mut self, interleaved: &[f32]) -> Result<usize, AudioError> {
        self.inner.write(interleaved)
    }
    fn position(&mut self) -> Result<AudioPosition, AudioError> {
        let position = self.inner.position()?;
        push(&self.positions, position);
        Ok(position)
    }
    fn delay(&mut self) -> Result<Duration, AudioError> {
        self.inner.delay()
    }
    fn pause(&mut self, paused: bool) -> Result<(), AudioError> {
        self.inner.pause(paused)
    }
    fn drain(&mut self) -> Result<(), AudioError> {
        self.inner.drain()
    }
    fn flush(&mut self) -> Result<(), AudioError> {
        self.inner.flush()
    }
    fn waitable(&self) -> Waitable<'_> {
        self.inner.waitable()
    }
}

/// Writes down when each picture was shown, from the first one on, and when it was told so.
struct Watching {
    clock: Arc<dyn Clock>,
    shown: Shared<Vec<(Duration, Duration, MonoTime)>>,
}

impl FrameObserver for Watching {
    fn wants_pixels(&self, _index: u64) -> bool {
        false
    }
    fn presented(&mut self, frame: PresentedFrame<'_>) {
        let pts = Duration::from_nanos(u64::try_from(frame.pts.nanos()).unwrap_or(0));
        let since_first = frame.presented.saturating_since(MonoTime::ZERO);
        push(&self.shown, (pts, since_first, self.clock.now()));
    }
}

struct Nothing;

impl Companion for Nothing {
    fn tick(&mut self, _now: MonoTime, _players: &mut [Player]) {}
    fn waitables<'a>(&'a self, into: &mut Waits<'a>) {
        into.push(Waitable::Every(Duration::from_secs(1)));
    }
}

/// Plays the inputs `turns` times to a loudspeaker that is made of `params`, given the time at which it starts.
#[track_caller]
pub fn play(inputs: &[&str], turns: u32, params: impl FnOnce(MonoTime) -> HeadlessSinkParams) -> Heard {
    let platform: Platform = platform::open();
    let clock = platform.clock.clone();
    let started = clock.now();
    let (positions, shown) = (Shared::default(), Shared::default());
    let capture = AudioCapture::new(RATE as usize * CHANNELS * 120);
    let inner = HeadlessSinkFactory::new(clock.clone(), params(started)).with_capture(capture.clone());
    let factory: Arc<dyn AudioSinkFactory> = Arc::new(Remembering { inner, positions: Arc::clone(&positions) });
    let env = Env {
        real: clock.clone(),
        demuxers: platform.demuxers.clone(),
        decoders: (platform.decoders)(DecoderWish::default()),
        audio_decoders: platform.audio_decoders.clone(),
        sink: Some(SinkChoice { factory, device: "remembering".to_owned(), volume: 1.0, is_optional: false }),
        io_timeout: Duration::from_secs(10),
        allocations: platform.allocations,
        waiter: platform.waiter,
        health: Arc::default(),
    };
    let item = |it: &&str| PlayItem {
        input: (*it).to_owned(),
        duration: None,
        still: Duration::from_secs(1),
        fit: None,
        rotation: None,
    };
    let programme = ProgrammeOptions {
        items: inputs.iter().map(item).collect(),
        turns: Some(turns),
        preroll: true,
        waiting_text: String::new(),
        waits_when_empty: false,
    };
    let options = PlayerOptions {
        pace: Pace::Realtime,
        rotation: Rotation::None,
        fit: Fit::Contain,
        frames: None,
        duration: None,
        started,
    };
    let mut waiter = (platform.waiter)().expect("a descriptor is free");
    let watching = Watching { clock: clock.clone(), shown: Arc::clone(&shown) };
    let mut player = Player::new(env, options, programme, Box::new(watching), waiter.waker());
    let headless = platform.displays.iter().find(|it| it.name == "headless").expect("there always is one");
    let request =
        DisplayRequest { size: Some(Size::new(64, 36)), refresh_hz: None, outputs: Vec::new(), now: clock.now() };
    let open = (headless.open)(&request).expect("EGL works without a screen").remove(0);
    let interops = InteropSwitch::new(open.interops, InteropMode::Auto).expect("there is a way");
    player.attach(Screen { interops, compositor: open.compositor, presenter: open.presenter });
    assert_eq!(run(std::slice::from_mut(&mut player), waiter.as_mut(), &mut Nothing), [Ended::Done]);
    player.settle_stats();
    let (trusted, xruns) = (player.sound_report().trusted, player.sound_report().xruns);
    let clock_switches = player.clock_switches();
    let stats: PlayStats = std::mem::take(&mut player.stats);
    drop(player);
    let shown = taken(&shown);
    // A picture is reported a little after it was shown: the quickest report says when the first one was.
    let first = shown.iter().map(|(_, since, told)| told.offset_by(-(since.as_nanos() as i64))).min();
    let first = first.expect("something was shown");
    Heard {
        samples: capture.samples(),
        positions: taken(&positions),
        frames: shown.into_iter().map(|(pts, since, _)| (pts, first + since)).collect(),
        clock_switches,
        xruns,
        trusted,
        report: stats.report(RunFacts::default(), Vec::new()),
    }
}
