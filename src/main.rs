//! The binary: parse, build, run, exit code.
use std::process::ExitCode;

use lucarne::app;

fn main() -> ExitCode {
    app::main(std::env::args_os()).into()
}
