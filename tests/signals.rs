//! A process that is asked to stop stops in order, with the exit code shells know; asked to switch its display, it hears that.
//!
//! Signals belong to whole processes: each case is a child of this one, and the harness is ours, since another's threads
//! would take the signal.
#[path = "support/harness.rs"]
mod harness;

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use harness::say;
use lucarne::backend::signals::{StopSignal, StopSignals};
use lucarne::backend::wait::PollWaiter;
use lucarne::seam::wait::Waiter;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Tells a child that it is one, and what it does when it is asked to stop.
const ROLE: &str = "LUCARNE_TEST_SIGNALS_ROLE";

fn main() -> ExitCode {
    match std::env::var(ROLE).as_deref() {
        Ok("obeys") => return obey(),
        Ok("hangs") => return hang(),
        Ok("switches") => return switch(),
        _ => {}
    }
    let cases = [
        ("sigterm_ends_the_wait_and_gives_143", "obeys", &[Signal::SIGTERM][..], 143),
        ("sigint_ends_the_wait_and_gives_130", "obeys", &[Signal::SIGINT][..], 130),
        (
            "sigusr1_and_sigusr2_switch_and_do_not_stop",
            "switches",
            &[Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGTERM][..],
            143,
        ),
        ("a_second_signal_ends_a_process_that_hangs", "hangs", &[Signal::SIGINT, Signal::SIGTERM][..], 143),
    ];
    harness::run(&cases.map(|it| it.0), |place| {
        let (_, role, signals, want) = cases[place];
        assert_eq!(exit_code_after(role, signals), Some(want));
        Ok::<(), Infallible>(())
    })
}

fn exit_code_after(role: &str, signals: &[Signal]) -> Option<i32> {
    let mut child = Command::new(std::env::current_exe().expect("we are a file"))
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("we can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    for signal in signals {
        // One line before each signal it waits for.
        lines.next().expect("it speaks").expect("it speaks text");
        kill(Pid::from_raw(child.id() as i32), *signal).expect("it is our child");
    }
    child.wait().expect("it is our child").code()
}

fn watched() -> (StopSignals, PollWaiter) {
    let signals = StopSignals::watch().expect("a thread can be made");
    let waiter = PollWaiter::new().expect("a descriptor is free");
    signals.wake_by(waiter.waker());
    assert_eq!(signals.received(), None);
    (signals, waiter)
}

/// A limit that only a failure reaches.
const LONG: Duration = Duration::from_secs(20);

fn obey() -> ExitCode {
    let (signals, mut waiter) = watched();
    say("ready");
    waiter.wait(&[], Some(LONG));
    signals.received().map_or(ExitCode::FAILURE, |it: StopSignal| ExitCode::from(it.exit_code()))
}

fn switch() -> ExitCode {
    let (signals, mut waiter) = watched();
    for want in [false, true] {
        say("ready");
        waiter.wait(&[], Some(LONG));
        if signals.take_power() != Some(want) || signals.take_power().is_some() || signals.received().is_some() {
            return ExitCode::FAILURE;
        }
    }
    say("ready");
    waiter.wait(&[], Some(LONG));
    signals.received().map_or(ExitCode::FAILURE, |it| ExitCode::from(it.exit_code()))
}

fn hang() -> ExitCode {
    let (signals, mut waiter) = watched();
    say("ready");
    waiter.wait(&[], Some(LONG));
    say(&format!("{:?}, but I do not care", signals.received()));
    waiter.wait(&[], Some(LONG));
    ExitCode::FAILURE
}
