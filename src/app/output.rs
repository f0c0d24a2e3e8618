//! What the program says: asked-for output to standard output, errors to standard error. Nothing else prints.
use std::io::{self, IsTerminal, Write};

use crate::app::exit::Failure;

/// Prints what was asked for. A reader who has gone away (`lucarne probe | head`) is not an error.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(it) if it.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format_args!("standard output: {it}")))
        }
        _ => Ok(()),
    }
}

/// Tells the user of a failure, in one line.
pub fn complain(it: &Failure) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "lucarne: {it}");
}

/// Whether standard error is a terminal, where a line can be overwritten.
pub fn has_terminal() -> bool {
    io::stderr().is_terminal()
}

/// A line that tells how things are going, on standard error; a terminal's is overwritten by the next. A terminal that is
/// gone must not stop the show.
pub fn tell_progress(line: &str, on_terminal: bool) {
    let mut out = io::stderr().lock();
    let _ = if on_terminal { write!(out, "\r\x1b[K{line}") } else { writeln!(out, "{line}") };
    let _ = out.flush();
}

/// Leaves the terminal on a line of its own after `tell_progress`.
pub fn end_progress() {
    let _ = writeln!(io::stderr().lock());
}
