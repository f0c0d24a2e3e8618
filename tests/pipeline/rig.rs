//! A player with everything around it made of tables, in virtual time.
//!
//! The decks' threads are real, the clock is not: it moves on only when the player waits for a time and nobody has
//! news for it any more.
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lucarne::backend::headless::audio_sink::{HeadlessSinkFactory, HeadlessSinkParams};
use lucarne::backend::headless::display_clock::ManualClock;
use lucarne::backend::wait::PollWaiter;
use lucarne::base::format::Size;
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::time::MonoTime;
use lucarne::logic::interop_policy::InteropMode;
use lucarne::pipeline::env::{Env, SinkChoice};
use lucarne::pipeline::player::observer::{FrameObserver, PresentedFrame};
use lucarne::pipeline::player::programme::{PlayItem, ProgrammeOptions};
use lucarne::pipeline::player::run::step_all;
use lucarne::pipeline::player::{Ended, Pace, Player, PlayerOptions, Turn};
use lucarne::pipeline::runner::Bell;
use lucarne::seam::clock::{AdvanceClock, Clock};
use lucarne::seam::presenter::{PresentEvent, UserInput};
use lucarne::sys::alloc::thread_allocations;

use crate::codec::{Blocks, Tones};
use crate::film::{Opening, Shelf};
use crate::hardware::Hardware;
use crate::screen::{REFRESH, Script, Way, screens};

/// How long nobody has news before nobody is taken to have any, where the system does not tell: the threads do
/// microseconds of work. The sound thread looks up at intervals of its own, and gets this much real time a turn.
const QUIET: Duration = Duration::from_millis(6);
/// How often is looked whether the decks' threads have come to rest.
const GLANCE: Duration = Duration::from_micros(200);
/// One rig at a time: whether its decks rest could not be told from how those of others do.
static TURN: Mutex<()> = Mutex::new(());
/// No test may take longer, once it is its turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// One frame that reached the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub item: String,
    pub lap: u64,
    pub pts_ms: i64,
    pub at: MonoTime,
    pub backend: &'static str,
}

