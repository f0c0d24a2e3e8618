//! Bringing an output up and down: which connector, which mode, which buffers, and what to do when any of them changes.
use std::io;
use std::rc::Rc;

use drm::control::{AtomicCommitFlags, Mode};

use crate::backend::kms::buffers::ScanoutBuffer;
use crate::backend::kms::checksums::Checksums;
use crate::backend::kms::connectors::Connector;
use crate::backend::kms::errors::{NAME, device, unavailable};
use crate::backend::kms::modes::{display_mode, facts, size};
use crate::backend::kms::pipe::Pipe;
use crate::backend::kms::planes::Planes;
use crate::backend::kms::presenter::KmsPresenter;
use crate::backend::kms::saved::SavedState;
use crate::backend::kms::writeback::Writeback;
use crate::base::time::MonoTime;
use crate::logic::mode_choice::{self, ModeFacts, ModeWish, mode_name};
use crate::logic::redraw::Phase;
use crate::seam::presenter::{PresentError, PresentEvent};
use crate::sys::kms::{AtomicRequest, PropertyBlob};

/// What an output has while a display is connected.
#[derive(Debug)]
pub struct Up {
    /// Its way to the display.
    pub pipe: Rc<Pipe>,
    /// The mode, as the kernel takes it.
    pub blob: Rc<PropertyBlob>,
    /// Reads pictures back, where the card can.
    pub writeback: Option<Writeback>,
    /// Checksums of what is on the wire, where the kernel has them.
    pub checksums: Checksums,
    mode: Mode,
    /// Everything the display can do, to notice when that changes.
    modes: Vec<Mode>,
    /// A framebuffer of the present buffers, to test modes with.
    framebuffer: u64,
}

impl Up {
    /// Everything off.
    fn take_down(&mut self, request: &mut AtomicRequest, planes: &Planes) {
        planes.hide(request);
        self.pipe.take_down(request);
        if let Some(writeback) = &mut self.writeback {
            writeback.detach(request);
        }
    }
}

impl KmsPresenter {
    /// At open: a display that does not do what was asked for is an error; no display is none.
    pub(super) fn bring_up_first(&mut self) -> Result<(), PresentError> {
        match self.find_display() {
            Some(connector) => self.bring_up(&connector),
            None => {
                self.tell(PresentEvent::Disconnected);
                Ok(())
            }
        }
    }

    /// The connector to be on, if it has a display: the one asked for, else the present one, else the first.
    fn find_display(&self) -> Option<Connector> {
        let topology = self.device.topology();
        let connected = || topology.displays().filter(|it| it.is_connected);
        let is_on = self.redraw.phase() != Phase::NoDisplay;
        let own = self.up.as_ref().filter(|_| is_on).map(|it| it.pipe.connector());
        let found = match (own, &self.wanted) {
            // One that bounces is not left for another; only one that is gone.
            (Some(own), _) => connected().find(|it| it.handle == own),
            (None, Some(name)) => connected().find(|it| it.name == *name),
            (None, None) => connected().find(|it| it.name == self.name).or_else(|| connected().next()),
        };
        found.cloned()
    }

    /// Chooses a mode, makes buffers for it and asks the hardware whether it takes them. Shows nothing yet: the first
    /// picture sets the mode.
    fn bring_up(&mut self, connector: &Connector) -> Result<(), PresentError> {
        let name = &connector.name;
        let order = self.order(connector)?;
        let route = self.device.route(self.slot, connector).ok_or_else(|| {
            unavailable(format!("{name}: no CRTC is free to drive it"), "name fewer outputs with --output")
        })?;
        let pipe = Pipe::new(&self.device, connector, route).map_err(|it| device(name, "look up properties", it))?;
        let pipe = Rc::new(pipe);
        if !self.saved.iter().any(|it| it.is_of(pipe.crtc())) {
            match SavedState::of(&self.device, &pipe) {
                Ok(saved) => self.saved.push(saved),
                Err(error) => log::warn!("{name}: cannot put it back as it was at the end: {error}"),
            }
        }
        let mut refusal = None;
        for mode in order.into_iter().filter_map(|it| connector.modes.get(it)) {
            match self.try_mode(connector, &pipe, mode) {
                Ok((blob, framebuffer, ring)) => {
                    // The same one goes on: the kernel may still be writing.
                    let same = self.up.take().filter(|it| it.pipe.crtc() == pipe.crtc()).and_then(|it| it.writeback);
                    let writeback = same.or_else(|| Writeback::of(&self.device, &pipe));
                    let (modes, checksums) = (connector.modes.clone(), Checksums::of(&self.device, pipe.crtc()));
                    let (pipe, blob) = (Rc::clone(&pipe), Rc::new(blob));
                    let up = Up { pipe, blob, writeback, checksums, mode: *mode, modes, framebuffer };
                    self.take_mode(connector, up, ring);
                    return Ok(());
                }
                Err(error) => {
                    log::info!("{name}: the hardware refuses {}: {error}", mode_name(&facts(mode)));
                    refusal.get_or_insert(error);
                }
            }
        }
        let refusal = refusal.unwrap_or_else(|| io::ErrorKind::NotFound.into());
        Err(device(name, "find a mode that the hardware takes", refusal))
    }

