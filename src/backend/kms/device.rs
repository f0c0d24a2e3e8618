//! One card, shared by the presenters of its outputs.
use std::cell::{Cell, Ref, RefCell};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use drm::control::{Device as _, Event, crtc, plane};
use drm::{Device as _, VblankWaitFlags, VblankWaitTarget};

use crate::backend::kms::cards::ChosenCard;
use crate::backend::kms::connectors::{Connector, Lens, Topology};
use crate::backend::kms::ears::Ears;
use crate::backend::kms::errors::{NAME, device, unavailable};
use crate::backend::kms::master::Master;
use crate::backend::kms::uevent::UeventSocket;
use crate::base::time::MonoTime;
use crate::logic::outputs::{CrtcWish, assign_crtcs, draws_on_cpu};
use crate::seam::presenter::PresentError;
use crate::seam::wait::Waitable;
use crate::sys::egl::{self, Display, NativeFences};
use crate::sys::gl::{self, Api};
use crate::sys::kms::Card;
use crate::sys::poll_set::PollSet;

/// How often a card that is gone is looked at: nothing of it will ever fire again.
const GONE_INTERVAL: Duration = Duration::from_secs(1);

/// The kernel's word that a flip is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlipEvent {
    /// The vblank.
    pub at: MonoTime,
    /// Counted by the CRTC; wraps.
    pub sequence: u32,
}

/// An output's place on the card.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its CRTC.
    pub crtc: crtc::Handle,
    /// That CRTC's primary plane.
    pub plane: plane::Handle,
}

/// An output's row: what it has, and what the kernel said to it.
#[derive(Debug, Default)]
struct Slot {
    route: Option<Route>,
    flip: Option<FlipEvent>,
    vblank: Option<FlipEvent>,
    /// Overlays it uses, now or next.
    overlays: Vec<plane::Handle>,
}

/// See the module's text. Fields are dropped in order: the context before the memory it draws into, the card last.
#[derive(Debug)]
pub struct Device {
    gl: Rc<gl::Context>,
    display: Display,
    fences: RefCell<Option<NativeFences>>,
    gbm: gbm::Device<Rc<Card>>,
    slots: RefCell<Vec<Slot>>,
    pub(super) topology: RefCell<Topology>,
    pub(super) master: Cell<Master>,
    /// Counts the times we became master again.
    pub(super) regained: Cell<u64>,
    is_gone: Cell<bool>,
    pub(super) waits: PollSet,
    pub(super) lens: RefCell<Option<Rc<dyn Lens>>>,
    pub(super) card: Rc<Card>,
    /// Last: the screen's other user draws on it as soon as our turn is over.
    pub(super) ears: RefCell<Ears>,
}

impl Device {
    /// Makes the GL context on a card, current on this thread.
    pub fn open(chosen: ChosenCard, uevents: Option<UeventSocket>) -> Result<Rc<Self>, PresentError> {
        let ChosenCard { card, driver, topology } = chosen;
        let node = card.path().display().to_string();
        let no_gl = |what: &str, reason: String| {
            unavailable(
                format!("{node}: no {what}: {reason}"),
                "install Mesa's drivers (libgbm1, libegl1, libgl1-mesa-dri)",
            )
        };
        let gbm = gbm::Device::new(Rc::clone(&card)).map_err(|it| no_gl("GBM", it.to_string()))?;
        let display = Display::of_gbm(&gbm).map_err(|it| no_gl("EGL on GBM", it.to_string()))?;
        let config = display.choose_config(Api::Gles3, false, None).map_err(|it| no_gl("EGL", it.to_string()))?;
        let egl = egl::Context::new(&display, config, Api::Gles3).map_err(|it| no_gl("GL context", it.to_string()))?;
        let gl = gl::Context::new(egl).map_err(|it| no_gl("GL", it.to_string()))?;
        let renderer = gl.renderer();
        if draws_on_cpu(&driver, renderer) {
            log::warn!(
                "{node}: {renderer} draws on the CPU, which is too slow for films; install the GPU's Mesa driver, and put \
                 the user into the group render"
            );
        }
        let fences = NativeFences::new(&display);
        let waits = PollSet::new([(std::os::fd::AsRawFd::as_raw_fd(&card.as_fd()), libc::POLLIN)])
            .map_err(|it| device(NAME, "epoll", it))?;
        let ears = Ears::new(uevents, &card);
        for fd in ears.wakes_by().into_iter().flatten() {
            waits.watch(fd).map_err(|it| device(NAME, "epoll", it))?;
        }
        Ok(Rc::new(Self {
            gl,
            display,
            fences: RefCell::new(fences),
            gbm,
            slots: RefCell::new(Vec::new()),
            topology: RefCell::new(topology),
            master: Cell::new(Master::Held),
            regained: Cell::new(0),
            is_gone: Cell::new(false),
            waits,
            lens: RefCell::new(None),
            card,
            ears: RefCell::new(ears),
        }))
    }

