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

use crate::base::frame::VideoFrame;
use crate::base::geometry::{Fit, Rotation};
use crate::base::stats::{Fallback, PlayStats};
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::lead::FrameCost;
use crate::logic::master_clock::MasterClock;
use crate::logic::playsync::PlaySync;
use crate::logic::seams::Seams;
use crate::logic::vblank::VblankClock;
use crate::pipeline::elements::sound::Sound;
use crate::pipeline::elements::sound::board::{SoundBoard, SoundReport};
use crate::pipeline::env::Env;
use crate::pipeline::player::ahead::{Ahead, Due};
use crate::pipeline::player::figures::{Allocations, STEADY_AFTER};
use crate::pipeline::player::flip::{Drawn, Flip};
use crate::pipeline::player::observer::FrameObserver;
use crate::pipeline::player::programme::{Programme, ProgrammeOptions, Tended};
use crate::pipeline::player::screen::Screen;
use crate::pipeline::runner::{Bell, Hooks, Runner};
use crate::seam::clock::{AdvanceClock, Clock};
use crate::seam::wait::{Waitable, Wake};

mod ahead;
mod cueing;
mod events;
mod figures;
mod flip;
mod hearing;
pub mod interop;
pub mod observer;
mod power;
pub mod programme;
pub mod run;
pub mod screen;
mod show;
mod slot;

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
    /// Stop after so long.
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
    screen: Option<Screen>,
    board: Arc<SoundBoard>,
    sound: Option<Runner>,
    heard: SoundReport,
    /// A picture that is drawn, and committed when its time has come.
    drawn: Option<Drawn>,
    /// The flip that is on its way.
    flip: Option<Flip>,
    /// What is on the screen, to draw it again when the screen changes.
    on_screen: Option<VideoFrame>,
    on_screen_pts: Option<MediaTime>,
    /// The first picture is on the screen since then, and the clock waits for the sound to begin.
    first_shown: Option<MonoTime>,
    redraw: bool,
    /// Pictures reach the screen, as far as is known.
    visible: bool,
    /// The screen has not said that it is gone.
    connected: bool,
    /// The display was switched off on purpose.
    is_off: bool,
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
    begun: Option<MonoTime>,
    allocations: Allocations,
    over: Option<Ended>,
}

/// Later than this, frames are no longer dropped to catch up: nobody wants to see a second of pictures in a blur.
const HOPELESSLY_LATE: i64 = 1_000_000_000;

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
            let hooks = Hooks { allocations: env.allocations, on_end: None };
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
            board,
            sound,
            heard: SoundReport::default(),
            drawn: None,
            flip: None,
            on_screen: None,
            on_screen_pts: None,
            first_shown: None,
            redraw: false,
            visible: true,
            connected: true,
            is_off: false,
            paused: false,
            fullscreen: false,
            asked_to_stop: false,
            jump_asked: None,
            observer,
            pixels: Vec::new(),
            stats: PlayStats::default(),
            presented: 0,
            cost: FrameCost::default(),
            begun: None,
            allocations: Allocations::default(),
            over: None,
        };
        let now = it.clock_now.now();
        it.tend(now);
        it
    }

    /// Gives it the screen to show on.
    pub fn attach(&mut self, screen: Screen) {
        let counts = screen.presenter.name() != "window";
        self.stats.missed_vblanks = counts.then_some(0);
        self.vblank = Some(VblankClock::new(screen.presenter.mode().refresh));
        if let Some(it) = screen.interops.first_fallback() {
            self.fell_back(it);
        }
        self.screen = Some(screen);
    }

    /// The screen it was given.
    pub fn screen(&mut self) -> Option<&mut Screen> {
        self.screen.as_mut()
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

    /// What the screen becomes ready by.
    pub fn screen_waitable(&self) -> Waitable<'_> {
        self.screen.as_ref().map_or(Waitable::Ready, |it| it.presenter.waitable())
    }

    /// The time on the display's clock.
    pub fn now(&self) -> MonoTime {
        self.clock_now.now()
    }

    /// One turn.
    pub fn step(&mut self) -> Turn {
        let before = (self.env.allocations)();
        let turn = self.turn();
        self.allocations.present += (self.env.allocations)().saturating_sub(before);
        if self.allocations.from.is_none() && STEADY_AFTER <= self.presented {
            self.allocations.from = Some((self.all_allocations(), self.presented));
        }
        turn
    }

    fn turn(&mut self) -> Turn {
        let now = self.clock_now.now();
        self.screen_events(now);
        self.jump_if_asked(now);
        self.listen(now);
        self.tend(now);
        let had_ended = self.programme.has_ended();
        self.gather(now);
        if !had_ended && self.programme.has_ended() {
            // The item behind it must be cued before a virtual clock may run on to the seam.
            self.tend(now);
            self.gather(now);
        }
        self.tell_sound();
        if let Some(ended) = self.is_over(now) {
            return Turn::Ended(ended);
        }
        self.show(now)
    }

    fn is_over(&mut self, now: MonoTime) -> Option<Ended> {
        if self.asked_to_stop {
            return Some(Ended::Asked);
        }
        if self.over.is_some() {
            return self.over;
        }
        let enough = self.options.frames.is_some_and(|it| it <= self.presented)
            || self
                .options
                .duration
                .is_some_and(|it| self.begun.is_some_and(|begun| it <= now.saturating_since(begun)));
        if enough {
            return Some(Ended::Done);
        }
        None
    }

    /// Loads, cues and retires decks.
    fn tend(&mut self, now: MonoTime) {
        // A deck that is gone takes its frames with it.
        self.ahead.retain(|deck| self.programme.knows(deck));
        let media = self.clock.media_at(now);
        let idle = self.ahead.is_empty() && self.drawn.is_none() && self.flip.is_none();
        match self.programme.tend(now, media, idle, &mut self.seams, &mut self.stats) {
            Tended::Playing => {}
            Tended::Finished => {
                let played = 0 < self.presented;
                self.over.get_or_insert(if played { Ended::Done } else { Ended::NothingPlayable });
            }
        }
    }

    /// Takes frames off the decks while there is room.
    fn gather(&mut self, now: MonoTime) {
        while self.ahead.has_room() {
            let Some(Due { frame, pts, deck }) = self.programme.take_frame() else { break };
            let media = self.clock.media_at(now);
            let pts = match media {
                Some(media) if self.needs_new_place(&frame, media, pts) => self.programme.reanchor(deck, media, pts),
                _ => pts,
            };
            self.ahead.push(Due { frame, pts, deck });
        }
    }

    /// A frame so late that the timeline is moved rather than the frame dropped: a stalled disk or network must not
    /// cost the pictures that follow the stall. After a break of the timeline any lateness counts.
    fn needs_new_place(&self, frame: &VideoFrame, media: MediaTime, pts: MediaTime) -> bool {
        let limit = if frame.discontinuity { 0 } else { HOPELESSLY_LATE };
        self.ahead.is_empty() && limit < media.delta_nanos(pts)
    }

    fn fell_back(&mut self, it: Fallback) {
        log::warn!("{} gave up: {}; using {} from here on", it.from, it.reason, it.to);
        self.stats.fell_back(it);
    }
}

/// An `AdvanceClock` seen as the plain clock it also is.
struct Advancing(Arc<dyn AdvanceClock>);

impl Clock for Advancing {
    fn now(&self) -> MonoTime {
        self.0.now()
    }
}
