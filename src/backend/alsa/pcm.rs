//! What the sink asks of a PCM, and alsa-lib's answer. The sink's own logic is tested on a scripted one.
use std::fmt::Debug;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use alsa::pcm::{Access, Format, HwParams, State, TstampType};
use alsa::poll::{Descriptors, pollfd};
use alsa::{Result, ValueOr};

use crate::backend::alsa::sample::SampleFormat;
use crate::base::audio::AudioFormat;
use crate::base::time::MonoTime;
use crate::sys::clock::monotonic_now;
use crate::sys::poll_set::PollSet;

/// How finely the device is asked to tell its position.
const PERIOD_US: u32 = 10_000;
/// How much it is asked to hold: enough for a busy second of an SD card's controller, little enough to stop soon.
const CAPACITY_US: u32 = 200_000;
/// Periods written before it starts: enough that a late second write does not run it dry.
const START_PERIODS: usize = 4;

/// What a device agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Rate and channels.
    pub format: AudioFormat,
    /// How it wants its samples.
    pub sample: SampleFormat,
    /// Sample frames in its ring.
    pub capacity: usize,
    /// Sample frames between two of its interrupts.
    pub period: usize,
    /// It can stand still and go on.
    pub can_pause: bool,
}

/// One reading of a running device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Sample frames written and not yet heard.
    pub delay: usize,
    /// When that was so.
    pub at: MonoTime,
}

/// A playback PCM, already opened, non-blocking. Counts are sample frames.
pub trait Pcm: Send + Debug {
    /// Agrees on a format near `want` and prepares; whatever was in the ring is lost.
    fn set_up(&mut self, want: AudioFormat) -> Result<Setup>;
    /// Its state.
    fn state(&self) -> State;
    /// Free room in the ring.
    fn room(&self) -> Result<usize>;
    /// Delay and time of a device that runs.
    fn reading(&self) -> Result<Reading>;
    /// CLOCK_MONOTONIC.
    fn now(&self) -> MonoTime;
    /// Copies whole sample frames into the ring; how many fitted.
    fn write(&mut self, bytes: &[u8]) -> Result<usize>;
    /// Starts playing what is in the ring.
    fn start(&mut self) -> Result<()>;
    /// Stops at once; the ring's content is lost.
    fn stop(&mut self) -> Result<()>;
    /// Makes a stopped device ready to be filled.
    fn prepare(&mut self) -> Result<()>;
    /// Stands still, or goes on.
    fn pause(&mut self, paused: bool) -> Result<()>;
    /// Goes on after the machine slept.
    fn resume(&mut self) -> Result<()>;
    /// Plays out and stops; `EAGAIN` while it does.
    fn drain(&mut self) -> Result<()>;
    /// Takes note of what woke us, where the device's descriptors stay readable until then.
    fn acknowledge(&mut self);
    /// Readable when there is room, where the device can be waited for.
    fn wait_on(&self) -> Option<BorrowedFd<'_>>;
}

/// alsa-lib's.
#[derive(Debug)]
pub struct AlsaPcm {
    pcm: alsa::PCM,
    fds: Vec<pollfd>,
    set: Option<PollSet>,
}

impl AlsaPcm {
    /// Takes an opened, non-blocking playback PCM.
    pub fn new(pcm: alsa::PCM) -> Self {
        Self { pcm, fds: Vec::new(), set: None }
    }

    fn set_hardware(&self, want: AudioFormat) -> Result<Setup> {
        let hw = HwParams::any(&self.pcm)?;
        // Our own resampler is better than a plug's, and need not run where the device takes the rate as it is.
        let _ = hw.set_rate_resample(false);
        hw.set_access(Access::RWInterleaved)?;
        let sample = choose_format(&hw)?;
        let channels = hw.set_channels_near(u32::from(want.channels))?;
        let rate = hw.set_rate_near(want.rate, ValueOr::Nearest)?;
        hw.set_buffer_time_near(CAPACITY_US, ValueOr::Nearest)?;
        hw.set_period_time_near(PERIOD_US, ValueOr::Nearest)?;
        self.pcm.hw_params(&hw)?;
        Ok(Setup {
            format: AudioFormat { rate, channels: channels as u16 },
            sample,
            capacity: hw.get_buffer_size()?.max(1) as usize,
            period: hw.get_period_size()?.max(1) as usize,
            can_pause: hw.can_pause(),
        })
    }

