//! Threads, and the one place where they wait.
//!
//! An element is a `Step`: it does what can be done now and says what it waits for. A `Runner` calls it on a thread of
//! its own and sleeps on the element's `Bell`; a test calls it by hand.
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::seam::clock::Clock;
use crate::seam::wait::{Waitable, Waiter, Wake};

/// A thread that was asked to stop and has not after this long is stuck in a call we cannot interrupt (a dead network
/// share, a driver). It is left behind rather than hanging the player with it.
const JOIN_PATIENCE: Duration = Duration::from_secs(5);

/// A device that cannot be waited for is looked at this often: a fraction of a frame.
const BLIND: Duration = Duration::from_millis(4);

/// Wakes one thread. A ring while nobody waits is kept, so that none is lost between looking and waiting; several count
/// as one. Only a ring that ends a wait costs a system call: links ring for every item, mostly at a thread that works.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<BellState>,
    changed: Condvar,
}

#[derive(Default)]
struct BellState {
    rung: bool,
    /// The thread sleeps, or is about to.
    is_awaited: bool,
    /// What ends its sleep instead of the bell, where it waits for a device as well.
    waker: Option<Arc<dyn Wake>>,
}

impl std::fmt::Debug for BellState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BellState").field("rung", &self.rung).finish_non_exhaustive()
    }
}

impl Bell {
    /// A bell nobody has rung.
    pub fn new() -> Self {
        Self::default()
    }
    /// Ends the wait, or the next one.
    pub fn ring(&self) {
        let (is_awaited, waker) = {
            let mut state = lock(&self.state);
            state.rung = true;
            let is_awaited = std::mem::take(&mut state.is_awaited);
            (is_awaited, state.waker.clone().filter(|_| is_awaited))
        };
        match waker {
            Some(waker) => waker.wake(),
            None if is_awaited => self.changed.notify_one(),
            None => {}
        }
    }
    /// Blocks until rung, or for `timeout` (`None`: no limit). True when it was rung. One thread waits at a time.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        let mut state = lock(&self.state);
        state.is_awaited = true;
        let mut state = match timeout {
            None => self.changed.wait_while(state, |it| !it.rung).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let waited = self.changed.wait_timeout_while(state, timeout, |it| !it.rung);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.is_awaited = false;
        std::mem::take(&mut state.rung)
    }

    /// The same, and until a device is ready: `on`, for which `waiter` waits.
    pub fn wait_with(&self, waiter: &mut dyn Waiter, on: Waitable<'_>, timeout: Option<Duration>) -> bool {
        {
            let mut state = lock(&self.state);
            if std::mem::take(&mut state.rung) {
                return true;
            }
            // A ring between here and the wait wakes the waiter, which remembers that.
            state.is_awaited = true;
            state.waker = Some(waiter.waker());
        }
        waiter.wait(&[on], timeout);
        let mut state = lock(&self.state);
        (state.is_awaited, state.waker) = (false, None);
        std::mem::take(&mut state.rung)
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.ring();
    }
}

/// What a step wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do at once.
    Again,
    /// Nothing to do until the bell rings, or until that time.
    Wait {
        /// When to look again although nobody rang.
        until: Option<MonoTime>,
    },
    /// The element has nothing left to do, ever.
    Done,
}

/// One element's work, in portions that do not wait.
pub trait Step: Send {
    /// Does what can be done at `now`.
    fn step(&mut self, now: MonoTime) -> Progress;
    /// A device that, beside the bell, ends the wait that the last step asked for.
    fn waitable(&self) -> Waitable<'_> {
        Waitable::Ready
    }
}

/// Drives a step by hand until it no longer says `Again`, `at_most` times: for tests and single-threaded use.
pub fn step_until_wait(step: &mut dyn Step, now: MonoTime, at_most: usize) -> Progress {
    for _ in 0..at_most {
        match step.step(now) {
            Progress::Again => {}
            other => return other,
        }
    }
    Progress::Again
}

/// How a thread ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has not.
    Running,
    /// The step said `Done`.
    Finished,
    /// It was asked to stop.
    Stopped,
    /// The step panicked, with these words: our bug.
    Panicked(String),
}

/// Makes what a thread waits by, on that thread.
pub type MakeWaiter = fn() -> std::io::Result<Box<dyn Waiter>>;

/// What a runner does for others while it runs.
#[derive(Clone)]
pub struct Hooks {
    /// Reads the calling thread's count of heap allocations.
    pub allocations: fn() -> u64,
    /// Woken when the thread has ended, however it did.
    pub on_end: Option<Arc<dyn Wake>>,
    /// Makes what the thread waits by once an element waits for a device; `None` where none does.
    pub waiter: Option<MakeWaiter>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { allocations: || 0, on_end: None, waiter: None }
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks").field("on_end", &self.on_end.is_some()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    allocations: AtomicU64,
    outcome: Mutex<Outcome>,
    ended: Condvar,
}

