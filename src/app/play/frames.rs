//! The frame log and the snapshots.
use std::cell::Cell;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::app::cli::{Pace, PlayOptions};
use crate::app::exit::Failure;
use crate::app::framelog::FrameLog;
use crate::base::format::Size;
use crate::pipeline::player::observer::{FrameObserver, PresentedFrame};

/// Pictures waiting to be written: at 1080p 8 MiB each, and a card takes its time.
const WAITING: usize = 4;

/// A picture to be written.
struct Snapshot {
    path: PathBuf,
    size: Size,
    rgba: Vec<u8>,
}

/// Writes snapshots on a thread of its own, so that a slow card costs no frame.
#[derive(Debug, Clone)]
pub struct Snapshots(Arc<Mutex<Option<Writer>>>);

#[derive(Debug)]
struct Writer {
    queue: SyncSender<Snapshot>,
    thread: JoinHandle<Result<(), String>>,
}

impl Snapshots {
    fn start() -> Result<Self, Failure> {
        let (queue, jobs) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("snapshots".to_owned())
            .spawn(move || write_all(&jobs))
            .map_err(|it| Failure::failed(format!("cannot start the snapshot thread: {it}")))?;
        Ok(Self(Arc::new(Mutex::new(Some(Writer { queue, thread })))))
    }

    fn offer(&self, it: Snapshot, may_wait: bool) {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = guard.as_ref() else { return };
        if may_wait {
            // Nobody watches in `--pace fast`; every picture asked for is written.
            let _closed = writer.queue.send(it);
        } else if let Err(TrySendError::Full(it)) = writer.queue.try_send(it) {
            log::warn!("{}: left out: the disk is too slow for so many snapshots", it.path.display());
        }
    }

    /// Waits for the last picture; the first failure, if there was one.
    pub fn finish(self) -> Option<Failure> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        drop(writer.queue);
        match writer.thread.join() {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(Failure::failed(reason).advise("check the folder and the space on its disk")),
            Err(_) => Some(Failure::failed("the snapshot thread panicked: this is our own bug")),
        }
    }
}

fn write_all(jobs: &Receiver<Snapshot>) -> Result<(), String> {
    let mut first = Ok(());
    for it in jobs {
        if let Err(error) = write_png(&it.path, it.size, &it.rgba) {
            let reason = format!("{}: cannot write the snapshot: {error}", it.path.display());
            log::warn!("{reason}");
            first = first.and(Err(reason));
        }
    }
    first
}

fn write_png(path: &Path, size: Size, rgba: &[u8]) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), size.width, size.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgba)?;
    writer.finish()
}

/// The observer of a run.
pub struct Frames {
    log: Option<FrameLog<File>>,
    crc: bool,
    every: u64,
    folder: PathBuf,
    snapshots: Option<Snapshots>,
    may_wait: bool,
    log_path: PathBuf,
    /// What went wrong with the frame log, for whoever drops this.
    failure: Rc<Cell<Option<Failure>>>,
}

impl Frames {
    /// What `options` asks for.
    pub fn new(options: &PlayOptions) -> Result<Self, Failure> {
        let log = options.framelog.as_deref().map(FrameLog::create).transpose()?;
        let (mut folder, mut snapshots) = (PathBuf::new(), None);
        if let Some(path) = &options.snapshot_dir {
            std::fs::create_dir_all(path).map_err(|it| {
                Failure::failed(format!("{}: cannot make the snapshot folder: {it}", path.display()))
                    .advise("choose a folder you may write to")
            })?;
            folder.clone_from(path);
            snapshots = Some(Snapshots::start()?);
        }
        Ok(Self {
            log,
            crc: options.framelog_crc,
            every: options.snapshot_every.unwrap_or(0),
            folder,
            snapshots,
            may_wait: options.pace == Pace::Fast,
            log_path: options.framelog.clone().unwrap_or_default(),
            failure: Rc::default(),
        })
    }

    /// Where it is said, once this is dropped, that the frame log is not whole.
    pub fn failure(&self) -> Rc<Cell<Option<Failure>>> {
        Rc::clone(&self.failure)
    }

    /// The writer, to wait for at the end.
    pub fn snapshots(&self) -> Option<Snapshots> {
        self.snapshots.clone()
    }

    fn keep(&self, index: u64, pixels: &[u8], size: Size) {
        if let Some(snapshots) = &self.snapshots {
            let path = self.folder.join(format!("frame-{:06}.png", index + 1));
            snapshots.offer(Snapshot { path, size, rgba: pixels.to_vec() }, self.may_wait);
        }
    }

    /// After a failure there is no log any more.
    fn append(&mut self, write: impl FnOnce(&mut FrameLog<File>) -> std::io::Result<()>) {
        if let Some(log) = &mut self.log
            && let Err(error) = write(log)
        {
            log::warn!("the frame log ends here: {error}; check the space on its disk");
            self.log_failed(&error);
            self.log = None;
        }
    }

    fn log_failed(&self, error: &std::io::Error) {
        let what = format!("{}: the frame log could not be written to its end: {error}", self.log_path.display());
        self.failure.set(Some(Failure::failed(what).advise("check the space on its disk")));
    }

    fn wants_snapshot(&self, index: u64) -> bool {
        self.snapshots.is_some() && 0 < self.every && (index + 1).is_multiple_of(self.every)
    }
}

impl FrameObserver for Frames {
    fn wants_pixels(&self, _index: u64) -> bool {
        self.crc
    }

    fn wants_picture(&self, index: u64) -> bool {
        self.wants_snapshot(index)
    }

    fn wants_checksum(&self, _index: u64) -> bool {
        // Reading pictures from the wire ends the checksums of some drivers (vkms).
        self.crc && self.snapshots.is_none()
    }

    fn presented(&mut self, frame: PresentedFrame<'_>) {
        let crc = frame.pixels.filter(|_| self.crc).map(|(pixels, _)| crc32fast::hash(pixels));
        self.append(|log| log.write(&frame, crc));
        if self.wants_snapshot(frame.index)
            && !frame.captured
            && let Some((pixels, size)) = frame.pixels
        {
            self.keep(frame.index, pixels, size);
        }
    }

    fn captured(&mut self, index: u64, pixels: &[u8], size: Size) {
        self.keep(index, pixels, size);
    }

    fn checked(&mut self, index: u64, checksum: u32) {
        self.append(|log| log.complete(index, checksum));
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(log) = self.log.take()
            && let Err(error) = log.finish()
        {
            self.log_failed(&error);
        }
    }
}
