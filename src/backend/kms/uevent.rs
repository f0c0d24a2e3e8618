//! The kernel's word that a display came or went: uevents, by netlink.
//!
//! The kernel sends each uevent to the multicast group 1 of `NETLINK_KOBJECT_UEVENT` (netlink(7)): a line `ACTION@DEVPATH`
//! and `KEY=VALUE` lines, each ended by a zero byte. What udev adds goes to another group, so there is no need of udev. A
//! program with the right to could send to group 1 as well; the kernel writes the sender into the message's address, and
//! only what the kernel sent itself, as port 0, counts.
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, socket};

/// The group that the kernel sends to.
const KERNEL_GROUP: u32 = 1;
/// The kernel's own port.
const KERNEL_PORT: u32 = 0;
/// A uevent is at most 2 KiB of lines (UEVENT_BUFFER_SIZE) behind a path of at most 4 KiB (PATH_MAX).
const LONGEST: usize = 8 * 1024;
/// Messages about other things read in one `poll`: a storm of them goes on with the next call rather than holding up this
/// one.
const MAX_READS: usize = 64;

/// What happened to a graphics card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardChange {
    /// A connector's status may be another one; where the driver knows which, `connector` is its KMS object id.
    Hotplug {
        /// `None`: any of them.
        connector: Option<u32>,
    },
    /// The card is there now.
    Added,
    /// The card is gone.
    Removed,
}

/// News of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardUevent {
    /// The minor number of its node below `/dev/dri`; `None` where the message does not say.
    pub minor: Option<u32>,
    /// What happened to it.
    pub change: CardChange,
}

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A card changed.
    Card(CardUevent),
    /// More happened than the socket holds: anything may have changed.
    Lost,
}

/// What a message says about a graphics card; `None` when it is about something else or is no uevent at all. Any bytes are
/// fine.
pub fn parse(message: &[u8]) -> Option<CardUevent> {
    let mut lines = message.split(|it| *it == 0);
    // udev's own messages begin with a word that has no '@'.
    let (action, _path) = split_at_byte(lines.next()?, b'@')?;
    let (mut is_drm, mut is_hotplug, mut is_node) = (false, false, false);
    let (mut connector, mut minor) = (None, None);
    for (key, value) in lines.filter_map(|it| split_at_byte(it, b'=')) {
        match key {
            b"SUBSYSTEM" => is_drm = value == b"drm",
            b"DEVTYPE" => is_node = value == b"drm_minor",
            b"HOTPLUG" => is_hotplug = value == b"1",
            b"CONNECTOR" => connector = number(value),
            b"MINOR" => minor = number(value),
            _ => {}
        }
    }
    let change = match action {
        b"change" if is_drm && is_hotplug => CardChange::Hotplug { connector },
        b"add" if is_drm && is_node => CardChange::Added,
        b"remove" if is_drm && is_node => CardChange::Removed,
        _ => return None,
    };
    Some(CardUevent { minor, change })
}

fn split_at_byte(line: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let place = line.iter().position(|it| *it == byte)?;
    Some((&line[..place], &line[place + 1..]))
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Hears the kernel's uevents.
#[derive(Debug)]
pub struct UeventSocket {
    socket: OwnedFd,
    message: Box<[u8; LONGEST]>,
}

impl UeventSocket {
    /// Needs no privilege. Fails where netlink is refused, as some containers do.
    pub fn open() -> io::Result<Self> {
        let it = Self::unbound()?;
        // Port 0: the kernel chooses one for us.
        bind(it.socket.as_raw_fd(), &NetlinkAddr::new(0, KERNEL_GROUP))?;
        Ok(it)
    }

    fn unbound() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Netlink, SockType::Datagram, flags, SockProtocol::NetlinkKObjectUEvent)?;
        Ok(Self { socket, message: Box::new([0; LONGEST]) })
    }

    /// The next news, or `None`. Never waits, never allocates.
    pub fn poll(&mut self) -> Option<News> {
        for _ in 0..MAX_READS {
            match recvfrom::<NetlinkAddr>(self.socket.as_raw_fd(), &mut self.message[..]) {
                Ok((length, sender)) => {
                    let is_the_kernels = sender.is_some_and(|it| it.pid() == KERNEL_PORT);
                    let message = self.message.get(..length).filter(|_| is_the_kernels);
                    if let Some(news) = message.and_then(parse) {
                        return Some(News::Card(news));
                    }
                }
                Err(Errno::ENOBUFS) => return Some(News::Lost),
                Err(Errno::EINTR) => {}
                Err(_) => return None,
            }
        }
        None
    }
}

impl AsFd for UeventSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests;