    /// The GL context of all outputs.
    pub fn gl(&self) -> &Rc<gl::Context> {
        &self.gl
    }

    /// The EGL display it is on.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// Where buffers come from.
    pub fn gbm(&self) -> &gbm::Device<Rc<Card>> {
        &self.gbm
    }

    /// The card.
    pub fn card(&self) -> &Rc<Card> {
        &self.card
    }

    /// What is on it, as of the last `look`.
    pub fn topology(&self) -> Ref<'_, Topology> {
        self.topology.borrow()
    }

    /// Makes a row for each output wanted (`None`: whichever has a display), and finds CRTCs for those that are named, so
    /// that they can all be on at once.
    pub fn reserve(&self, wanted: &[String]) -> Result<Vec<Option<String>>, PresentError> {
        let topology = self.topology.borrow();
        let mut slots = self.slots.borrow_mut();
        if wanted.is_empty() {
            slots.push(Slot::default());
            return Ok(vec![None]);
        }
        let named = |name: &String| topology.displays().find(|it| it.name == *name);
        let wishes: Vec<CrtcWish> = wanted.iter().filter_map(named).map(|it| it.wish).collect();
        let crtcs = assign_crtcs(&wishes, 0).ok_or_else(|| {
            let what = format!("{}: this card cannot drive them all at once", wanted.join(", "));
            unavailable(what, "name fewer outputs with --output")
        })?;
        for index in crtcs {
            let taken: Vec<plane::Handle> = slots.iter().filter_map(|it| it.route).map(|it| it.plane).collect();
            slots.push(Slot { route: route(&topology, index, &taken), ..Slot::default() });
        }
        Ok(wanted.iter().cloned().map(Some).collect())
    }

    /// The CRTC and plane of an output on `connector`: those it has, if they can drive it, else others that are free.
    pub fn route(&self, slot: usize, connector: &Connector) -> Option<Route> {
        let topology = self.topology.borrow();
        let mut slots = self.slots.borrow_mut();
        let present = slots.get(slot)?.route;
        if let Some(it) = present.filter(|it| connector.wish.possible & topology.crtc_bit(it.crtc) != 0) {
            return Some(it);
        }
        let others = || slots.iter().enumerate().filter(|(index, _)| *index != slot).filter_map(|(_, it)| it.route);
        let taken = others().fold(0, |all, it| all | topology.crtc_bit(it.crtc));
        let planes: Vec<plane::Handle> = others().map(|it| it.plane).collect();
        let index = assign_crtcs(&[connector.wish], taken)?.first().copied()?;
        let found = route(&topology, index, &planes);
        slots.get_mut(slot)?.route = found;
        found
    }

    /// CRTCs and planes of the other outputs, which are not ours to switch off.
    pub fn is_others(&self, slot: usize, crtc: crtc::Handle) -> bool {
        self.slots
            .borrow()
            .iter()
            .enumerate()
            .any(|(index, it)| index != slot && it.route.is_some_and(|it| it.crtc == crtc))
    }

    /// An overlay is the output's, until it gives all up.
    pub fn claim(&self, slot: usize, overlay: plane::Handle) {
        if let Some(it) = self.slots.borrow_mut().get_mut(slot).filter(|it| !it.overlays.contains(&overlay)) {
            it.overlays.push(overlay);
        }
    }

    /// The output needs its overlays no more.
    pub fn unclaim(&self, slot: usize) {
        if let Some(it) = self.slots.borrow_mut().get_mut(slot) {
            it.overlays.clear();
        }
    }

    /// Whether the output claimed the overlay.
    pub fn claims(&self, slot: usize, overlay: plane::Handle) -> bool {
        self.slots.borrow().get(slot).is_some_and(|it| it.overlays.contains(&overlay))
    }

    /// Whether another output has the plane.
    pub fn has_other(&self, slot: usize, plane: plane::Handle) -> bool {
        let slots = self.slots.borrow();
        let mut others = slots.iter().enumerate().filter(|(index, _)| *index != slot).map(|it| it.1);
        others.any(|it| it.overlays.contains(&plane) || it.route.is_some_and(|it| it.plane == plane))
    }

    /// Reads what the kernel has to say and keeps it for those it concerns. Never waits.
    pub fn pump(&self) {
        if self.is_gone.get() {
            return;
        }
        let events = match self.card.receive_events() {
            Ok(events) => events,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return;
            }
            // Level-triggered: a descriptor that only ever fails would keep the present thread spinning.
            Err(error) => return self.lose(Some(&error)),
        };
        for event in events {
            let (crtc, time, sequence, is_flip) = match event {
                Event::PageFlip(it) => (it.crtc, it.duration, it.frame, true),
                Event::Vblank(it) => (it.crtc, it.time, it.frame, false),
                Event::Unknown(_) => continue,
            };
            let at = MonoTime::from_nanos(u64::try_from(time.as_nanos()).unwrap_or(0));
            let mut slots = self.slots.borrow_mut();
            if let Some(slot) = slots.iter_mut().find(|it| it.route.is_some_and(|it| it.crtc == crtc)) {
                let place = if is_flip { &mut slot.flip } else { &mut slot.vblank };
                *place = Some(FlipEvent { at, sequence });
            }
        }
    }

    /// The card is gone for good; says so once.
    pub(super) fn lose(&self, why: Option<&io::Error>) {
        if !self.is_gone.replace(true) {
            let why = why.map(|it| format!(": {it}")).unwrap_or_default();
            log::warn!(
                "{}: the graphics card is gone{why}; looking for it until it is back",
                self.card.path().display()
            );
        }
    }

    /// A call failed. By ENODEV the kernel says that the card is gone (`drm_dev_is_unplugged`), to who hears no uevents.
    pub(super) fn note(&self, error: &io::Error) {
        if error.raw_os_error() == Some(libc::ENODEV) {
            self.lose(Some(error));
        }
    }

    /// Asks for the time of the CRTC's next vblank (DRM_IOCTL_WAIT_VBLANK, as an event).
    pub fn ask_for_vblank(&self, crtc: crtc::Handle) -> io::Result<()> {
        let index = self.topology.borrow().crtcs.iter().position(|it| *it == crtc).unwrap_or(0);
        let index = u32::try_from(index).unwrap_or(0);
        self.card.wait_vblank(VblankWaitTarget::Relative(1), VblankWaitFlags::EVENT, index, 0).map(drop)
    }

    /// The vblank that was asked for, once.
    pub fn take_vblank(&self, slot: usize) -> Option<FlipEvent> {
        self.slots.borrow_mut().get_mut(slot)?.vblank.take()
    }

    /// The output's flip, once.
    pub fn take_flip(&self, slot: usize) -> Option<FlipEvent> {
        self.slots.borrow_mut().get_mut(slot)?.flip.take()
    }

    /// When the kernel said something to the output that it has not taken yet: another output's `poll` has read it.
    pub fn news_since(&self, slot: usize) -> Option<MonoTime> {
        let slots = self.slots.borrow();
        let slot = slots.get(slot)?;
        slot.flip.or(slot.vblank).map(|it| it.at)
    }

    /// The card is gone: unplugged, or its driver unbound.
    pub fn is_gone(&self) -> bool {
        self.is_gone.get()
    }

    /// What fires when `pump` has something to read.
    pub fn waitable(&self) -> Waitable<'_> {
        if self.is_gone.get() { Waitable::Every(GONE_INTERVAL) } else { Waitable::Fd(self.waits.as_fd()) }
    }

    /// Makes the wait end for another descriptor too, until that is closed.
    pub fn also_wait_for(&self, fd: &impl AsFd) -> io::Result<()> {
        self.waits.watch(fd.as_fd())
    }

    /// A fence the kernel waits for, after all that GL was asked so far. `None` where the driver has none.
    pub fn fence(&self) -> Option<std::os::fd::OwnedFd> {
        let mut fences = self.fences.borrow_mut();
        match fences.as_ref()?.fence(&self.gl) {
            Ok(fence) => Some(fence),
            Err(error) => {
                log::debug!("no fences for the display controller, so we wait for the GPU ourselves: {error}");
                *fences = None;
                None
            }
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // The kernel would do it at the last close; the console need not wait for that.
        if self.is_master()
            && !self.is_gone()
            && let Err(error) = self.card.release_master_lock()
        {
            log::debug!("{}: releasing the DRM master lock: {error}", self.card.path().display());
        }
    }
}

/// A CRTC by its place, with a primary plane nobody else has: the one that fits the fewest CRTCs, which is its own where
/// each has one.
fn route(topology: &Topology, index: u32, taken: &[plane::Handle]) -> Option<Route> {
    let crtc = *topology.crtcs.get(index as usize)?;
    let bit = topology.crtc_bit(crtc);
    let fitting =
        topology.planes.iter().filter(|it| it.is_primary && it.crtcs & bit != 0 && !taken.contains(&it.handle));
    let plane = fitting.min_by_key(|it| it.crtcs.count_ones())?.handle;
    Some(Route { crtc, plane })
}
