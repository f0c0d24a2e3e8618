//! The virtual terminal below the film is dark and deaf while somebody holds it, and never after, however that one ends.
//!
//! Needs a virtual terminal in text mode and the right to change it: the virtual board has some. The holder and its guard
//! are processes, so the harness is ours.
#[path = "support/harness.rs"]
mod harness;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use harness::say;
use lucarne::backend::console::{Console, process};
use lucarne::backend::wait::PollWaiter;
use lucarne::seam::seat::{Seat, SeatRequest};
use lucarne::seam::wait::{Waitable, Waiter};
use lucarne::sys::vt::{self, KdMode, KeyboardMode};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

const HOLD: &str = "hold";
const GUARD: &str = "guard";
/// Ten times what a loaded machine takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A test: what must be so, and how that is shown on a terminal.
type Case = (&'static str, fn(&File));

const CASES: [Case; 7] = [
    ("a_held_terminal_is_dark_and_deaf_and_put_back", held),
    ("a_killed_holder_leaves_a_terminal_that_works", killed),
    ("a_holder_killed_with_all_its_group_does_too", killed_with_its_group),
    ("a_guard_takes_no_notice_of_being_asked_to_stop", asked),
    ("a_guard_keeps_nothing_of_its_holder", keeps_nothing),
    ("another_terminal_comes_to_the_screen_when_the_holder_lets_go", switched),
    ("a_terminal_that_somebody_left_dark_is_put_back_to_text", left_dark),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [HOLD] => return hold(),
        // For a look by hand.
        ["show", path] => {
            say(&format!("{:?}", modes(&File::open(path).expect("a terminal"))));
            return ExitCode::SUCCESS;
        }
        [GUARD, path, display, keyboard] => {
            let number = |it: &str| it.parse().expect("a number");
            let is_back = process::guard(PathBuf::from(path), number(display), number(keyboard));
            return if is_back { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        _ => {}
    }
    let mut tty = None;
    harness::run(&CASES.map(|it| it.0), |place| match tty.get_or_insert_with(terminal) {
        Ok(tty) => {
            CASES[place].1(tty);
            Ok(())
        }
        Err(why) => Err(why.clone()),
    })
}

/// The terminal on the screen, where it is ours to play with: in text mode, so no desktop is on it.
fn terminal() -> Result<File, String> {
    let why = |call: &'static str| move |it: std::io::Error| format!("no virtual terminal to try it on: {call}: {it}");
    let screen = File::options().read(true).write(true).open("/dev/tty0").map_err(why("/dev/tty0"))?;
    let number = vt::active(&screen).map_err(why("VT_GETSTATE"))?;
    let tty = File::options().read(true).write(true).open(format!("/dev/tty{number}")).map_err(why("open"))?;
    if vt::kd_mode(&tty).map_err(why("KDGETMODE"))? == KdMode::Graphics {
        return Err("the terminal on the screen belongs to somebody else".to_owned());
    }
    vt::set_kd_mode(&tty, KdMode::Text).map_err(why("KDSETMODE"))?;
    Ok(tty)
}

/// Takes the terminal, says so, and keeps it until standard input ends. Lets go when it is asked to.
fn hold() -> ExitCode {
    process::prepare();
    let own = std::env::current_exe().expect("we are a file");
    let mut console = Console::take(&[own.to_str().expect("text"), GUARD]).expect("a terminal");
    let mut waiter = PollWaiter::new().expect("a descriptor is free");
    say("holding");
    loop {
        let mut stdin = std::io::stdin();
        let switches = Waitable::Fd(console.wakes_by().expect("it hears switches"));
        waiter.wait(&[Waitable::Fd(stdin.as_fd()), switches], None);
        match console.poll() {
            Some(SeatRequest::LetGo) => {
                say("let go");
                console.let_go();
            }
            Some(SeatRequest::TakeBack) => say("took back"),
            // Nobody writes to it: that it is readable means that it has ended.
            None => {
                assert_eq!(stdin.read(&mut [0]).expect("it can be read"), 0);
                return ExitCode::SUCCESS;
            }
        }
    }
}

struct Holder {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    guard: Pid,
}

impl Holder {
    fn start() -> Self {
        let own = std::env::current_exe().expect("we are a file");
        let mut child = Command::new(own)
            .arg(HOLD)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("we can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next().expect("it speaks").expect("text"), "holding");
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()));
        let guard = match children {
            Ok(it) => it.trim().parse().expect("one child"),
            // Not every kernel lists them.
            Err(_) => child_of(child.id()).expect("it has a guard"),
        };
        let stdin = child.stdin.take();
        Self { child, stdin, lines, guard: Pid::from_raw(guard) }
    }

    fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().expect("it is our child").success());
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }
}

