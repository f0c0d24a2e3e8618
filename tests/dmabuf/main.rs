//! Frames in dma-bufs as textures, against EGL's own imports. The virtual board has a Mesa and memory that do this.
//!
//! A thread has one GL context, so the cases run one after the other, each with a context of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/dmabuf_frames.rs"]
mod dmabuf_frames;
#[path = "../support/interop_conformance.rs"]
mod interop_conformance;
#[path = "../support/pictures.rs"]
mod pictures;
#[path = "../support/reference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod reference;
#[path = "../support/stage.rs"]
mod stage;

mod cases;
mod faults;
mod place;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use place::{KINDS, Place};

/// A case, by name.
type Case = (&'static str, fn(&Place));

const CASES: [Case; 14] = [
    ("it_conforms_plane_by_plane", cases::conforms_plane_by_plane),
    ("it_conforms_as_a_whole", cases::conforms_as_a_whole),
    ("every_format_is_tried_and_described", cases::verdicts),
    ("every_color_is_exact_or_refused", cases::colors),
    ("a_buffer_is_imported_once", cases::imported_once),
    ("what_was_made_of_a_pool_that_retires_goes", cases::retiring),
    ("the_shown_picture_of_a_pool_that_retires_stays_until_it_is_given_back", cases::retiring_while_shown),
    ("a_frame_is_held_until_the_gpu_has_read_it", cases::fenced),
    ("a_steady_way_allocates_nothing", cases::allocations),
    ("wrong_pixels_are_found_out", faults::wrong_pixels),
    ("an_import_that_is_refused_costs_one_frame", faults::refused),
    ("a_lost_context_is_told_and_everything_comes_home", faults::context_lost),
    ("a_fence_that_fails_is_not_waited_for", faults::fences_fail),
    ("a_corrupted_layout_never_reaches_the_driver", faults::corrupted),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filter = arguments.iter().find(|it| !it.starts_with('-'));
    let (mut n_passed, mut n_failed, mut n_skipped) = (0, 0, 0);
    let is_listing = arguments.iter().any(|it| it == "--list");
    for kind in KINDS {
        for (name, case) in CASES {
            let name = format!("{}::{name}", kind.name());
            if filter.is_some_and(|it| !name.contains(it.as_str())) {
                continue;
            }
            if is_listing {
                say(&format!("{name}: test"));
                continue;
            }
            let place = match Place::find(kind) {
                Ok(it) => it,
                Err(why) => {
                    say(&format!("test {name} ... ignored, {why}"));
                    n_skipped += 1;
                    continue;
                }
            };
            if catch_unwind(AssertUnwindSafe(|| case(&place))).is_ok() {
                say(&format!("test {name} ... ok"));
                n_passed += 1;
            } else {
                say(&format!("test {name} ... FAILED"));
                n_failed += 1;
            }
        }
    }
    if is_listing {
        return ExitCode::SUCCESS;
    }
    let verdict = if n_failed == 0 { "ok" } else { "FAILED" };
    say(&format!("\ntest result: {verdict}. {n_passed} passed; {n_failed} failed; {n_skipped} ignored\n"));
    if n_failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("somebody listens");
}
