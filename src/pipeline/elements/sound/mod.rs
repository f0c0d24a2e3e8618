//! Sound: keeps one device playing without a break, whatever the pictures do.
//!
//! The device never stops between items: what no item fills is silence, so that its clock can lead the pictures
//! through stills and silent films too. Everything written has a place on the programme's timeline (the *cursor*);
//! sound that comes late is cut and sound that comes early is padded, so that it fits the running picture.
use std::sync::Arc;
use std::time::Duration;

use crate::base::audio::AudioFormat;
use crate::base::offer::Severity;
use crate::base::time::{MediaTime, MonoTime, nanos_of};
use crate::logic::audio_fill::{self, Block, Cursor};
use crate::logic::backoff::Backoff;
use crate::logic::device_trust::Trust;
use crate::pipeline::elements::sound::board::{SoundBoard, SoundReport, SoundState};
use crate::pipeline::elements::sound::device::Device;
use crate::pipeline::elements::sound::voice::{Next, Voices};
use crate::pipeline::env::SinkChoice;
use crate::pipeline::runner::{Progress, Step};
use crate::seam::audio_decoder::AudioDecoderFactory;
use crate::seam::audio_sink::AudioError;

pub mod board;
mod device;
mod voice;

/// What the device is asked for: what films are made in.
const WANTED: AudioFormat = AudioFormat { rate: 48_000, channels: 2 };
/// Sound lies this far ahead of the loudspeaker: survives a scheduling stall, and a cut is heard this much later.
const TARGET: Duration = Duration::from_millis(150);
/// Below this the device is fed silence rather than left to run dry.
const LOW: Duration = Duration::from_millis(50);
/// The device is started with this much silence, and kept at it until the programme begins, so that its clock runs before
/// the first picture is ready; starting is when a machine is busiest.
const PREFILL: Duration = Duration::from_millis(80);
/// How often the device is looked at: several times within `LOW`.
const PERIOD: Duration = Duration::from_millis(10);
/// Sound further than this from the picture is cut or padded to fit: between what nobody notices (20 ms) and what
/// everybody does (100 ms).
const MISALIGNED: Duration = Duration::from_millis(60);
/// Looks in a row that find it so: rides out the jitter of a device's position.
const MISALIGNED_STEPS: u32 = 5;
/// A block further ahead than this bears a wrong time: packets are read at most four times as far ahead as the audio link
/// holds (3 s), and everything between them has been heard by then.
const LONGEST_HOLE: Duration = Duration::from_secs(15);
/// Before the picture's clock runs no more of the programme than this is written: `TARGET`, and what is heard until the
/// picture's thread has noticed that sound has begun.
const MOST_BEFORE_CLOCK: Duration = Duration::from_millis(250);

/// The element.
pub struct Sound {
    board: Arc<SoundBoard>,
    choice: SinkChoice,
    device: Option<Device>,
    voices: Voices,
    backoff: Backoff,
    retry_at: MonoTime,
    is_lost: bool,
    flushes: u32,
    report: SoundReport,
}

impl Sound {
    /// Sound for `choice`, told what to play by `board`.
    pub fn new(board: Arc<SoundBoard>, choice: SinkChoice, decoders: Arc<dyn AudioDecoderFactory>) -> Self {
        let report = SoundReport { device: choice.device.clone(), ..SoundReport::default() };
        Self {
            voices: Voices::new(board.clone(), decoders),
            board,
            choice,
            device: None,
            backoff: Backoff::new(),
            retry_at: MonoTime::ZERO,
            is_lost: false,
            flushes: 0,
            report,
        }
    }

    fn open(&mut self, now: MonoTime) -> Result<(), AudioError> {
        if now < self.retry_at {
            return Ok(());
        }
        let mut sink = self.choice.factory.open(&self.choice.device)?;
        let format = sink.configure(WANTED)?;
        let mut device = Device::new(sink, format, self.choice.volume);
        device.prefill(PREFILL)?;
        if self.is_lost {
            log::info!("sound is back on {}", self.choice.device);
        }
        self.is_lost = false;
        self.backoff.succeeded();
        if self.report.format != Some(format) {
            self.voices.reopen_decoder(format);
        }
        self.report.format = Some(format);
        self.report.state = SoundState::Starting;
        self.device = Some(device);
        Ok(())
    }

    fn lost(&mut self, now: MonoTime, error: &AudioError) {
        let was_there = self.report.format.is_some();
        if !self.is_lost && (was_there || !self.choice.is_optional) {
            log::warn!("{error}; playing on without sound until it is back");
        } else if !self.is_lost {
            log::info!("{error}; playing without sound");
        }
        self.is_lost = true;
        self.device = None;
        self.retry_at = self.backoff.failed(now);
        self.report.state = SoundState::Lost;
        self.report.heard = None;
    }

    /// Gives the next sample frame a place once the device runs and the programme has begun, and mends the place when
    /// sound and picture have come apart.
    fn place(&mut self, now: MonoTime) -> Result<(), AudioError> {
        let Some(device) = &mut self.device else { return Ok(()) };
        if device.cursor().is_none() && !device.runs()? {
            return Ok(());
        }
        let heard_at = now + device.sink.delay()?;
        let (picture, begin) = {
            let programme = self.board.programme();
            (programme.clock.media_at(heard_at), programme.begin)
        };
        match (device.cursor(), picture) {
            (None, Some(media)) => device.anchor(media),
            (None, None) => {
                if let Some(begin) = begin {
                    device.anchor(begin);
                }
            }
            (Some(cursor), Some(media)) => {
                let off = cursor.media_time().delta_nanos(media);
                let is_off = nanos_of(MISALIGNED) < off.abs();
                device.misaligned = if is_off { device.misaligned + 1 } else { 0 };
                if MISALIGNED_STEPS <= device.misaligned {
                    log::debug!("sound is {} ms off the picture; fitting it", off / 1_000_000);
                    device.anchor(media);
                    self.report.realigned += 1;
                }
            }
            (Some(_), None) => {}
        }
        self.report.heard = device.heard()?;
        self.report.state = if self.report.heard.is_some() { SoundState::Playing } else { SoundState::Starting };
        match device.trust.poll() {
            Some(Trust::Untrusted) => {
                let name = &self.choice.device;
                log::warn!("{name}: its position runs off the system's clock; the pictures go by the system's clock");
                self.report.trusted = false;
            }
            Some(Trust::Trusted) => self.report.trusted = true,
            Some(Trust::Unknown) | None => {}
        }
        Ok(())
    }

