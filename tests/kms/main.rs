//! The KMS presenter on the kernel's virtual display (vkms): the virtual board has it, few other machines do.
//!
//! Each case owns the card, so they run one after the other, in one process.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/difference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod difference;
#[path = "../v4l2/fwht.rs"]
mod fwht;
#[path = "../support/harness.rs"]
mod harness;
#[path = "../support/pictures.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pictures;
#[path = "../v4l2/play.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod play;
#[path = "../support/presenter_conformance.rs"]
mod presenter_conformance;
#[path = "../support/reference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod reference;

mod buffers;
mod cards;
mod cases;
mod codec;
mod displays;
mod frames;
mod screen;
mod wire;

use std::process::ExitCode;

use cards::Surroundings;

/// A case, by name; it says why it was skipped, if it was.
type Case = (&'static str, fn(&Surroundings) -> Result<(), &'static str>);

const CASES: [Case; 30] = [
    ("the_presenter_conforms", cases::conformance),
    ("what_was_drawn_is_on_the_wire", cases::pixels),
    ("pictures_are_read_back_one_after_the_other", cases::captures_in_a_row),
    ("presenting_allocates_nothing", cases::allocations),
    ("the_mode_is_what_was_asked_for_and_suits_the_film", cases::modes),
    ("what_is_not_there_is_named_with_what_is", cases::refusals),
    ("two_programs_cannot_have_one_card", cases::other_master),
    ("the_card_is_taken_back_after_another_program_had_it", cases::master_lost_and_regained),
    ("it_leaves_the_card_as_it_found_it", cases::restored),
    ("switched_off_time_goes_on", cases::power),
    ("two_outputs_run_at_once", cases::two_outputs),
    ("a_display_comes_and_goes", cases::hotplug),
    ("hot_plug_detect_in_pulses_costs_no_frame", displays::pulses),
    ("a_display_without_modes_is_waited_for", displays::not_ready),
    ("other_modes_are_taken", displays::other_modes),
    ("a_change_of_mode_shows_no_black_picture", displays::no_black_between_modes),
    ("a_frame_on_a_plane_is_what_it_should_be", frames::pixels),
    ("frames_go_where_they_should", frames::placed),
    ("what_no_plane_takes_is_refused_with_the_reason", frames::refusals),
    ("a_frame_is_held_until_the_next_is_shown", frames::leases),
    ("a_pool_that_goes_leaves_nothing_behind", frames::retired),
    ("between_planes_and_drawing_nothing_else_is_seen", frames::switching),
    ("something_drawn_is_above_a_frame", frames::above),
    ("frames_allocate_nothing", frames::allocations),
    ("frames_outlive_power_and_other_masters", frames::power_and_master),
    ("without_overlays_the_primary_plane_shows_frames", frames::without_overlays),
    ("an_overlay_is_one_outputs", frames::shared_overlay),
    ("a_codecs_frames_on_planes_are_what_they_should_be", codec::on_planes),
    ("a_codecs_frames_imported_plane_by_plane_are_what_they_should_be", codec::plane_by_plane),
    ("a_codecs_frames_imported_as_a_whole_are_what_they_should_be", codec::as_a_whole),
];

fn main() -> ExitCode {
    let mut surroundings = None;
    harness::run(&CASES.map(|it| it.0), |place| match surroundings.get_or_insert_with(Surroundings::find) {
        Ok(it) => CASES[place].1(it),
        Err(why) => Err(*why),
    })
}
