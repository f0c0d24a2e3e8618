//! What is to happen on a rig, step by step, in the rig's own time.
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Codec;

/// One thing that happens on a rig. The player runs beside the steps until it ends or [`Step::Finish`] waits for it.
#[derive(Debug, Clone)]
pub enum Step {
    /// Starts `lucarne` with these arguments, its statistics and frame log in `stats.json` and `frames.csv`.
    Player(Vec<String>),
    /// Lets time pass, the rig's.
    Wait(Duration),
    /// Sends the player a signal by its short name: `TERM`, `KILL`, `STOP`, `CONT`, `USR1`.
    Signal(&'static str),
    /// Waits for the player's end; its exit code is the job's.
    Finish,
    /// Takes the plug of this display out.
    Unplug(usize),
    /// Puts it back in.
    Plug(usize),
    /// From here on writes a line for each vblank of this display to `crc-INDEX.txt`.
    Crc(usize),
    /// From here on records what the player sends to the rig's sound device, into `recording.wav`.
    Record,
    /// Cuts the power. Nothing comes after this step; what was not on the disk is lost.
    PowerCut,
    /// Lines of shell, run by bash; a failure of theirs ends the job. What they leave in the folder comes back.
    /// For what only one rig has; say so by an [`Ability`](super::Ability) of the case.
    Shell(String),
}

/// What is to happen on a rig. Made by chained calls, in the order in which things happen:
///
/// ```ignore
/// bench.job()
///     .push(&media::bigbuckbunny(), "film.mp4")
///     .player(["play", "film.mp4", "--display", "kms", "--loop", "1"])
///     .wait(Duration::from_secs(1))
///     .unplug(0)
///     .wait(Duration::from_secs(1))
///     .plug(0)
///     .finish()
/// ```
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Files on this machine, and their names in the job's folder.
    pub files: Vec<(PathBuf, String)>,
    /// Time is real, not virtual, on a rig that has both.
    pub real_time: bool,
    /// Displays that the rig has when the job begins; none: what the rig has anyway.
    pub outputs: Option<usize>,
    /// Which of those are unplugged when the job begins.
    pub absent: Vec<usize>,
    /// A raw disk image of this machine, `/dev/ubda` on the board; a Pi has its own.
    pub disk: Option<PathBuf>,
    /// The codec that the rig has; none: none that is asked for by name.
    pub codec: Option<Codec>,
    /// Parameters of that codec's driver, `name=value`.
    pub codec_parameters: Vec<String>,
    /// vicodec's nodes have one plane, not several.
    pub single_planar: bool,
    /// Environment variables for everything that runs there.
    pub environment: Vec<(String, String)>,
    /// After this long by the wall clock the rig is given up.
    pub limit: Duration,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Job {
    /// Nothing yet, in virtual time, within two minutes by the wall clock.
    pub fn new() -> Self {
        Self { limit: Duration::from_secs(120), ..Self::default() }
    }

    /// Brings a file along.
    pub fn push(mut self, file: &Path, name: &str) -> Self {
        self.files.push((file.to_owned(), name.to_owned()));
        self
    }

    /// In real time: for what is about speed. Figures are then those of a machine that others use too.
    pub fn real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// The rig has so many displays that can be unplugged.
    pub fn outputs(mut self, count: usize) -> Self {
        self.outputs = Some(count);
        self
    }

    /// This display is not there when the job begins. Only after [`Job::outputs`].
    pub fn absent(mut self, index: usize) -> Self {
        self.absent.push(index);
        self
    }

    /// A disk, as an image on this machine. Time is real then.
    pub fn disk(mut self, image: &Path) -> Self {
        self.disk = Some(image.to_owned());
        self
    }

    /// A codec of this character. Needs [`Ability::Codec`](super::Ability::Codec), and
    /// [`Ability::CodecCharacter`](super::Ability::CodecCharacter) if it is not what a Pi has anyway.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = Some(codec);
        self
    }

    /// A parameter of the codec's driver (`hw-tests/boards/virtual.md`). Only after [`Job::codec`]; needs
    /// [`Ability::CodecCharacter`](super::Ability::CodecCharacter).
    pub fn codec_parameter(mut self, name: &str, value: u32) -> Self {
        self.codec_parameters.push(format!("{name}={value}"));
        self
    }

    /// vicodec with the single-planar calls, `VIDEO_CAPTURE` and not `VIDEO_CAPTURE_MPLANE`.
    pub fn single_planar(mut self) -> Self {
        self.single_planar = true;
        self
    }

    /// An environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long it may take by the wall clock.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// One more step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Starts the player.
    pub fn player<S: Into<String>>(self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.step(Step::Player(arguments.into_iter().map(Into::into).collect()))
    }

    /// Lets time pass.
    pub fn wait(self, time: Duration) -> Self {
        self.step(Step::Wait(time))
    }

    /// Sends the player a signal.
    pub fn signal(self, name: &'static str) -> Self {
        self.step(Step::Signal(name))
    }

    /// Waits for the player's end.
    pub fn finish(self) -> Self {
        self.step(Step::Finish)
    }

    /// Pulls a plug.
    pub fn unplug(self, output: usize) -> Self {
        self.step(Step::Unplug(output))
    }

    /// Puts it back.
    pub fn plug(self, output: usize) -> Self {
        self.step(Step::Plug(output))
    }

    /// Writes down the checksums of a display's vblanks from here on.
    pub fn crc(self, output: usize) -> Self {
        self.step(Step::Crc(output))
    }

    /// Records the sound from here on.
    pub fn record(self) -> Self {
        self.step(Step::Record)
    }

    /// Cuts the power.
    pub fn power_cut(self) -> Self {
        self.step(Step::PowerCut)
    }

    /// Runs lines of shell.
    pub fn shell(self, lines: &str) -> Self {
        self.step(Step::Shell(lines.to_owned()))
    }
}
