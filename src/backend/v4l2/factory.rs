//! Which streams hardware decodes here, and the open codecs that wait for their next stream.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::v4l2::decoder::V4l2Decoder;
use crate::backend::v4l2::instance::{Instance, Look, output_size};
use crate::backend::v4l2::{aside, coded, nodes, refusal};
use crate::base::capability::Capability;
use crate::base::format::PixelFormat;
use crate::base::stream::VideoStream;
use crate::seam::clock::Clock;
use crate::seam::decoder::{DecodeError, Decoder, DecoderFactory};
use crate::sys::v4l2::{FourCc, Node};

/// Open codecs that wait for a stream: one for each of the two looks a playlist mostly has. Each costs as much memory as
/// one that works.
const MOST_WAITING: usize = 2;

/// Where CAPTURE's memory comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffers {
    /// The driver's, exported.
    Exported,
    /// Ours, of a heap, imported by the driver.
    Imported,
}

/// Makes decoders of the machine's stateful codecs.
pub struct V4l2DecoderFactory {
    clock: Arc<dyn Clock>,
    buffers: Buffers,
    shelf: Arc<Shelf>,
}

impl V4l2DecoderFactory {
    /// A factory whose decoders' patience goes by `clock`, the system's monotonic one.
    pub fn new(clock: Arc<dyn Clock>, buffers: Buffers) -> Self {
        Self { clock, buffers, shelf: Arc::new(Shelf::default()) }
    }

    fn coded(stream: &VideoStream) -> Result<FourCc, DecodeError> {
        let codec = &stream.parameters.codec;
        let unknown = || DecodeError::Unsupported {
            codec: codec.clone(),
            reason: "the kernel's stateful decoders do not know it".to_owned(),
        };
        coded::fourcc_of(codec).ok_or_else(unknown)
    }

    /// Where one failed, the next one's answer is waited for no longer than the screen can.
    fn open_new(&self, stream: &VideoStream, coded: FourCc) -> Result<Instance, DecodeError> {
        let (buffers, now) = (self.buffers, self.clock.now());
        let open = move |stream: &VideoStream| {
            Instance::open(Self::find(stream, coded)?, coded, Look::of(stream), buffers, now)
        };
        if !self.shelf.is_suspect.load(Ordering::Relaxed) {
            return open(stream);
        }
        let own = stream.clone();
        let failed = |reason| DecodeError::Device { call: "open", reason };
        match aside::in_time(aside::OPENS_WITHIN, move || open(&own)) {
            Ok(Some(opened)) => {
                self.shelf.is_suspect.store(opened.is_err(), Ordering::Relaxed);
                opened
            }
            Ok(None) => Err(failed(format!("no codec answers within {:?}", aside::OPENS_WITHIN))),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn find(stream: &VideoStream, coded: FourCc) -> Result<Node, DecodeError> {
        let none = |reason| DecodeError::Unsupported { codec: stream.parameters.codec.clone(), reason };
        let node = nodes::find(coded).map_err(none)?;
        refusal::of_node(stream, &node, coded)?;
        Ok(node)
    }
}

impl DecoderFactory for V4l2DecoderFactory {
    fn name(&self) -> &'static str {
        "v4l2"
    }

    fn codecs(&self) -> Vec<&'static str> {
        let mut all: Vec<&'static str> = Vec::new();
        for (_, coded) in nodes::decoders() {
            for codec in coded.into_iter().filter_map(coded::codec_of) {
                if !all.contains(&codec) {
                    all.push(codec);
                }
            }
        }
        all
    }

    fn describe(&self) -> Vec<Capability> {
        let node = |(node, coded): (Node, Vec<FourCc>)| {
            let dialect = if node.is_multiplanar() { "multi-planar" } else { "single-planar" };
            let words = format!("{} ({}), {dialect}, buffers exported or imported", node.card(), node.driver());
            let parts = coded.iter().map(|it| describe(&node, *it)).collect();
            Capability::yes(node.path().display().to_string(), words).with(parts)
        };
        nodes::decoders().into_iter().map(node).collect()
    }

    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError> {
        let coded = Self::coded(stream)?;
        refusal::of_stream(stream)?;
        // A node whose firmware is dead may not even say what it can do; opening it will tell.
        if self.shelf.has(coded, stream) || self.shelf.is_suspect.load(Ordering::Relaxed) {
            return Ok(());
        }
        Self::find(stream, coded).map(drop)
    }

    fn gives_dmabufs(&self, _stream: &VideoStream) -> Result<PixelFormat, String> {
        // The best there is, and what every codec that is known offers.
        Ok(PixelFormat::Nv12)
    }