    fn set_software(&self, setup: &Setup) -> Result<()> {
        let sw = self.pcm.sw_params_current()?;
        sw.set_start_threshold((START_PERIODS * setup.period).min(setup.capacity.div_ceil(2)) as _)?;
        sw.set_avail_min(setup.period as _)?;
        // Without timestamps a reading is taken to be true when it was asked for, so failing here costs precision only.
        let _ = sw.set_tstamp_mode(true);
        let _ = sw.set_tstamp_type(TstampType::Monotonic);
        self.pcm.sw_params(&sw)
    }
}

fn choose_format(hw: &HwParams<'_>) -> Result<SampleFormat> {
    let as_alsa = |it: SampleFormat| match it {
        SampleFormat::F32 => Format::FloatLE,
        SampleFormat::S32 => Format::S32LE,
        SampleFormat::S16 => Format::S16LE,
    };
    let fits = SampleFormat::PREFERRED.into_iter().find(|it| hw.test_format(as_alsa(*it)).is_ok());
    // Where none fits, asking for the commonest one yields alsa-lib's own words for it.
    let sample = fits.unwrap_or(SampleFormat::S16);
    hw.set_format(as_alsa(sample)).map(|()| sample)
}

/// A kernel timestamp as `MonoTime`; `None` where the device took none.
fn mono_of(it: libc::timespec) -> Option<MonoTime> {
    let nanos =
        u64::try_from(it.tv_sec).ok()?.checked_mul(1_000_000_000)?.checked_add(u64::try_from(it.tv_nsec).ok()?)?;
    (nanos > 0).then(|| MonoTime::from_nanos(nanos))
}

impl Pcm for AlsaPcm {
    fn set_up(&mut self, want: AudioFormat) -> Result<Setup> {
        if self.pcm.state() != State::Open {
            self.pcm.drop()?;
            self.pcm.hw_free()?;
        }
        let setup = self.set_hardware(want)?;
        self.set_software(&setup)?;
        self.fds = self.pcm.get()?;
        self.set = PollSet::new(self.fds.iter().map(|it| (it.fd, it.events)))
            .inspect_err(|error| log::debug!("this device cannot be waited for, so it will be asked: {error}"))
            .ok();
        self.pcm.prepare()?;
        Ok(setup)
    }
    fn state(&self) -> State {
        self.pcm.state()
    }
    fn room(&self) -> Result<usize> {
        self.pcm.avail().map(|it| it.max(0) as usize)
    }
    fn reading(&self) -> Result<Reading> {
        let status = self.pcm.status()?;
        let now = self.now();
        // A plug-in may hand through a timestamp of another clock, or one of long ago: a second is generous for either.
        let at =
            mono_of(status.get_htstamp()).filter(|it| *it <= now && now.saturating_since(*it) < Duration::from_secs(1));
        Ok(Reading { delay: status.get_delay().max(0) as usize, at: at.unwrap_or(now) })
    }
    fn now(&self) -> MonoTime {
        monotonic_now()
    }
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.pcm.io_bytes().writei(bytes)
    }
    fn start(&mut self) -> Result<()> {
        self.pcm.start()
    }
    fn stop(&mut self) -> Result<()> {
        self.pcm.drop()
    }
    fn prepare(&mut self) -> Result<()> {
        self.pcm.prepare()
    }
    fn pause(&mut self, paused: bool) -> Result<()> {
        self.pcm.pause(paused)
    }
    fn resume(&mut self) -> Result<()> {
        self.pcm.resume()
    }
    fn drain(&mut self) -> Result<()> {
        self.pcm.drain()
    }
    fn acknowledge(&mut self) {
        // dmix and its like signal by a timer that stays readable until they have looked at it.
        if self.set.is_some() && alsa::poll::poll(&mut self.fds, 0).is_ok_and(|n_ready| n_ready > 0) {
            let _ = self.pcm.revents(&self.fds);
        }
    }
    fn wait_on(&self) -> Option<BorrowedFd<'_>> {
        self.set.as_ref().map(AsFd::as_fd)
    }
}
