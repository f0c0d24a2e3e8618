//! The command line: what was asked for, as plain values. Only what works today is offered.
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::app::cli_values::{
    AudioChoice, LoopCount, ModeRequest, OutputChoice, parse_audio, parse_loop, parse_output, parse_percent,
    parse_rotation, parse_seconds, parse_size,
};
use crate::app::exit::{Failure, one_line};
use crate::app::log::LogTarget;
use crate::base::geometry::{Fit, Rotation};

/// Plays films on a screen for months without anyone looking.
#[derive(Debug, Parser)]
#[command(
    name = "lucarne",
    version,
    max_term_width = 110,
    disable_help_subcommand = true,
    arg_required_else_help = false
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Play files, folders, playlists (*.toml), images and URLs.
    Play(Box<PlayOptions>),
    /// Say what this machine can play, or what a file is and how it would play here.
    Probe(ProbeOptions),
    /// Put a virtual terminal back when the player that started this is gone.
    #[command(hide = true)]
    ConsoleGuard(ConsoleGuardOptions),
}

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Run a command.
    Run(Command),
    /// Print this (help, version) to standard output and be done.
    Print(String),
}

/// Where pictures go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DisplayChoice {
    /// KMS on a free console, a window in a desktop session, else headless.
    Auto,
    /// The whole screen, without a desktop in between.
    Kms,
    /// A window.
    Window,
    /// No screen: pictures are drawn, measured and thrown away.
    Headless,
}

/// How a frame may reach the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum InteropChoice {
    /// Without a copy where that works, else by uploading.
    Auto,
    /// By uploading, always.
    ForceSoftware,
    /// Without a copy; see --on-zero-copy-failure.
    ForceZeroCopy,
}

/// What to do when a forced zero-copy path fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ZeroCopyFailure {
    /// Skip the item.
    Fail,
    /// Upload from then on.
    Downgrade,
}

/// Which decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DecoderChoice {
    /// The best this machine has.
    Auto,
    /// FFmpeg's, on the CPU.
    Software,
    /// The kernel's, in hardware (V4L2 memory-to-memory).
    V4l2,
}

impl DecoderChoice {
    /// The one decoder wanted, by its name.
    pub fn name(self) -> Option<&'static str> {
        match self {
            DecoderChoice::Auto => None,
            DecoderChoice::Software => Some("software"),
            DecoderChoice::V4l2 => Some("v4l2"),
        }
    }
}

/// Whether the television is spoken to over HDMI's control line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CecChoice {
    /// Where there is a CEC adapter.
    Auto,
    /// Not at all.
    Off,
}

/// Which time the display keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// The machine's clock.
    Realtime,
    /// As fast as frames are ready, none dropped (headless only).
    Fast,
}

/// How much to log, and where.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct LogOptions {
    /// Say more; twice: everything.
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Say less; twice: nothing.
    #[arg(short, long, action = ArgAction::Count)]
    quiet: u8,
    /// Where log lines go.
    #[arg(long = "log", value_name = "WHERE", value_enum, default_value = "auto")]
    pub target: LogTarget,
}

impl LogOptions {
    /// The number of `-v` less the number of `-q`.
    pub fn verbosity(&self) -> i32 {
        i32::from(self.verbose) - i32::from(self.quiet)
    }
}

