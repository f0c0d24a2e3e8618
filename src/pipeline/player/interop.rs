//! Which way a frame takes to the screen, and what happens when that way fails.
use std::time::Duration;

use crate::base::dmabuf::DmabufPlane;
use crate::base::frame::{Memory, VideoFormat, VideoFrame};
use crate::base::stats::{Fallback, PlayStats};
use crate::base::time::MonoTime;
use crate::logic::interop_policy::{
    Candidate, InteropGaveUp, InteropMode, InteropPolicy, Objection, Reaction, Verdicts,
};
use crate::seam::interop::{InteropError, Place, Renderable, Sampling, VideoInterop};

/// Configurations whose verdicts are remembered: the items of a list mostly have a few sizes, each with a place of its own.
const KNOWN: usize = 16;
/// Planes of a picture, at most.
const PLANES: usize = 3;

/// What became of a frame.
#[derive(Debug)]
pub enum Made {
    /// It can be shown.
    Ready(Renderable, Way),
    /// It is lost; the picture before it stays.
    Lost,
    /// No way is left.
    GaveUp(InteropGaveUp),
}

/// The way a frame took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Its name in the statistics.
    pub name: &'static str,
    place: usize,
}

/// Where, and on what, a frame is to be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Where it goes.
    pub place: Place,
    /// The screen's refresh: with the size, its mode.
    pub refresh: Duration,
    /// It must be drawn: its pixels are wanted, or its memory is and what shows it must not be.
    pub drawn: bool,
    /// The time: ways that rest are tried again.
    pub now: MonoTime,
}

/// How a frame's bytes lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Cpu,
    Dmabuf { modifier: u64, planes: [Option<(u32, u32)>; PLANES] },
}

impl Layout {
    fn of(memory: &Memory) -> Self {
        let Memory::Dmabuf(lease) = memory else { return Layout::Cpu };
        let picture = lease.picture();
        let lies = |it: DmabufPlane<'_>| (it.offset, it.stride);
        Layout::Dmabuf { modifier: picture.modifier(), planes: [0, 1, 2].map(|it| picture.plane(it).map(lies)) }
    }
}

/// All that decides which ways take a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Configuration {
    format: VideoFormat,
    layout: Layout,
    place: Place,
    refresh: Duration,
}

/// A configuration there was.
#[derive(Debug)]
struct Known {
    configuration: Configuration,
    /// What the ways said to it.
    verdicts: Verdicts,
    /// The way that its frames take, as the log was told.
    told: Option<usize>,
}

/// The ways there are, and the policy that chooses.
pub struct InteropSwitch {
    ways: Vec<Box<dyn VideoInterop>>,
    policy: InteropPolicy,
    /// What each way was made ready for.
    ready: Vec<Option<VideoFormat>>,
    /// The display controller itself reads what comes of this way: learnt from its first frame.
    scans_out: Vec<bool>,
    /// The configurations there were lately; the newest last.
    known: Vec<Known>,
    /// The way of the newest frame, where that is what its configuration calls for.
    used: Option<usize>,
    /// Why the newest frame did not take a better way.
    reason: Option<String>,
    /// The screen did not take what came of this way after all; not told yet.
    refusal: Option<(usize, String)>,
    /// The newest frame came too late for the ways before this one; it is made ready once more.
    skip: usize,
    /// A frame has been made ready before.
    has_begun: bool,
    /// The user was told that there is no zero-copy though it was asked for.
    is_downgrade_told: bool,
}

