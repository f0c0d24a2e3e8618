//! A harness for tests whose cases run one after the other on the main thread: they share a device, or are processes.
use std::fmt::Display;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Runs the cases whose names contain one of the words on the command line, if there are any, but none with a word behind
/// `--skip`; `--list` names them only. `case` is
/// given a name's place among them. It fails by panicking, and answers why it was left out, if it was.
pub fn run<E: Display>(names: &[impl AsRef<str>], mut case: impl FnMut(usize) -> Result<(), E>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut words, mut skipped) = (Vec::new(), Vec::new());
    for (place, it) in arguments.iter().enumerate().filter(|(_, it)| !it.starts_with('-')) {
        let is_skipped = place.checked_sub(1).is_some_and(|before| arguments[before] == "--skip");
        if is_skipped { &mut skipped } else { &mut words }.push(it.as_str());
    }
    let has = |words: &[&str], name: &str| words.iter().any(|it| name.contains(it));
    let is_chosen = |name: &str| (words.is_empty() || has(&words, name)) && !has(&skipped, name);
    let all = names.iter().map(AsRef::as_ref).enumerate();
    let chosen: Vec<(usize, &str)> = all.filter(|it| is_chosen(it.1)).collect();
    if arguments.iter().any(|it| it == "--list") {
        chosen.iter().for_each(|it| say(&format!("{}: test", it.1)));
        return ExitCode::SUCCESS;
    }
    say(&format!("\nrunning {} tests", chosen.len()));
    let (mut n_passed, mut n_failed, mut n_ignored) = (0, 0, 0);
    for (place, name) in chosen {
        let (count, how) = match catch_unwind(AssertUnwindSafe(|| case(place))) {
            Ok(Ok(())) => (&mut n_passed, "ok".to_owned()),
            Ok(Err(why)) => (&mut n_ignored, format!("ignored, {why}")),
            Err(_) => (&mut n_failed, "FAILED".to_owned()),
        };
        *count += 1;
        say(&format!("test {name} ... {how}"));
    }
    let verdict = if n_failed == 0 { "ok" } else { "FAILED" };
    say(&format!("\ntest result: {verdict}. {n_passed} passed; {n_failed} failed; {n_ignored} ignored\n"));
    if n_failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A line for whoever runs this.
pub fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("somebody listens");
}
