//! One function for each ioctl of a CEC adapter. The kernel copies every argument in and out before it returns.
//!
//! See Documentation/userspace-api/media/cec/cec-funcs.rst.
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::sys::cec::abi;
use crate::sys::cec::abi::{Caps, Event, LogAddrs, Msg};

mod raw {
    use crate::sys::cec::abi;

    nix::ioctl_readwrite!(g_caps, abi::MAGIC, abi::G_CAPS, abi::Caps);
    nix::ioctl_read!(g_phys_addr, abi::MAGIC, abi::G_PHYS_ADDR, u16);
    nix::ioctl_read!(g_log_addrs, abi::MAGIC, abi::G_LOG_ADDRS, abi::LogAddrs);
    nix::ioctl_readwrite!(s_log_addrs, abi::MAGIC, abi::S_LOG_ADDRS, abi::LogAddrs);
    nix::ioctl_readwrite!(transmit, abi::MAGIC, abi::TRANSMIT, abi::Msg);
    nix::ioctl_readwrite!(receive, abi::MAGIC, abi::RECEIVE, abi::Msg);
    nix::ioctl_readwrite!(dqevent, abi::MAGIC, abi::DQEVENT, abi::Event);
    nix::ioctl_write_ptr!(s_mode, abi::MAGIC, abi::S_MODE, u32);
}

/// `CEC_ADAP_G_CAPS`: what the adapter is and can do.
pub fn g_caps(fd: BorrowedFd<'_>) -> nix::Result<Caps> {
    let mut it = Caps { driver: [0; 32], name: [0; 32], available_log_addrs: 0, capabilities: 0, version: 0 };
    // SAFETY: `it` is a whole cec_caps that outlives the call, on a borrowed descriptor; another device answers ENOTTY.
    unsafe { raw::g_caps(fd.as_raw_fd(), &mut it) }?;
    Ok(it)
}

/// `CEC_ADAP_G_PHYS_ADDR`: where the adapter is in the tree of HDMI cables; `PHYS_ADDR_INVALID` without a cable.
pub fn g_phys_addr(fd: BorrowedFd<'_>) -> nix::Result<u16> {
    let mut it = abi::PHYS_ADDR_INVALID;
    // SAFETY: `it` is a u16 that outlives the call, which is what the kernel writes.
    unsafe { raw::g_phys_addr(fd.as_raw_fd(), &mut it) }?;
    Ok(it)
}

/// `CEC_ADAP_G_LOG_ADDRS`: the logical addresses that were asked for and those that were had.
pub fn g_log_addrs(fd: BorrowedFd<'_>) -> nix::Result<LogAddrs> {
    let mut it = no_log_addrs();
    // SAFETY: `it` is a whole cec_log_addrs that outlives the call.
    unsafe { raw::g_log_addrs(fd.as_raw_fd(), &mut it) }?;
    Ok(it)
}

/// `CEC_ADAP_S_LOG_ADDRS`: asks for these. Without waiting on a non-blocking descriptor: an event tells which were had.
/// EBUSY where the adapter has some, is asking for some, or somebody has it to himself.
pub fn s_log_addrs(fd: BorrowedFd<'_>, wanted: &LogAddrs) -> nix::Result<()> {
    let mut it = *wanted;
    // SAFETY: `it` is a whole cec_log_addrs that outlives the call; the kernel checks every count and index in it.
    unsafe { raw::s_log_addrs(fd.as_raw_fd(), &mut it) }.map(drop)
}

/// `CEC_TRANSMIT`: queues a message; returns the number by which `receive` will tell its outcome. ENONET without a
/// logical address, EBUSY when too many are queued.
pub fn transmit(fd: BorrowedFd<'_>, bytes: &[u8]) -> nix::Result<u32> {
    let mut it = no_msg();
    let Some(room) = it.msg.get_mut(..bytes.len()) else { return Err(nix::errno::Errno::EMSGSIZE) };
    room.copy_from_slice(bytes);
    // At most 16, by the line above.
    it.len = bytes.len() as u32;
    // SAFETY: `it` is a whole cec_msg that outlives the call, and `len` is within its array.
    unsafe { raw::transmit(fd.as_raw_fd(), &mut it) }?;
    Ok(it.sequence)
}

/// `CEC_RECEIVE`: the next message, or the outcome of one of ours. EAGAIN when there is none.
pub fn receive(fd: BorrowedFd<'_>) -> nix::Result<Msg> {
    let mut it = no_msg();
    // SAFETY: `it` is a whole cec_msg that outlives the call.
    unsafe { raw::receive(fd.as_raw_fd(), &mut it) }?;
    Ok(it)
}

/// `CEC_DQEVENT`: the next event. EAGAIN when there is none.
pub fn dqevent(fd: BorrowedFd<'_>) -> nix::Result<Event> {
    let mut it = Event { ts: 0, event: 0, flags: 0, phys_addr: 0, log_addr_mask: 0, have_conn_info: 0, _rest: [0; 29] };
    // SAFETY: `it` is a whole cec_event that outlives the call, and any bits are valid for its fields.
    unsafe { raw::dqevent(fd.as_raw_fd(), &mut it) }?;
    Ok(it)
}

/// `CEC_S_MODE`: whether we send, and whether we answer. EBUSY where somebody has the adapter to himself.
pub fn s_mode(fd: BorrowedFd<'_>, mode: u32) -> nix::Result<()> {
    // SAFETY: `mode` is a u32 that outlives the call, which is what the kernel reads.
    unsafe { raw::s_mode(fd.as_raw_fd(), &mode) }.map(drop)
}

/// A request for no logical address at all, which is how the present ones are given back.
pub const fn no_log_addrs() -> LogAddrs {
    LogAddrs {
        log_addr: [0; 4],
        log_addr_mask: 0,
        cec_version: 0,
        num_log_addrs: 0,
        vendor_id: 0,
        flags: 0,
        osd_name: [0; 15],
        primary_device_type: [0; 4],
        log_addr_type: [0; 4],
        all_device_types: [0; 4],
        features: [[0; 12]; 4],
    }
}

const fn no_msg() -> Msg {
    Msg {
        tx_ts: 0,
        rx_ts: 0,
        len: 0,
        timeout: 0,
        sequence: 0,
        flags: 0,
        msg: [0; abi::MAX_MSG_SIZE],
        reply: 0,
        rx_status: 0,
        tx_status: 0,
        tx_arb_lost_cnt: 0,
        tx_nack_cnt: 0,
        tx_low_drive_cnt: 0,
        tx_error_cnt: 0,
    }
}
