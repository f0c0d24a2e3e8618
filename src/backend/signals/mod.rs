//! Being asked to stop, or to switch the display: signals become values the present thread looks at, and end its wait.
//!
//! SIGINT and SIGTERM stop, SIGUSR1 switches the display off and SIGUSR2 on again. All are blocked in every thread and taken by `sigwait` in one of their own. There is no handler, so nothing of ours ever
//! runs in the middle of something else, and the usual rules hold for what is done about a signal.
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

use nix::sys::signal::{SigSet, Signal};

use crate::seam::wait::Wake;

/// Which signal asked us to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: the service manager.
    Terminate,
}

impl StopSignal {
    /// The exit code after an orderly stop: 128 and the signal's number, as shells count.
    pub fn exit_code(self) -> u8 {
        match self {
            StopSignal::Interrupt => 130,
            StopSignal::Terminate => 143,
        }
    }

    fn of(signal: Signal) -> Self {
        if signal == Signal::SIGTERM { StopSignal::Terminate } else { StopSignal::Interrupt }
    }
}

/// Knows whether somebody asked us to stop, or to switch the display. Clones know the same.
#[derive(Clone)]
pub struct StopSignals(Arc<Shared>);

struct Shared {
    /// The first signal's number; 0 before.
    first: AtomicI32,
    /// The last of SIGUSR1 and SIGUSR2 that nobody has taken; 0 before.
    power: AtomicI32,
    wake: OnceLock<Arc<dyn Wake>>,
}

impl Shared {
    fn wake(&self) {
        if let Some(wake) = self.wake.get() {
            wake.wake();
        }
    }
}

impl std::fmt::Debug for StopSignals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StopSignals").field(&self.received()).finish()
    }
}

impl StopSignals {
    /// Takes SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 over. To be called once and before any other thread is made: threads inherit the block, and
    /// one without it would be ended by the signal as if we were not here. A second one to stop ends the process at once.
    pub fn watch() -> std::io::Result<Self> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2]);
        signals.thread_block()?;
        let shared = Arc::new(Shared { first: AtomicI32::new(0), power: AtomicI32::new(0), wake: OnceLock::new() });
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || take(&signals, &theirs))?;
        Ok(Self(shared))
    }

    /// Whose wait a signal ends; the first call decides. A signal that came before ends it too.
    pub fn wake_by(&self, wake: Arc<dyn Wake>) {
        let wake = self.0.wake.get_or_init(|| wake);
        if self.received().is_some() || self.0.power.load(Ordering::SeqCst) != 0 {
            wake.wake();
        }
    }

    /// Whether the display is to be on, where somebody has asked since the last call: off by SIGUSR1, on by SIGUSR2.
    /// Who asks twice in between gets the second wish.
    pub fn take_power(&self) -> Option<bool> {
        Signal::try_from(self.0.power.swap(0, Ordering::SeqCst)).ok().map(|it| it == Signal::SIGUSR2)
    }

    /// The first signal to stop that came.
    pub fn received(&self) -> Option<StopSignal> {
        Signal::try_from(self.0.first.load(Ordering::SeqCst)).ok().map(StopSignal::of)
    }
}

fn take(signals: &SigSet, shared: &Shared) {
    loop {
        let Ok(signal) = signals.wait() else { continue };
        if matches!(signal, Signal::SIGUSR1 | Signal::SIGUSR2) {
            shared.power.store(signal as i32, Ordering::SeqCst);
            shared.wake();
            continue;
        }
        let first = shared.first.compare_exchange(0, signal as i32, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_err() {
            // Whoever asks twice does not want to wait for what hangs.
            log::warn!("asked to stop a second time: leaving at once");
            std::process::exit(i32::from(StopSignal::of(signal).exit_code()));
        }
        shared.wake();
    }
}
