//! Files and URLs by libavformat.
use std::sync::Arc;
use std::time::Duration;

use crate::backend::software::describe::{self, Chosen, Selection};
use crate::backend::software::limits;
use crate::backend::software::location::{self, Location};
use crate::base::packet::{Packet, Track};
use crate::base::stream::MediaInfo;
use crate::base::time::MediaTime;
use crate::seam::demuxer::{DemuxError, Demuxed, Demuxer, DemuxerFactory, OpenOptions};
use crate::sys::ffmpeg::{self, AvError, AvPacket, Input, Interrupt, Pool, Recycle};

/// Packets the pool remembers. The queue behind the demuxer holds at most a few seconds: some hundred packets.
const PACKET_SLOTS: usize = 1024;
/// Damaged places in a row after which the rest of an input is given up: FFmpeg does not always get past one.
const MAX_READ_ERRORS: u32 = 16;

/// Containers that are a plain run of packets, so that their start is their first byte. FFmpeg finds the start of the
/// others by time.
const PLAIN_RUNS: [&str; 3] = ["mpegts", "mpeg", "flv"];

/// Opens inputs with FFmpeg.
#[derive(Debug, Clone, Copy, Default)]
pub struct FfmpegDemuxerFactory;

impl DemuxerFactory for FfmpegDemuxerFactory {
    fn open(&self, input: &str, options: &OpenOptions) -> Result<Box<dyn Demuxer>, DemuxError> {
        Ok(Box::new(FfmpegDemuxer::open(input, options)?))
    }
}

/// An input opened with FFmpeg.
#[derive(Debug)]
pub struct FfmpegDemuxer {
    name: String,
    location: Location,
    interrupt: Arc<Interrupt>,
    without_audio: bool,
    input: Input,
    selection: Selection,
    incoming: AvPacket,
    pool: Pool<AvPacket>,
    read_errors: u32,
    ended: bool,
}

impl FfmpegDemuxer {
    /// Opens `input` and reads enough to describe it.
    pub fn open(input: &str, options: &OpenOptions) -> Result<Self, DemuxError> {
        ffmpeg::initialise();
        let location = location::locate(input, options.timeout)?;
        let interrupt = Interrupt::new(options.cancel.clone(), options.timeout);
        let (opened, selection) = connect(input, &location, &interrupt, options.without_audio)?;
        let memory = |it: AvError| DemuxError::Read { input: input.to_owned(), reason: it.to_string() };
        let mut it = Self {
            name: input.to_owned(),
            location,
            interrupt,
            without_audio: options.without_audio,
            input: opened,
            selection,
            incoming: AvPacket::empty().map_err(memory)?,
            pool: Pool::new(PACKET_SLOTS),
            read_errors: 0,
            ended: false,
        };
        if matches!(it.input.container(), "gif" | "apng") {
            it.selection.info.still = it.count_pictures(2)? == 1;
            it.reopen()?;
        }
        Ok(it)
    }

    /// Counts pictures up to `enough`: an animation's header does not say whether it is one.
    fn count_pictures(&mut self, enough: usize) -> Result<usize, DemuxError> {
        let mut pictures = 0;
        while pictures < enough && matches!(self.read()?, Demuxed::Packet(_)) {
            pictures += 1;
        }
        Ok(pictures)
    }

    fn reopen(&mut self) -> Result<(), DemuxError> {
        self.interrupt.arm();
        let still = self.selection.info.still;
        let (input, selection) = connect(&self.name, &self.location, &self.interrupt, self.without_audio)?;
        self.input = input;
        self.selection = selection;
        self.selection.info.still = still;
        self.started_over();
        Ok(())
    }

    fn started_over(&mut self) {
        self.read_errors = 0;
        self.ended = false;
    }

    /// The stream a packet belongs to, if it is one of ours.
    fn track_of(&self, packet: &AvPacket) -> Option<(Track, Chosen)> {
        let index = usize::try_from(packet.stream_index()).ok()?;
        let Selection { video, audio, .. } = &self.selection;
        if index == video.index {
            return Some((Track::Video, *video));
        }
        audio.filter(|it| it.index == index).map(|it| (Track::Audio, it))
    }

    fn share(&mut self, track: Track, stream: Chosen) -> Result<Packet, DemuxError> {
        let (num, den) = stream.time_base;
        let time = |ticks: Option<i64>| ticks.map(|it| MediaTime::from_ticks(it, num, den));
        let it = &self.incoming;
        let (pts, dts) = (time(it.pts()), time(it.dts()));
        let duration = MediaTime::from_ticks(it.duration().max(0), num, den).nanos();
        let (keyframe, discard) = (it.is_keyframe(), it.is_discard());
        let data = self.pool.share(&mut self.incoming).map_err(|it| self.read_error(it))?;
        Ok(Packet {
            track,
            pts,
            dts,
            duration: Duration::from_nanos(duration.unsigned_abs()),
            keyframe,
            discard,
            lap: 0,
            discontinuity: false,
            data,
        })
    }

    fn read_error(&self, error: AvError) -> DemuxError {
        DemuxError::Read { input: self.name.clone(), reason: describe::quote(&error.words()) }
    }

