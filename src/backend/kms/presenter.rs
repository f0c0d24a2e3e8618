//! One output, as the pipeline sees it: what is acquired, committed and reported.
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::{Bound, RangeBounds};
use std::rc::Rc;
use std::time::Duration;

use drm::control::Device as _;

use crate::backend::kms::KmsRequest;
use crate::backend::kms::bring_up::Up;
use crate::backend::kms::buffers::ScanoutBuffer;
use crate::backend::kms::device::{Device, FlipEvent};
use crate::backend::kms::errors::{self, NAME, device};
use crate::backend::kms::hotplug::Connection;
use crate::backend::kms::planes::{PlaneFrame, PlaneInterop, Planes};
use crate::backend::kms::saved::SavedState;
use crate::backend::kms::trouble::Trouble;
use crate::backend::kms::writeback::Writeback;
use crate::base::format::Size;
use crate::base::time::{MonoTime, nanos_of};
use crate::logic::redraw::{NotNow, Phase, Redraw};
use crate::seam::presenter::{DisplayMode, Layer, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId};
use crate::seam::wait::Waitable;
use crate::sys::kms::AtomicRequest;

/// A commit this close to a vblank misses it, as display hardware latches some lines ahead.
const COMMIT_LEAD: Duration = Duration::from_micros(200);

/// What most displays are; said while there is none.
const GUESSED_SIZE: Size = Size::new(1920, 1080);
const GUESSED_REFRESH_HZ: f64 = 60.0;

/// Room for what happens between two polls; beyond it nothing is told twice anyway.
const MAX_EVENTS: usize = 8;

/// One output. See the module's text. Lives on the present thread.
#[derive(Debug)]
pub struct KmsPresenter {
    /// Its buffers are dropped before the device, and after `drop` has put back what was there before.
    pub(super) redraw: Redraw<ScanoutBuffer, PlaneFrame>,
    /// Its planes, when they show frames; the interop of this output asks them too.
    pub(super) planes: Rc<RefCell<Planes>>,
    pub(super) up: Option<Up>,
    pub(super) saved: Vec<SavedState>,
    pub(super) device: Rc<Device>,
    /// Its row at the device.
    pub(super) slot: usize,
    /// The connector asked for; `None`: whichever has a display.
    pub(super) wanted: Option<String>,
    /// The connector it is on, or was last.
    pub(super) name: String,
    pub(super) wish: KmsRequest,
    pub(super) film_rate: Option<f64>,
    pub(super) mode: DisplayMode,
    pub(super) events: VecDeque<PresentEvent>,
    /// Kept from frame to frame for its memory.
    pub(super) request: AtomicRequest,
    /// The user wants the display on.
    pub(super) wants_power: bool,
    /// Something was shown since the display was connected: the mode stays.
    pub(super) has_shown: bool,
    /// Whether there is a display.
    pub(super) connection: Connection,
    /// As of this the output was looked at last.
    pub(super) seen_regained: u64,
    /// Where vblanks are, as far as we know: one of them.
    pub(super) last_vblank: Option<MonoTime>,
    last_sequence: u64,
    pub(super) committed_at: MonoTime,
    pub(super) trouble: Trouble,
}

impl KmsPresenter {
    /// Brings the output up, if a display is connected.
    pub(super) fn open(
        device: &Rc<Device>,
        slot: usize,
        wanted: Option<String>,
        wish: &KmsRequest,
        now: MonoTime,
    ) -> Result<Self, PresentError> {
        let guessed_hz = wish.refresh_hz.filter(|it| *it >= 1.0).unwrap_or(GUESSED_REFRESH_HZ);
        let mut presenter = Self {
            redraw: Redraw::default(),
            planes: Rc::new(RefCell::new(Planes::new(device, slot))),
            up: None,
            saved: Vec::new(),
            device: Rc::clone(device),
            slot,
            name: wanted.clone().unwrap_or_else(|| NAME.to_owned()),
            connection: Connection::new(device, wanted.as_deref(), now),
            wanted,
            wish: wish.clone(),
            film_rate: None,
            mode: DisplayMode {
                size: wish.size.unwrap_or(GUESSED_SIZE),
                refresh: Duration::from_secs_f64(1.0 / guessed_hz),
            },
            events: VecDeque::with_capacity(MAX_EVENTS),
            request: AtomicRequest::new(),
            wants_power: true,
            has_shown: false,
            seen_regained: device.regained(),
            last_vblank: None,
            last_sequence: 0,
            committed_at: now,
            trouble: Trouble::new(),
        };
        presenter.bring_up_first()?;
        Ok(presenter)
    }

