//! Films that are tables: what a demuxer says, packet by packet, and what goes wrong with it.
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lucarne::base::audio::AudioFormat;
use lucarne::base::cancel::Cancel;
use lucarne::base::color::ColorTags;
use lucarne::base::format::{Ratio, Size};
use lucarne::base::geometry::Rotation;
use lucarne::base::packet::{Packet, Track, VecData};
use lucarne::base::stream::{AudioStream, CodecParameters, MediaInfo, VideoStream};
use lucarne::base::time::MediaTime;
use lucarne::seam::demuxer::{DemuxError, Demuxed, Demuxer, DemuxerFactory, OpenOptions};

pub const MS: i64 = 1_000_000;
/// What every film's picture lasts.
pub const FRAME_MS: i64 = 40;

pub fn at_ms(ms: i64) -> MediaTime {
    MediaTime::from_nanos(ms * MS)
}

/// A test that failed meanwhile is no reason for this one to fail.
fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A door that is shut until somebody opens it, or the one who waits is told to give up.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }
    /// True when it was opened.
    fn pass(&self, cancel: &Cancel) -> bool {
        let mut open = lock(&self.0.0);
        while !*open && !cancel.is_cancelled() {
            let waited = self.0.1.wait_timeout(open, Duration::from_millis(5));
            open = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *open
    }
}

/// One thing that comes out of an input.
#[derive(Debug, Clone)]
pub enum Beat {
    Packet(Packet),
    /// A read error, worded so.
    Error(&'static str),
    /// Nothing until the gate opens.
    Gate(Gate),
}

/// One input, as it is when it is opened.
#[derive(Debug, Clone)]
pub struct Film {
    pub info: MediaInfo,
    pub beats: Vec<Beat>,
    pub rewinds: bool,
}

/// What becomes of one attempt to open.
#[derive(Debug, Clone)]
pub enum Opening {
    Film(Box<Film>),
    Missing,
    Stalls(Gate),
}

pub fn packet(track: Track, pts_ms: i64, byte: u8) -> Packet {
    Packet {
        track,
        pts: Some(at_ms(pts_ms)),
        dts: Some(at_ms(pts_ms)),
        duration: Duration::from_millis(FRAME_MS as u64),
        keyframe: true,
        discard: false,
        lap: 0,
        discontinuity: false,
        data: Arc::new(VecData(vec![byte])),
    }
}

pub fn video(pts_ms: i64) -> Beat {
    Beat::Packet(packet(Track::Video, pts_ms, super::codec::PLAIN))
}

pub fn audio(pts_ms: i64) -> Beat {
    Beat::Packet(packet(Track::Audio, pts_ms, super::codec::PLAIN))
}

pub fn video_stream(codec: &str) -> VideoStream {
    VideoStream {
        parameters: CodecParameters { codec: codec.into(), profile: None, extra: Arc::new([]), native: None },
        size: Size::new(8, 8),
        pixel_format: Some("gray".into()),
        sar: Ratio::ONE,
        rotation: Rotation::None,
        frame_rate: Ratio::new(25, 1),
        color: ColorTags::default(),
        interlaced: false,
        frames: None,
    }
}

pub fn audio_stream() -> AudioStream {
    AudioStream {
        parameters: CodecParameters { codec: "tone".into(), profile: None, extra: Arc::new([]), native: None },
        format: AudioFormat { rate: 48_000, channels: 2 },
    }
}

pub fn info() -> MediaInfo {
    MediaInfo {
        container: "table".into(),
        duration: None,
        start: None,
        live: false,
        seekable: true,
        still: false,
        video: Some(video_stream("blocks")),
        audio: None,
    }
}

impl Film {
    /// So many pictures of 40 ms each, from 0 on, without sound.
    pub fn silent(frames: i64) -> Self {
        let beats = (0..frames).map(|it| video(it * FRAME_MS)).collect();
        let duration = Some(Duration::from_millis((frames * FRAME_MS) as u64));
        Film { info: MediaInfo { duration, ..info() }, beats, rewinds: true }
    }

