//! Real messages, hostile bytes, and who may speak.
use std::collections::BTreeMap;

use nix::sys::socket::{MsgFlags, getsockname, sendto};
use proptest::prelude::*;

use super::*;

/// As vkms sends it when a connector's status is written.
const VKMS: &[&str] = &[
    "change@/devices/faux/vkms/drm/card1",
    "ACTION=change",
    "DEVPATH=/devices/faux/vkms/drm/card1",
    "SUBSYSTEM=drm",
    "HOTPLUG=1",
    "MAJOR=226",
    "MINOR=1",
    "DEVNAME=dri/card1",
    "DEVTYPE=drm_minor",
    "SEQNUM=1234",
];

fn message(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|it| it.bytes().chain([0])).collect()
}

fn with(lines: &[&str], more: &[&str]) -> Vec<u8> {
    message(&[lines, more].concat())
}

#[test]
fn a_hot_plug_says_which_card_and_sometimes_which_connector() {
    let change = |connector| Some(CardUevent { minor: Some(1), change: CardChange::Hotplug { connector } });
    assert_eq!(parse(&message(VKMS)), change(None));
    assert_eq!(parse(&with(VKMS, &["CONNECTOR=33"])), change(Some(33)));
    assert_eq!(parse(&with(VKMS, &["CONNECTOR=33", "PROPERTY=7"])), change(Some(33)));
    assert_eq!(parse(&with(VKMS, &["CONNECTOR=-1"])), change(None));
    assert_eq!(parse(&with(VKMS, &["CONNECTOR=99999999999"])), change(None));
}

#[test]
fn a_card_comes_and_goes() {
    let node = |action: &str| {
        message(&[&format!("{action}@/devices/x/drm/card0"), "SUBSYSTEM=drm", "DEVTYPE=drm_minor", "MINOR=0"])
    };
    let news = |change| Some(CardUevent { minor: Some(0), change });
    assert_eq!(parse(&node("add")), news(CardChange::Added));
    assert_eq!(parse(&node("remove")), news(CardChange::Removed));
    assert_eq!(parse(&node("bind")), None);
}

#[test]
fn what_is_about_something_else_is_nothing() {
    let cases: [Vec<u8>; 9] = [
        vec![],
        vec![0; 100],
        message(&["change@/devices/x", "SUBSYSTEM=block", "HOTPLUG=1"]),
        message(&["change@/devices/x", "SUBSYSTEM=drm", "HOTPLUG=0", "MINOR=1"]),
        message(&["change@/devices/x", "SUBSYSTEM=drm", "MINOR=1"]),
        message(&["change@/devices/x", "HOTPLUG=1"]),
        message(&["add@/devices/x/card0-HDMI-A-1", "SUBSYSTEM=drm", "DEVTYPE=drm_connector"]),
        message(&["libudev", "SUBSYSTEM=drm", "HOTPLUG=1"]),
        with(&["no action at all"], &["ACTION=change", "SUBSYSTEM=drm", "HOTPLUG=1"]),
    ];
    for case in cases {
        assert_eq!(parse(&case), None, "{}", String::from_utf8_lossy(&case));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_fine(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn a_mutated_message_says_nothing_new(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = with(VKMS, &["CONNECTOR=33"]);
        for (place, byte) in mutations {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        if let Some(news) = parse(&bytes) {
            // Whatever it says stands in the bytes, as a reader that splits them into a map finds too.
            let lines: Vec<&[u8]> = bytes.split(|it| *it == 0).collect();
            prop_assert!(lines[0].starts_with(b"change@"));
            let pairs: BTreeMap<&[u8], &[u8]> = lines[1..]
                .iter()
                .filter_map(|it| it.iter().position(|it| *it == b'=').map(|at| (&it[..at], &it[at + 1..])))
                .collect();
            prop_assert_eq!(pairs.get(&b"SUBSYSTEM"[..]), Some(&&b"drm"[..]));
            prop_assert_eq!(pairs.get(&b"HOTPLUG"[..]), Some(&&b"1"[..]));
            let is_hotplug = matches!(news.change, CardChange::Hotplug { .. });
            prop_assert!(is_hotplug);
        }
    }
}

/// Netlink may be refused where the tests run, as may sending to others; what then remains is the contract that opening
/// says so.
#[test]
fn only_the_kernel_is_believed() {
    let mut listener = match UeventSocket::open() {
        Ok(it) => it,
        Err(refused) => {
            assert!(refused.raw_os_error().is_some(), "{refused}");
            return;
        }
    };
    while listener.poll().is_some() {}
    let address: NetlinkAddr = getsockname(listener.socket.as_raw_fd()).expect("it is bound");
    assert_ne!(address.pid(), KERNEL_PORT);
    let liar = UeventSocket::unbound().expect("the first one worked");
    let said = sendto(liar.socket.as_raw_fd(), &message(VKMS), &NetlinkAddr::new(address.pid(), 0), MsgFlags::empty());
    if said.is_ok() {
        assert_eq!(listener.poll(), None, "anybody is believed");
    }
}