/// A thread that runs one step. Dropping it stops the thread and waits for its end, but not for ever.
#[derive(Debug)]
pub struct Runner {
    name: String,
    shared: Arc<Shared>,
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Runner {
    /// Starts a thread called `name`. The error is the system's, when it has no thread left to give.
    pub fn spawn(
        name: &str,
        clock: Arc<dyn Clock>,
        bell: Arc<Bell>,
        hooks: Hooks,
        step: Box<dyn Step>,
    ) -> std::io::Result<Runner> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            allocations: AtomicU64::new(0),
            outcome: Mutex::new(Outcome::Running),
            ended: Condvar::new(),
        });
        let (theirs, their_bell, their_name) = (Arc::clone(&shared), Arc::clone(&bell), name.to_owned());
        let body = move || {
            let run = AssertUnwindSafe(|| run(step, &*clock, &their_bell, &hooks, &theirs));
            let outcome = catch_unwind(run).unwrap_or_else(|panic| Outcome::Panicked(words_of(&*panic)));
            if let Outcome::Panicked(words) = &outcome {
                log::error!("{their_name}: panicked: {words}");
            }
            *lock(&theirs.outcome) = outcome;
            theirs.ended.notify_all();
            if let Some(wake) = &hooks.on_end {
                wake.wake();
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(Runner { name: name.to_owned(), shared, bell, thread: Some(thread) })
    }

    /// Asks the thread to end after its present step. Returns at once.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.bell.ring();
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Outcome {
        lock(&self.shared.outcome).clone()
    }

    /// Whether the thread has ended. Cheaper than `outcome`: copies no words.
    pub fn has_ended(&self) -> bool {
        *lock(&self.shared.outcome) != Outcome::Running
    }

    /// Heap allocations of its thread, as of its last step.
    pub fn allocations(&self) -> u64 {
        self.shared.allocations.load(Ordering::Relaxed)
    }

    /// Waits for the end, at most `patience`. True when it has ended.
    fn wait_for_end(&self, patience: Duration) -> bool {
        let outcome = lock(&self.shared.outcome);
        let waited = self.shared.ended.wait_timeout_while(outcome, patience, |it| *it == Outcome::Running);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn end_within(&mut self, patience: Duration) {
        self.stop();
        let Some(thread) = self.thread.take() else { return };
        if !self.wait_for_end(patience) {
            log::warn!("{}: did not stop within {patience:?}; its thread is left behind", self.name);
            return;
        }
        // The body catches panics, so only one in the waker of the end could arrive here.
        if thread.join().is_err() {
            log::error!("{}: panicked while reporting its end", self.name);
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.end_within(JOIN_PATIENCE);
    }
}

/// The body of the thread. The step is dropped here, so that a panic in its `Drop` is caught like any other.
fn run(mut step: Box<dyn Step>, clock: &dyn Clock, bell: &Bell, hooks: &Hooks, shared: &Shared) -> Outcome {
    let mut wait = Wait { make: hooks.waiter, waiter: None };
    loop {
        if shared.stop.load(Ordering::Acquire) {
            return Outcome::Stopped;
        }
        let progress = step.step(clock.now());
        shared.allocations.store((hooks.allocations)(), Ordering::Relaxed);
        match progress {
            Progress::Again => {}
            Progress::Wait { until } => {
                let timeout = until.map(|until| until.saturating_since(clock.now()));
                match step.waitable() {
                    on @ Waitable::Fd(_) => wait.for_device(bell, on, timeout),
                    Waitable::Every(every) => bell.wait(Some(timeout.map_or(every, |it| it.min(every)))),
                    Waitable::Ready => bell.wait(timeout),
                };
            }
            Progress::Done => return Outcome::Finished,
        }
    }
}

/// What a thread waits by: made when it is first needed.
struct Wait {
    make: Option<MakeWaiter>,
    waiter: Option<Box<dyn Waiter>>,
}

impl Wait {
    fn for_device(&mut self, bell: &Bell, on: Waitable<'_>, timeout: Option<Duration>) -> bool {
        if let Some(make) = self.make.take() {
            match make() {
                Ok(it) => self.waiter = Some(it),
                Err(error) => log::warn!("cannot make a wait set: {error}; looking at the device every {BLIND:?}"),
            }
        }
        match &mut self.waiter {
            Some(waiter) => bell.wait_with(&mut **waiter, on, timeout),
            None => bell.wait(Some(timeout.map_or(BLIND, |it| it.min(BLIND)))),
        }
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    words.unwrap_or("no words").to_owned()
}

/// What these locks guard is a plain value, whole at any time.
fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
