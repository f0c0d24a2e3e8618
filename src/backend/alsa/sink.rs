//! The sink: counts, recovery, pausing. What the device is asked goes through `Pcm`.
//!
//! The ring of converted bytes mirrors the device's own: sample frame `n` lies at `n % capacity` in both. So when a device
//! that cannot pause is stopped instead, what it had not yet played is still here and is written again when it goes on.
use std::time::Duration;

use alsa::pcm::State;
use nix::errno::Errno;

use crate::backend::alsa::pcm::{Pcm, Reading, Setup};
use crate::base::audio::{AudioFormat, AudioPosition};
use crate::base::time::NANOS_PER_SECOND;
use crate::seam::audio_sink::{AudioError, AudioSink};
use crate::seam::wait::Waitable;

/// How often to ask a device that cannot be waited for before it says what its period is.
const ASK_INTERVAL: Duration = Duration::from_millis(10);

/// How it came to stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// It does not.
    No,
    /// Nothing was playing, and nothing will.
    Idle,
    /// The device itself stands still.
    ByDevice,
    /// The device was stopped; its last so many sample frames, unheard, are kept in the ring.
    Kept(usize),
}

/// One ALSA device.
#[derive(Debug)]
pub struct AlsaSink<P> {
    device: String,
    pcm: P,
    setup: Option<Setup>,
    /// What was written last, as the device takes it.
    ring: Vec<u8>,
    /// Sample frames taken since `configure` or `flush`.
    written: u64,
    /// The last position told, below which none may be told again.
    reported: u64,
    pause: Pause,
    /// `drain` was asked while it stood still, or has not come to its end.
    draining: bool,
}

/// The system's words for an error number.
pub fn reason_of(errno: i32) -> String {
    Errno::from_raw(errno).desc().to_owned()
}

impl<P: Pcm> AlsaSink<P> {
    /// A sink over an opened PCM, not yet configured.
    pub fn new(device: &str, pcm: P) -> Self {
        Self {
            device: device.to_owned(),
            pcm,
            setup: None,
            ring: Vec::new(),
            written: 0,
            reported: 0,
            pause: Pause::No,
            draining: false,
        }
    }

    fn failed(&self, error: alsa::Error) -> AudioError {
        AudioError::Device { device: self.device.clone(), call: error.func(), reason: reason_of(error.errno()) }
    }

    fn gone(&self, call: &'static str) -> AudioError {
        AudioError::Device { device: self.device.clone(), call, reason: reason_of(Errno::ENODEV as i32) }
    }

    fn xrun(&self) -> AudioError {
        AudioError::Xrun { device: self.device.clone() }
    }

    fn configured(&self, call: &'static str) -> Result<Setup, AudioError> {
        self.setup.ok_or_else(|| AudioError::Device {
            device: self.device.clone(),
            call,
            reason: "it has not been configured".to_owned(),
        })
    }

    /// Makes the device ready for more, whatever state it is in. `Ok(false)`: not now, but without an error.
    fn make_ready(&mut self) -> Result<bool, AudioError> {
        match self.pcm.state() {
            State::Disconnected => Err(self.gone("snd_pcm_state")),
            State::Draining => Ok(false),
            State::Setup => {
                self.draining = false;
                self.pcm.prepare().map(|()| true).map_err(|error| self.failed(error))
            }
            State::XRun => {
                self.pcm.prepare().map_err(|error| self.failed(error))?;
                // Running dry is what draining is for; some plug-ins end it this way.
                if std::mem::take(&mut self.draining) { Ok(true) } else { Err(self.xrun()) }
            }
            State::Suspended => match self.pcm.resume() {
                Ok(()) => Ok(true),
                Err(error) if error.errno() == libc::EAGAIN => Ok(false),
                // Not every driver can resume; what it held is lost.
                Err(_) => self.pcm.prepare().map_err(|error| self.failed(error)).and_then(|()| Err(self.xrun())),
            },
            _ => Ok(true),
        }
    }

