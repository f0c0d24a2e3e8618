//! Where log lines go, and which ones.
//!
//! Levels are promises: `error` is a failure of ours or the end of a command, `warn` a device or a file misbehaving, `info`
//! what an operator wants to read afterwards, `debug` for finding out, `trace` once per frame.
use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::platform::journal;

/// The target of FFmpeg's own lines. They are one level quieter than ours: much of what it calls an error is a broken file
/// that we step over.
pub const FFMPEG_TARGET: &str = "ffmpeg";

/// `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogTarget {
    /// The journal where stderr is connected to it, else stderr.
    #[default]
    Auto,
    /// systemd's journal.
    Journal,
    /// Standard error, one line each.
    Stderr,
}

/// Starts logging, once in a process. `verbosity` is the number of `-v` less the number of `-q`. The error is one line.
pub fn init(target: LogTarget, verbosity: i32) -> Result<(), String> {
    let to_journal = match target {
        LogTarget::Auto => journal::is_connected(),
        LogTarget::Journal => true,
        LogTarget::Stderr => false,
    };
    let levels = Levels::of(to_journal, verbosity);
    let inner = if to_journal {
        journal::logger("lucarne").map_err(|error| format!("--log journal: no journal to write to: {error}"))?
    } else {
        stderr_logger()
    };
    log::set_boxed_logger(Box::new(Filtered { levels, inner })).map_err(|error| format!("--log: {error}"))?;
    log::set_max_level(levels.own.max(levels.ffmpeg));
    Ok(())
}

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Levels {
    own: LevelFilter,
    ffmpeg: LevelFilter,
}

impl Levels {
    /// A terminal is told only what is not normal; the journal, read afterwards, also what was.
    fn of(to_journal: bool, verbosity: i32) -> Self {
        let usual = if to_journal { LevelFilter::Info } else { LevelFilter::Warn };
        let at = |steps: i32| {
            let level = (usual as i32).saturating_add(verbosity).saturating_add(steps);
            LevelFilter::iter().nth(level.clamp(0, LevelFilter::max() as i32) as usize).unwrap_or(usual)
        };
        Self { own: at(0), ffmpeg: at(-1) }
    }

    fn let_through(&self, level: Level, target: &str) -> bool {
        level <= if target == FFMPEG_TARGET { self.ffmpeg } else { self.own }
    }
}

struct Filtered {
    levels: Levels,
    inner: Box<dyn Log>,
}

impl Log for Filtered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.levels.let_through(metadata.level(), metadata.target())
    }
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.inner.log(record);
        }
    }
    fn flush(&self) {
        self.inner.flush();
    }
}

fn stderr_logger() -> Box<dyn Log> {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(LevelFilter::Trace);
    builder.format(|out, record| {
        if record.level() >= Level::Debug {
            write!(out, "{} ", out.timestamp_millis())?;
        }
        writeln!(out, "{}", line(record.level(), record.target(), &record.args().to_string()))
    });
    Box::new(builder.build())
}

/// One line for one record: what it says, preceded by our name, and by more the less it is meant for users. Control
/// characters, which names of files may hold, are written out.
fn line(level: Level, target: &str, message: &str) -> String {
    let mut out = match level {
        Level::Error | Level::Info => String::from("lucarne: "),
        Level::Warn => String::from("lucarne: warning: "),
        Level::Debug | Level::Trace => format!("lucarne: {}: {target}: ", level.as_str().to_ascii_lowercase()),
    };
    if target == FFMPEG_TARGET && level < Level::Debug {
        out.push_str("FFmpeg: ");
    }
    for it in message.trim_end().chars() {
        if it.is_control() { out.extend(it.escape_default()) } else { out.push(it) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_the_verbosity_and_ffmpeg_is_one_quieter() {
        use LevelFilter::*;
        for (to_journal, verbosity, own, ffmpeg) in [
            (false, 0, Warn, Error),
            (false, 1, Info, Warn),
            (false, 2, Debug, Info),
            (false, 3, Trace, Debug),
            (false, 99, Trace, Trace),
            (false, -1, Error, Off),
            (false, -9, Off, Off),
            (true, 0, Info, Warn),
            (true, 1, Debug, Info),
        ] {
            assert_eq!(Levels::of(to_journal, verbosity), Levels { own, ffmpeg }, "{to_journal} {verbosity}");
        }
    }

    #[test]
    fn only_ffmpegs_own_target_is_quieter() {
        let levels = Levels::of(false, 0);
        assert!(levels.let_through(Level::Warn, "lucarne::sys::ffmpeg"));
        assert!(!levels.let_through(Level::Warn, FFMPEG_TARGET));
        assert!(levels.let_through(Level::Error, FFMPEG_TARGET));
        assert!(!levels.let_through(Level::Info, "lucarne::app"));
    }

    #[test]
    fn a_record_is_one_line_whatever_it_holds() {
        for (level, target, message, want) in [
            (Level::Error, "lucarne::app", "a.mp4: not media", "lucarne: a.mp4: not media"),
            (Level::Warn, "lucarne", "default: ran dry\n", "lucarne: warning: default: ran dry"),
            (Level::Info, "lucarne", "a\nb\x1b[2J\tc", "lucarne: a\\nb\\u{1b}[2J\\tc"),
            (Level::Error, "ffmpeg", "moov atom not found", "lucarne: FFmpeg: moov atom not found"),
            (Level::Debug, "lucarne::x", "größer", "lucarne: debug: lucarne::x: größer"),
        ] {
            assert_eq!(line(level, target, message), want);
        }
    }
}
