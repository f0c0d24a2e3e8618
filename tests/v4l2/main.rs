//! The V4L2 decoder on the kernel's own test codec (vicodec), and on any decoder of H.264 there is: the virtual board has
//! both, few other machines do.
//!
//! Each case has the codecs to itself, so they run one after the other, in one process. H.264 comes from the files in
//! `media` in the working folder; what they should look like, from the software decoder.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/decoder_suite.rs"]
mod decoder_suite;
#[path = "../support/harness.rs"]
mod harness;

mod faults;
mod films;
mod fwht;
mod fwht_cases;
mod h264_cases;
mod play;

use std::process::ExitCode;

/// A case, by name; it says why it was skipped, if it was.
type Case = (&'static str, fn() -> Result<(), &'static str>);

const CASES: [Case; 21] = [
    ("fwht::the_decoder_conforms", fwht_cases::conformance),
    ("fwht::imported_buffers_are_as_good", fwht_cases::imported),
    ("fwht::pictures_are_what_was_coded", fwht_cases::pixels),
    ("fwht::a_change_of_size_loses_nothing", fwht_cases::change),
    ("fwht::a_pool_that_is_kept_ends_it", fwht_cases::kept),
    ("fwht::decoding_allocates_nothing", fwht_cases::allocations),
    ("fwht::an_open_codec_serves_again", fwht_cases::reuse),
    ("fwht::what_is_not_for_it_is_refused", fwht_cases::refusals),
    ("h264::the_decoder_conforms", h264_cases::conformance),
    ("h264::every_frame_is_the_softwares", h264_cases::identical),
    ("h264::laps_lose_nothing", h264_cases::laps),
    ("h264::items_of_many_sizes_lose_nothing", h264_cases::items),
    ("h264::a_change_in_mid_stream_loses_nothing", h264_cases::change),
    ("h264::imported_buffers_are_as_good", h264_cases::imported),
    ("faults::an_error_is_one_that_another_decoder_helps", faults::error),
    ("faults::a_decoder_that_swallows_has_stalled", faults::swallows),
    ("faults::a_decoder_that_keeps_has_stalled", faults::keeps),
    ("faults::damaged_pictures_are_counted", faults::corrupt),
    ("faults::a_change_that_loses_pictures_is_survived", faults::lost),
    ("faults::a_node_that_goes_is_said_and_found_again", faults::gone),
    ("faults::the_firmware_is_never_wedged", faults::wedge),
];

fn main() -> ExitCode {
    let _ = env_logger::try_init();
    harness::run(&CASES.map(|it| it.0), |place| CASES[place].1())
}
