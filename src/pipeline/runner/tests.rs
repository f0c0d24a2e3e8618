//! Runners: every end, every wait. No test sleeps; each waits for an event, with a limit so that it fails instead of
//! hanging.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::base::time::MonoTime;
use crate::pipeline::runner::{Bell, Hooks, Outcome, Progress, Runner, Step, step_until_wait};
use crate::seam::clock::Clock;

/// Far more than anything here takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(20);

#[derive(Default)]
struct FakeClock(AtomicU64);
impl Clock for FakeClock {
    fn now(&self) -> MonoTime {
        MonoTime::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// Says what the closure says.
struct Do<F>(F);
impl<F: FnMut(MonoTime) -> Progress + Send> Step for Do<F> {
    fn step(&mut self, now: MonoTime) -> Progress {
        (self.0)(now)
    }
}

const FOR_EVER: Progress = Progress::Wait { until: None };

fn spawn(hooks: Hooks, step: impl FnMut(MonoTime) -> Progress + Send + 'static) -> (Runner, Arc<Bell>) {
    let bell = Arc::new(Bell::new());
    let clock = Arc::new(FakeClock::default());
    let runner = Runner::spawn("element", clock, bell.clone(), hooks, Box::new(Do(step))).unwrap();
    (runner, bell)
}

#[test]
fn a_step_can_be_driven_by_hand() {
    let mut left = 3;
    let mut step = Do(|_| {
        left -= 1;
        if left == 0 { Progress::Done } else { Progress::Again }
    });
    assert_eq!(step_until_wait(&mut step, MonoTime::ZERO, 2), Progress::Again);
    assert_eq!(step_until_wait(&mut step, MonoTime::ZERO, 9), Progress::Done);
}

#[test]
fn a_ring_before_the_wait_is_not_lost_and_counts_once() {
    let bell = Bell::new();
    bell.ring();
    bell.ring();
    assert!(bell.wait(Some(LONG)));
    assert!(!bell.wait(Some(Duration::ZERO)));
}

#[test]
fn a_finished_step_ends_its_thread_and_says_so() {
    let ended = Arc::new(Bell::new());
    let hooks = Hooks { allocations: || 42, on_end: Some(ended.clone()), waiter: None };
    let (runner, _) = spawn(hooks, |_| Progress::Done);
    assert!(ended.wait(Some(LONG)));
    assert_eq!((runner.outcome(), runner.allocations(), runner.has_ended()), (Outcome::Finished, 42, true));
}

#[test]
fn a_panic_in_a_step_is_caught_and_reported() {
    let ended = Arc::new(Bell::new());
    let hooks = Hooks { on_end: Some(ended.clone()), ..Hooks::default() };
    let (runner, _) = spawn(hooks, |_| panic!("out of {}", "cheese"));
    assert!(ended.wait(Some(LONG)));
    assert_eq!(runner.outcome(), Outcome::Panicked("out of cheese".to_owned()));
}

#[test]
fn a_waiting_step_is_stepped_again_when_rung_and_stops_when_asked() {
    let (tell, told) = mpsc::channel();
    let (runner, bell) = spawn(Hooks::default(), move |_| {
        tell.send(std::thread::current().name().map(str::to_owned)).unwrap();
        FOR_EVER
    });
    assert_eq!(told.recv_timeout(LONG).unwrap().as_deref(), Some("element"));
    bell.ring();
    assert!(told.recv_timeout(LONG).is_ok());
    assert_eq!(runner.outcome(), Outcome::Running);
    let shared = runner.shared.clone();
    drop(runner);
    assert_eq!(*shared.outcome.lock().unwrap(), Outcome::Stopped);
}

#[test]
fn a_step_waits_no_longer_than_it_asked() {
    let (tell, told) = mpsc::channel();
    let (_runner, _) = spawn(Hooks::default(), move |now| {
        tell.send(()).unwrap();
        Progress::Wait { until: Some(now + Duration::from_millis(1)) }
    });
    for _ in 0..3 {
        assert!(told.recv_timeout(LONG).is_ok());
    }
}

#[test]
fn a_thread_that_does_not_end_is_left_behind() {
    let (stuck, hold) = mpsc::channel::<()>();
    let (begin, began) = mpsc::channel();
    let (mut runner, _) = spawn(Hooks::default(), move |_| {
        begin.send(()).unwrap();
        let _ = hold.recv();
        Progress::Done
    });
    began.recv_timeout(LONG).unwrap();
    runner.end_within(Duration::from_millis(5));
    assert_eq!(runner.outcome(), Outcome::Running);
    drop(stuck);
}
