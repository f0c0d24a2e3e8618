//! Threads that wait for a device and for a bell at once.
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use lucarne::backend::headless::display_clock::RealClock;
use lucarne::backend::wait::PollWaiter;
use lucarne::base::time::MonoTime;
use lucarne::pipeline::runner::{Bell, Hooks, Outcome, Progress, Runner, Step};
use lucarne::seam::wait::Waitable;
use nix::sys::eventfd::{EfdFlags, EventFd};

const LONG: Duration = Duration::from_secs(20);

/// Waits for its device; says so at every step, and ends with the last.
struct Waits {
    device: Arc<EventFd>,
    steps: Arc<AtomicUsize>,
    last: usize,
    told: mpsc::Sender<usize>,
}

impl Step for Waits {
    fn step(&mut self, _now: MonoTime) -> Progress {
        let _nothing = self.device.read();
        let steps = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        self.told.send(steps).unwrap();
        if steps == self.last { Progress::Done } else { Progress::Wait { until: None } }
    }
    fn waitable(&self) -> Waitable<'_> {
        Waitable::Fd(self.device.as_fd())
    }
}

#[test]
fn a_device_and_a_bell_both_end_a_wait_and_nothing_else_does() {
    let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
    let (device, steps) = (Arc::new(EventFd::from_flags(flags).unwrap()), Arc::new(AtomicUsize::new(0)));
    let (told, heard) = mpsc::channel();
    let step = Waits { device: device.clone(), steps: steps.clone(), last: 201, told };
    let bell = Arc::new(Bell::new());
    let hooks = Hooks { waiter: Some(|| Ok(Box::new(PollWaiter::new()?))), ..Hooks::default() };
    let runner = Runner::spawn("waits", Arc::new(RealClock), bell.clone(), hooks, Box::new(step)).unwrap();
    assert_eq!(heard.recv_timeout(LONG), Ok(1));
    for round in 1..=200 {
        assert_eq!(steps.load(Ordering::SeqCst), round, "it does not spin");
        if round % 2 == 0 {
            bell.ring();
        } else {
            device.write(1).unwrap();
        }
        assert_eq!(heard.recv_timeout(LONG), Ok(round + 1), "a wake was lost");
    }
    assert!(heard.recv_timeout(LONG).is_err(), "it is over");
    assert_eq!(runner.outcome(), Outcome::Finished);
}
