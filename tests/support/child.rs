//! The player as a process of its own: run with a hard limit on its time, what it said and how it ended brought back.
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program these tests are about.
pub const LUCARNE: &str = env!("CARGO_BIN_EXE_lucarne");

/// `lucarne play` without a screen, small, and as fast as it can.
pub fn fast() -> Command {
    let mut it = Command::new(LUCARNE);
    it.args(["play", "--display", "headless", "--pace", "fast", "--size", "64x36", "--audio", "none"]);
    it
}

/// What became of a process.
#[derive(Debug)]
pub struct Ended {
    /// How it ended; by SIGKILL when its time was up.
    pub status: ExitStatus,
    /// Its time was up.
    pub timed_out: bool,
    /// How long it took.
    pub took: Duration,
    /// What it said on standard error.
    pub stderr: String,
}

impl Ended {
    /// The exit code; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Why this is no way for a player to end, whatever it was given: it hung, it crashed, it panicked.
    pub fn fault(&self) -> Option<String> {
        use std::os::unix::process::ExitStatusExt;
        if self.timed_out {
            return Some(format!("still running after {:?}", self.took));
        }
        if let Some(signal) = self.status.signal() {
            return Some(format!("ended by signal {signal}"));
        }
        let panicked = self.stderr.contains("panicked") || self.stderr.contains("RUST_BACKTRACE");
        panicked.then(|| "panicked".to_owned())
    }
}

/// Runs `command` to its end, at most for `limit`; then it is killed. It is a child of ours until it has been waited for,
/// so the number that is killed is never somebody else's.
#[track_caller]
pub fn run(mut command: Command, limit: Duration) -> Ended {
    let started = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    let mut child = command.spawn().unwrap_or_else(|it| panic!("{command:?}: {it}"));
    let mut pipe = child.stderr.take().expect("standard error is a pipe");
    let (sender, said) = channel();
    // Its standard error is closed when it ends, however it does; that is what is waited for.
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _cut_short = pipe.read_to_end(&mut bytes);
        let _nobody_waits = sender.send(());
        bytes
    });
    let timed_out = said.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
    if timed_out {
        child.kill().expect("killed");
    }
    let status = child.wait().expect("waited for");
    let took = started.elapsed();
    let stderr = String::from_utf8_lossy(&reader.join().expect("the reader")).into_owned();
    Ended { status, timed_out, took, stderr }
}

/// The statistics at `path`.
#[track_caller]
pub fn stats(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}