    /// The same with sound: a block of 40 ms for each picture.
    pub fn sounding(frames: i64) -> Self {
        let mut film = Self::silent(frames);
        film.info.audio = Some(audio_stream());
        film.beats = (0..frames).flat_map(|it| [video(it * FRAME_MS), audio(it * FRAME_MS)]).collect();
        film
    }

    pub fn still() -> Self {
        let mut film = Self::silent(1);
        film.info.still = true;
        film.info.duration = None;
        film
    }

    pub fn live(mut self) -> Self {
        self.info.live = true;
        self.info.duration = None;
        self
    }

    pub fn with(mut self, index: usize, beat: Beat) -> Self {
        self.beats.insert(index, beat);
        self
    }

    /// The picture packets' first byte changed: what the decoder does with them.
    pub fn coded(mut self, which: impl Fn(usize) -> bool, byte: u8) -> Self {
        let mut index = 0;
        for beat in &mut self.beats {
            if let Beat::Packet(it) = beat
                && it.track == Track::Video
            {
                if which(index) {
                    it.data = Arc::new(VecData(vec![byte]));
                }
                index += 1;
            }
        }
        self
    }

    pub fn map(mut self, mut change: impl FnMut(&mut Packet)) -> Self {
        for beat in &mut self.beats {
            if let Beat::Packet(it) = beat {
                change(it);
            }
        }
        self
    }
}

impl From<Film> for Opening {
    fn from(it: Film) -> Self {
        Opening::Film(Box::new(it))
    }
}

/// All inputs there are. Each name has what its first, second... opening gives; the last goes on for ever.
#[derive(Debug, Default)]
pub struct Shelf {
    inputs: Mutex<HashMap<String, (Vec<Opening>, usize)>>,
    pub opened: AtomicUsize,
}

impl Shelf {
    pub fn put(&self, name: &str, openings: Vec<Opening>) {
        lock(&self.inputs).insert(name.into(), (openings, 0));
    }
    pub fn opens(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

fn missing(input: &str) -> DemuxError {
    DemuxError::Unreachable { input: input.into(), reason: "not there".into() }
}

impl DemuxerFactory for Shelf {
    fn open(&self, input: &str, options: &OpenOptions) -> Result<Box<dyn Demuxer>, DemuxError> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let opening = {
            let mut inputs = lock(&self.inputs);
            let Some((openings, turn)) = inputs.get_mut(input) else { return Err(missing(input)) };
            let opening = openings[(*turn).min(openings.len() - 1)].clone();
            *turn += 1;
            opening
        };
        let mut film = match opening {
            Opening::Film(film) => *film,
            Opening::Missing => return Err(missing(input)),
            Opening::Stalls(gate) => {
                return if gate.pass(&options.cancel) {
                    Err(missing(input))
                } else {
                    Err(DemuxError::Cancelled { input: input.into() })
                };
            }
        };
        if options.without_audio {
            film.info.audio = None;
            film.beats.retain(|it| !matches!(it, Beat::Packet(it) if it.track == Track::Audio));
        }
        Ok(Box::new(Reel { input: input.into(), film, place: 0, cancel: options.cancel.clone() }))
    }
}

struct Reel {
    input: String,
    film: Film,
    place: usize,
    cancel: Cancel,
}

impl Demuxer for Reel {
    fn info(&self) -> &MediaInfo {
        &self.film.info
    }

    fn read(&mut self) -> Result<Demuxed, DemuxError> {
        loop {
            let Some(beat) = self.film.beats.get(self.place) else { return Ok(Demuxed::EndOfStream) };
            self.place += 1;
            match beat {
                Beat::Packet(it) => return Ok(Demuxed::Packet(it.clone())),
                Beat::Error(reason) => {
                    return Err(DemuxError::Read { input: self.input.clone(), reason: (*reason).into() });
                }
                Beat::Gate(gate) => {
                    if !gate.pass(&self.cancel) {
                        return Err(DemuxError::Cancelled { input: self.input.clone() });
                    }
                }
            }
        }
    }

    fn rewind(&mut self) -> Result<(), DemuxError> {
        if !self.film.rewinds {
            return Err(DemuxError::Read { input: self.input.clone(), reason: "cannot seek".into() });
        }
        self.place = 0;
        Ok(())
    }
}
