//! Software decoding into dma-bufs: the virtual board has a heap of them, few machines let everybody at theirs.
//!
//! `--films` makes the films and prints where they are, for a board that has no encoder: there they lie beside the program.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "../support/decoder_suite.rs"]
mod decoder_suite;
#[path = "../support/harness.rs"]
mod harness;
#[path = "../support/media.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod media;

mod cases;
mod decode;
mod films;

use std::process::ExitCode;
use std::sync::Arc;

use harness::say;
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
    if std::env::args().any(|it| it == "--films") {
        films::all().iter().for_each(|name| say(&format!("{name}\t{}", films::path(name).display())));
        return ExitCode::SUCCESS;
    }
    let mut source = None;
    harness::run(&CASES.map(|it| it.0), |place| match source.get_or_insert_with(find) {
        Ok(it) => {
            CASES[place].1(it);
            Ok(())
        }
        Err(why) => Err(why.clone()),
    })
}

/// Says which memory it is that all cases use.
fn find() -> Result<Arc<DmabufSource>, String> {
    let source = DmabufSource::find()?;
    say(&format!("buffers of {}", source.heap().path().display()));
    Ok(Arc::new(source))
}