    fn on_error(&mut self, error: AvError) -> Result<Demuxed, DemuxError> {
        if let Some(it) = gave_up(&self.name, &self.interrupt, error) {
            return Err(it);
        }
        self.read_errors += 1;
        if error.is_end() {
            self.ended = true;
            // FFmpeg calls a broken connection the end of the file, too.
            return match self.input.io_error().filter(|_| self.read_errors == 1) {
                Some(broken) => {
                    Err(gave_up(&self.name, &self.interrupt, broken).unwrap_or_else(|| self.read_error(broken)))
                }
                None => Ok(Demuxed::EndOfStream),
            };
        }
        self.ended = self.read_errors >= MAX_READ_ERRORS;
        Err(self.read_error(error))
    }
}

impl Demuxer for FfmpegDemuxer {
    fn info(&self) -> &MediaInfo {
        &self.selection.info
    }

    fn read(&mut self) -> Result<Demuxed, DemuxError> {
        if self.ended {
            return Ok(Demuxed::EndOfStream);
        }
        self.interrupt.arm();
        ffmpeg::forget_complaints();
        loop {
            match self.input.read(&mut self.incoming) {
                Ok(()) => {}
                // Some network demuxers say so between packets; the deadline bounds how often they are asked.
                Err(it) if it.is_again() && !self.interrupt.is_due() => {
                    std::thread::yield_now();
                    continue;
                }
                Err(it) => return self.on_error(it),
            }
            if let Some((track, stream)) = self.track_of(&self.incoming) {
                self.read_errors = 0;
                return self.share(track, stream).map(Demuxed::Packet);
            }
            // A file can be all packets of streams that are not played: a deadline must hold here, too.
            if self.interrupt.is_due() {
                return self.on_error(AvError { call: "av_read_frame", code: -libc::ETIMEDOUT });
            }
        }
    }

    fn rewind(&mut self) -> Result<(), DemuxError> {
        self.interrupt.arm();
        self.started_over();
        let container = self.input.container();
        // Demuxers of single pictures say they can seek and then give nothing.
        if self.selection.info.still {
            return self.reopen();
        }
        let start = self.input.start_micros().unwrap_or(0);
        let sought = if PLAIN_RUNS.contains(&container) {
            self.input.seek_to_first_byte()
        } else {
            self.input.seek_to_time(start)
        };
        match sought {
            Ok(()) => Ok(()),
            Err(_) => self.reopen(),
        }
    }
}

/// Opens, finds the streams, chooses among them.
fn connect(
    name: &str,
    location: &Location,
    interrupt: &Arc<Interrupt>,
    without_audio: bool,
) -> Result<(Input, Selection), DemuxError> {
    ffmpeg::forget_complaints();
    let failed = |it: AvError| gave_up(name, interrupt, it).unwrap_or_else(|| cannot_open(name, location, it));
    let mut input = Input::open(&location.url, &location.options(), Arc::clone(interrupt)).map_err(failed)?;
    interrupt.arm();
    // Where the header does not give a picture's size, FFmpeg decodes one: that must not be the bomb.
    let max_pixels = std::ffi::CString::new(limits::MAX_PIXELS.to_string()).unwrap_or_default();
    input.find_streams(&[(c"max_pixels", &max_pixels)]).map_err(failed)?;
    if interrupt.is_cancelled() {
        return Err(DemuxError::Cancelled { input: name.to_owned() });
    }
    let selection = describe::select(&input, name, location.is_network, without_audio)?;
    let wanted: Vec<_> = std::iter::once(selection.video.index).chain(selection.audio.map(|it| it.index)).collect();
    input.keep_only(&wanted);
    Ok((input, selection))
}

/// The error that is ours or the network's, not the file's.
fn gave_up(name: &str, interrupt: &Interrupt, error: AvError) -> Option<DemuxError> {
    let input = || name.to_owned();
    if interrupt.is_cancelled() {
        return Some(DemuxError::Cancelled { input: input() });
    }
    // Only the deadline is left to have interrupted it: a demuxer that still had packets when it passed says so afterwards.
    if error.is_timeout() || error.is_interrupted() || interrupt.has_timed_out() {
        return Some(DemuxError::TimedOut { input: input(), after: interrupt.timeout() });
    }
    None
}

fn cannot_open(name: &str, location: &Location, error: AvError) -> DemuxError {
    let input = name.to_owned();
    if error.is_unknown_protocol() {
        let reason = "this build of FFmpeg does not speak that protocol".to_owned();
        return DemuxError::Unreachable { input, reason };
    }
    let is_refusal = error.is_http_refusal() || error.as_errno().is_some_and(|it| it != libc::EINVAL);
    if location.is_network && is_refusal {
        return DemuxError::Unreachable { input, reason: describe::quote(&error.words()) };
    }
    match error.as_errno() {
        Some(libc::ENOENT | libc::EACCES | libc::EPERM | libc::EIO) => {
            DemuxError::Unreachable { input, reason: describe::quote(&error.words()) }
        }
        _ => DemuxError::NotMedia { input, reason: describe::quote("not a media file, or its header is damaged") },
    }
}
