//! A CEC adapter that is ours to speak through, and never to wait on.
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;

use crate::sys::cec::{abi, calls};

/// Where an adapter is, and who it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The place in the tree of HDMI cables; `None`: nothing is connected.
    pub physical: Option<u16>,
    /// The logical address as a playback device; `None`: it has not got one.
    pub playback: Option<u8>,
}

impl Addresses {
    fn of(physical: u16, mask: u16) -> Self {
        let playback = mask & abi::LOG_ADDR_MASK_PLAYBACK;
        Self {
            physical: (physical != abi::PHYS_ADDR_INVALID).then_some(physical),
            // A u16 has fewer than 256 trailing zeros.
            playback: (playback != 0).then(|| playback.trailing_zeros() as u8),
        }
    }
}

/// What came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Somebody's message: its bytes, of which the first `len` count.
    Message {
        /// Header first.
        bytes: [u8; abi::MAX_MSG_SIZE],
        /// How many there are.
        len: usize,
    },
    /// What became of our own.
    Outcome {
        /// The number `transmit` gave.
        sequence: u32,
        /// Somebody acknowledged it.
        taken: bool,
    },
}

/// An open adapter (`/dev/cecN`). Closed when dropped; its logical address stays, as the kernel's rules have it.
#[derive(Debug)]
pub struct Adapter {
    file: File,
    name: String,
    can_send: bool,
}

impl Adapter {
    /// Opens a device node, without waiting then or later. Fails with the system's error where it is not there, not
    /// permitted or no CEC adapter.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)?;
        let caps = calls::g_caps(file.as_fd())?;
        let needed = abi::CAP_LOG_ADDRS | abi::CAP_TRANSMIT;
        let end = caps.name.iter().position(|it| *it == 0).unwrap_or(caps.name.len());
        let name = String::from_utf8_lossy(&caps.name[..end]).into_owned();
        Ok(Self { file, name, can_send: caps.capabilities & needed == needed })
    }

    /// The driver's name for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether programs may speak through it.
    pub fn can_send(&self) -> bool {
        self.can_send
    }

    /// Its addresses now.
    pub fn addresses(&self) -> nix::Result<Addresses> {
        let physical = calls::g_phys_addr(self.file.as_fd())?;
        Ok(Addresses::of(physical, calls::g_log_addrs(self.file.as_fd())?.log_addr_mask))
    }

    /// Asks to be a playback device that calls itself `osd_name` (14 bytes of it). What somebody else claimed before is
    /// given back first, since the kernel refuses with EBUSY otherwise. An event tells how it went.
    pub fn claim_playback(&self, osd_name: &str) -> nix::Result<()> {
        let fd = self.file.as_fd();
        calls::s_mode(fd, abi::MODE_INITIATOR | abi::MODE_FOLLOWER)?;
        if calls::g_log_addrs(fd)?.num_log_addrs != 0 {
            calls::s_log_addrs(fd, &calls::no_log_addrs())?;
        }
        let mut wanted = calls::no_log_addrs();
        wanted.num_log_addrs = 1;
        wanted.cec_version = abi::VERSION_1_4;
        wanted.vendor_id = abi::VENDOR_ID_NONE;
        wanted.primary_device_type[0] = abi::PRIM_DEVTYPE_PLAYBACK;
        wanted.log_addr_type[0] = abi::LOG_ADDR_TYPE_PLAYBACK;
        wanted.all_device_types[0] = abi::ALL_DEVTYPE_PLAYBACK;
        // The last byte stays 0, as the kernel wants it.
        let room = wanted.osd_name.len() - 1;
        wanted.osd_name[..room].iter_mut().zip(osd_name.bytes()).for_each(|(to, from)| *to = from);
        calls::s_log_addrs(fd, &wanted)
    }

    /// Queues a message of at most 16 bytes; `Received::Outcome` follows with the number returned.
    pub fn transmit(&self, bytes: &[u8]) -> nix::Result<u32> {
        calls::transmit(self.file.as_fd(), bytes)
    }

    /// What has come in, or `None`.
    pub fn receive(&self) -> nix::Result<Option<Received>> {
        let it = match calls::receive(self.file.as_fd()) {
            Ok(it) => it,
            Err(Errno::EAGAIN) => return Ok(None),
            Err(error) => return Err(error),
        };
        if it.sequence != 0 && it.tx_status != 0 {
            let taken = it.tx_status & abi::TX_STATUS_OK != 0;
            return Ok(Some(Received::Outcome { sequence: it.sequence, taken }));
        }
        let len = usize::try_from(it.len).unwrap_or(abi::MAX_MSG_SIZE).min(abi::MAX_MSG_SIZE);
        Ok(Some(Received::Message { bytes: it.msg, len }))
    }

    /// The addresses that have become others, or `None`.
    pub fn changed(&self) -> nix::Result<Option<Addresses>> {
        loop {
            return match calls::dqevent(self.file.as_fd()) {
                Ok(it) if it.event == abi::EVENT_STATE_CHANGE => {
                    Ok(Some(Addresses::of(it.phys_addr, it.log_addr_mask)))
                }
                // Lost messages and pin levels: nothing to be done about them.
                Ok(_) => continue,
                Err(Errno::EAGAIN) => Ok(None),
                Err(error) => Err(error),
            };
        }
    }
}

impl AsFd for Adapter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
