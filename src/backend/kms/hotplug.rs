//! Displays that come and go under an output: [`crate::logic::hotplug`] decides, here it is looked and done.
use std::io;
use std::rc::Rc;

use drm::control::connector;

use crate::backend::kms::connectors::{Connector, Lens};
use crate::backend::kms::device::Device;
use crate::backend::kms::presenter::KmsPresenter;
use crate::base::time::MonoTime;
use crate::logic::backoff::Backoff;
use crate::logic::hotplug::{Depth, Hotplug, Input, Output, Scan};
use crate::logic::redraw::Phase;
use crate::seam::presenter::PresentEvent;

/// What an output knows of its connection.
#[derive(Debug)]
pub struct Connection {
    machine: Hotplug,
    /// Which connector was listened for, and how much had been said of it.
    heard: (Option<connector::Handle>, u64),
    /// For a display that is there and could not be shown on.
    again: Backoff,
    /// It was said that the screen is another's for now.
    told_away: bool,
}

impl Connection {
    /// As the output was found.
    pub fn new(device: &Device, wanted: Option<&str>, now: MonoTime) -> Self {
        let topology = device.topology();
        let concerned = || topology.displays().filter(|it| wanted.is_none_or(|name| it.name == name));
        let found = best_of(concerned());
        let connector = wanted.and_then(|_| concerned().next()).map(|it| it.handle);
        let heard = (connector, device.hints(connector));
        Self { machine: Hotplug::new(now, found, device.has_uevents()), heard, again: Backoff::new(), told_away: false }
    }
}

impl Device {
    /// Looks again at what is connected to the card, or to one of its connectors. A `Probe` takes as long as the displays
    /// take to answer.
    pub fn look(&self, only: Option<connector::Handle>, depth: Depth) -> io::Result<()> {
        let mut topology = self.topology.borrow_mut();
        topology.look(&self.card, only, depth)?;
        if let Some(lens) = self.lens.borrow().as_ref() {
            topology.connectors.iter_mut().for_each(|it| lens.bend(it));
        }
        Ok(())
    }

    /// Looks through a lens from now on, as if a uevent had said that something has changed.
    pub fn look_through(&self, lens: Rc<dyn Lens>) {
        *self.lens.borrow_mut() = Some(lens);
        self.ears.borrow_mut().hint();
    }
}

/// The readiest of some connectors.
fn best_of<'a>(connectors: impl Iterator<Item = &'a Connector>) -> Scan {
    let readiness = |it: &Scan| match it {
        Scan::Ready { .. } => 0,
        Scan::Empty => 1,
        Scan::Absent => 2,
    };
    // The first of equals, as they are chosen.
    connectors.map(Connector::scan).min_by_key(readiness).unwrap_or(Scan::Absent)
}

impl KmsPresenter {
    /// Follows the displays. May bring the output up or down, so no flip is pending.
    pub(super) fn follow(&mut self, now: MonoTime) {
        let concerns = self.concerns();
        let heard = (concerns, self.device.hints(concerns));
        if heard.0 == self.connection.heard.0 && heard.1 != self.connection.heard.1 {
            self.connection.machine.handle(now, Input::Hint);
        }
        self.connection.heard = heard;
        self.connection.machine.handle_timeout(now);
        while let Some(output) = self.connection.machine.poll() {
            match output {
                Output::Rescan(depth) => {
                    let found = self.scan(depth);
                    self.connection.machine.handle(now, Input::Scanned(found));
                }
                Output::BringUp => {
                    self.connection.again = Backoff::new();
                    self.reconcile();
                }
                Output::ModesChanged => self.reconcile(),
                Output::TakeDown => {
                    log::info!("{}: the display is gone", self.name);
                    self.take_down();
                    if self.wanted.is_none() {
                        // There may be another one.
                        self.connection.machine.handle(now, Input::Hint);
                    }
                }
                Output::Unready => {
                    log::warn!("{}: a display is connected and offers no modes; asking until it does", self.name);
                }
            }
        }
        self.try_again(now);
    }

    /// A display that is there and could not be shown on: the card may have been busy, or out of memory.
    fn try_again(&mut self, now: MonoTime) {
        let connection = &mut self.connection;
        if !connection.machine.is_up() || self.redraw.phase() != Phase::NoDisplay {
            connection.again.succeeded();
        } else if connection.again.deadline().is_none() {
            connection.again.failed(now);
        } else if connection.again.is_due(now) {
            connection.again.failed(now);
            self.reconcile();
        }
    }

    /// While the screen is another's nobody sees anything. That it is ours again is told with the mode.
    pub(super) fn tell_whose_turn_it_is(&mut self) {
        let is_away = self.device.is_given_up() && self.redraw.phase() != Phase::NoDisplay;
        if is_away && !self.connection.told_away {
            self.tell(PresentEvent::Disconnected);
        }
        self.connection.told_away = is_away;
    }

    /// When `follow` has something to do by itself.
    pub(super) fn follows_at(&self) -> Option<MonoTime> {
        // A flip has its own event, and everything else waits for it.
        let deadlines = [self.connection.machine.deadline(), self.connection.again.deadline()];
        if self.redraw.is_flipping() { None } else { deadlines.into_iter().flatten().min() }
    }

    /// The connector whose display is of interest; `None`: any.
    fn concerns(&self) -> Option<connector::Handle> {
        let on = self.up.as_ref().filter(|_| self.redraw.phase() != Phase::NoDisplay);
        on.map(|it| it.pipe.connector()).or_else(|| {
            let name = self.wanted.as_ref()?;
            let topology = self.device.topology();
            topology.displays().find(|it| it.name == *name).map(|it| it.handle)
        })
    }

    fn scan(&self, depth: Depth) -> Scan {
        let concerns = self.concerns();
        if let Err(error) = self.device.look(concerns, depth) {
            // A card that was just taken out; nobody can be shown anything.
            self.device.note(&error);
            log::debug!("{}: cannot look at the connectors: {error}", self.name);
            return Scan::Absent;
        }
        let topology = self.device.topology();
        let name = self.wanted.as_deref();
        let is_concerned = |it: &&Connector| match concerns {
            Some(handle) => it.handle == handle,
            None => name.is_none_or(|name| it.name == name),
        };
        best_of(topology.displays().filter(is_concerned))
    }
}
