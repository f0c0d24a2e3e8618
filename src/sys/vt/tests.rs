//! Our numbers against the kernel's headers, and what is no terminal.
use std::fs::File;
use std::mem::{offset_of, size_of};

use super::*;
use crate::sys::c_headers;

#[test]
fn the_numbers_are_the_headers() {
    let claims = [
        ("KDSETMODE", abi::KDSETMODE as u64),
        ("KDGETMODE", abi::KDGETMODE as u64),
        ("KD_TEXT", abi::KD_TEXT as u64),
        ("KD_GRAPHICS", abi::KD_GRAPHICS as u64),
        ("KDGKBMODE", abi::KDGKBMODE as u64),
        ("KDSKBMODE", abi::KDSKBMODE as u64),
        ("K_RAW", abi::K_RAW as u64),
        ("K_UNICODE", abi::K_UNICODE as u64),
        ("K_OFF", abi::K_OFF as u64),
        ("VT_GETMODE", abi::VT_GETMODE as u64),
        ("VT_SETMODE", abi::VT_SETMODE as u64),
        ("VT_GETSTATE", abi::VT_GETSTATE as u64),
        ("VT_RELDISP", abi::VT_RELDISP as u64),
        ("VT_ACTIVATE", abi::VT_ACTIVATE as u64),
        ("VT_AUTO", abi::VT_AUTO as u64),
        ("VT_PROCESS", abi::VT_PROCESS as u64),
        ("VT_ACKACQ", abi::VT_ACKACQ as u64),
        ("sizeof(struct vt_mode)", size_of::<abi::VtMode>() as u64),
        ("offsetof(struct vt_mode, waitv)", offset_of!(abi::VtMode, waitv) as u64),
        ("offsetof(struct vt_mode, relsig)", offset_of!(abi::VtMode, relsig) as u64),
        ("offsetof(struct vt_mode, acqsig)", offset_of!(abi::VtMode, acqsig) as u64),
        ("offsetof(struct vt_mode, frsig)", offset_of!(abi::VtMode, frsig) as u64),
        ("sizeof(struct vt_stat)", size_of::<abi::VtStat>() as u64),
        ("offsetof(struct vt_stat, v_active)", offset_of!(abi::VtStat, v_active) as u64),
        ("offsetof(struct vt_stat, v_state)", offset_of!(abi::VtStat, v_state) as u64),
    ];
    c_headers::check(&["linux/kd.h", "linux/vt.h"], &claims);
}

#[test]
fn what_is_no_terminal_says_so() {
    let null = File::open("/dev/null").expect("it is always there");
    let no_terminal = Some(libc::ENOTTY);
    assert_eq!(kd_mode(&null).expect_err("no terminal").raw_os_error(), no_terminal);
    assert_eq!(keyboard_mode(&null).expect_err("no terminal").raw_os_error(), no_terminal);
    assert_eq!(active(&null).expect_err("no terminal").raw_os_error(), no_terminal);
    assert_eq!(is_switched_by_a_process(&null).expect_err("no terminal").raw_os_error(), no_terminal);
    assert_eq!(set_kd_mode(&null, KdMode::Text).expect_err("no terminal").raw_os_error(), no_terminal);
    assert_eq!(set_switching(&null, Switching::Auto).expect_err("no terminal").raw_os_error(), no_terminal);
    let absurd = Switching::Process { release_signal: 1 << 20, acquire_signal: 0 };
    assert_eq!(set_switching(&null, absurd).expect_err("no signal").kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn numbers_that_name_no_mode_are_refused() {
    assert_eq!((KdMode::from_number(2), KdMode::from_number(-1)), (None, None));
    assert_eq!((KeyboardMode::from_number(5), KeyboardMode::from_number(-1)), (None, None));
    for number in 0..2 {
        assert_eq!(KdMode::from_number(number).map(KdMode::number), Some(number));
    }
    for number in 0..5 {
        assert_eq!(KeyboardMode::from_number(number).map(KeyboardMode::number), Some(number));
    }
}