/// `lucarne play`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct PlayOptions {
    /// Files, folders, playlists (*.toml), images or URLs, one after the other.
    #[arg(required_unless_present = "outputs", value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Where pictures go. `auto`: KMS on a free console, a window in a desktop session, else headless.
    #[arg(long, value_enum, default_value = "auto")]
    pub display: DisplayChoice,
    /// The window's or the headless display's size (`auto`: 1280x720); on kms the mode (`auto`: the display's preferred
    /// resolution, at the refresh that suits the film).
    #[arg(long, value_name = "WxH[@HZ]|auto", value_parser = parse_size, default_value = "auto")]
    pub size: ModeRequest,
    /// The kms connector to show on, such as HDMI-A-1; repeatable. With INPUT it plays that, else what the others without one
    /// show. The first is the main one: figures, frame log and snapshots are its own.
    #[arg(long = "output", value_name = "NAME[=INPUT]", value_parser = parse_output)]
    pub outputs: Vec<OutputChoice>,
    /// The output whose sound is heard [default: the first]
    #[arg(long, value_name = "NAME", requires = "outputs")]
    pub audio_from: Option<String>,
    /// Turn the picture clockwise, on top of what the file asks for.
    #[arg(long, value_name = "0|90|180|270", value_parser = parse_rotation, default_value = "0")]
    pub rotate: Rotation,
    /// What to do when the picture's shape is not the screen's.
    #[arg(long, value_name = "contain|cover|stretch", value_parser = parse_fit, default_value = "contain")]
    pub fit: Fit,
    /// How frames reach the display.
    #[arg(long, value_enum, default_value = "auto")]
    pub interop: InteropChoice,
    /// When --interop force_zero_copy does not work.
    #[arg(long, value_enum, default_value = "downgrade", value_name = "POLICY")]
    pub on_zero_copy_failure: ZeroCopyFailure,
    /// Which decoder.
    #[arg(long, value_enum, default_value = "auto")]
    pub decoder: DecoderChoice,
    /// `auto`, `none`, or the name of an ALSA device.
    #[arg(long, value_name = "auto|none|DEVICE", value_parser = parse_audio, default_value = "auto")]
    pub audio: AudioChoice,
    /// How loud, in percent.
    #[arg(long, value_name = "0..100", value_parser = parse_percent, default_value = "100")]
    pub volume: u8,
    /// How often to play it all [default: what the playlist says, else forever on kms and 1 elsewhere]
    #[arg(long = "loop", value_name = "N|forever", value_parser = parse_loop)]
    pub loops: Option<LoopCount>,
    /// Switch the television on with the first picture, and with the display (SIGUSR1 switches it off, SIGUSR2 on
    /// again) [default: auto on kms, off elsewhere]
    #[arg(long, value_enum)]
    pub cec: Option<CecChoice>,
    /// Stop after this long.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Stop after this many frames were shown.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
    /// Which time the display keeps. `fast`: headless only; as fast as frames are ready, none dropped.
    #[arg(long, value_enum, default_value = "realtime")]
    pub pace: Pace,
    /// Write the statistics here, as JSON, at the end.
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Show a live line of figures this often, on a terminal.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub stats_interval: Option<Duration>,
    /// Keep a PNG of every Nth presented frame, as the display showed it.
    #[arg(long, value_name = "N", requires = "snapshot_dir", value_parser = clap::value_parser!(u64).range(1..))]
    pub snapshot_every: Option<u64>,
    /// Where those PNGs go.
    #[arg(long, value_name = "DIR", requires = "snapshot_every")]
    pub snapshot_dir: Option<PathBuf>,
    /// Write one CSV line for each presented frame.
    #[arg(long, value_name = "FILE")]
    pub framelog: Option<PathBuf>,
    /// Fill in the log's crc32 column: reads every frame back, or on kms takes the display controller's checksums where the
    /// kernel has them.
    #[arg(long, requires = "framelog")]
    pub framelog_crc: bool,
    /// How much to log, and where.
    #[command(flatten)]
    pub log: LogOptions,
    /// Open the next item only when the present one has ended: shows what pre-rolling is worth.
    #[arg(long, hide = true)]
    pub no_preroll: bool,
    /// Take as long as another machine would, by this table: for tests in virtual time.
    #[arg(long, hide = true, value_name = "FILE")]
    pub inject: Option<String>,
    /// Decoder threads; without it as many as there are processors.
    #[arg(long, hide = true, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub threads: Option<u32>,
    /// Give up on an input that has not answered for this long; without it after 10 seconds.
    #[arg(long, hide = true, value_name = "SECONDS", value_parser = parse_seconds)]
    pub io_timeout: Option<Duration>,
}

/// `lucarne probe`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ProbeOptions {
    /// Files or URLs to look at; without any, the machine.
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// How much to log, and where.
    #[command(flatten)]
    pub log: LogOptions,
}

