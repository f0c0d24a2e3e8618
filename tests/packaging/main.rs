//! What is delivered beside the program: the service, and the way to build it for the board.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
mod cross;
mod unit;

/// A file of the repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
