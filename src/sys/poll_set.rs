//! Several descriptors, each with its own poll events, seen as one that is readable when any of them is ready.
use std::os::fd::{AsFd, BorrowedFd, RawFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

/// An epoll instance that nobody reads from; it is only polled itself.
#[derive(Debug)]
pub struct PollSet(Epoll);

impl PollSet {
    /// Watches descriptors for poll events (`POLLIN`, `POLLOUT`...), level-triggered. A descriptor that is closed leaves
    /// the set by itself. Fails with `EPERM` on those that cannot be waited for, such as `/dev/null`.
    pub fn new(fds: impl IntoIterator<Item = (RawFd, i16)>) -> std::io::Result<Self> {
        let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        for (fd, events) in fds {
            if fd < 0 {
                return Err(std::io::ErrorKind::InvalidInput.into());
            }
            // SAFETY: `fd` is not -1 (checked above) and borrowed for one epoll_ctl only, which answers EBADF where it is
            // not open.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            // The EPOLL bits have the values of the POLL bits.
            set.add(fd, EpollEvent::new(EpollFlags::from_bits_truncate(i32::from(events)), 0))?;
        }
        Ok(Self(set))
    }

    /// Watches another descriptor for poll events. It leaves the set when it is closed.
    pub fn watch_for(&self, fd: BorrowedFd<'_>, events: i16) -> std::io::Result<()> {
        // The EPOLL bits have the values of the POLL bits.
        Ok(self.0.add(fd, EpollEvent::new(EpollFlags::from_bits_truncate(i32::from(events)), 0))?)
    }

    /// Watches a descriptor no longer: one that is in error is ready for ever.
    pub fn forget(&self, fd: BorrowedFd<'_>) -> std::io::Result<()> {
        Ok(self.0.delete(fd)?)
    }

    /// Watches another descriptor for being readable. It leaves the set when it is closed.
    pub fn watch(&self, fd: BorrowedFd<'_>) -> std::io::Result<()> {
        Ok(self.0.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, 0))?)
    }
}

impl AsFd for PollSet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;

    fn is_readable(set: &PollSet) -> bool {
        poll(&mut [PollFd::new(set.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO).expect("poll") > 0
    }

    #[test]
    fn it_is_readable_when_one_of_its_own_is_ready() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let set = PollSet::new([(reader.as_raw_fd(), libc::POLLIN)]).expect("a pipe can be watched");
        assert!(!is_readable(&set));
        writer.write_all(b"x").expect("there is room");
        assert!(is_readable(&set));
    }

    #[test]
    fn a_writable_descriptor_makes_it_readable() {
        let (_reader, writer) = std::io::pipe().expect("a pipe");
        assert!(is_readable(&PollSet::new([(writer.as_raw_fd(), libc::POLLOUT)]).expect("a pipe can be watched")));
    }

    #[test]
    fn what_is_forgotten_is_not_felt() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let set = PollSet::new([]).expect("an empty set");
        set.watch_for(reader.as_fd(), libc::POLLIN).expect("a pipe can be watched");
        drop(writer);
        assert!(is_readable(&set), "the end of a pipe");
        set.forget(reader.as_fd()).expect("it was watched");
        assert!(!is_readable(&set));
    }

    #[test]
    fn what_cannot_be_waited_for_is_an_error() {
        let null = std::fs::File::open("/dev/null").expect("it is always there");
        assert_eq!(
            PollSet::new([(null.as_raw_fd(), libc::POLLIN)]).expect_err("EPERM").kind(),
            std::io::ErrorKind::PermissionDenied
        );
        assert!(PollSet::new([(-1, libc::POLLIN)]).is_err());
    }
}
