//! Programs of `tests/` that want the devices of a rig, and so run in full there only.
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::rig::Ended;

/// The program of a test, up to date: cargo builds it, which takes no time when all tests are built anyway.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("its own name");
    let is_release = own.components().any(|it| it.as_os_str() == "release");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--no-run", "--offline", "--message-format=json", "--test", name])
        .args(is_release.then_some("--release"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "cargo test --no-run: {}", String::from_utf8_lossy(&output.stderr));
    let program = |line: &str| {
        let said: Value = serde_json::from_str(line).ok()?;
        let is_it = said.pointer("/target/name")? == name && said.pointer("/target/kind/0")? == "test";
        is_it.then(|| said.pointer("/executable").and_then(Value::as_str).map(PathBuf::from)).flatten()
    };
    let found = String::from_utf8_lossy(&output.stdout).lines().find_map(program);
    found.unwrap_or_else(|| panic!("cargo does not say where the test {name} is"))
}

/// Each time such a program ran in the job, all the cases that it was asked for passed, and none was left out.
#[track_caller]
pub fn all_passed(end: &Ended, n_runs: usize) {
    let verdicts: Vec<&str> = end.stdout.lines().filter(|it| it.starts_with("test result: ")).collect();
    let n_good = verdicts.iter().filter(|it| it.contains(" 0 failed; 0 ignored") && !it.contains(" 0 passed")).count();
    assert_eq!((verdicts.len(), n_good), (n_runs, n_runs), "{}\n{}", end.stdout, end.said());
}
