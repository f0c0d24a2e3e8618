//! Our copy of `linux/cec.h` against the header itself.
use std::mem::{offset_of, size_of};

use crate::sys::c_headers;
use crate::sys::cec::abi::*;

/// A C expression, and what we say it is.
fn claims() -> Vec<(String, u64)> {
    let mut it: Vec<(String, u64)> = Vec::new();
    let mut say = |what: &str, value: usize| it.push((what.to_owned(), value as u64));
    for (name, size) in [
        ("cec_caps", size_of::<Caps>()),
        ("cec_log_addrs", size_of::<LogAddrs>()),
        ("cec_msg", size_of::<Msg>()),
        ("cec_event", size_of::<Event>()),
    ] {
        say(&format!("sizeof(struct {name})"), size);
    }
    for (name, field, offset) in [
        ("cec_caps", "name", offset_of!(Caps, name)),
        ("cec_caps", "capabilities", offset_of!(Caps, capabilities)),
        ("cec_log_addrs", "log_addr_mask", offset_of!(LogAddrs, log_addr_mask)),
        ("cec_log_addrs", "num_log_addrs", offset_of!(LogAddrs, num_log_addrs)),
        ("cec_log_addrs", "vendor_id", offset_of!(LogAddrs, vendor_id)),
        ("cec_log_addrs", "osd_name", offset_of!(LogAddrs, osd_name)),
        ("cec_log_addrs", "primary_device_type", offset_of!(LogAddrs, primary_device_type)),
        ("cec_log_addrs", "log_addr_type", offset_of!(LogAddrs, log_addr_type)),
        ("cec_log_addrs", "all_device_types", offset_of!(LogAddrs, all_device_types)),
        ("cec_log_addrs", "features", offset_of!(LogAddrs, features)),
        ("cec_msg", "len", offset_of!(Msg, len)),
        ("cec_msg", "sequence", offset_of!(Msg, sequence)),
        ("cec_msg", "msg", offset_of!(Msg, msg)),
        ("cec_msg", "rx_status", offset_of!(Msg, rx_status)),
        ("cec_msg", "tx_status", offset_of!(Msg, tx_status)),
        ("cec_event", "event", offset_of!(Event, event)),
        ("cec_event", "state_change.phys_addr", offset_of!(Event, phys_addr)),
        ("cec_event", "state_change.log_addr_mask", offset_of!(Event, log_addr_mask)),
    ] {
        say(&format!("offsetof(struct {name}, {field})"), offset);
    }
    let read_write = |number, size| nix::request_code_readwrite!(MAGIC, number, size) as usize;
    say("CEC_ADAP_G_CAPS", read_write(G_CAPS, size_of::<Caps>()));
    say("CEC_ADAP_G_PHYS_ADDR", nix::request_code_read!(MAGIC, G_PHYS_ADDR, size_of::<u16>()) as usize);
    say("CEC_ADAP_G_LOG_ADDRS", nix::request_code_read!(MAGIC, G_LOG_ADDRS, size_of::<LogAddrs>()) as usize);
    say("CEC_ADAP_S_LOG_ADDRS", read_write(S_LOG_ADDRS, size_of::<LogAddrs>()));
    say("CEC_TRANSMIT", read_write(TRANSMIT, size_of::<Msg>()));
    say("CEC_RECEIVE", read_write(RECEIVE, size_of::<Msg>()));
    say("CEC_DQEVENT", read_write(DQEVENT, size_of::<Event>()));
    say("CEC_S_MODE", nix::request_code_write!(MAGIC, S_MODE, size_of::<u32>()) as usize);
    for (name, value) in [
        ("CEC_MAX_MSG_SIZE", MAX_MSG_SIZE as u32),
        ("CEC_CAP_LOG_ADDRS", CAP_LOG_ADDRS),
        ("CEC_CAP_TRANSMIT", CAP_TRANSMIT),
        ("CEC_MODE_INITIATOR", MODE_INITIATOR),
        ("CEC_MODE_FOLLOWER", MODE_FOLLOWER),
        ("CEC_PHYS_ADDR_INVALID", PHYS_ADDR_INVALID.into()),
        ("CEC_VENDOR_ID_NONE", VENDOR_ID_NONE),
        ("CEC_LOG_ADDR_TYPE_PLAYBACK", LOG_ADDR_TYPE_PLAYBACK.into()),
        ("CEC_LOG_ADDR_MASK_PLAYBACK", LOG_ADDR_MASK_PLAYBACK.into()),
        ("CEC_OP_PRIM_DEVTYPE_PLAYBACK", PRIM_DEVTYPE_PLAYBACK.into()),
        ("CEC_OP_ALL_DEVTYPE_PLAYBACK", ALL_DEVTYPE_PLAYBACK.into()),
        ("CEC_OP_CEC_VERSION_1_4", VERSION_1_4.into()),
        ("CEC_EVENT_STATE_CHANGE", EVENT_STATE_CHANGE),
        ("CEC_TX_STATUS_OK", TX_STATUS_OK.into()),
    ] {
        say(name, value as usize);
    }
    it
}

#[test]
fn every_struct_and_number_is_the_headers() {
    c_headers::check(&["linux/cec.h"], &claims());
}
