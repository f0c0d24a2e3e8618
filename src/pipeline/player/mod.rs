//! The player: timing and queue policy in one place, on the present thread.
//!
//! Each turn is one call of `step`: hear what the display and the sound say, tend the decks, take frames off them, and
//! decide for the next vblank. Nothing here waits; `run` does, between turns.
//!
//! Three timelines meet here. A deck has its own (`Deck`). The programme's begins at 0 with the first picture and goes
//! on from item to item; decks are moved onto it by an offset. The machine's clock is mapped to the programme by
//! `MasterClock`, which follows the sound.
use std::sync::Arc;
use std::time::Duration;

use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::PlayStats;
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::lead::FrameCost;
use crate::logic::master_clock::MasterClock;
use crate::logic::playsync::PlaySync;
use crate::logic::seams::Seams;
use crate::logic::sight::Sight;
use crate::logic::vblank::VblankClock;
use crate::pipeline::elements::sound::Sound;
use crate::pipeline::elements::sound::board::{SoundBoard, SoundReport};
use crate::pipeline::env::Env;
use crate::pipeline::player::ahead::Ahead;
use crate::pipeline::player::captures::Captures;
use crate::pipeline::player::figures::{Allocations, STEADY_AFTER};
use crate::pipeline::player::flip::{Drawn, Flip};
use crate::pipeline::player::following::Mirrors;
use crate::pipeline::player::observer::FrameObserver;
use crate::pipeline::player::picture::Picture;
use crate::pipeline::player::programme::{Programme, ProgrammeOptions};
use crate::pipeline::player::run::Waits;
use crate::pipeline::player::screen::Screen;
use crate::pipeline::runner::{Bell, Hooks, Runner};
use crate::seam::clock::{AdvanceClock, Clock};
use crate::seam::presenter::DisplayMode;
use crate::seam::wait::Wake;

mod ahead;
mod captures;
mod commit;
mod cueing;
mod drawing;
mod events;
mod figures;
mod flip;
mod following;
mod freeze;
mod hearing;
pub mod interop;
pub mod mirror;
pub mod observer;
mod picture;
mod power;
pub mod programme;
pub mod run;
pub mod screen;
mod seating;
mod show;
mod slot;
mod turn;

/// How the display's clock runs.
#[derive(Clone)]
pub enum Pace {
    /// With CLOCK_MONOTONIC.
    Realtime,
    /// As fast as frames are ready; nothing is dropped, nothing is heard.
    Fast(Arc<dyn AdvanceClock>),
}

/// How to play.
pub struct PlayerOptions {
    /// How the display's clock runs.
    pub pace: Pace,
    /// Turned by the user, on top of what the file says.
    pub rotation: Rotation,
    /// What to do about a different shape.
    pub fit: Fit,
    /// Stop after so many presented frames.
    pub frames: Option<u64>,
    /// Stop after so long, counted from the first picture; without one, from the start.
    pub duration: Option<Duration>,
    /// When the process began, for `first_frame_ms`.
    pub started: MonoTime,
}

/// Why the player stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was played, or as much as was asked for.
    Done,
    /// Nothing could be played.
    NothingPlayable,
    /// No way is left to get frames onto the screen, and the user forbade the others.
    GaveUp,
    /// The user closed it, or a signal came.
    Asked,
}

/// What to do until the next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing before this time, unless somebody wakes the thread. With `starving`, only another thread's news help:
    /// a virtual clock must not run on.
    Wait { until: Option<MonoTime>, starving: bool },
    /// Again at once.
    Again,
    /// It is over.
    Ended(Ended),
}

/// See the module's text.
pub struct Player {
    env: Env,
    options: PlayerOptions,
    clock_now: Arc<dyn Clock>,
    programme: Programme,
    ahead: Ahead,
    clock: MasterClock,
    sync: PlaySync,
    vblank: Option<VblankClock>,
    seams: Seams,
    /// `None` before `attach` and after `detach`.
    screen: Option<Screen>,
    /// The name of the screen it had before `detach`.
    output: String,
    board: Arc<SoundBoard>,
    sound: Option<Runner>,
    heard: SoundReport,
    /// A picture that is drawn, and committed when its time has come.
    drawn: Option<Drawn>,
    /// The flip that is on its way.
    flip: Option<Flip>,
    /// What is on the screen, to draw it again when the screen changes.
    on_screen: Option<Picture>,
    /// The display controller reads that frame itself.
    is_on_plane: bool,
    on_screen_pts: Option<MediaTime>,
    /// The first picture is on the screen since then, and the clock waits for the sound to begin.
    first_shown: Option<MonoTime>,
    redraw: bool,
    /// Whether anybody can see the pictures.
    sight: Sight,
    /// The display is back since then: what was due before is no judder.
    in_sight_since: Option<MonoTime>,
    /// The screen knows the frame rate of what is about to be played.
    rate_told: bool,
    mirrors: Mirrors,
    captures: Captures,
    paused: bool,
    fullscreen: bool,
    asked_to_stop: bool,
    /// The user wants the next item (`true`) or the previous one, once the flip on its way has been counted.
    jump_asked: Option<bool>,
    observer: Box<dyn FrameObserver>,
    pixels: Vec<u8>,
    /// Counters.
    pub stats: PlayStats,
    presented: u64,
    /// What drawing and committing cost lately.
    cost: FrameCost,
    made: MonoTime,
    begun: Option<MonoTime>,
    /// All was shown; the last pictures from the wire are waited for since then.
    done_since: Option<MonoTime>,
    allocations: Allocations,
    over: Option<Ended>,
    /// Why no way is left to the screen.
    gave_up: Option<String>,
}

