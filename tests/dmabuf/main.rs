//! Frames in dma-bufs as textures, against EGL's own imports. The virtual board has a Mesa and memory that do this.
//!
//! A thread has one GL context, so the cases run one after the other, each with a context of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/difference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod difference;
#[path = "../support/dmabuf_frames.rs"]
mod dmabuf_frames;
#[path = "../support/harness.rs"]
mod harness;
#[path = "../support/interop_conformance.rs"]
mod interop_conformance;
#[path = "../support/pictures.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pictures;
#[path = "../support/reference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod reference;
#[path = "../support/stage.rs"]
mod stage;

mod cases;
mod faults;
mod place;

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
    let each = || KINDS.into_iter().flat_map(|kind| CASES.map(|(name, case)| (kind, name, case)));
    let names: Vec<String> = each().map(|(kind, name, _)| format!("{}::{name}", kind.name())).collect();
    let cases: Vec<_> = each().collect();
    harness::run(&names, |place| {
        let (kind, _, case) = cases[place];
        Place::find(kind).map(|it| case(&it))
    })
}
