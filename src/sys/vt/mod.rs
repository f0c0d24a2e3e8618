//! Virtual terminals: one function for each ioctl of console_ioctl(2) that we need, on any descriptor of one.
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

mod abi;
pub mod signals;
#[cfg(test)]
mod tests;

/// Who draws on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KdMode {
    /// The kernel: letters.
    Text,
    /// A program.
    Graphics,
}

/// What becomes of the keys, `K_RAW` to `K_OFF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyboardMode(i32);

impl KeyboardMode {
    /// Letters in UTF-8: what every system has today.
    pub const UNICODE: KeyboardMode = KeyboardMode(abi::K_UNICODE);
    /// Nobody reads them from the terminal, and none is special.
    pub const OFF: KeyboardMode = KeyboardMode(abi::K_OFF);

    /// By its number in linux/kd.h; `None` where that names none.
    pub fn from_number(number: i32) -> Option<Self> {
        (abi::K_RAW..=abi::K_OFF).contains(&number).then_some(Self(number))
    }

    /// Its number in linux/kd.h.
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl KdMode {
    /// By its number in linux/kd.h; `None` where that names none of today's.
    pub fn from_number(number: i32) -> Option<Self> {
        match number {
            abi::KD_TEXT => Some(KdMode::Text),
            abi::KD_GRAPHICS => Some(KdMode::Graphics),
            _ => None,
        }
    }

    /// Its number in linux/kd.h.
    pub const fn number(self) -> i32 {
        match self {
            KdMode::Text => abi::KD_TEXT,
            KdMode::Graphics => abi::KD_GRAPHICS,
        }
    }
}

/// Who decides when the terminal is switched away from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switching {
    /// The kernel does; in graphics mode it refuses.
    Auto,
    /// This process, told by signals.
    Process {
        /// "Let go, then call [`release`]."
        release_signal: i32,
        /// "It is yours again, call [`acknowledge`]."
        acquire_signal: i32,
    },
}

/// `KDGETMODE`. Fails with `ENOTTY` on what is no virtual terminal.
pub fn kd_mode(tty: impl AsFd) -> io::Result<KdMode> {
    let number = read_int(tty.as_fd(), abi::KDGETMODE)?;
    // KD_TEXT0 and KD_TEXT1 are old names for text.
    Ok(KdMode::from_number(number).unwrap_or(KdMode::Text))
}

/// `KDSETMODE`. Needs the terminal to be the caller's controlling one, or `CAP_SYS_TTY_CONFIG`, as all that follow which
/// change something.
pub fn set_kd_mode(tty: impl AsFd, mode: KdMode) -> io::Result<()> {
    pass_int(tty.as_fd(), abi::KDSETMODE, mode.number())
}

/// `KDGKBMODE`.
pub fn keyboard_mode(tty: impl AsFd) -> io::Result<KeyboardMode> {
    let number = read_int(tty.as_fd(), abi::KDGKBMODE)?;
    KeyboardMode::from_number(number).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// `KDSKBMODE`.
pub fn set_keyboard_mode(tty: impl AsFd, mode: KeyboardMode) -> io::Result<()> {
    pass_int(tty.as_fd(), abi::KDSKBMODE, mode.number())
}

/// `VT_GETSTATE`: the number of the terminal that is on the screen.
pub fn active(tty: impl AsFd) -> io::Result<u32> {
    let mut stat = abi::VtStat::default();
    // SAFETY: VT_GETSTATE writes one vt_stat; `stat` has its layout (tests compare it with the header) and lives across
    // the call.
    let result = unsafe { libc::ioctl(tty.as_fd().as_raw_fd(), abi::VT_GETSTATE as libc::Ioctl, &mut stat) };
    answer(result)?;
    Ok(u32::from(stat.v_active))
}

/// `VT_ACTIVATE`: asks the kernel to bring a terminal to the screen. It does so later.
pub fn activate(tty: impl AsFd, number: u32) -> io::Result<()> {
    pass_int(tty.as_fd(), abi::VT_ACTIVATE, i32::try_from(number).unwrap_or(i32::MAX))
}

/// `VT_GETMODE`, without the signals of others.
pub fn is_switched_by_a_process(tty: impl AsFd) -> io::Result<bool> {
    let mut mode = abi::VtMode::default();
    // SAFETY: VT_GETMODE writes one vt_mode; `mode` has its layout (tests compare it with the header) and lives across
    // the call.
    let result = unsafe { libc::ioctl(tty.as_fd().as_raw_fd(), abi::VT_GETMODE as libc::Ioctl, &mut mode) };
    answer(result)?;
    Ok(mode.mode == abi::VT_PROCESS)
}

/// `VT_SETMODE`.
pub fn set_switching(tty: impl AsFd, switching: Switching) -> io::Result<()> {
    let mode = match switching {
        Switching::Auto => abi::VtMode { mode: abi::VT_AUTO, ..abi::VtMode::default() },
        Switching::Process { release_signal, acquire_signal } => abi::VtMode {
            mode: abi::VT_PROCESS,
            relsig: i16::try_from(release_signal).map_err(|_| io::ErrorKind::InvalidInput)?,
            acqsig: i16::try_from(acquire_signal).map_err(|_| io::ErrorKind::InvalidInput)?,
            ..abi::VtMode::default()
        },
    };
    // SAFETY: VT_SETMODE reads one vt_mode; `mode` has its layout and lives across the call.
    let result = unsafe { libc::ioctl(tty.as_fd().as_raw_fd(), abi::VT_SETMODE as libc::Ioctl, &mode) };
    answer(result)
}

/// `VT_RELDISP` 1: the terminal may be switched away.
pub fn release(tty: impl AsFd) -> io::Result<()> {
    pass_int(tty.as_fd(), abi::VT_RELDISP, 1)
}

/// `VT_RELDISP` `VT_ACKACQ`: we have noticed that the terminal is ours again.
pub fn acknowledge(tty: impl AsFd) -> io::Result<()> {
    pass_int(tty.as_fd(), abi::VT_RELDISP, abi::VT_ACKACQ)
}

/// `TIOCSCTTY`: makes the terminal the controlling one of a session leader that has none. Never takes it from another
/// session.
pub fn make_controlling(tty: impl AsFd) -> io::Result<()> {
    pass_int(tty.as_fd(), libc::TIOCSCTTY as u32, 0)
}

fn read_int(tty: BorrowedFd<'_>, request: u32) -> io::Result<i32> {
    let mut number: libc::c_int = 0;
    // SAFETY: the requests passed here (KDGETMODE, KDGKBMODE) write one int, to `number`, which lives across the call.
    let result = unsafe { libc::ioctl(tty.as_raw_fd(), request as libc::Ioctl, &mut number) };
    answer(result).map(|()| number)
}

fn pass_int(tty: BorrowedFd<'_>, request: u32, number: i32) -> io::Result<()> {
    // SAFETY: the requests passed here take a number by value and access no memory of ours.
    let result = unsafe { libc::ioctl(tty.as_raw_fd(), request as libc::Ioctl, libc::c_long::from(number)) };
    answer(result)
}

fn answer(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
