//! The process that puts a terminal back when the player was killed.
//!
//! ```text
//!   player                                   guard
//!     | --- starts, a socket as its stdin -->  |   leaves the player's session, opens the terminal
//!     | <------------- READY ----------------  |
//!     |            ... plays ...               |   waits
//!     | -------------- DONE ---------------->  |   ends: the player put everything back itself
//!     X   or: the end of the socket  ------->  |   puts the terminal back, ends
//! ```
//! It takes no notice of signals that ask to stop, since whoever sends them to everybody (Ctrl-C, a service manager) means
//! the player, and the guard's time is after that. It outlives the player by a moment and nothing else.
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::unistd::{close, getppid, getsid, read, setpgid, setsid, write};

use crate::backend::console::{Before, Terminal, open_terminal};
use crate::backend::wait::PollWaiter;
use crate::seam::wait::Waiter;
use crate::sys::vt::{self, KdMode, KeyboardMode};

/// "I am watching."
const READY: u8 = b'r';
/// "You can go."
const DONE: u8 = b'd';
/// A program starts in some 20 ms; a machine that takes a hundred times as long has other troubles, and plays.
const START_LIMIT: Duration = Duration::from_secs(2);
/// A terminal whose session has just ended belongs to nobody for some milliseconds, and is hung up once more.
const RETRY: Duration = Duration::from_millis(20);
/// Two seconds in all.
const MAX_TRIES: u32 = 100;

/// The player's end.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
    line: UnixStream,
}

impl Guard {
    /// Starts `command` with the terminal and what it is put back to appended, and waits until it watches.
    pub(super) fn start(command: &[&str], terminal: &Terminal, before: Before) -> io::Result<Self> {
        let Some((program, arguments)) = command.split_first() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let (line, theirs) = UnixStream::pair()?;
        let child = Command::new(program)
            .args(arguments)
            .arg(&terminal.path)
            .arg(before.display.number().to_string())
            .arg(before.keyboard.number().to_string())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut it = Self { child, line };
        it.line.set_read_timeout(Some(START_LIMIT))?;
        let mut word = [0];
        match it.line.read_exact(&mut word) {
            Ok(()) if word == [READY] => Ok(it),
            Ok(()) => Err(io::ErrorKind::InvalidData.into()),
            Err(reason) => {
                it.dismiss();
                Err(reason)
            }
        }
    }

    /// Lets it go, and waits until it has gone.
    pub(super) fn dismiss(mut self) {
        // Where it has gone already there is nobody to tell, and `wait` only collects it.
        let _gone = self.line.write_all(&[DONE]);
        if let Err(reason) = self.child.wait() {
            log::debug!("the console's guard is not to be found: {reason}");
        }
    }
}

/// The guard's life, as a process of its own whose standard input is the player's socket. Answers whether the terminal is
/// as it should be.
pub fn run(path: PathBuf, display: i32, keyboard: i32) -> bool {
    let (Some(display), Some(keyboard)) = (KdMode::from_number(display), KeyboardMode::from_number(keyboard)) else {
        return false;
    };
    // Blocked is never taken notice of; it holds for this one thread, which is all there are.
    if SigSet::all().thread_block().is_err() {
        return false;
    }
    close_all_but_standard();
    leave_the_player();
    let Ok(tty) = open_terminal(&path) else { return false };
    // Something that is no terminal at all: we were called by hand.
    if vt::kd_mode(&tty).is_err() {
        return false;
    }
    let terminal = Terminal { tty, path, vt: 0 };
    if write(io::stdin().as_fd(), &[READY]).is_err() {
        return false;
    }
    if is_dismissed() {
        return true;
    }
    put_back(&terminal, Before { display, keyboard })
}

/// Everything of ours is closed by exec, but not every library takes that care, and a card or a sound device held here
/// would be busy for the next player.
fn close_all_but_standard() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let fds: Vec<i32> = entries.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok()).collect();
    for fd in fds.into_iter().filter(|it| *it > 2) {
        // One of them was the folder itself, which is closed.
        let _closed = close(fd);
    }
}

/// Whoever kills the player with its whole process group or session must not take the guard along. Only a process of the
/// terminal's own session, or root, may change the terminal: without root we stay in a session that outlives the player.
fn leave_the_player() {
    let player_leads = getsid(None).is_ok_and(|it| it == getppid());
    let own = nix::unistd::Pid::from_raw(0);
    let left = if is_root() || player_leads { setsid().map(drop) } else { setpgid(own, own) };
    // It fails for who leads a group already, and then has left.
    let _left = left;
}

/// The effective user owns its own folder below /proc (proc(5)).
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// Waits for the player's word or its end; whether it was the word.
fn is_dismissed() -> bool {
    let mut word = [0];
    loop {
        match read(io::stdin().as_fd(), &mut word) {
            Ok(1..) if word == [DONE] => return true,
            Ok(1..) | Err(Errno::EINTR) => {}
            Ok(0) | Err(_) => return false,
        }
    }
}

fn put_back(terminal: &Terminal, before: Before) -> bool {
    let Ok(mut waiter) = PollWaiter::new() else { return terminal.put_back(before).is_ok() };
    for _ in 0..MAX_TRIES {
        // The second look is for a terminal that was hung up under our hands.
        let is_back = terminal.put_back(before).is_ok() && is_as(terminal, before);
        if is_back {
            return true;
        }
        // Without root, a terminal may be changed by those it controls; it is free when the player led its session.
        let _made = open_terminal(&terminal.path).and_then(vt::make_controlling);
        waiter.wait(&[], Some(RETRY));
    }
    false
}

fn is_as(terminal: &Terminal, before: Before) -> bool {
    open_terminal(&terminal.path).and_then(vt::kd_mode).is_ok_and(|it| it == before.display)
}