impl std::fmt::Debug for InteropSwitch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InteropSwitch")
            .field("policy", &self.policy)
            .field("used", &self.used)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl InteropSwitch {
    /// Chooses among `ways` (best first) as `mode` says.
    pub fn new(ways: Vec<Box<dyn VideoInterop>>, mode: InteropMode) -> Result<Self, InteropGaveUp> {
        Self::with_missing(ways, Vec::new(), mode)
    }

    /// The same, where other zero-copy ways are `missing`, each with its name and why.
    pub fn with_missing(
        ways: Vec<Box<dyn VideoInterop>>,
        missing: Vec<String>,
        mode: InteropMode,
    ) -> Result<Self, InteropGaveUp> {
        let candidate = |it: &dyn VideoInterop| Candidate { name: it.name(), zero_copy: it.capabilities().zero_copy };
        let candidates: Vec<Candidate> = ways.iter().map(|it| candidate(it.as_ref())).collect();
        let policy = InteropPolicy::new(mode, &candidates, missing)?;
        Ok(Self {
            policy,
            ready: vec![None; ways.len()],
            scans_out: vec![false; ways.len()],
            known: Vec::with_capacity(KNOWN),
            used: None,
            reason: None,
            refusal: None,
            skip: 0,
            has_begun: false,
            is_downgrade_told: false,
            ways,
        })
    }

    /// Why the newest frame did not take the best way there is; `None` where it did.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The newest frame needed no target to be drawn into, nor will the next.
    pub fn scans_out(&self) -> bool {
        self.used.is_some_and(|it| self.scans_out[it])
    }

    /// What the ways said of places and modes is no longer true: the screen is another one.
    pub fn forget_configurations(&mut self) {
        self.known.clear();
    }

    /// All ways let go of what nobody needs any more.
    pub fn tidy(&mut self) {
        self.ways.iter_mut().for_each(|it| it.tidy());
    }

    /// Makes a frame ready to be shown, by the first way that can. What changes by that is counted, and told in the log as
    /// happening on `output`.
    pub fn make(&mut self, frame: &VideoFrame, wanted: &Wanted, output: &str, stats: &mut PlayStats) -> Made {
        let index = self.know(frame, wanted);
        // Ways before it were tried in vain, for this frame only.
        let mut from = std::mem::take(&mut self.skip);
        let mut has_stepped = 0 < from;
        let mut gave_up = self.refusal.take();
        loop {
            let verdicts = &mut self.known[index].verdicts;
            let (ways, scans_out) = (&mut self.ways, &self.scans_out);
            let chosen = self.policy.choose(from, wanted.drawn, verdicts, wanted.now, |way| {
                ways[way].accepts(frame, &wanted.place).map_err(|it| objection(&it))
            });
            let way = match chosen {
                Ok(way) if wanted.drawn && scans_out[way] => {
                    (from, has_stepped) = (way + 1, true);
                    continue;
                }
                Ok(way) => way,
                Err(_) if has_stepped || verdicts.may_come_back() => return Made::Lost,
                Err(why) => return Made::GaveUp(why),
            };
            match self.try_way(way, frame, stats) {
                Ok(Some(it)) if wanted.drawn && it.sampling == Sampling::Scanout => self.ways[way].release_frame(it),
                Ok(Some(it)) => {
                    self.policy.succeeded(way);
                    self.tell(output, index, way, has_stepped, gave_up, stats);
                    self.begin(way, &frame.format);
                    return Made::Ready(it, Way { name: self.policy.name(way), place: way });
                }
                Ok(None) => return Made::Lost,
                // Its memory is on its way home, and may be too late to be imported: that says nothing of the way.
                Err(error) if frame.memory.is_wanted_back() && self.ways[way].capabilities().zero_copy => {
                    log::debug!("{error}");
                    (from, has_stepped) = (way + 1, true);
                }
                Err(error @ InteropError::NotNow { .. }) => {
                    let it = objection(&error);
                    gave_up = Some((way, it.reason.clone()));
                    self.known[index].verdicts.object(way, it, wanted.now);
                }
                Err(error) => {
                    // Whatever comes next begins from nothing.
                    self.ready[way] = None;
                    let reason = error.to_string();
                    log::debug!("{output}: {reason}");
                    match self.policy.failed(way, error.severity(), &reason) {
                        Reaction::StepAside => (from, has_stepped) = (way + 1, true),
                        Reaction::Rebuild => {}
                        Reaction::Refuse => {
                            self.known[index].verdicts.object(way, objection(&error), wanted.now);
                            gave_up = Some((way, reason));
                        }
                        Reaction::GiveUp(reason) => gave_up = Some((way, reason)),
                        Reaction::DropFrame => return Made::Lost,
                        Reaction::SkipItem(why) => return Made::GaveUp(why),
                    }
                }
            }
        }
    }

    /// The newest frame is on the screen, or on its way there.
    pub fn seen(&mut self, way: Way) {
        // The configuration of the newest frame is the last.
        if let Some(it) = self.known.last_mut() {
            it.verdicts.seen(way.place);
        }
    }

    /// The screen did not take the newest frame in the form that `way` gave it: that way is given up for such frames, or
    /// rests, if it has shown such frames before. One that came too late, its memory being wanted back, says nothing of the
    /// others, and takes the next way alone.
    pub fn refused(&mut self, way: Way, reason: &str, came_late: bool, now: MonoTime) {
        if came_late {
            self.skip = way.place + 1;
            return;
        }
        if let Some(it) = self.known.last_mut() {
            it.verdicts.object(way.place, Objection { reason: reason.to_owned(), passes: false }, now);
        }
        self.refusal = Some((way.place, reason.to_owned()));
    }

    /// The frame's drawing has been submitted, or it is with the screen.
    pub fn release(&mut self, renderable: Renderable, way: Way) {
        if let Some(it) = self.ways.get_mut(way.place) {
            it.release_frame(renderable);
        }
    }

    fn try_way(
        &mut self,
        way: usize,
        frame: &VideoFrame,
        stats: &mut PlayStats,
    ) -> Result<Option<Renderable>, InteropError> {
        let (interop, ready) = (&mut self.ways[way], &mut self.ready[way]);
        if *ready != Some(frame.format) {
            interop.init(&frame.format).inspect_err(|_| stats.submit_failed += 1)?;
            *ready = Some(frame.format);
        }
        interop.submit_decoded_frame(frame.clone()).inspect_err(|_| stats.submit_failed += 1)?;
        let renderable = interop.acquire_renderable_frame().inspect_err(|_| stats.acquire_failed += 1)?;
        stats.submit_ok += 1;
        self.scans_out[way] |= renderable.as_ref().is_some_and(|it| it.sampling == Sampling::Scanout);
        Ok(renderable)
    }

    /// Before the first picture nothing can be late, so the ways behind its own find out now what takes them long.
    fn begin(&mut self, way: usize, format: &VideoFormat) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.ways.iter_mut().skip(way + 1).for_each(|it| it.prepare(format));
        }
    }

    /// The place of the frame's configuration among the known ones: the last.
    fn know(&mut self, frame: &VideoFrame, wanted: &Wanted) -> usize {
        let (format, layout) = (frame.format, Layout::of(&frame.memory));
        let configuration = Configuration { format, layout, place: wanted.place, refresh: wanted.refresh };
        match self.known.iter().position(|it| it.configuration == configuration) {
            Some(place) if place + 1 == self.known.len() => return place,
            Some(place) => self.known[place..].rotate_left(1),
            None => {
                if self.known.len() == KNOWN {
                    self.known.remove(0);
                }
                self.known.push(Known { configuration, verdicts: Verdicts::default(), told: None });
            }
        }
        // Another configuration has another reason for its way.
        self.used = None;
        self.known.len() - 1
    }

    /// Says once that frames take another way, and why.
    fn tell(
        &mut self,
        output: &str,
        index: usize,
        way: usize,
        has_stepped: bool,
        gave_up: Option<(usize, String)>,
        stats: &mut PlayStats,
    ) {
        let (to, was_given_up) = (self.policy.name(way), gave_up.is_some());
        if let Some((from, reason)) = gave_up {
            let from = self.policy.name(from);
            log::warn!("{output}: {from} gave up: {reason}; using {to} from here on");
            stats.fell_back(Fallback { from: from.to_owned(), to: to.to_owned(), reason });
        } else if self.used == Some(way) || has_stepped {
            // The next frame may well take the way before.
            return;
        }
        self.used = Some(way);
        let known = &mut self.known[index];
        self.reason = self.policy.reason(way, &known.verdicts);
        let before = known.told.replace(way);
        let is_told = before == Some(way) || was_given_up;
        let reason = self.reason.as_deref().unwrap_or("there is no such backend here");
        let is_news = self.policy.is_downgrade(way) && !std::mem::replace(&mut self.is_downgrade_told, true);
        if is_news && !was_given_up {
            log::warn!("{output}: not zero-copy, though it was asked for: {reason}; using {to}");
            let reason = reason.to_owned();
            stats.fell_back(Fallback { from: "zero_copy".to_owned(), to: to.to_owned(), reason });
        } else if let (false, Some(reason)) = (is_told, &self.reason) {
            log::info!("{output}: frames go by {to} ({reason})");
        } else if !is_told && before.is_some() {
            log::info!("{output}: frames go by {to} again");
        }
    }
}

/// What a way's error says against a configuration.
fn objection(error: &InteropError) -> Objection {
    Objection { reason: error.to_string(), passes: matches!(error, InteropError::NotNow { .. }) }
}
