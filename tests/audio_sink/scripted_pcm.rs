//! A PCM that behaves as the kernel's do, in time that is wound by hand, and fails when it is told to.
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use alsa::pcm::State;
use alsa::{Error, Result};
use lucarne::backend::alsa::pcm::{Pcm, Reading, Setup};
use lucarne::backend::alsa::sample::SampleFormat;
use lucarne::base::audio::AudioFormat;
use lucarne::base::time::MonoTime;

/// Handle of the test on the device; clones are the same device.
#[derive(Debug, Clone)]
pub struct ScriptedPcm(Arc<Mutex<Device>>);

#[derive(Debug)]
pub struct Device {
    /// The machine's time, in nanoseconds.
    pub now: u64,
    /// Its state.
    pub state: State,
    /// What `set_up` answers.
    pub setup: Setup,
    /// Sample frames on their way behind the ring.
    pub fifo: usize,
    /// Errors the next calls of a name get, by errno.
    pub failures: VecDeque<(&'static str, i32)>,
    /// The bytes that were played.
    pub played: Vec<u8>,
    ring: VecDeque<u8>,
    last: u64,
}

impl ScriptedPcm {
    /// A 16-bit stereo device at 48 kHz holding 200 ms.
    pub fn new(can_pause: bool) -> Self {
        let setup = Setup {
            format: AudioFormat { rate: 48_000, channels: 2 },
            sample: SampleFormat::S16,
            capacity: 9_600,
            period: 480,
            can_pause,
        };
        Self(Arc::new(Mutex::new(Device {
            // Not zero, which would be a timestamp nobody took.
            now: 1_000_000_000,
            state: State::Open,
            setup,
            fifo: 0,
            failures: VecDeque::new(),
            played: Vec::with_capacity(1 << 20),
            ring: VecDeque::with_capacity(1 << 16),
            last: 0,
        })))
    }
    /// Its inside.
    pub fn device(&self) -> MutexGuard<'_, Device> {
        self.0.lock().expect("no test panics while it holds this")
    }
    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let mut it = self.device();
        it.now += time.as_nanos() as u64;
        it.play();
    }
    fn call(&self, name: &'static str) -> Result<MutexGuard<'_, Device>> {
        let mut it = self.device();
        match it.failures.front() {
            Some((failing, errno)) if *failing == name => {
                let error = Error::new(name, *errno);
                it.failures.pop_front();
                Err(error)
            }
            _ => Ok(it),
        }
    }
}

impl Device {
    fn frame_bytes(&self) -> usize {
        self.setup.sample.bytes() * usize::from(self.setup.format.channels)
    }
    fn filled(&self) -> usize {
        self.ring.len() / self.frame_bytes()
    }
    fn play(&mut self) {
        let frames = ((self.now - self.last) as u128 * u128::from(self.setup.format.rate) / 1_000_000_000) as usize;
        if !matches!(self.state, State::Running | State::Draining) {
            self.last = self.now;
            return;
        }
        self.last += frames as u64 * 1_000_000_000 / u64::from(self.setup.format.rate);
        let n = (frames * self.frame_bytes()).min(self.ring.len());
        self.played.extend(self.ring.drain(..n));
        if self.ring.is_empty() {
            self.state = if self.state == State::Draining { State::Setup } else { State::XRun };
        }
    }
    fn go(&mut self, state: State) {
        self.play();
        self.state = state;
        self.last = self.now;
    }
}

/// What the kernel answers to a call that does not fit the state.
fn bad_state<T>(name: &'static str) -> Result<T> {
    Err(Error::new(name, libc::EBADFD))
}

impl Pcm for ScriptedPcm {
    fn set_up(&mut self, want: AudioFormat) -> Result<Setup> {
        let mut it = self.call("set_up")?;
        it.setup.format.rate = want.rate;
        it.ring.clear();
        it.go(State::Prepared);
        Ok(it.setup)
    }
    fn state(&self) -> State {
        self.device().state
    }
    fn room(&self) -> Result<usize> {
        let it = self.call("room")?;
        match it.state {
            State::XRun => Err(Error::new("snd_pcm_avail", libc::EPIPE)),
            State::Open | State::Suspended => bad_state("snd_pcm_avail"),
            _ => Ok(it.setup.capacity - it.filled()),
        }
    }
    fn reading(&self) -> Result<Reading> {
        let it = self.call("reading")?;
        // As the kernel does, no delay is told unless it runs.
        let runs = matches!(it.state, State::Running | State::Draining);
        let delay = if runs { it.filled() + it.fifo } else { 0 };
        Ok(Reading { delay, at: MonoTime::from_nanos(it.now) })
    }
    fn now(&self) -> MonoTime {
        MonoTime::from_nanos(self.device().now)
    }
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut it = self.call("write")?;
        match it.state {
            State::Prepared | State::Running | State::Paused => {}
            State::XRun => return Err(Error::new("snd_pcm_writei", libc::EPIPE)),
            _ => return bad_state("snd_pcm_writei"),
        }
        let frame_bytes = it.frame_bytes();
        let n = (bytes.len() / frame_bytes).min(it.setup.capacity - it.filled());
        if n == 0 && !bytes.is_empty() {
            return Err(Error::new("snd_pcm_writei", libc::EAGAIN));
        }
        it.ring.extend(&bytes[..n * frame_bytes]);
        if it.state == State::Prepared && it.filled() >= 4 * it.setup.period {
            it.go(State::Running);
        }
        Ok(n)
    }
    fn start(&mut self) -> Result<()> {
        let mut it = self.call("start")?;
        if it.state != State::Prepared || it.ring.is_empty() {
            return bad_state("snd_pcm_start");
        }
        it.go(State::Running);
        Ok(())
    }
    fn stop(&mut self) -> Result<()> {
        let mut it = self.call("stop")?;
        it.go(State::Setup);
        it.ring.clear();
        Ok(())
    }
    fn prepare(&mut self) -> Result<()> {
        let mut it = self.call("prepare")?;
        if matches!(it.state, State::Running | State::Draining) {
            return Err(Error::new("snd_pcm_prepare", libc::EBUSY));
        }
        it.ring.clear();
        it.go(State::Prepared);
        Ok(())
    }
    fn pause(&mut self, paused: bool) -> Result<()> {
        let mut it = self.call("pause")?;
        match (paused, it.state) {
            (true, State::Running) => it.go(State::Paused),
            (false, State::Paused) => it.go(State::Running),
            _ => return bad_state("snd_pcm_pause"),
        }
        Ok(())
    }
    fn resume(&mut self) -> Result<()> {
        let mut it = self.call("resume")?;
        it.go(State::Running);
        Ok(())
    }
    fn drain(&mut self) -> Result<()> {
        let mut it = self.call("drain")?;
        if it.ring.is_empty() {
            it.go(State::Setup);
            return Ok(());
        }
        it.go(State::Draining);
        Err(Error::new("snd_pcm_drain", libc::EAGAIN))
    }
    fn acknowledge(&mut self) {}
    fn wait_on(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