/// What an observer was told.
#[derive(Debug, Clone, Default)]
pub struct Diary {
    pub seen: Rc<RefCell<Vec<Seen>>>,
    /// Frames whose picture came: with `presented`, or from the wire.
    pub pictures: Rc<RefCell<Vec<(u64, &'static str)>>>,
    every: u64,
}

impl FrameObserver for Diary {
    fn wants_pixels(&self, _index: u64) -> bool {
        false
    }
    fn wants_picture(&self, index: u64) -> bool {
        0 < self.every && index.is_multiple_of(self.every)
    }
    fn presented(&mut self, frame: PresentedFrame<'_>) {
        if frame.pixels.is_some() {
            self.pictures.borrow_mut().push((frame.index, "read back"));
        }
        self.seen.borrow_mut().push(Seen {
            item: frame.item.into(),
            lap: frame.lap,
            pts_ms: frame.pts.nanos() / 1_000_000,
            at: frame.presented,
            backend: frame.backend,
        });
    }
    fn captured(&mut self, index: u64, pixels: &[u8], size: Size) {
        assert_eq!(pixels.len(), size.width as usize * size.height as usize * 4);
        self.pictures.borrow_mut().push((index, "wire"));
    }
}

/// What to play, and on what.
pub struct Setup {
    pub films: Vec<(&'static str, Vec<Opening>)>,
    pub items: Vec<PlayItem>,
    pub turns: Option<u32>,
    pub preroll: bool,
    pub waits_when_empty: bool,
    pub decoder: Blocks,
    /// A better one, before it.
    pub hardware: bool,
    pub sink: Option<HeadlessSinkParams>,
    pub ways: Vec<Way>,
    pub mode: InteropMode,
    pub frames: Option<u64>,
    pub duration: Option<Duration>,
    /// The screen's, and that of screens that mirror it.
    pub refresh: Duration,
    pub mirrors: Vec<Duration>,
    /// Items of another player, and its screen's refresh.
    pub guests: Vec<(Vec<&'static str>, Duration)>,
    /// Every so many frames a picture is wanted; 0: none.
    pub picture_every: u64,
}

pub fn item(input: &str) -> PlayItem {
    PlayItem {
        input: input.into(),
        duration: None,
        still: Duration::from_millis(500),
        fit: Some(Fit::Stretch),
        rotation: None,
    }
}

impl Setup {
    /// These films one after the other, once.
    pub fn of(films: Vec<(&'static str, Vec<Opening>)>) -> Self {
        Self {
            items: films.iter().map(|it| item(it.0)).collect(),
            films,
            turns: Some(1),
            preroll: true,
            waits_when_empty: false,
            decoder: Blocks::default(),
            hardware: false,
            sink: None,
            ways: vec![Way::upload("software", Vec::new())],
            mode: InteropMode::Auto,
            frames: None,
            duration: None,
            refresh: REFRESH,
            mirrors: Vec::new(),
            guests: Vec::new(),
            picture_every: 0,
        }
    }

    pub fn rig(self) -> Rig {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = Arc::new(Shelf::default());
        for (name, openings) in self.films {
            shelf.put(name, openings);
        }
        let has_sound = self.sink.is_some();
        let clock = ManualClock::new(MonoTime::from_nanos(1_000_000_000));
        let real: Arc<dyn Clock> = Arc::new(clock.clone());
        let decoder = Arc::new(self.decoder);
        let hardware = Arc::new(Hardware::default());
        let sink = self.sink.map(|params| SinkChoice {
            factory: Arc::new(HeadlessSinkFactory::new(real.clone(), params)),
            device: "synthetic".into(),
            volume: 1.0,
            is_optional: false,
        });
        let env = Env {
            real,
            demuxers: shelf.clone(),
            decoders: match self.hardware {
                true => vec![hardware.clone(), decoder.clone()],
                false => vec![decoder.clone()],
            },
            audio_decoders: Arc::new(Tones),
            sink,
            io_timeout: Duration::from_secs(10),
            allocations: thread_allocations,
            waiter: || Ok(Box::new(PollWaiter::new()?)),
            health: Arc::default(),
        };
        let options = PlayerOptions {
            pace: Pace::Realtime,
            rotation: Rotation::None,
            fit: Fit::Contain,
            frames: self.frames,
            duration: self.duration,
            started: clock.now(),
        };
        let programme = ProgrammeOptions {
            items: self.items,
            turns: self.turns,
            preroll: self.preroll,
            waiting_text: "waiting".into(),
            waits_when_empty: self.waits_when_empty,
        };
        let bell = Arc::new(Bell::new());
        let mut refreshes = vec![self.refresh];
        refreshes.extend(&self.mirrors);
        refreshes.extend(self.guests.iter().map(|it| it.1));
        let (mut screens, scripts): (Vec<_>, Vec<_>) = screens(&refreshes, &self.ways, self.mode)
            .into_iter()
            .map(|(screen, script)| (Some(screen), script))
            .unzip();
        let guests = self.guests.iter().map(|(items, _)| {
            let items = items.iter().map(|it| item(it)).collect();
            (Env { sink: None, ..env.clone() }, ProgrammeOptions { items, ..programme.clone() })
        });
        let (mut players, mut diaries) = (Vec::new(), Vec::new());
        for (env, programme) in [(env.clone(), programme.clone())].into_iter().chain(guests) {
            let diary = Diary { every: self.picture_every, ..Diary::default() };
            diaries.push(diary.clone());
            let options = PlayerOptions { pace: options.pace.clone(), ..options };
            let mut player = Player::new(env, options, programme, Box::new(diary), bell.clone());
            if players.is_empty() {
                player.attach(screens[0].take().expect("the first"));
                for mirror in &mut screens[1..=self.mirrors.len()] {
                    player.mirror_on(mirror.take().expect("a mirror's"));
                }
            } else {
                let its_own = self.mirrors.len() + players.len();
                player.attach(screens[its_own].take().expect("a guest's"));
            }
            players.push(player);
        }
        Rig {
            ended: vec![None; players.len()],
            players,
            clock,
            shelf,
            decoder,
            hardware,
            script: Rc::clone(&scripts[0]),
            scripts,
            bell,
            diaries,
            turns: 0,
            has_sound,
            since: Instant::now(),
            _turn: turn,
        }
    }
}

pub struct Rig {
    /// The one the test is about, and guests.
    pub players: Vec<Player>,
    pub ended: Vec<Option<Ended>>,
    pub clock: ManualClock,
    pub shelf: Arc<Shelf>,
    pub decoder: Arc<Blocks>,
    pub hardware: Arc<Hardware>,
    /// The first screen's.
    pub script: Rc<RefCell<Script>>,
    /// Those of all screens: the first player's, its mirrors', the guests'.
    pub scripts: Vec<Rc<RefCell<Script>>>,
    bell: Arc<Bell>,
    has_sound: bool,
    pub diaries: Vec<Diary>,
    /// Turns the players took.
    pub turns: u64,
    since: Instant,
    /// Given up last, when all threads have ended.
    _turn: MutexGuard<'static, ()>,
}

impl Rig {
    pub fn now(&self) -> MonoTime {
        self.clock.now()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.diaries[0].seen.borrow().clone()
    }

    /// Item and time of every frame shown.
    pub fn shown(&self) -> Vec<(String, i64)> {
        self.diaries[0].seen.borrow().iter().map(|it| (it.item.clone(), it.pts_ms)).collect()
    }

    pub fn input(&mut self, input: UserInput) {
        self.tell(PresentEvent::Input(input));
    }

    pub fn tell(&mut self, event: PresentEvent) {
        self.script.borrow_mut().events.push_back(event);
    }

    /// Whether somebody has news, now or once the decks' threads have come to rest.
    fn news(&mut self) -> bool {
        if self.has_sound && self.bell.wait(Some(QUIET)) {
            return true;
        }
        loop {
            let rest = decks_rest();
            // After, so that what the last to come to rest has done is seen.
            if self.bell.wait(Some(if rest.is_some() { GLANCE } else { QUIET })) {
                return true;
            }
            if rest != Some(false) {
                return false;
            }
            assert!(self.since.elapsed() < PATIENCE, "the decks never come to rest");
        }
    }

    /// Until the player has ended, or `is_enough` says so, or so much virtual time has passed.
    pub fn play(&mut self, at_most: Duration, mut is_enough: impl FnMut(&mut Rig) -> bool) -> Option<Ended> {
        let end = self.now() + at_most;
        loop {
            assert!(self.since.elapsed() < PATIENCE, "the test hangs; shown: {:?}", self.shown());
            let turn = step_all(&mut self.players, &mut self.ended);
            self.turns += 1;
            let until = match turn {
                None => return self.ended[0],
                Some(Turn::Wait { until, .. }) => Some(until),
                Some(Turn::Again | Turn::Ended(_)) => None,
            };
            if is_enough(self) || end <= self.now() {
                return None;
            }
            let Some(until) = until else { continue };
            if self.news() {
                continue;
            }
            // As long as `run` would wait at most.
            let longest = self.now() + Duration::from_millis(500);
            self.clock.advance_to(until.unwrap_or(longest).min(longest).min(end));
        }
    }

    /// Until it ends, within a virtual minute.
    pub fn until_the_end(&mut self) -> Ended {
        let ended = self.play(Duration::from_secs(60), |_| false);
        self.players[0].settle_stats();
        ended.unwrap_or_else(|| panic!("it did not end; shown: {:?}", self.shown()))
    }

    /// Until so many frames were shown.
    pub fn until_shown(&mut self, frames: u64) {
        let ended = self.play(Duration::from_secs(60), |it| frames <= it.players[0].frames_presented());
        assert_eq!(ended, None, "it ended after {} frames", self.players[0].frames_presented());
    }

    /// For so long.
    pub fn play_for(&mut self, time: Duration) {
        let ended = self.play(time, |_| false);
        assert_eq!(ended, None, "it ended after {} frames", self.players[0].frames_presented());
        self.players[0].settle_stats();
    }
}

/// Whether every deck's threads, of all rigs, wait for something; `None` where the system does not tell.
fn decks_rest() -> Option<bool> {
    // One look takes time, in which a thread that was seen asleep may wake another and be awake itself when the other is
    // seen asleep. If none has run between two looks, all were asleep in between.
    let first = decks_asleep()?;
    Some(first.is_some() && first == decks_asleep()?)
}

/// How often the decks' threads have run so far, all together, if all are asleep.
fn decks_asleep() -> Option<Option<u64>> {
    let own = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let own = (field(&own, "Pid:")?, field(&own, "Name:")?);
    let mut all = Some(0);
    for it in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        // One that has gone meanwhile rests.
        let Ok(status) = std::fs::read_to_string(it.path().join("status")) else { continue };
        let runs = runs_of(&status, own);
        all = all.zip(runs).map(|(all, it)| all + it);
    }
    Some(all)
}

/// How often a thread has run, if it is asleep; 0 if it is none of a deck's.
fn runs_of(status: &str, own: (&str, &str)) -> Option<u64> {
    let name = field(status, "Name:")?;
    // A new thread bears its maker's name until it has found its own.
    let is_new = name == own.1 && field(status, "Pid:")? != own.0;
    if !is_new && !["feed", "decode"].contains(&name) {
        return Some(0);
    }
    let count = |kind| field(status, kind)?.parse::<u64>().ok();
    let runs = count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?;
    field(status, "State:")?.starts_with('S').then_some(runs)
}

/// What a line of a kernel's table says.
fn field<'a>(table: &'a str, name: &str) -> Option<&'a str> {
    table.lines().find_map(|it| it.strip_prefix(name)).map(str::trim)
}

/// The times of a film's frames.
pub fn frames_of(item: &str, count: i64) -> Vec<(String, i64)> {
    (0..count).map(|it| (item.to_owned(), it * crate::film::FRAME_MS)).collect()
}

/// The same, so many times over.
pub fn times(frames: Vec<(String, i64)>, count: usize) -> Vec<(String, i64)> {
    std::iter::repeat_n(frames, count).flatten().collect()
}

/// The longest time between two frames, in ms.
pub fn worst_gap_ms(seen: &[Seen]) -> u128 {
    seen.windows(2).map(|it| it[1].at.saturating_since(it[0].at).as_millis()).max().unwrap_or(0)
}