    /// Its card.
    pub fn device(&self) -> &Rc<Device> {
        &self.device
    }

    /// The state of its redraw loop, by name.
    pub fn phase(&self) -> Phase {
        self.redraw.phase()
    }

    pub(super) fn writeback(&mut self) -> Option<&mut Writeback> {
        self.up.as_mut()?.writeback.as_mut()
    }

    pub(super) fn tell(&mut self, event: PresentEvent) {
        if let PresentEvent::ModeChanged(_) | PresentEvent::Disconnected = event {
            // Only the last one matters.
            self.events.retain(|it| !matches!(it, PresentEvent::ModeChanged(_) | PresentEvent::Disconnected));
        }
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    /// "plane": shows frames as they are on this output.
    pub fn plane_interop(&self) -> PlaneInterop {
        let widths = self.device.card().resource_handles().map(|it| it.supported_fb_width().end_bound().cloned());
        let max_size = match widths {
            Ok(Bound::Included(it)) => it,
            Ok(Bound::Excluded(it)) => it.saturating_sub(1),
            // Unknown: the kernel will say.
            Ok(Bound::Unbounded) | Err(_) => u32::MAX,
        };
        PlaneInterop::new(&self.planes, max_size)
    }

    /// Whether the next commit sets the mode.
    fn tell_planes(&self) {
        let phase = self.redraw.phase();
        self.planes.borrow_mut().is_dark = !matches!(phase, Phase::Idle | Phase::Drawing | Phase::WaitingForFlip);
    }

    pub(super) fn refusal(&self, why: NotNow) -> PresentError {
        match why {
            NotNow::Busy => PresentError::Busy,
            NotNow::NoDisplay => PresentError::NoDisplay { screen: self.name.clone() },
            NotNow::Lost => errors::lost(&self.name, "waiting for it to let go"),
            NotNow::NothingDrawn => self.misuse(),
        }
    }

    pub(super) fn misuse(&self) -> PresentError {
        device(&self.name, "present", "the target is not the one that was acquired")
    }

    /// The vblank after `now`, on the grid of those we know.
    pub(super) fn next_tick(&self, now: MonoTime) -> MonoTime {
        let refresh = nanos_of(self.mode.refresh).max(1);
        let origin = self.last_vblank.unwrap_or(now);
        let since = (now + COMMIT_LEAD).delta_nanos(origin).max(0);
        origin.offset_by((since / refresh + 1).saturating_mul(refresh))
    }

    /// What the kernel said of the pending flip.
    fn take_flip(&mut self, now: MonoTime) -> Option<PresentEvent> {
        let vblank = match self.device.take_flip(self.slot) {
            // A modeset may be done before the first vblank of its mode (vkms); it says when one was before. What was
            // committed is visible from the next one on.
            Some(early) if early.at <= self.committed_at && self.redraw.is_flipping() => {
                let up = self.up.as_mut()?;
                up.checksums.is_on(&self.device);
                match self.device.ask_for_vblank(up.pipe.crtc()) {
                    Ok(()) => return None,
                    Err(_) => FlipEvent { at: now, ..early },
                }
            }
            Some(flip) => flip,
            None => self.device.take_vblank(self.slot)?,
        };
        self.trouble.flip_reported();
        let sequence = self.widen(vblank.sequence);
        // Drivers give the end of the blanking, which is a little ahead of the event; vkms, when its timer is late, the
        // vblank after. Nothing is reported before it was shown.
        self.flipped(vblank.at.min(now), Some(sequence))
    }

    /// A flip is done, at that vblank.
    fn flipped(&mut self, at: MonoTime, sequence: Option<u64>) -> Option<PresentEvent> {
        let id = self.redraw.flipped()?;
        if let Some(up) = &mut self.up {
            up.checksums.flipped(&self.device, id, sequence);
        }
        self.last_vblank = Some(at);
        log::trace!("{}: {id:?} at {} us, vblank {sequence:?}", self.name, at.nanos() / 1000);
        Some(PresentEvent::Presented { id, at, sequence })
    }

    /// The kernel's 32-bit count, going on after it wraps (at 60 Hz, every two years).
    fn widen(&mut self, sequence: u32) -> u64 {
        let step = sequence.wrapping_sub(self.last_sequence as u32);
        self.last_sequence += u64::from(step);
        self.last_sequence
    }
}

impl Presenter for KmsPresenter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn output(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> DisplayMode {
        self.mode
    }

    fn acquire(&mut self, _now: MonoTime) -> Result<Option<RenderTarget>, PresentError> {
        match self.redraw.acquire() {
            Ok(buffer) => Ok(Some(buffer.target())),
            Err(NotNow::Busy) => Ok(None),
            Err(why) => Err(self.refusal(why)),
        }
    }

    fn present(&mut self, now: MonoTime, layer: Layer) -> Result<SubmissionId, PresentError> {
        let presented = match layer {
            Layer::Composed(target) => self.present_drawn(now, &target),
            Layer::Plane(picture) => self.present_frame(now, picture),
        };
        self.tell_planes();
        presented
    }

    fn poll(&mut self, now: MonoTime) -> Result<Option<PresentEvent>, PresentError> {
        self.device.pump();
        self.device.hear(now);
        // Before the next flip, which ends what they are of.
        if let Some((id, checksum)) = self.up.as_mut().and_then(|it| it.checksums.poll()) {
            return Ok(Some(PresentEvent::Checked { id, checksum }));
        }
        if let Some(event) = self.take_flip(now) {
            return Ok(Some(event));
        }
        if self.redraw.is_flipping() && self.trouble.overdue(self.committed_at) < now {
            self.trouble.flip_forgotten(&self.name);
            if let Some(event) = self.flipped(now, None) {
                return Ok(Some(event));
            }
        }
        if let Some((id, at)) = self.redraw.tick(now) {
            return Ok(Some(PresentEvent::Presented { id, at, sequence: None }));
        }
        let (refresh, is_flipping) = (self.mode.refresh, self.redraw.is_flipping());
        if let Some(id) = self.writeback().and_then(|it| it.poll(now, refresh, is_flipping)) {
            return Ok(Some(PresentEvent::Captured { id }));
        }
        self.settle(now);
        self.tell_planes();
        Ok(self.events.pop_front())
    }

    fn deadline(&self) -> Option<MonoTime> {
        // Another output's poll may have read our event, which then waits here and not in the descriptor.
        let waiting = self.device.news_since(self.slot);
        let overdue = self.redraw.is_flipping().then(|| self.trouble.overdue(self.committed_at));
        let news = if self.events.is_empty() { None } else { Some(self.committed_at) };
        let reading = self.up.as_ref().and_then(|it| it.writeback.as_ref()).and_then(Writeback::deadline);
        let master = self.device.master_retry_at();
        let waits = [waiting, self.redraw.tick_at(), master, overdue, news, reading, self.follows_at()];
        waits.into_iter().flatten().min()
    }

    fn waitable(&self) -> Waitable<'_> {
        self.device.waitable()
    }

    fn is_gone(&self) -> bool {
        self.device.is_gone()
    }

    fn prefer_rate(&mut self, frames_per_second: f64) {
        if self.film_rate != Some(frames_per_second) {
            self.film_rate = Some(frames_per_second);
            if !self.has_shown && !self.redraw.is_flipping() {
                self.choose_again();
            }
        }
    }

    fn capture_next(&mut self) -> bool {
        self.writeback().map(Writeback::want).is_some()
    }

    fn take_capture(&mut self, into: &mut Vec<u8>) -> Option<Size> {
        self.writeback()?.take(into)
    }

    fn check_next(&mut self) -> bool {
        self.up.as_mut().is_some_and(|it| it.checksums.want(&self.device))
    }

    fn set_power(&mut self, on: bool) -> Result<(), PresentError> {
        self.wants_power = on;
        self.settle_power()
    }
}

impl Drop for KmsPresenter {
    fn drop(&mut self) {
        self.put_back();
        // Before the device that made them.
        drop(self.redraw.take_all());
        self.planes.borrow_mut().end();
    }
}