    fn open(&self, stream: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        let coded = Self::coded(stream)?;
        refusal::of_stream(stream)?;
        let instance = match self.shelf.take(coded, stream) {
            Some(it) => it,
            // A device has memory for so many, and one that waits has some of it.
            None => self.open_new(stream, coded).or_else(|error| self.shelf.take_any(coded, stream).ok_or(error))?,
        };
        let shelf = Arc::clone(&self.shelf);
        Ok(Box::new(V4l2Decoder::new(stream, instance, shelf, Arc::clone(&self.clock))?))
    }
}

impl std::fmt::Debug for V4l2DecoderFactory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("V4l2DecoderFactory").field("buffers", &self.buffers).finish_non_exhaustive()
    }
}

/// A coded format of a node: sizes, profiles, levels.
fn describe(node: &Node, coded: FourCc) -> Capability {
    let mut words = Vec::new();
    if let Ok(Some(sizes)) = node.sizes(coded) {
        let ((least_w, least_h), (most_w, most_h)) = (sizes.min, sizes.max);
        words.push(format!("{least_w}x{least_h} to {most_w}x{most_h}"));
    }
    for (what, menu) in [("profiles", node.profiles(coded)), ("levels", node.levels(coded))] {
        if !menu.is_empty() {
            let names: Vec<&str> = menu.iter().map(|it| it.name.as_str()).collect();
            words.push(format!("{what} {}", names.join(", ")));
        }
    }
    Capability::yes(coded::codec_of(coded).unwrap_or("?"), words.join("; "))
}

/// Open codecs that wait for their next stream, the one that waits longest first, and others that wait for their memory.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    waiting: Mutex<Vec<Instance>>,
    /// One failed, and none was opened since: the firmware may be dead.
    is_suspect: AtomicBool,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its pictures look the same as the stream's: firmware stops for a change of colour or of the pixels' shape as for one
    /// of size, and then wants buffers back that the screen may take its time for.
    fn suits(it: &Instance, coded: FourCc, stream: &VideoStream) -> bool {
        let is_same = it.pool().is_some_and(|it| it.layout.visible.size() == stream.size);
        is_same && it.look() == Look::of(stream) && Self::could_do(it, coded, stream)
    }

    fn could_do(it: &Instance, coded: FourCc, stream: &VideoStream) -> bool {
        it.coded() == coded && it.is_fit() && output_size(stream.size) as usize <= it.largest()
    }

    fn has(&self, coded: FourCc, stream: &VideoStream) -> bool {
        self.lock().iter().any(|it| Self::suits(it, coded, stream))
    }

    /// One whose buffers suit the stream.
    fn take(&self, coded: FourCc, stream: &VideoStream) -> Option<Instance> {
        let mut all = self.lock();
        let found = all.iter().position(|it| Self::suits(it, coded, stream)).map(|it| all.remove(it));
        let done_with = Self::sweep(&mut all);
        drop(all);
        done_with.into_iter().for_each(close);
        found
    }

    /// One that will set its buffers up anew for the stream.
    fn take_any(&self, coded: FourCc, stream: &VideoStream) -> Option<Instance> {
        let mut all = self.lock();
        let mut it = all.iter().position(|it| Self::could_do(it, coded, stream)).map(|it| all.remove(it))?;
        it.looks_like(Look::of(stream));
        Some(it)
    }

    /// Gives one back. It is closed when nobody holds anything of it and nothing better can be done with it: closing stops
    /// its queues, which firmware does not survive while its buffers are in use.
    pub(super) fn put(&self, instance: Instance) {
        self.is_suspect.fetch_or(instance.has_failed(), Ordering::Relaxed);
        let mut all = self.lock();
        all.push(instance);
        let n_fit = all.iter().filter(|it| it.is_fit()).count();
        if MOST_WAITING < n_fit
            && let Some(oldest) = all.iter().find(|it| it.is_fit())
        {
            oldest.retire();
        }
        all.iter().filter(|it| !it.is_fit()).for_each(Instance::retire);
        let done_with = Self::sweep(&mut all);
        drop(all);
        done_with.into_iter().for_each(close);
    }

    /// Takes out those that can be closed. That may take its time, so it is done without the lock: other decks open theirs
    /// meanwhile.
    fn sweep(all: &mut Vec<Instance>) -> Vec<Instance> {
        all.extract_if(.., |it| !it.is_fit() && it.is_home()).collect()
    }
}

fn close(it: Instance) {
    if it.has_failed() {
        // Where there is no thread to be had it is closed here all the same.
        let _ = aside::in_time(aside::CLOSES_WITHIN, move || drop(it));
    }
}