fn child_of(parent: u32) -> Option<i32> {
    fs::read_dir("/proc").expect("proc").flatten().find_map(|it| {
        let pid = it.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(it.path().join("stat")).ok()?;
        let (_, rest) = stat.rsplit_once(") ")?;
        (rest.split(' ').nth(1)?.parse() == Ok(parent)).then_some(pid)
    })
}

#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    // Nobody ever sends: receiving is the wait between two looks.
    let (_sender, never) = channel::<()>();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        let _timeout = never.recv_timeout(Duration::from_millis(5));
    }
}

fn modes(tty: &File) -> (KdMode, KeyboardMode) {
    (vt::kd_mode(tty).expect("KDGETMODE"), vt::keyboard_mode(tty).expect("KDGKBMODE"))
}

const HELD: (KdMode, KeyboardMode) = (KdMode::Graphics, KeyboardMode::OFF);

/// A process that has ended and been waited for, or waits for its parent, which may be init.
fn is_gone(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |it| it.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z')))
}

fn held(tty: &File) {
    let before = modes(tty);
    assert_ne!(before, HELD);
    let holder = Holder::start();
    assert_eq!(modes(tty), HELD);
    let guard = holder.guard;
    holder.end();
    // At once: the guard has gone before the holder went.
    assert_eq!(modes(tty), before);
    assert!(is_gone(guard));
}

fn killed(tty: &File) {
    let before = modes(tty);
    let mut holder = Holder::start();
    assert_eq!(modes(tty), HELD);
    assert!(vt::is_switched_by_a_process(tty).expect("VT_GETMODE"));
    kill(holder.pid(), Signal::SIGKILL).expect("it is our child");
    holder.child.wait().expect("it is our child");
    until("the terminal works", || modes(tty) == before);
    until("the guard is gone", || is_gone(holder.guard));
    assert!(!vt::is_switched_by_a_process(tty).expect("VT_GETMODE"));
}

fn killed_with_its_group(tty: &File) {
    let before = modes(tty);
    let mut holder = Holder::start();
    killpg(holder.pid(), Signal::SIGKILL).expect("it leads its group");
    holder.child.wait().expect("it is our child");
    until("the terminal works", || modes(tty) == before);
    until("the guard is gone", || is_gone(holder.guard));
}

fn asked(tty: &File) {
    let before = modes(tty);
    let mut holder = Holder::start();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP] {
        kill(holder.guard, signal).expect("it is there");
    }
    assert_eq!(modes(tty), HELD);
    kill(holder.pid(), Signal::SIGKILL).expect("it is our child");
    holder.child.wait().expect("it is our child");
    until("the terminal works", || modes(tty) == before);
}

fn keeps_nothing(_tty: &File) {
    let holder = Holder::start();
    let fds = fs::read_dir(format!("/proc/{}/fd", holder.guard)).expect("it is there");
    let mut targets: Vec<String> = fds
        .flatten()
        .filter_map(|it| fs::read_link(it.path()).ok())
        .map(|it| it.to_string_lossy().trim_end_matches(|it: char| it.is_ascii_digit()).to_owned())
        .map(|it| it.split(':').next().unwrap_or("").to_owned())
        .collect();
    targets.sort();
    assert_eq!(targets, ["/dev/null", "/dev/null", "/dev/tty", "socket"]);
    holder.end();
}

fn switched(tty: &File) {
    let mut holder = Holder::start();
    let ours = vt::active(tty).expect("VT_GETSTATE");
    let other = ours % 63 + 1;
    let mut heard = || holder.lines.next().expect("it speaks").expect("text");
    vt::activate(tty, other).expect("VT_ACTIVATE");
    assert_eq!(heard(), "let go");
    until("the other terminal is on the screen", || vt::active(tty).expect("VT_GETSTATE") == other);
    vt::activate(tty, ours).expect("VT_ACTIVATE");
    assert_eq!(heard(), "took back");
    assert_eq!((vt::active(tty).expect("VT_GETSTATE"), modes(tty)), (ours, HELD));
    holder.end();
}

fn left_dark(tty: &File) {
    let before = modes(tty);
    vt::set_kd_mode(tty, KdMode::Graphics).expect("KDSETMODE");
    vt::set_keyboard_mode(tty, KeyboardMode::OFF).expect("KDSKBMODE");
    Holder::start().end();
    assert_eq!(modes(tty), (KdMode::Text, KeyboardMode::UNICODE));
    vt::set_keyboard_mode(tty, before.1).expect("KDSKBMODE");
}
