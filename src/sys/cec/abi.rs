//! `linux/cec.h`, as far as a playback device needs it: structs, ioctl numbers, bits. Nothing else.
//!
//! Each number is compared with the header itself by a test, where there is one.

/// Bytes in the longest message, its header included (`CEC_MAX_MSG_SIZE`).
pub const MAX_MSG_SIZE: usize = 16;

/// `struct cec_caps`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub driver: [u8; 32],
    pub name: [u8; 32],
    pub available_log_addrs: u32,
    pub capabilities: u32,
    pub version: u32,
}

/// `struct cec_log_addrs`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct LogAddrs {
    pub log_addr: [u8; 4],
    pub log_addr_mask: u16,
    pub cec_version: u8,
    pub num_log_addrs: u8,
    pub vendor_id: u32,
    pub flags: u32,
    pub osd_name: [u8; 15],
    pub primary_device_type: [u8; 4],
    pub log_addr_type: [u8; 4],
    pub all_device_types: [u8; 4],
    pub features: [[u8; 12]; 4],
}

/// `struct cec_msg`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Msg {
    pub tx_ts: u64,
    pub rx_ts: u64,
    pub len: u32,
    pub timeout: u32,
    pub sequence: u32,
    pub flags: u32,
    pub msg: [u8; MAX_MSG_SIZE],
    pub reply: u8,
    pub rx_status: u8,
    pub tx_status: u8,
    pub tx_arb_lost_cnt: u8,
    pub tx_nack_cnt: u8,
    pub tx_low_drive_cnt: u8,
    pub tx_error_cnt: u8,
}

/// `struct cec_event`, whose union is spelled out as `struct cec_event_state_change` and what is left of its 64 bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub ts: u64,
    pub event: u32,
    pub flags: u32,
    pub phys_addr: u16,
    pub log_addr_mask: u16,
    pub have_conn_info: u16,
    pub _rest: [u16; 29],
}

/// The magic number of every CEC ioctl.
pub const MAGIC: u8 = b'a';
/// `CEC_ADAP_G_CAPS`.
pub const G_CAPS: u8 = 0;
/// `CEC_ADAP_G_PHYS_ADDR`.
pub const G_PHYS_ADDR: u8 = 1;
/// `CEC_ADAP_G_LOG_ADDRS`.
pub const G_LOG_ADDRS: u8 = 3;
/// `CEC_ADAP_S_LOG_ADDRS`.
pub const S_LOG_ADDRS: u8 = 4;
/// `CEC_TRANSMIT`.
pub const TRANSMIT: u8 = 5;
/// `CEC_RECEIVE`.
pub const RECEIVE: u8 = 6;
/// `CEC_DQEVENT`.
pub const DQEVENT: u8 = 7;
/// `CEC_S_MODE`.
pub const S_MODE: u8 = 9;

/// Userspace claims logical addresses.
pub const CAP_LOG_ADDRS: u32 = 1 << 1;
/// Userspace may transmit.
pub const CAP_TRANSMIT: u32 = 1 << 2;
/// We may send.
pub const MODE_INITIATOR: u32 = 0x1;
/// We get what is addressed to the device, and answer it.
pub const MODE_FOLLOWER: u32 = 0x1 << 4;
/// No physical address: nothing is connected.
pub const PHYS_ADDR_INVALID: u16 = 0xffff;
/// Nobody's vendor.
pub const VENDOR_ID_NONE: u32 = 0xffff_ffff;
/// A player's type of logical address.
pub const LOG_ADDR_TYPE_PLAYBACK: u8 = 3;
/// The logical addresses a player can have: 4, 8 and 11.
pub const LOG_ADDR_MASK_PLAYBACK: u16 = 1 << 4 | 1 << 8 | 1 << 11;
/// A player's primary device type.
pub const PRIM_DEVTYPE_PLAYBACK: u8 = 4;
/// A player among "all device types".
pub const ALL_DEVTYPE_PLAYBACK: u8 = 0x10;
/// HDMI 1.4's CEC, which every television speaks.
pub const VERSION_1_4: u8 = 5;
/// The event that tells of addresses.
pub const EVENT_STATE_CHANGE: u32 = 1;
/// Somebody acknowledged the message.
pub const TX_STATUS_OK: u8 = 1 << 0;
