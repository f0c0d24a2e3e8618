//! The text console below a screen that we drive ourselves.
//!
//! While KMS plays, the virtual terminal (VT) on the screen is in graphics mode, so that the kernel draws no letters over
//! the film, and its keyboard is off, so that nothing typed reaches the login prompt that may wait behind it. Both are put
//! back at the end. The terminal belongs to the kernel and not to us: it would stay dark and deaf after a process that was
//! killed. So a guard ([`guard`]) lives beside the player for as long as it does, and puts the terminal back when nobody
//! else could.
//!
//! Another terminal may be brought to the screen meanwhile (`chvt 2`, from a login by network or by a program: the keys for
//! it are off with the rest). The kernel asks us first; we let go of the screen and are told when it is ours again.
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use crate::seam::seat::{Seat, SeatRequest};
use crate::sys::vt::signals::{SwitchSignal, SwitchSignals};
use crate::sys::vt::{self, KdMode, KeyboardMode, Switching};

mod find;
pub mod guard;
mod neighbours;
pub mod process;

use guard::Guard;

/// What a terminal is put back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Who drew.
    pub display: KdMode,
    /// What became of the keys.
    pub keyboard: KeyboardMode,
}

/// Why there is no console to take; playing goes on without.
#[derive(Debug, thiserror::Error)]
pub enum NoConsole {
    /// A container, a login by network, a kernel without virtual terminals.
    #[error("there is no virtual terminal here: {0}")]
    Missing(String),
    /// It is there, and not ours.
    #[error("tty{vt}: {call}: {reason}; run as root, or from a login on that terminal")]
    Refused {
        /// Its number.
        vt: u32,
        /// The call that failed.
        call: &'static str,
        /// The system's words.
        reason: io::Error,
    },
}

/// A virtual terminal in graphics mode with its keyboard off, until this is dropped.
#[derive(Debug)]
pub struct Console {
    terminal: Terminal,
    before: Before,
    guard: Option<Guard>,
    /// `None`: the kernel refuses to switch while we play.
    switches: Option<SwitchSignals>,
}

/// A virtual terminal, by a descriptor and by its name.
#[derive(Debug)]
pub(crate) struct Terminal {
    tty: File,
    path: PathBuf,
    vt: u32,
}

impl Console {
    /// Takes the terminal that we were started on, else the one on the screen. `guard` is the command of the guard process,
    /// which ends up in [`guard::run`]; the terminal and its modes are appended. Waits until the guard is ready.
    pub fn take(guard: &[&str]) -> Result<Self, NoConsole> {
        let terminal = find::terminal()?;
        let vt = terminal.vt;
        let refused = |call: &'static str| move |reason: io::Error| NoConsole::Refused { vt, call, reason };
        let found_display = vt::kd_mode(&terminal.tty).map_err(refused("KDGETMODE"))?;
        let found = Before {
            display: found_display,
            keyboard: vt::keyboard_mode(&terminal.tty).map_err(refused("KDGKBMODE"))?,
        };
        // Setting what is set already changes nothing and tells whether we may.
        vt::set_kd_mode(&terminal.tty, found.display).map_err(refused("KDSETMODE"))?;
        let before = found.as_left_by_the_living();
        if before != found {
            log::info!("tty{vt}: somebody left it dark; it will be put back to text");
        }
        if let Some(neighbour) = neighbours::of(vt) {
            log::warn!("{neighbour}");
        }
        let guard = Guard::start(guard, &terminal, before)
            .inspect_err(|it| {
                log::warn!(
                    "tty{vt}: no guard ({it}): if this program is killed, run `chvt` and `reset` to see text again"
                );
            })
            .ok();
        let mut console = Self { terminal, before, guard, switches: None };
        vt::set_keyboard_mode(&console.terminal.tty, KeyboardMode::OFF).map_err(refused("KDSKBMODE"))?;
        vt::set_kd_mode(&console.terminal.tty, KdMode::Graphics).map_err(refused("KDSETMODE"))?;
        console.hear_switches();
        console.bring_to_the_screen();
        log::info!("tty{vt}: in graphics mode, its keyboard is off");
        Ok(console)
    }

