//! Our numbers against the kernel's headers, and what is no terminal.
use std::fs::File;
use std::io::Write;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

/// Asks the C compiler to hold our numbers against the headers. Without headers there is nothing to compare with.
#[test]
fn the_numbers_are_the_headers() {
    let headers = ["/usr/include/linux/kd.h", "/usr/include/linux/vt.h"];
    if headers.iter().any(|it| !Path::new(it).exists()) {
        return;
    }
    let numbers: [(&str, usize); 25] = [
        ("KDSETMODE", abi::KDSETMODE as usize),
        ("KDGETMODE", abi::KDGETMODE as usize),
        ("KD_TEXT", abi::KD_TEXT as usize),
        ("KD_GRAPHICS", abi::KD_GRAPHICS as usize),
        ("KDGKBMODE", abi::KDGKBMODE as usize),
        ("KDSKBMODE", abi::KDSKBMODE as usize),
        ("K_RAW", abi::K_RAW as usize),
        ("K_UNICODE", abi::K_UNICODE as usize),
        ("K_OFF", abi::K_OFF as usize),
        ("VT_GETMODE", abi::VT_GETMODE as usize),
        ("VT_SETMODE", abi::VT_SETMODE as usize),
        ("VT_GETSTATE", abi::VT_GETSTATE as usize),
        ("VT_RELDISP", abi::VT_RELDISP as usize),
        ("VT_ACTIVATE", abi::VT_ACTIVATE as usize),
        ("VT_AUTO", abi::VT_AUTO as usize),
        ("VT_PROCESS", abi::VT_PROCESS as usize),
        ("VT_ACKACQ", abi::VT_ACKACQ as usize),
        ("sizeof(struct vt_mode)", size_of::<abi::VtMode>()),
        ("offsetof(struct vt_mode, waitv)", offset_of!(abi::VtMode, waitv)),
        ("offsetof(struct vt_mode, relsig)", offset_of!(abi::VtMode, relsig)),
        ("offsetof(struct vt_mode, acqsig)", offset_of!(abi::VtMode, acqsig)),
        ("offsetof(struct vt_mode, frsig)", offset_of!(abi::VtMode, frsig)),
        ("sizeof(struct vt_stat)", size_of::<abi::VtStat>()),
        ("offsetof(struct vt_stat, v_active)", offset_of!(abi::VtStat, v_active)),
        ("offsetof(struct vt_stat, v_state)", offset_of!(abi::VtStat, v_state)),
    ];
    let mut source = String::from("#include <stddef.h>\n#include <linux/kd.h>\n#include <linux/vt.h>\n");
    for (name, number) in numbers {
        source += &format!("_Static_assert({name} == {number}, \"{name}\");\n");
    }
    let mut compiler = Command::new("cc")
        .args(["-x", "c", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a linker is a compiler");
    compiler.stdin.take().expect("it is piped").write_all(source.as_bytes()).expect("it reads");
    let done = compiler.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
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
