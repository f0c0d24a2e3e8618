//! One suite for every waiter: what ends a wait, and what must not.
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lucarne::backend::headless::wait::ParkWaiter;
use lucarne::backend::wait::PollWaiter;
use lucarne::seam::wait::{Waitable, Waiter};
use lucarne::sys::alloc::thread_allocations;

/// Long enough that only a wake can have ended the wait, short enough that a failure ends the test.
const LONG: Duration = Duration::from_secs(20);
/// A wait that something ended takes less than this even on a loaded machine.
const SOON: Duration = Duration::from_secs(10);

fn each(check: impl Fn(&str, &mut dyn Waiter)) {
    check("poll", &mut PollWaiter::new().expect("a descriptor is free"));
    check("park", &mut ParkWaiter::new());
}

fn timed(waiter: &mut dyn Waiter, on: &[Waitable<'_>], timeout: Option<Duration>) -> Duration {
    let started = Instant::now();
    waiter.wait(on, timeout);
    started.elapsed()
}

#[test]
fn a_wait_lasts_as_long_as_its_timeout() {
    each(|name, waiter| {
        for micros in [0, 300, 20_000] {
            let timeout = Duration::from_micros(micros);
            assert!(timed(waiter, &[], Some(timeout)) >= timeout, "{name}: {timeout:?}");
        }
    });
}

#[test]
fn a_wake_before_the_wait_is_not_lost_and_counts_once() {
    each(|name, waiter| {
        let waker = waiter.waker();
        waker.wake();
        waker.wake();
        assert!(timed(waiter, &[], Some(LONG)) < SOON, "{name}: lost");
        let timeout = Duration::from_millis(5);
        assert!(timed(waiter, &[], Some(timeout)) >= timeout, "{name}: counted twice");
    });
}

#[test]
fn a_wake_from_another_thread_ends_a_wait_without_limit() {
    each(|name, waiter| {
        let waker = waiter.waker();
        let started = Instant::now();
        let thread = std::thread::spawn(move || waker.wake());
        waiter.wait(&[], None);
        assert!(started.elapsed() < SOON, "{name}");
        thread.join().expect("waking does not panic");
    });
}

#[test]
fn every_shortens_the_wait() {
    each(|name, waiter| {
        let often = Duration::from_millis(3);
        let took = timed(waiter, &[Waitable::Every(Duration::from_secs(30)), Waitable::Every(often)], Some(LONG));
        assert!(took >= often && took < SOON, "{name}: {took:?}");
        assert!(timed(waiter, &[Waitable::Every(often)], None) < SOON, "{name}: without a limit");
    });
}

#[test]
fn ready_does_not_make_the_wait_spin() {
    each(|name, waiter| {
        let timeout = Duration::from_millis(5);
        assert!(timed(waiter, &[Waitable::Ready], Some(timeout)) >= timeout, "{name}");
    });
}

#[test]
fn a_readable_descriptor_ends_the_wait() {
    each(|name, waiter| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(writer); // The end of the pipe is readable.
        assert!(timed(waiter, &[Waitable::Fd(reader.as_fd())], Some(LONG)) < SOON, "{name}");
    });
}

#[test]
fn more_descriptors_than_fit_are_still_asked() {
    each(|name, waiter| {
        let pipes: Vec<_> = (0..12).map(|_| std::io::pipe().expect("a pipe")).collect();
        let on: Vec<_> = pipes.iter().map(|(reader, _)| Waitable::Fd(reader.as_fd())).collect();
        assert!(timed(waiter, &on, None) < SOON, "{name}");
    });
}

#[test]
fn waiting_and_waking_allocate_nothing() {
    each(|name, waiter| {
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        let waker = waiter.waker();
        let turn = |waiter: &mut dyn Waiter| {
            waker.wake();
            waiter.wait(&[Waitable::Fd(reader.as_fd()), Waitable::Ready], Some(Duration::from_millis(1)));
            waiter.wait(&[], Some(Duration::from_micros(10)));
            std::hint::black_box(Arc::clone(&waker));
        };
        turn(waiter);
        let before = thread_allocations();
        for _ in 0..10 {
            turn(waiter);
        }
        assert_eq!(thread_allocations() - before, 0, "{name}");
    });
}