/// `lucarne console-guard`: started by the player for itself.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ConsoleGuardOptions {
    /// The terminal.
    pub terminal: PathBuf,
    /// Its display mode, as linux/kd.h counts.
    pub display: i32,
    /// Its keyboard mode, likewise.
    pub keyboard: i32,
}

/// Reads the command line; `args` begin with the program's name. A mistake in it is one line that says what to do.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, Failure> {
    let mut command = match Cli::try_parse_from(args) {
        Ok(it) => it.command,
        Err(it) if !it.use_stderr() => return Ok(Request::Print(it.to_string())),
        Err(it) => return Err(usage(&it)),
    };
    if let Command::Play(options) = &mut command {
        settle_display(options)?;
        if options.inject.is_some() && options.pace == Pace::Fast {
            // Costs pass on the machine's clock, which that pace does not look at.
            return Err(Failure::usage("--inject means nothing with --pace fast").advise("leave one of them out"));
        }
        settle_outputs(options)?;
    }
    Ok(Request::Run(command))
}

/// `--pace fast` has a clock of its own, which only the headless display keeps.
fn settle_display(options: &mut PlayOptions) -> Result<(), Failure> {
    match (options.pace, options.display) {
        (Pace::Fast, DisplayChoice::Auto) => options.display = DisplayChoice::Headless,
        (Pace::Fast, DisplayChoice::Window | DisplayChoice::Kms) => {
            let what = "--pace fast works on the headless display only";
            return Err(Failure::usage(what).advise("leave it out, or use --display headless"));
        }
        _ => {}
    }
    Ok(())
}

/// Outputs belong to KMS; each is named once and has something to show, and every input is shown somewhere.
fn settle_outputs(options: &mut PlayOptions) -> Result<(), Failure> {
    let Some(first) = options.outputs.first() else { return Ok(()) };
    match options.display {
        DisplayChoice::Auto => options.display = DisplayChoice::Kms,
        DisplayChoice::Kms => {}
        DisplayChoice::Window | DisplayChoice::Headless => {
            let what = format!("--output {}: only the kms display has outputs", first.name);
            return Err(Failure::usage(what).advise("leave it out, or use --display kms"));
        }
    }
    for (index, it) in options.outputs.iter().enumerate() {
        if options.outputs[..index].iter().any(|before| before.name == it.name) {
            let what = format!("--output {}: named twice", it.name);
            return Err(Failure::usage(what).advise("name each output once"));
        }
    }
    let mirroring = options.outputs.iter().find(|it| it.input.is_none());
    match (mirroring, options.inputs.first()) {
        (Some(it), None) => {
            let what = format!("--output {}: there is nothing for it to show", it.name);
            let advice = format!("name an input, or what this output plays: --output {}=INPUT", it.name);
            return Err(Failure::usage(what).advise(&advice));
        }
        (None, Some(input)) => {
            let what = format!("{input}: every output has an input of its own, so that nothing shows this one");
            return Err(Failure::usage(what).advise("leave it out, or name an --output without an input"));
        }
        _ => {}
    }
    if let Some(name) = &options.audio_from
        && options.outputs.iter().all(|it| it.name != *name)
    {
        let known: Vec<&str> = options.outputs.iter().map(|it| it.name.as_str()).collect();
        let what = format!("--audio-from {name}: no such output is in use");
        return Err(Failure::usage(what).advise(&format!("one of {}", known.join(", "))));
    }
    Ok(())
}

/// clap explains a mistake over several lines; the explanation is kept, the usage and the pointer to help go.
fn usage(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let explained: Vec<String> = text
        .lines()
        .map(one_line)
        .take_while(|it| !it.starts_with("Usage:") && !it.starts_with("For more information"))
        .filter(|it| !it.is_empty())
        .collect();
    // clap names hidden commands here too; this one is the player's own.
    let line = explained.join(" ").replace(", console-guard", "");
    Failure::usage(line.strip_prefix("error: ").unwrap_or(&line)).advise("see `lucarne --help`")
}

fn parse_fit(text: &str) -> Result<Fit, String> {
    crate::app::cli_values::fit_by_name(text).ok_or_else(|| "one of contain, cover, stretch".to_owned())
}

#[cfg(test)]
mod tests;