    /// Without this the kernel refuses to switch to another terminal from one in graphics mode.
    fn hear_switches(&mut self) {
        let switching = Switching::Process {
            release_signal: SwitchSignal::Release.number(),
            acquire_signal: SwitchSignal::Acquire.number(),
        };
        let signals = SwitchSignals::open();
        match signals.and_then(|it| vt::set_switching(&self.terminal.tty, switching).map(|()| it)) {
            Ok(signals) => self.switches = Some(signals),
            Err(reason) => log::debug!("tty{}: no other terminal can be switched to: {reason}", self.terminal.vt),
        }
    }

    /// The film belongs to the terminal that we were started on; should another be on the screen, its letters would be
    /// drawn over the film.
    fn bring_to_the_screen(&self) {
        let vt = self.terminal.vt;
        let tried = vt::active(&self.terminal.tty)
            .and_then(|active| if active == vt { Ok(()) } else { vt::activate(&self.terminal.tty, vt) });
        if let Err(reason) = tried {
            log::info!("tty{vt}: cannot be brought to the screen: {reason}");
        }
    }
}

impl Seat for Console {
    fn poll(&mut self) -> Option<SeatRequest> {
        Some(match self.switches.as_ref()?.poll()? {
            SwitchSignal::Release => SeatRequest::LetGo,
            SwitchSignal::Acquire => {
                log::info!("tty{}: on the screen again", self.terminal.vt);
                if let Err(reason) = vt::acknowledge(&self.terminal.tty) {
                    log::debug!("tty{}: VT_RELDISP: {reason}", self.terminal.vt);
                }
                SeatRequest::TakeBack
            }
        })
    }

    fn let_go(&mut self) {
        log::info!("tty{}: another terminal comes to the screen", self.terminal.vt);
        if let Err(reason) = vt::release(&self.terminal.tty) {
            log::debug!("tty{}: VT_RELDISP: {reason}", self.terminal.vt);
        }
    }

    fn wakes_by(&self) -> Option<BorrowedFd<'_>> {
        self.switches.as_ref().map(AsFd::as_fd)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Err(reason) = self.terminal.put_back(self.before) {
            log::warn!(
                "tty{}: cannot be put back to text: {reason}; run `chvt` and `reset` to see text again",
                self.terminal.vt
            );
            // The guard, which sees our end, may have more luck.
            return;
        }
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

impl Before {
    /// A terminal found dark or deaf was left so by somebody who was killed, since the screen was free for us to take.
    /// Nobody wants that back.
    fn as_left_by_the_living(self) -> Self {
        let keyboard = if self.keyboard == KeyboardMode::OFF { KeyboardMode::UNICODE } else { self.keyboard };
        Before { display: KdMode::Text, keyboard }
    }
}

impl Terminal {
    fn open(vt: u32) -> io::Result<Self> {
        let path = PathBuf::from(format!("/dev/tty{vt}"));
        Ok(Self { tty: open_terminal(&path)?, path, vt })
    }

    /// Puts the modes back. A login that begins on a terminal hangs up whoever has it open, so it is opened anew.
    fn put_back(&self, before: Before) -> io::Result<()> {
        let anew = open_terminal(&self.path);
        let tty = anew.as_ref().unwrap_or(&self.tty);
        if vt::is_switched_by_a_process(tty).unwrap_or(false) {
            vt::set_switching(tty, Switching::Auto)?;
        }
        vt::set_keyboard_mode(tty, before.keyboard)?;
        vt::set_kd_mode(tty, before.display)
    }
}

/// Opens a terminal without making it anybody's controlling one. Members of the group `tty` may only write, which is
/// enough for an ioctl.
fn open_terminal(path: &std::path::Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let open = |read| File::options().read(read).write(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open(path);
    open(true).or_else(|_| open(false))
}
