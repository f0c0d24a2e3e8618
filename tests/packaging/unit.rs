//! The service: what systemd itself says of its unit, and what we promise in its README.
use std::fs;
use std::io::Write;
use std::process::Command;

use crate::file;

fn unit() -> String {
    file("systemd/lucarne.service")
}

/// What `systemd-analyze verify` says of a unit whose program is the one that was built; `None` where there is no systemd.
fn verify(text: &str) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lucarne.service");
    fs::write(&file, text.replace("/usr/bin/lucarne", env!("CARGO_BIN_EXE_lucarne"))).unwrap();
    // Manual pages need not be installed, and generators are none of this unit's business.
    let said = Command::new("systemd-analyze").args(["verify", "--man=no", "--generators=no"]).arg(&file).output();
    let said = match said {
        Ok(it) => it,
        Err(error) => {
            let line = format!("skipped: systemd-analyze: {error}; install the package systemd");
            std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
            return None;
        }
    };
    let text = [said.stdout, said.stderr].concat();
    Some((said.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn systemd_has_no_complaint() {
    let Some((success, said)) = verify(&unit()) else { return };
    // A setting it does not know is only a warning.
    assert!(success && said.is_empty(), "{said}");
}

#[test]
fn systemd_would_complain() {
    let wrong = unit().replace("ProtectSystem=strict", "ProtectSystem=strictly");
    let Some((_, said)) = verify(&wrong) else { return };
    assert!(said.contains("strictly"), "{said:?}");
}

#[test]
fn the_command_in_it_is_one_we_understand() {
    let unit = unit();
    let line = unit.lines().find_map(|it| it.strip_prefix("ExecStart=/usr/bin/lucarne ")).unwrap();
    // Asked for help in the same breath, the program reads the line, opens nothing and is done.
    let said =
        Command::new(env!("CARGO_BIN_EXE_lucarne")).args(line.split_whitespace()).arg("--help").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let help = String::from_utf8_lossy(&said.stdout).into_owned();
    for option in line.split_whitespace().filter(|it| it.starts_with("--")) {
        assert!(help.contains(option), "{option} is not in --help");
    }
}

#[test]
fn every_device_it_may_open_is_explained() {
    let (readme, unit) = (file("systemd/README.md"), unit());
    let devices: Vec<&str> =
        unit.lines().filter_map(|it| it.strip_prefix("DeviceAllow=")?.split_whitespace().next()).collect();
    assert!(devices.len() > 4, "{devices:?}");
    for device in devices {
        assert!(readme.contains(&format!("`{device}`")), "{device} is not in systemd/README.md");
    }
}