    /// Writes what there is room for.
    fn fill(&mut self, now: MonoTime) -> Result<(), AudioError> {
        // Each turn writes, moves on, or stops; the bound is against a bug, not a case.
        for _ in 0..256 {
            let Some(device) = &mut self.device else { return Ok(()) };
            let delay = device.sink.delay()?;
            let Some(cursor) = device.cursor() else {
                if delay < PREFILL {
                    device.write_silence(device.frames(PREFILL - delay))?;
                } else if delay < MOST_BEFORE_CLOCK && !device.runs()? {
                    // A device with long periods wants more before it begins.
                    device.write_silence(device.frames(PERIOD))?;
                }
                return Ok(());
            };
            let spare = TARGET.saturating_sub(delay).min(spare(&self.board, &cursor, now + delay));
            if spare.is_zero() {
                return Ok(());
            }
            let room = device.frames(spare).max(1);
            let goes_on = match self.voices.next(device.format) {
                Next::Block { at, limit } => self.write_block(at, limit, room)?,
                Next::Moved => true,
                Next::Nothing => delay < LOW && 0 < device.write_silence(device.frames(PERIOD))?,
            };
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes of the present block what fits; `false` when the device takes no more.
    fn write_block(&mut self, at: Option<MediaTime>, limit: Option<MediaTime>, room: u64) -> Result<bool, AudioError> {
        let Some(device) = &mut self.device else { return Ok(false) };
        let Some(cursor) = device.cursor() else { return Ok(false) };
        let format = device.format;
        let channels = usize::from(format.channels).max(1);
        let frames = (self.voices.samples().len() / channels) as u64;
        let block = Block { pts: at.unwrap_or(cursor.media_time()), frames };
        if nanos_of(LONGEST_HOLE) < block.pts.delta_nanos(cursor.media_time()) {
            // Silence up to a time that is a mistake would be silence for what follows as well.
            self.voices.used(frames, format);
            return Ok(true);
        }
        let fill = audio_fill::align(&cursor, block, limit);
        if 0 < fill.silence_frames_before {
            return Ok(0 < device.write_silence(fill.silence_frames_before.min(room))?);
        }
        if fill.is_join() {
            device.join();
        }
        let take = fill.take_frames.min(room);
        let begin = fill.skip_frames as usize * channels;
        let wrote = device.write(&self.voices.samples()[begin..begin + take as usize * channels])?;
        let is_cut = wrote == fill.take_frames && fill.skip_frames + wrote < frames;
        if is_cut {
            // What lies past the end of the lap is never heard.
            device.join();
        }
        let used = if is_cut { frames } else { fill.skip_frames + wrote };
        self.voices.used(used, format);
        Ok(0 < used)
    }

    fn run(&mut self, now: MonoTime) -> Result<(), AudioError> {
        let (flushes, paused) = {
            let programme = self.board.programme();
            (programme.flushes, programme.paused)
        };
        if flushes != self.flushes {
            self.flushes = flushes;
            self.voices.reset();
            self.report.heard = None;
            if let Some(device) = &mut self.device {
                device.flush()?;
                device.prefill(PREFILL)?;
            }
        }
        if let Some(device) = &mut self.device
            && device.paused != paused
        {
            device.sink.pause(paused)?;
            device.paused = paused;
            device.trust.restart();
        }
        if paused {
            self.report.heard = None;
            return Ok(());
        }
        if self.device.is_none() {
            self.open(now)?;
        }
        self.place(now)?;
        self.fill(now)
    }
}

/// How much more may be written before it is too far ahead of the picture: a device that swallows whatever it is given
/// is paced by that. `heard_at` is when the next sample frame would be heard.
fn spare(board: &SoundBoard, cursor: &Cursor, heard_at: MonoTime) -> Duration {
    let programme = board.programme();
    let (due, most) = match (programme.clock.media_at(heard_at), programme.begin) {
        (Some(media), _) => (media, MISALIGNED),
        (None, Some(begin)) => (begin, MOST_BEFORE_CLOCK),
        (None, None) => return TARGET,
    };
    let ahead = cursor.media_time().delta_nanos(due);
    Duration::from_nanos(u64::try_from(nanos_of(most).saturating_sub(ahead)).unwrap_or(0))
}

impl Step for Sound {
    fn step(&mut self, now: MonoTime) -> Progress {
        if let Err(error) = self.run(now) {
            match (error.severity(), &mut self.device) {
                (Severity::Retry, Some(device)) => {
                    // It was restarted: what comes next is heard later than its place said.
                    log::debug!("{error}");
                    self.report.xruns += 1;
                    device.lose_place();
                }
                _ => self.lost(now, &error),
            }
        }
        if self.device.is_none() {
            let media = self.board.programme().clock.media_at(now);
            if let Some(media) = media {
                self.voices.discard_before(media);
            }
        }
        self.board.publish(&self.report);
        Progress::Wait { until: Some(now + PERIOD) }
    }
}
