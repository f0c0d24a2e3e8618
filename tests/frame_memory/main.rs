//! Software decoding into dma-bufs: the virtual board has a heap of them, few machines let everybody at theirs.
//!
//! `--films` makes the films and prints where they are, for a board that has no encoder: there they lie beside the program.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/decoder_suite.rs"]
mod decoder_suite;
#[path = "../support/media.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod media;

mod cases;
mod decode;
mod films;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use lucarne::backend::frame_memory::DmabufSource;

/// A case, by name.
type Case = (&'static str, fn(&Arc<DmabufSource>));

const CASES: [Case; 9] = [
    ("pictures_are_the_same_as_in_ordinary_memory", cases::the_same),
    ("the_decoder_passes_the_suite", cases::conformance),
    ("planes_lie_as_devices_want_them", cases::layout),
    ("what_does_not_fit_goes_into_ordinary_memory", cases::exhaustion),
    ("another_size_is_another_pool", cases::sizes),
    ("a_warm_loop_allocates_nothing", cases::allocations),
    ("descriptors_and_maps_are_given_back", cases::leaks),
    ("pictures_outlive_their_decoder", cases::outliving),
    ("a_picture_is_kept_until_its_last_lease_is_gone", cases::keeping),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|it| it == "--films") {
        films::all().iter().for_each(|name| say(&format!("{name}\t{}", films::path(name).display())));
        return ExitCode::SUCCESS;
    }
    let filter = arguments.iter().find(|it| !it.starts_with('-'));
    let chosen: Vec<&Case> = CASES.iter().filter(|it| filter.is_none_or(|filter| it.0.contains(filter))).collect();
    if arguments.iter().any(|it| it == "--list") {
        chosen.iter().for_each(|it| say(&format!("{}: test", it.0)));
        return ExitCode::SUCCESS;
    }
    say(&format!("\nrunning {} tests", chosen.len()));
    let source = DmabufSource::find().map(Arc::new);
    if let Ok(it) = &source {
        say(&format!("buffers of {}", it.heap().path().display()));
    }
    let (mut n_passed, mut n_failed, mut n_skipped) = (0, 0, 0);
    for (name, case) in chosen {
        match &source {
            Ok(source) if catch_unwind(AssertUnwindSafe(|| case(source))).is_ok() => {
                say(&format!("test {name} ... ok"));
                n_passed += 1;
            }
            Ok(_) => {
                say(&format!("test {name} ... FAILED"));
                n_failed += 1;
            }
            Err(why) => {
                say(&format!("test {name} ... ignored, {why}"));
                n_skipped += 1;
            }
        }
    }
    let verdict = if n_failed == 0 { "ok" } else { "FAILED" };
    say(&format!("\ntest result: {verdict}. {n_passed} passed; {n_failed} failed; {n_skipped} ignored\n"));
    if n_failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("somebody listens");
}
