//! What the present thread tells the sound thread, and the other way round. Each half has one writer.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::audio::AudioFormat;
use crate::base::time::{MediaTime, MonoTime};
use crate::logic::master_clock::MasterClock;
use crate::pipeline::deck::{AudioLink, DeckShared};

/// A deck, as far as its sound goes.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The deck's id.
    pub deck: u64,
    /// Its coded sound.
    pub link: AudioLink,
    /// Its state: where its laps end.
    pub shared: Arc<DeckShared>,
    /// Added to its timeline to get the programme's; `None` until that is known.
    pub offset: Option<i64>,
}

/// Written by the present thread.
#[derive(Debug, Default)]
pub struct SoundProgramme {
    /// The decks in the order they play: the one on screen, and the one cued behind it.
    pub segments: Vec<Segment>,
    /// The pictures' clock.
    pub clock: MasterClock,
    /// When the first picture is due; `None` until there is one.
    pub begin: Option<MediaTime>,
    /// Counts up when what was written must not be heard.
    pub flushes: u32,
    /// Nothing is to be heard.
    pub paused: bool,
}

/// What the device is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SoundState {
    /// Being opened, or waiting for the programme to begin.
    #[default]
    Starting,
    /// Playing; `heard` says where.
    Playing,
    /// Not there.
    Lost,
}

/// Written by the sound thread.
#[derive(Debug, Clone)]
pub struct SoundReport {
    /// What the device is doing.
    pub state: SoundState,
    /// What is being heard on the programme's timeline, and when that was so.
    pub heard: Option<(MediaTime, MonoTime)>,
    /// The device keeps time.
    pub trusted: bool,
    /// Times the device ran dry.
    pub xruns: u64,
    /// Times the sound was cut or padded because it was off the picture.
    pub realigned: u64,
    /// The device's name.
    pub device: String,
    /// What the device takes.
    pub format: Option<AudioFormat>,
}

impl Default for SoundReport {
    fn default() -> Self {
        Self {
            state: SoundState::Starting,
            heard: None,
            trusted: true,
            xruns: 0,
            realigned: 0,
            device: String::new(),
            format: None,
        }
    }
}

/// The board between the two threads.
#[derive(Debug, Default)]
pub struct SoundBoard {
    programme: Mutex<SoundProgramme>,
    report: Mutex<SoundReport>,
}

impl SoundBoard {
    /// What is to be heard.
    pub fn programme(&self) -> MutexGuard<'_, SoundProgramme> {
        self.programme.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// What is being heard.
    pub fn report(&self) -> MutexGuard<'_, SoundReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Says what is being heard. Allocates nothing.
    pub fn publish(&self, report: &SoundReport) {
        let mut board = self.report();
        board.state = report.state;
        board.heard = report.heard;
        board.trusted = report.trusted;
        board.xruns = report.xruns;
        board.realigned = report.realigned;
        board.format = report.format;
        if board.device != report.device {
            board.device.clone_from(&report.device);
        }
    }
}
