//! Runs cases, several at once, and says how they ended.
use std::any::Any;
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Bench, Case};
use crate::expect::Expected;
use crate::rig::Rig;

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Options {
    /// Only say which cases there are.
    pub list: bool,
    /// The full figures.
    pub soak: bool,
    exact: bool,
    words: Vec<String>,
}

impl Options {
    /// Reads the arguments; those of `cargo test` that mean nothing here are accepted.
    ///
    /// # Errors
    ///
    /// An option that there is not.
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        for it in arguments {
            match it.as_str() {
                "--list" => options.list = true,
                "--soak" => options.soak = true,
                "--exact" => options.exact = true,
                "--quiet" | "-q" | "--nocapture" | "--no-capture" | "--show-output" => {}
                other if other.starts_with('-') => {
                    return Err(format!(
                        "there is no {other}; there are --list, --soak, --exact and words of cases' names"
                    ));
                }
                _ => options.words.push(it),
            }
        }
        Ok(options)
    }

    /// The cases that were asked for.
    pub fn choose(&self, cases: Vec<Case>) -> Vec<Case> {
        let wanted = |name: &str| {
            let matches = |word: &String| if self.exact { name == word } else { name.contains(word.as_str()) };
            self.words.is_empty() || self.words.iter().any(matches)
        };
        cases.into_iter().filter(|it| wanted(it.name)).collect()
    }
}

/// How a case ended.
enum Verdict {
    Passed(Duration),
    Skipped(String),
    Failed(Duration, String),
}

/// A line for whoever runs this.
pub fn say(line: &str) {
    // Nobody listening is no reason to fail.
    let _unheard = writeln!(std::io::stdout(), "{line}");
}

/// Runs the cases, one for each CPU at a time, and sums up.
pub fn run(rig: &dyn Rig, cases: &[Case], options: &Options) -> ExitCode {
    let expected = match Expected::read(rig.name()) {
        Ok(expected) => expected,
        Err(why) => {
            say(&format!("hw-tests: {why}"));
            return ExitCode::FAILURE;
        }
    };
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hw-tests");
    let n_workers = thread::available_parallelism().map_or(1, usize::from).min(cases.len());
    say(&format!("\nrunning {} cases on the rig \"{}\", {n_workers} at once", cases.len(), rig.name()));
    // Failures are told at the end of their case, in one piece.
    std::panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let counts = [const { AtomicUsize::new(0) }; 3];
    let times = Mutex::new(Vec::with_capacity(cases.len()));
    thread::scope(|scope| {
        for _ in 0..n_workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = try_case(rig, &expected, case, options.soak, &root);
                    if let Verdict::Passed(took) | Verdict::Failed(took, _) = &verdict {
                        times.lock().unwrap_or_else(PoisonError::into_inner).push((*took, case.name));
                    }
                    let (count, line) = match verdict {
                        Verdict::Passed(took) => (0, format!("case {} ... ok, {:.1} s", case.name, took.as_secs_f64())),
                        Verdict::Skipped(why) => (1, format!("case {} ... skipped: {why}", case.name)),
                        Verdict::Failed(took, why) => (2, failure(case, took, &why, &folder_of(&root, case))),
                    };
                    counts[count].fetch_add(1, Ordering::Relaxed);
                    say(&line);
                }
            });
        }
    });
    say_where_the_time_went(times.into_inner().unwrap_or_else(PoisonError::into_inner));
    let [passed, skipped, failed] = counts.map(AtomicUsize::into_inner);
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let took = started.elapsed().as_secs_f64();
    say(&format!("\ncases: {verdict}. {passed} passed; {failed} failed; {skipped} skipped; {took:.1} s\n"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The slowest cases. They should be the first of the list, so that no CPU is left idle at its end.
fn say_where_the_time_went(mut times: Vec<(Duration, &str)>) {
    if times.len() < 2 {
        return;
    }
    times.sort_by_key(|it| std::cmp::Reverse(it.0));
    let all: Duration = times.iter().map(|it| it.0).sum();
    let slowest: Vec<String> = times.iter().take(5).map(|it| format!("{} {:.1} s", it.1, it.0.as_secs_f64())).collect();
    say(&format!("\nof {:.1} s in all cases together, most went into {}", all.as_secs_f64(), slowest.join(", ")));
}

fn failure(case: &Case, took: Duration, why: &str, folder: &Path) -> String {
    let why = why.trim_end().replace('\n', "\n    ");
    format!(
        "case {} ... FAILED, {:.1} s\n    {why}\n    its files: {}",
        case.name,
        took.as_secs_f64(),
        folder.display()
    )
}

fn folder_of(root: &Path, case: &Case) -> std::path::PathBuf {
    root.join(case.name.replace("::", "-"))
}

/// Runs one case in a folder of its own, which stays when the case fails.
fn try_case(rig: &dyn Rig, expected: &Expected, case: &Case, soak: bool, root: &Path) -> Verdict {
    if let Some(why) = case.needs.iter().find_map(|it| rig.lacks(*it)) {
        return Verdict::Skipped(why);
    }
    let folder = folder_of(root, case);
    // What an earlier failure left there.
    let _was_not_there = fs::remove_dir_all(&folder);
    if let Err(it) = fs::create_dir_all(&folder) {
        return Verdict::Failed(Duration::ZERO, format!("{}: {it}", folder.display()));
    }
    let started = Instant::now();
    let bench = Bench::new(rig, expected, soak, &folder);
    match catch_unwind(AssertUnwindSafe(|| (case.run)(&bench))) {
        Ok(()) => {
            let _stays_for_the_next_run = fs::remove_dir_all(&folder);
            Verdict::Passed(started.elapsed())
        }
        Err(thrown) => Verdict::Failed(started.elapsed(), words_of(&*thrown)),
    }
}

/// What a panic said.
fn words_of(thrown: &(dyn Any + Send)) -> String {
    let text = thrown.downcast_ref::<String>().cloned();
    text.or_else(|| thrown.downcast_ref::<&str>().map(|it| (*it).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}