    /// What an error in the middle of filling means: the next call finds the state and recovers.
    fn settle(&self, error: alsa::Error) -> Result<(), AudioError> {
        match error.errno() {
            libc::EAGAIN | libc::EINTR | libc::EPIPE | libc::ESTRPIPE => Ok(()),
            _ => Err(self.failed(error)),
        }
    }

    /// Writes sample frames `from..from + n` of the ring to the device; how many it took.
    fn push(&mut self, setup: Setup, from: u64, n: usize) -> alsa::Result<usize> {
        let bytes = frame_bytes(setup);
        let mut done = 0;
        while done < n {
            let at = ((from + done as u64) % setup.capacity as u64) as usize;
            let run = (n - done).min(setup.capacity - at);
            match self.pcm.write(&self.ring[at * bytes..(at + run) * bytes]) {
                Ok(taken) if taken == run => done += taken,
                Ok(taken) => return Ok(done + taken),
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Converts `n` sample frames into the ring, behind what was written last.
    fn encode(&mut self, setup: Setup, samples: &[f32], n: usize) {
        let channels = usize::from(setup.format.channels);
        let bytes = frame_bytes(setup);
        let at = (self.written % setup.capacity as u64) as usize;
        let first = n.min(setup.capacity - at);
        let (head, tail) = samples[..n * channels].split_at(first * channels);
        setup.sample.encode(head, &mut self.ring[at * bytes..(at + first) * bytes]);
        setup.sample.encode(tail, &mut self.ring[..(n - first) * bytes]);
    }

    /// What was written and not yet heard, and when that was so.
    fn read(&self, call: &'static str) -> Result<Reading, AudioError> {
        let setup = self.configured(call)?;
        let standing = |delay| Reading { delay, at: self.pcm.now() };
        if let Pause::Kept(n) = self.pause {
            return Ok(standing(n));
        }
        let reading = match self.pcm.state() {
            State::Disconnected => return Err(self.gone("snd_pcm_state")),
            State::Running | State::Draining => self.pcm.reading(),
            // The kernel tells no delay of a device that stands still, but what lies in its ring.
            State::Prepared | State::Paused => self.pcm.room().map(|it| standing(setup.capacity.saturating_sub(it))),
            // Run dry, drained or asleep: nothing of what was written will be heard later.
            _ => Ok(standing(0)),
        };
        match reading {
            Ok(reading) => Ok(reading),
            Err(error) => self.settle(error).map(|()| standing(0)),
        }
    }

    fn stop_and_keep(&mut self, setup: Setup) -> Result<(), AudioError> {
        let delay = self.read("pause")?.delay;
        // What has left the ring for the loudspeaker is heard yet; what is in it, is not.
        let in_ring = setup.capacity.saturating_sub(self.pcm.room().unwrap_or(setup.capacity));
        self.pcm.stop().and_then(|()| self.pcm.prepare()).map_err(|error| self.failed(error))?;
        self.pause = Pause::Kept(delay.min(in_ring).min(self.written.min(setup.capacity as u64) as usize));
        Ok(())
    }

    fn put_back(&mut self, setup: Setup, n: usize) -> Result<(), AudioError> {
        self.pause = Pause::No;
        if n == 0 {
            return Ok(());
        }
        self.push(setup, self.written - n as u64, n).map_err(|error| self.failed(error))?;
        if self.pcm.state() == State::Prepared {
            self.pcm.start().map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    fn ask_to_drain(&mut self) -> Result<(), AudioError> {
        self.draining = true;
        match self.pcm.drain() {
            Ok(()) => Ok(()),
            Err(error) => self.settle(error),
        }
    }
}

fn frame_bytes(setup: Setup) -> usize {
    setup.sample.bytes() * usize::from(setup.format.channels)
}

fn time_of(frames: u64, rate: u32) -> Duration {
    Duration::from_nanos(frames.saturating_mul(NANOS_PER_SECOND as u64) / u64::from(rate.max(1)))
}

impl<P: Pcm> AudioSink for AlsaSink<P> {
    fn device(&self) -> &str {
        &self.device
    }

    fn configure(&mut self, want: AudioFormat) -> Result<AudioFormat, AudioError> {
        self.setup = None;
        let setup = self.pcm.set_up(want).map_err(|error| self.failed(error))?;
        log::debug!("{}: {setup:?}", self.device);
        self.ring.clear();
        self.ring.resize(setup.capacity * frame_bytes(setup), 0);
        self.setup = Some(setup);
        (self.written, self.reported) = (0, 0);
        (self.pause, self.draining) = (Pause::No, false);
        Ok(setup.format)
    }

    fn capacity(&self) -> usize {
        self.setup.map_or(0, |it| it.capacity)
    }

    fn write(&mut self, interleaved: &[f32]) -> Result<usize, AudioError> {
        let setup = self.configured("write")?;
        self.pcm.acknowledge();
        if self.pause != Pause::No || !self.make_ready()? {
            return Ok(0);
        }
        let room = match self.pcm.room() {
            Ok(room) => room.min(setup.capacity),
            Err(error) => return self.settle(error).map(|()| 0),
        };
        let n = (interleaved.len() / usize::from(setup.format.channels)).min(room);
        if n == 0 {
            return Ok(0);
        }
        self.draining = false;
        self.encode(setup, interleaved, n);
        let taken = match self.push(setup, self.written, n) {
            Ok(taken) => taken,
            Err(error) => return self.settle(error).map(|()| 0),
        };
        self.written += taken as u64;
        Ok(taken)
    }

    fn position(&mut self) -> Result<AudioPosition, AudioError> {
        let reading = self.read("position")?;
        // The delay of USB and HDMI devices is an estimate and may grow for a moment.
        self.reported = self.written.saturating_sub(reading.delay as u64).max(self.reported);
        Ok(AudioPosition { heard: self.reported, at: reading.at })
    }

    fn delay(&mut self) -> Result<Duration, AudioError> {
        let setup = self.configured("delay")?;
        Ok(time_of(self.read("delay")?.delay as u64, setup.format.rate))
    }

    fn pause(&mut self, paused: bool) -> Result<(), AudioError> {
        let setup = self.configured("pause")?;
        match (paused, self.pause) {
            (true, Pause::No) => match self.pcm.state() {
                State::Running if setup.can_pause && self.pcm.pause(true).is_ok() => {
                    self.pause = Pause::ByDevice;
                    Ok(())
                }
                State::Running | State::Draining => self.stop_and_keep(setup),
                _ => {
                    self.pause = Pause::Idle;
                    Ok(())
                }
            },
            (true, _) | (false, Pause::No) => Ok(()),
            (false, was) => {
                match was {
                    Pause::ByDevice => self.pcm.pause(false).map_err(|error| self.failed(error))?,
                    Pause::Kept(n) => self.put_back(setup, n)?,
                    Pause::Idle | Pause::No => {}
                }
                self.pause = Pause::No;
                if self.draining { self.ask_to_drain() } else { Ok(()) }
            }
        }
    }

    fn drain(&mut self) -> Result<(), AudioError> {
        self.configured("drain")?;
        self.draining = true;
        let plays = matches!(self.pcm.state(), State::Prepared | State::Running);
        if self.pause == Pause::No && plays { self.ask_to_drain() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), AudioError> {
        self.configured("flush")?;
        self.pcm.stop().and_then(|()| self.pcm.prepare()).map_err(|error| self.failed(error))?;
        (self.written, self.reported) = (0, 0);
        self.draining = false;
        if self.pause != Pause::No {
            self.pause = Pause::Idle;
        }
        Ok(())
    }

    fn waitable(&self) -> Waitable<'_> {
        let Some(setup) = self.setup else { return Waitable::Every(ASK_INTERVAL) };
        // A device that stands still or drains has room that it does not take anything into.
        let takes = self.pause == Pause::No && !self.draining;
        match self.pcm.wait_on() {
            Some(fd) if takes => Waitable::Fd(fd),
            _ => Waitable::Every(time_of(setup.period as u64, setup.format.rate)),
        }
    }
}
