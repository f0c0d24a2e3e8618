//! The commands.
pub mod cli;
pub mod cli_values;
pub mod costs_file;
pub mod exit;
pub mod folder;
pub mod framelog;
pub mod inputs;
pub mod log;
pub mod machine;
pub mod output;
pub mod play;
pub mod playlist_file;
pub mod probe;
pub mod stats_file;
pub mod toml_file;

use std::ffi::OsString;

use crate::app::cli::{Command, LogOptions, Request};
use crate::app::exit::{Exit, Failure};
use crate::platform::{DecoderWish, StopSignals};

/// Does what the command line asks; failures are told on standard error.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    match cli::parse(args).and_then(run) {
        Ok(exit) => exit,
        Err(failure) => {
            output::complain(&failure);
            failure.exit
        }
    }
}

fn run(request: Request) -> Result<Exit, Failure> {
    let command = match request {
        Request::Print(text) => return output::print(&text).map(|()| Exit::Done),
        Request::Run(command) => command,
    };
    match command {
        Command::Play(options) => {
            start_log(&options.log)?;
            // Before any other thread is made: they inherit the blocked signals.
            crate::platform::console::prepare();
            let signals = StopSignals::watch().map_err(|it| Failure::failed(format!("cannot catch signals: {it}")))?;
            let platform = crate::platform::open();
            let started = platform.clock.now();
            play::play(&options, &platform, &signals, started)
        }
        Command::ConsoleGuard(options) => {
            let is_back = crate::platform::console::guard(options.terminal, options.display, options.keyboard);
            Ok(if is_back { Exit::Done } else { Exit::Failed })
        }
        Command::Probe(options) => {
            start_log(&options.log)?;
            let platform = crate::platform::open();
            let wish = DecoderWish::default();
            wish.dmabuf.make(true);
            let decoders = (platform.decoders)(wish);
            let decoders: Vec<_> = decoders.iter().map(|it| it.as_ref()).collect();
            let cancel = crate::base::cancel::Cancel::new();
            let (report, stage) = (|| machine::report(&platform), || machine::stage(&platform));
            probe::run(&options, report, platform.demuxers.as_ref(), &decoders, stage, &cancel)
        }
    }
}

fn start_log(options: &LogOptions) -> Result<(), Failure> {
    log::init(options.target, options.verbosity()).map_err(Failure::usage)
}
