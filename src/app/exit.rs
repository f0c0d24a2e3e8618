//! How a command ends: the exit codes, and the one line a user gets when something failed.

/// The ways a run can end. Decided here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for was done.
    Done,
    /// Nothing could be played, or a failure at run time.
    Failed,
    /// The command line or a configuration file is wrong.
    Usage,
    /// An orderly stop on SIGINT.
    Interrupted,
    /// An orderly stop on SIGTERM.
    Terminated,
}

impl Exit {
    /// The code the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            // 128 and the signal's number, as shells report a process that a signal ended.
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(it: Exit) -> Self {
        std::process::ExitCode::from(it.code())
    }
}

/// A command gave up: what failed, on what, why, and what to do, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the shell is told.
    pub exit: Exit,
    line: String,
}

impl Failure {
    /// The command line or a configuration file is wrong.
    pub fn usage(what: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Usage, line: one_line(&what.to_string()) }
    }
    /// Something went wrong while running.
    pub fn failed(what: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Failed, line: one_line(&what.to_string()) }
    }
    /// With a hint what to do about it.
    pub fn advise(mut self, advice: &str) -> Self {
        self.line = format!("{}; {}", self.line, one_line(advice));
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Failure {}

/// Folds line breaks, indentation and control characters (a file's name may hold any) into single spaces.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|it: char| it.is_whitespace() || it.is_control()).filter(|it| !it.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_scripts_rely_on() {
        let all = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Interrupted, Exit::Terminated];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 130, 143]);
    }

    #[test]
    fn a_failure_is_one_line_whatever_the_file_is_called() {
        let it = Failure::failed("film\n\u{1b}[2Jof mine.mp4: no such\tfile").advise("check\nthe path");
        assert_eq!(it.to_string(), "film [2Jof mine.mp4: no such file; check the path");
        assert_eq!(it.exit, Exit::Failed);
    }
}
