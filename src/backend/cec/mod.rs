//! Televisions switched over HDMI's control line, by the kernel's CEC adapters.
//!
//! One thread owns every adapter there is (a Raspberry Pi has one for each HDMI connector) and says the same to all. The
//! present thread leaves its wish and rings; it never waits for a bus that takes a twentieth of a second for a message.
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;

use crate::backend::cec::adapter::TalkingAdapter;
use crate::backend::wait::PollWaiter;
use crate::seam::clock::Clock;
use crate::seam::television::Televisions;
use crate::seam::wait::{Waitable, Waiter, Wake};
use crate::sys::poll_set::PollSet;

mod adapter;

/// What the present thread last wished.
const NOTHING: u8 = 0;
const ON: u8 = 1;
const OFF: u8 = 2;
const LEAVE: u8 = 3;

/// The televisions behind this machine's CEC adapters.
pub struct CecTelevisions {
    wish: Arc<AtomicU8>,
    wake: Arc<dyn Wake>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for CecTelevisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CecTelevisions").field("wish", &self.wish).finish_non_exhaustive()
    }
}

impl CecTelevisions {
    /// Opens every adapter. Those that cannot be used are told in the log, a line each; `None` where none is left.
    /// Fails where no thread can be made.
    pub fn open(clock: Arc<dyn Clock>) -> std::io::Result<Option<Self>> {
        let paths = device_nodes();
        if paths.is_empty() {
            log::info!("no CEC adapter here (/dev/cec0...): the television is switched by its connector only");
        }
        let adapters: Vec<TalkingAdapter> = paths.into_iter().filter_map(TalkingAdapter::open).collect();
        if adapters.is_empty() {
            return Ok(None);
        }
        let waiter = PollWaiter::new()?;
        let wake = waiter.waker();
        // Messages make an adapter readable, events make it ready for "urgent" reading. Only one that has gone is ready
        // for ever, and it leaves the set when it is closed.
        let set = PollSet::new(adapters.iter().map(|it| (it.raw_fd(), libc::POLLIN | libc::POLLPRI)))?;
        let wish = Arc::new(AtomicU8::new(NOTHING));
        let theirs = Arc::clone(&wish);
        let talk = move || talk(adapters, &set, waiter, &theirs, clock.as_ref());
        let thread = std::thread::Builder::new().name("cec".to_owned()).spawn(talk)?;
        Ok(Some(Self { wish, wake, thread: Some(thread) }))
    }

    fn wish(&self, it: u8) {
        self.wish.store(it, Ordering::Release);
        self.wake.wake();
    }
}

impl Televisions for CecTelevisions {
    fn switch(&self, on: bool) {
        self.wish(if on { ON } else { OFF });
    }
}

impl Drop for CecTelevisions {
    /// Leaves the televisions as they are.
    fn drop(&mut self) {
        self.wish(LEAVE);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the CEC thread panicked");
        }
    }
}

/// `/dev/cec0`, `/dev/cec1`... in that order.
fn device_nodes() -> Vec<PathBuf> {
    let number = |it: &std::fs::DirEntry| it.file_name().to_str()?.strip_prefix("cec")?.parse::<u32>().ok();
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries.filter_map(|it| Some((number(&it)?, it.path()))).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The thread's life.
fn talk(mut adapters: Vec<TalkingAdapter>, set: &PollSet, mut waiter: PollWaiter, wish: &AtomicU8, clock: &dyn Clock) {
    while !adapters.is_empty() {
        let now = clock.now();
        match wish.swap(NOTHING, Ordering::AcqRel) {
            LEAVE => return,
            NOTHING => {}
            it => adapters.iter_mut().for_each(|adapter| adapter.switch(it == ON)),
        }
        adapters.retain_mut(|it| it.turn(now));
        let next = adapters.iter().filter_map(TalkingAdapter::deadline).min();
        waiter.wait(&[Waitable::Fd(set.as_fd())], next.map(|it| it.saturating_since(now)));
    }
}
