//! The two signals by which the kernel says that the terminal is wanted by another program, and that it is ours again.
//!
//! They are real-time signals: nobody else sends those, and what nobody expects of them is to end the process, which is what
//! they do to one that has not blocked them in each of its threads. So they are blocked before there is a second thread, and
//! read from a descriptor (signalfd(2)).
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// What the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchSignal {
    /// Another terminal is wanted on the screen.
    Release,
    /// Ours is on the screen again.
    Acquire,
}

impl SwitchSignal {
    /// Its number on this system: the first real-time signals that the C library leaves to programs.
    pub fn number(self) -> i32 {
        match self {
            SwitchSignal::Release => libc::SIGRTMIN(),
            SwitchSignal::Acquire => libc::SIGRTMIN() + 1,
        }
    }
}

/// Blocks both in this thread and in those it makes from now on.
pub fn block() -> io::Result<()> {
    let set = both()?;
    // SAFETY: `set` is an initialised set to read from; a null pointer asks for no old one.
    let error = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// Whether both are blocked in this thread.
fn are_blocked() -> io::Result<bool> {
    let mut now = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: a null pointer changes nothing; the present set is written to `now`, which lives across the call.
    let error = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), now.as_mut_ptr()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: the call succeeded and has written the whole set.
    let now = unsafe { now.assume_init() };
    let is_blocked = |signal: SwitchSignal| {
        // SAFETY: `now` is an initialised set, and any number may be asked for.
        unsafe { libc::sigismember(&now, signal.number()) == 1 }
    };
    Ok(is_blocked(SwitchSignal::Release) && is_blocked(SwitchSignal::Acquire))
}

fn both() -> io::Result<libc::sigset_t> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset writes the whole set to `set`, which lives across the call.
    let failed = unsafe { libc::sigemptyset(set.as_mut_ptr()) } != 0;
    if failed {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: sigemptyset has just initialised it.
    let mut set = unsafe { set.assume_init() };
    for signal in [SwitchSignal::Release, SwitchSignal::Acquire] {
        // SAFETY: `set` is an initialised set.
        if unsafe { libc::sigaddset(&mut set, signal.number()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(set)
}

/// Hears both.
#[derive(Debug)]
pub struct SwitchSignals(OwnedFd);

impl SwitchSignals {
    /// Fails where they are not blocked: then they would end the process.
    pub fn open() -> io::Result<Self> {
        if !are_blocked()? {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the signals are not blocked"));
        }
        let set = both()?;
        // SAFETY: `set` is an initialised set to read from; -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: signalfd has just made it, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next one that came, or `None`. Never waits.
    pub fn poll(&self) -> Option<SwitchSignal> {
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: at most `size` bytes are written to `info`, which is that large and lives across the call.
        let n_read = unsafe { libc::read(self.0.as_raw_fd(), info.as_mut_ptr().cast(), size) };
        if usize::try_from(n_read) != Ok(size) {
            return None;
        }
        // SAFETY: the kernel has written the whole of it, and zeroes would have been as good: it is made of integers.
        let info = unsafe { info.assume_init() };
        [SwitchSignal::Release, SwitchSignal::Acquire]
            .into_iter()
            .find(|it| u32::try_from(it.number()) == Ok(info.ssi_signo))
    }
}

impl AsFd for SwitchSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a signal to this thread alone: the others of the test process do not block it.
    fn raise(signal: SwitchSignal) {
        // SAFETY: raise takes a number and accesses no memory of ours; the signal is blocked in this thread.
        let failed = unsafe { libc::raise(signal.number()) };
        assert_eq!(failed, 0);
    }

    #[test]
    fn they_are_heard_once_blocked_and_only_then() {
        let heard = std::thread::spawn(|| {
            assert_eq!(SwitchSignals::open().expect_err("not blocked yet").kind(), io::ErrorKind::Unsupported);
            block().expect("two signals are blocked");
            let signals = SwitchSignals::open().expect("blocked");
            assert_eq!(signals.poll(), None);
            raise(SwitchSignal::Acquire);
            raise(SwitchSignal::Release);
            [signals.poll(), signals.poll(), signals.poll()]
        });
        let heard = heard.join().expect("it ends");
        // Real-time signals come lowest number first.
        assert_eq!(heard, [Some(SwitchSignal::Release), Some(SwitchSignal::Acquire), None]);
    }
}
