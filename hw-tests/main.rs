//! The player on hardware: every case runs on the virtual board, and the same case on a Pi.
//!
//! `cargo test --release --test board` runs all cases; words behind `--` choose those whose names contain one of them.
//! hw-tests/README.md says what each proves.
//!
//! # How to add a case
//!
//! 1. Write a function `fn(&Bench)` in the file of `cases/` that it belongs to, or in a new one, which `cases/mod.rs` lists.
//! 2. In it, say what is to happen ([`rig::Job`]), let it happen ([`case::Bench::run`]) and assert what must be so of what came
//!    back ([`rig::Ended`]). A case fails by panicking; the message and the job's folder are kept.
//! 3. Name it in its file's `CASES`, with the abilities it needs of a rig.
//!
//! Figures that differ between rigs stand in `expect/RIG.toml`. A case has a short form and one for `--soak`, where that
//! makes a difference: [`case::Bench::amount`]. In virtual time nothing has a cost that is not injected, so a case that
//! is about keeping up has a twin that must fail.
#![allow(clippy::unwrap_used, reason = "a case that cannot get its input has failed")]

mod case;
mod cases;
#[path = "../tests/support/difference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod difference;
mod expect;
mod media;
#[path = "../tests/support/pictures.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pictures;
#[path = "../tests/support/reference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod reference;
mod rig;
mod runner;

use std::path::Path;
use std::process::ExitCode;

use self::rig::Rig;
use self::rig::board::Board;
use self::rig::pi::Pi;
use self::runner::{Options, say};

/// What was built along with this program.
const PLAYER: &str = env!("CARGO_BIN_EXE_lucarne");

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            say(&format!("hw-tests: {why}"));
            return ExitCode::from(2);
        }
    };
    let cases = options.choose(cases::all());
    if options.list {
        cases.iter().for_each(|it| say(&format!("{}: test", it.name)));
        return ExitCode::SUCCESS;
    }
    if cases.is_empty() {
        say("hw-tests: no case has such a name");
        return ExitCode::SUCCESS;
    }
    let set = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
    let rig: Result<Box<dyn Rig>, _> = match set("LUCARNE_PI") {
        Some(host) => Pi::connect(&host, set("LUCARNE_PI_PLACE").as_deref()).map(|it| Box::new(it) as _),
        None if set("LUCARNE_NO_BOARD").is_some() => {
            say("hw-tests: skipped, because LUCARNE_NO_BOARD is set: nothing here was tried on hardware");
            return ExitCode::SUCCESS;
        }
        None => Board::up(Path::new(PLAYER)).map(|it| Box::new(it) as _),
    };
    match rig {
        Ok(rig) => runner::run(&*rig, &cases, &options),
        Err(why) => {
            say(&format!("hw-tests: {why}\nhw-tests: LUCARNE_NO_BOARD=1 leaves these cases out"));
            ExitCode::FAILURE
        }
    }
}
