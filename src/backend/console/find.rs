//! Which virtual terminal is ours: the one we were started on, else the one on the screen.
use std::os::fd::AsFd;

use nix::sys::stat::{SFlag, fstat, major, minor};

use crate::backend::console::neighbours::ProcStat;
use crate::backend::console::{NoConsole, Terminal};
use crate::sys::vt;

/// The device number of terminals; their minor numbers are the virtual terminals' up to `LAST_VT` and serial lines' above
/// (the kernel's devices.txt).
const TTY_MAJOR: u64 = 4;
/// The last virtual terminal.
const LAST_VT: u64 = 63;
/// Whichever terminal is on the screen.
const SCREEN: &str = "/dev/tty0";

/// The number of the virtual terminal that a device number names.
pub(super) fn vt_of(device: u64) -> Option<u32> {
    let (major, minor) = (major(device), minor(device));
    (major == TTY_MAJOR && (1..=LAST_VT).contains(&minor)).then_some(minor as u32)
}

/// The terminal to take: the controlling one; else standard input, which a service manager may have made one; else the
/// one on the screen.
pub(super) fn terminal() -> Result<Terminal, NoConsole> {
    let missing = |what: &str, reason: std::io::Error| NoConsole::Missing(format!("{what}: {reason}"));
    let vt = match controlling().or_else(standard_input) {
        Some(vt) => vt,
        None => {
            let screen = super::open_terminal(SCREEN.as_ref()).map_err(|it| missing(SCREEN, it))?;
            vt::active(&screen).map_err(|it| missing(SCREEN, it))?
        }
    };
    Terminal::open(vt).map_err(|it| missing(&format!("/dev/tty{vt}"), it))
}

fn controlling() -> Option<u32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    vt_of(ProcStat::parse(&stat)?.tty)
}

fn standard_input() -> Option<u32> {
    let stat = fstat(std::io::stdin().as_fd()).ok()?;
    let is_device = SFlag::from_bits_truncate(stat.st_mode).contains(SFlag::S_IFCHR);
    vt_of(stat.st_rdev).filter(|_| is_device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_virtual_terminals_are_found() {
        let device = |major: u64, minor: u64| nix::sys::stat::makedev(major, minor);
        assert_eq!((vt_of(device(4, 1)), vt_of(device(4, 63))), (Some(1), Some(63)));
        // tty0 is no terminal of its own, ttyS0, tty, ptmx, pts/1, null.
        for (major, minor) in [(4, 0), (4, 64), (5, 0), (5, 2), (136, 1), (1, 3), (0, 0)] {
            assert_eq!(vt_of(device(major, minor)), None, "{major}:{minor}");
        }
    }
}
