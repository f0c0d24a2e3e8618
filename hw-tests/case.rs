//! What a case is, and what it works on.
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use crate::expect::Expected;
use crate::rig::{Ability, Ended, Job, Rig};

/// One thing that must be so on every rig that is able to show it.
#[derive(Clone, Copy)]
pub struct Case {
    /// The file it stands in, and what must be so: `audio::a_tone_arrives_whole`.
    pub name: &'static str,
    /// What a rig must be able to do.
    pub needs: &'static [Ability],
    /// Panics unless it is so.
    pub run: fn(&Bench<'_>),
}

/// A rig, and a folder for one case.
pub struct Bench<'a> {
    /// The rig.
    pub rig: &'a dyn Rig,
    /// The full figures are wanted, not the short ones.
    pub soak: bool,
    expected: &'a Expected,
    folder: PathBuf,
    n_jobs: Cell<usize>,
}

impl<'a> Bench<'a> {
    /// The bench of a case that may fill `folder`, which exists and is empty.
    pub fn new(rig: &'a dyn Rig, expected: &'a Expected, soak: bool, folder: &Path) -> Self {
        Self { rig, soak, expected, folder: folder.to_owned(), n_jobs: Cell::new(0) }
    }

    /// A new job.
    pub fn job(&self) -> Job {
        Job::new()
    }

    /// Does a job in a folder of its own.
    #[track_caller]
    pub fn run(&self, job: Job) -> Ended {
        self.n_jobs.set(self.n_jobs.get() + 1);
        let folder = self.folder.join(format!("job-{}", self.n_jobs.get()));
        fs::create_dir(&folder).expect("a new folder");
        self.rig.run(&job, &folder).unwrap_or_else(|it| panic!("the rig failed, not the player: {it}"))
    }

    /// What is to be expected of this rig, by its name in `expect/RIG.toml`: `boot.true_s`.
    #[track_caller]
    pub fn expected(&self, name: &str) -> f64 {
        let found = self.expected.figure(name);
        found.unwrap_or_else(|| panic!("hw-tests/expect/{}.toml does not say {name}", self.rig.name()))
    }

    /// How much of something: the short form, or what `make soak` wants.
    pub fn amount<T>(&self, short: T, soak: T) -> T {
        if self.soak { soak } else { short }
    }

    /// A place for a file of the case's own on this machine.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