    /// The display's modes, best first.
    fn order(&self, connector: &Connector) -> Result<Vec<usize>, PresentError> {
        let modes: Vec<ModeFacts> = connector.modes.iter().map(facts).collect();
        let wish = ModeWish { size: self.wish.size, refresh_hz: self.wish.refresh_hz, film_rate: self.film_rate };
        match mode_choice::choose(&modes, &wish) {
            Ok(order) => Ok(order),
            Err(error) if self.has_run() => {
                // Another display than the one the wish was made for: better any picture than none.
                log::warn!("{}: {error}; taking what it prefers", connector.name);
                let wish = ModeWish { film_rate: self.film_rate, ..ModeWish::default() };
                mode_choice::choose(&modes, &wish).map_err(|it| device(&connector.name, "choose a mode", it))
            }
            Err(error) => {
                let advice = "name one of those with --size, or leave it out for what the display prefers";
                Err(unavailable(format!("{}: {error}", connector.name), advice))
            }
        }
    }

    /// Whether the output was ever up.
    fn has_run(&self) -> bool {
        !self.saved.is_empty()
    }

    /// Asks the hardware, with buffers of the mode's size: those we have, if they fit, else a new ring of them.
    fn try_mode(
        &mut self,
        connector: &Connector,
        pipe: &Pipe,
        mode: &Mode,
    ) -> io::Result<(PropertyBlob, u64, Option<Vec<ScanoutBuffer>>)> {
        let wanted = size(mode);
        let fitting = self.up.as_ref().filter(|it| it.pipe.plane() == pipe.plane() && size(&it.mode) == wanted);
        let (framebuffer, ring) = match fitting {
            Some(up) => (up.framebuffer, None),
            None => {
                let formats = self
                    .device
                    .topology()
                    .planes
                    .iter()
                    .find(|it| it.handle == pipe.plane())
                    .map(|it| it.formats.clone());
                let ring = ScanoutBuffer::ring(&self.device, wanted, &formats.unwrap_or_default())?;
                (ring.first().map_or(0, ScanoutBuffer::framebuffer), Some(ring))
            }
        };
        let blob = PropertyBlob::of_mode(self.device.card(), mode)?;
        self.request.clear();
        pipe.set_mode(&mut self.request, blob.id());
        pipe.show(&mut self.request, framebuffer, wanted);
        pipe.clear_others(&self.device, self.slot, [None; 2], &mut self.request)?;
        let flags = AtomicCommitFlags::TEST_ONLY | AtomicCommitFlags::ALLOW_MODESET;
        match self.request.commit(self.device.card(), flags) {
            Ok(_) => {}
            // Whoever has the card now will give it back; the first real commit asks again.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EACCES | libc::EPERM)) && self.has_run() => {
                log::debug!("{}: {error}", connector.name);
            }
            Err(error) => return Err(error),
        }
        Ok((blob, framebuffer, ring))
    }

    fn take_mode(&mut self, connector: &Connector, up: Up, ring: Option<Vec<ScanoutBuffer>>) {
        self.mode = display_mode(&up.mode);
        log::info!("{}: {}", connector.name, mode_name(&facts(&up.mode)));
        self.name.clone_from(&connector.name);
        match ring {
            Some(ring) => drop(self.redraw.connect(ring)),
            None => self.redraw.reconnect(),
        }
        self.planes.borrow_mut().enter(&up.pipe, &up.blob, self.mode.size);
        self.up = Some(up);
        if !self.device.is_master() {
            self.redraw.lose();
        }
    }

    /// The film is known now, or the display offers other modes: takes the best again. Keeps what there is on an error.
    pub(super) fn choose_again(&mut self) {
        let Some(connector) = self.find_display() else { return };
        let Some(up) = &self.up else { return };
        let best = self.order(&connector).ok().and_then(|it| it.first().copied());
        let is_same =
            up.pipe.connector() == connector.handle && best.and_then(|it| connector.modes.get(it)) == Some(&up.mode);
        if is_same {
            return;
        }
        let before = self.mode;
        match self.bring_up(&connector) {
            Ok(()) if self.mode != before => self.tell(PresentEvent::ModeChanged(self.mode)),
            Ok(()) => {}
            Err(error) => log::warn!("{error}"),
        }
    }

    /// The display is gone.
    pub(super) fn take_down(&mut self) {
        if !self.redraw.disconnect() {
            return;
        }
        if let Some(up) = &mut self.up {
            self.request.clear();
            up.take_down(&mut self.request, &self.planes.borrow());
            let flags = AtomicCommitFlags::NONBLOCK | AtomicCommitFlags::ALLOW_MODESET;
            if let Err(error) = self.request.commit(self.device.card(), flags) {
                log::debug!("{}: switching a disconnected output off: {error}", self.name);
            }
        }
        self.planes.borrow_mut().leave();
        self.has_shown = false;
        self.last_vblank = None;
        self.tell(PresentEvent::Disconnected);
    }

    /// Does what could not be done while a flip was pending, or what has come to be known since.
    pub(super) fn settle(&mut self, now: MonoTime) {
        self.device.regain_master(now);
        if self.redraw.is_flipping() {
            return;
        }
        if self.device.is_gone() {
            if self.redraw.phase() != Phase::NoDisplay {
                self.take_down();
            }
            return;
        }
        self.tell_whose_turn_it_is();
        if !self.device.is_master() {
            self.redraw.lose();
        }
        self.follow(now);
        if self.seen_regained != self.device.regained() {
            self.seen_regained = self.device.regained();
            self.redraw.regain();
            // Whoever had the card may have left anything behind.
            self.redraw.need_modeset();
            if self.redraw.phase() != Phase::NoDisplay {
                self.tell(PresentEvent::ModeChanged(self.mode));
            }
        }
        if let Err(error) = self.settle_power() {
            log::warn!("{error}");
        }
    }

    /// Compares the output with what is connected now.
    pub(super) fn reconcile(&mut self) {
        let is_up = self.redraw.phase() != Phase::NoDisplay;
        let Some(display) = self.find_display() else {
            if is_up {
                self.take_down();
            }
            return;
        };
        if is_up {
            let moved = self.up.as_ref().is_some_and(|it| it.pipe.connector() != display.handle);
            let changed = self.up.as_ref().is_some_and(|it| it.modes != display.modes);
            if moved {
                self.take_down();
            } else {
                if changed {
                    self.choose_again();
                    if let Some(up) = &mut self.up {
                        up.modes.clone_from(&display.modes);
                    }
                }
                return;
            }
        }
        match self.bring_up(&display) {
            Ok(()) => self.tell(PresentEvent::ModeChanged(self.mode)),
            Err(error) => log::warn!("{error}"),
        }
    }

    /// Makes the display's power what is wanted, if that can be done now.
    pub(super) fn settle_power(&mut self) -> Result<(), PresentError> {
        let is_off = self.redraw.phase() == Phase::SwitchedOff;
        match (self.wants_power, is_off) {
            (true, true) => {
                self.redraw.switch_on();
                self.tell(PresentEvent::ModeChanged(self.mode));
            }
            // Dark too: a picture of before may still be there.
            (false, false) if matches!(self.redraw.phase(), Phase::Dark | Phase::Idle | Phase::Drawing) => {
                let Some(up) = &self.up else { return Ok(()) };
                self.request.clear();
                // What shows a frame lets go of it: its decoder may want the memory back before the display is on again.
                let mut planes = self.planes.borrow_mut();
                if planes.is_shown() {
                    planes.hide(&mut self.request);
                    up.pipe.hide(&mut self.request);
                }
                up.pipe.switch_off(&mut self.request);
                let flags = AtomicCommitFlags::NONBLOCK | AtomicCommitFlags::ALLOW_MODESET;
                match self.request.commit(self.device.card(), flags) {
                    Ok(_) => {
                        planes.committed(None);
                        self.redraw.switch_off();
                    }
                    // The next poll tries again.
                    Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
                    Err(error) => return Err(device(&self.name, "switch the display off", error)),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// At the end: the outputs as they were before us.
    pub(super) fn put_back(&mut self) {
        if !self.device.is_master() || self.device.is_gone() {
            return;
        }
        let card = self.device.card();
        for saved in self.saved.iter().rev() {
            if let Err(error) = saved.restore(card, &self.planes.borrow()) {
                log::debug!("{NAME}: {}: putting back what was shown before: {error}", self.name);
                // What cannot be put back is switched off: our picture is about to go.
                if let Some(up) = &mut self.up {
                    self.request.clear();
                    up.take_down(&mut self.request, &self.planes.borrow());
                    if let Err(error) = self.request.commit(card, AtomicCommitFlags::ALLOW_MODESET) {
                        log::debug!("{NAME}: {}: switching it off: {error}", self.name);
                    }
                }
            }
        }
    }
}
