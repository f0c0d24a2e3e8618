//! Who else is on a virtual terminal. A login prompt there puts it back into text mode whenever it starts again, over the
//! film.
use std::fmt;

use crate::backend::console::find::vt_of;

/// What `/proc/PID/stat` says (proc_pid_stat(5)), as far as it concerns terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcStat {
    /// The process.
    pub(super) pid: u32,
    /// The program's name, up to 15 bytes of it.
    pub(super) name: String,
    /// Its session.
    pub(super) session: u32,
    /// Its controlling terminal's device number; 0 for none.
    pub(super) tty: u64,
}

impl ProcStat {
    /// `None` for what the kernel does not write.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // The name stands in parentheses and may itself hold some.
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        // State, parent, process group, session, terminal.
        let mut rest = rest.split(' ').skip(3);
        let session = rest.next()?.parse().ok()?;
        // A signed number that holds device bits.
        let tty = rest.next()?.trim_end().parse::<i32>().ok()?;
        Some(Self { pid: pid.parse().ok()?, name: name.to_owned(), session, tty: u64::from(tty as u32) })
    }
}

/// Somebody of another session on our terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Neighbour {
    vt: u32,
    pid: u32,
    name: String,
}

impl Neighbour {
    fn is_login_prompt(&self) -> bool {
        self.name.ends_with("getty") || self.name == "login"
    }
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vt, pid, name } = self;
        if self.is_login_prompt() {
            write!(
                f,
                "tty{vt}: {name} (process {pid}) asks for a login on this terminal and would write over the film; "
            )?;
            write!(f, "`systemctl disable --now getty@tty{vt}`")
        } else {
            write!(
                f,
                "tty{vt}: {name} (process {pid}) of another login is on this terminal and may write over the film; "
            )?;
            write!(f, "end it, or start this program there")
        }
    }
}

/// The neighbour most worth a word, if there is one.
pub(super) fn of(vt: u32) -> Option<Neighbour> {
    let own = ProcStat::parse(&std::fs::read_to_string("/proc/self/stat").ok()?)?;
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let stats = processes.filter_map(|it| ProcStat::parse(&std::fs::read_to_string(it.path().join("stat")).ok()?));
    choose(vt, own.session, stats)
}

fn choose(vt: u32, own_session: u32, stats: impl Iterator<Item = ProcStat>) -> Option<Neighbour> {
    let others = stats.filter(|it| it.session != own_session && vt_of(it.tty) == Some(vt));
    let others = others.map(|it| Neighbour { vt, pid: it.pid, name: it.name });
    // A login prompt is the one that comes back.
    others.min_by_key(|it| (!it.is_login_prompt(), it.pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTY1: u64 = 1025;

    fn stat(pid: u32, name: &str, session: u32, tty: u64) -> ProcStat {
        ProcStat { pid, name: name.to_owned(), session, tty }
    }

    #[test]
    fn a_stat_line_is_read_whatever_the_program_is_called() {
        let line = |name: &str| format!("612 ({name}) S 1 612 600 1025 612 4194560 156 0\n");
        for name in ["agetty", "a b", "x) S 1 2 3 4 (", ""] {
            assert_eq!(ProcStat::parse(&line(name)), Some(stat(612, name, 600, TTY1)));
        }
        for bad in ["", "612", "612 (a", "612 (a) S 1 2", "x (a) S 1 2 3 4", "612 (a) S 1 2 b 4", "612 (a) S 1 2 3"] {
            assert_eq!(ProcStat::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn we_find_ourselves() {
        let own = std::fs::read_to_string("/proc/self/stat").expect("proc is mounted");
        assert_eq!(ProcStat::parse(&own).expect("the kernel writes it").pid, std::process::id());
    }

    #[test]
    fn a_login_prompt_is_told_before_others_and_our_own_login_is_not() {
        let own = || stat(10, "bash", 10, TTY1);
        let elsewhere = || stat(11, "agetty", 11, 1026);
        let told = |stats: Vec<ProcStat>| choose(1, 10, stats.into_iter()).map(|it| it.to_string());
        assert_eq!(told(vec![own(), elsewhere(), stat(12, "kthread", 0, 0)]), None);
        let shell = told(vec![own(), stat(20, "sh", 20, TTY1)]).expect("it is there");
        assert!(shell.starts_with("tty1: sh (process 20)"), "{shell}");
        let prompt = told(vec![stat(20, "sh", 20, TTY1), own(), stat(30, "agetty", 30, TTY1)]).expect("it is there");
        assert!(
            prompt.contains("agetty (process 30)") && prompt.ends_with("`systemctl disable --now getty@tty1`"),
            "{prompt}"
        );
    }
}