impl Player {
    /// Starts opening the first item and the sound device; the screen comes with `attach`. `waker` wakes the thread
    /// that will call `step`.
    pub fn new(
        env: Env,
        options: PlayerOptions,
        programme: ProgrammeOptions,
        observer: Box<dyn FrameObserver>,
        waker: Arc<dyn Wake>,
    ) -> Self {
        let board = Arc::new(SoundBoard::default());
        let bell = Arc::new(Bell::new());
        let sound = env.sink.clone().and_then(|choice| {
            let element = Sound::new(board.clone(), choice, env.audio_decoders.clone());
            let hooks = Hooks { allocations: env.allocations, ..Hooks::default() };
            match Runner::spawn("sound", env.real.clone(), bell.clone(), hooks, Box::new(element)) {
                Ok(runner) => Some(runner),
                Err(error) => {
                    log::error!("cannot start the sound thread: {error}; playing without sound");
                    None
                }
            }
        });
        let clock_now: Arc<dyn Clock> = match &options.pace {
            Pace::Realtime => env.real.clone(),
            Pace::Fast(clock) => Arc::new(Advancing(clock.clone())),
        };
        let programme = Programme::new(env.clone(), programme, waker, bell);
        let mirrors = Mirrors::new((options.fit, options.rotation));
        let made = clock_now.now();
        let mut it = Self {
            env,
            options,
            clock_now,
            programme,
            ahead: Ahead::default(),
            clock: MasterClock::new(),
            sync: PlaySync::new(),
            vblank: None,
            seams: Seams::default(),
            screen: None,
            output: String::new(),
            board,
            sound,
            heard: SoundReport::default(),
            drawn: None,
            flip: None,
            on_screen: None,
            is_on_plane: false,
            on_screen_pts: None,
            first_shown: None,
            redraw: false,
            sight: Sight::default(),
            in_sight_since: None,
            rate_told: false,
            mirrors,
            captures: Captures::default(),
            paused: false,
            fullscreen: false,
            asked_to_stop: false,
            jump_asked: None,
            observer,
            pixels: Vec::new(),
            stats: PlayStats::default(),
            presented: 0,
            cost: FrameCost::default(),
            made,
            begun: None,
            done_since: None,
            allocations: Allocations::default(),
            over: None,
            gave_up: None,
        };
        it.tend(made);
        it
    }

    /// What is played, for the layer that knows the playlist.
    pub fn programme(&mut self) -> &mut Programme {
        &mut self.programme
    }

    /// Stop at the next turn.
    pub fn stop(&mut self) {
        self.asked_to_stop = true;
    }

    /// What the sound says of itself.
    pub fn sound_report(&self) -> &SoundReport {
        &self.heard
    }

    /// Times the pictures' clock changed its master.
    pub fn clock_switches(&self) -> u64 {
        self.clock.switches()
    }

    /// Frames shown so far.
    pub fn frames_presented(&self) -> u64 {
        self.presented
    }

    /// CLOCK_MONOTONIC.
    pub fn real_now(&self) -> MonoTime {
        self.env.real.now()
    }

    /// How the display's clock runs.
    pub fn pace(&self) -> &Pace {
        &self.options.pace
    }

    /// The display's mode, while there is one.
    pub fn mode(&self) -> Option<DisplayMode> {
        self.screen.as_ref().filter(|_| self.sight.has_display()).map(|it| it.presenter.mode())
    }

    /// What its screens become ready by.
    pub fn waitables<'a>(&'a self, into: &mut Waits<'a>) {
        self.screens().for_each(|it| into.push(it.presenter.waitable()));
    }

    /// When one of its screens has news by itself, where they know.
    pub fn deadline(&self) -> Option<MonoTime> {
        self.screens().filter_map(|it| it.presenter.deadline()).min()
    }

    /// The time on the display's clock.
    pub fn now(&self) -> MonoTime {
        self.clock_now.now()
    }

    /// One turn.
    pub fn step(&mut self) -> Turn {
        let before = (self.env.allocations)();
        let turn = self.turn();
        let turn = self.lead_mirrors(turn, false);
        self.allocations.present += (self.env.allocations)().saturating_sub(before);
        if self.allocations.from.is_none() && STEADY_AFTER <= self.presented {
            self.allocations.from = Some((self.all_allocations(), self.presented));
        }
        turn
    }

    /// Why no way is left to the screen, where it ended by that.
    pub fn gave_up(&self) -> Option<&str> {
        self.gave_up.as_deref()
    }
}

impl Drop for Player {
    /// What is shown goes before the decoders do: they must not take away memory that somebody reads.
    fn drop(&mut self) {
        self.ahead.clear();
        (self.drawn, self.on_screen) = (None, None);
        self.mirrors = Mirrors::default();
        self.screen = None;
    }
}

/// An `AdvanceClock` seen as the plain clock it also is.
struct Advancing(Arc<dyn AdvanceClock>);

impl Clock for Advancing {
    fn now(&self) -> MonoTime {
        self.0.now()
    }
}
