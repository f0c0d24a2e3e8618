//! What is on a card: connectors, CRTCs, planes.
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use drm::control::connector::{Interface, State};
use drm::control::{CrtcListFilter, Device as _, Mode, PlaneType, ResourceHandles, connector, crtc, plane};

use crate::backend::kms::properties::Properties;
use crate::logic::hotplug::{Depth, Scan};
use crate::logic::outputs::{CrtcWish, OutputFacts};
use crate::sys::kms::Card;

/// A connector.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Its number.
    pub handle: connector::Handle,
    /// The kernel's name: "HDMI-A-1".
    pub name: String,
    /// Reads pictures back; never a display.
    pub is_writeback: bool,
    /// A display is there, ready or not.
    pub has_display: bool,
    /// A display is there and said which modes it has. One without modes is not ready yet.
    pub is_connected: bool,
    /// What the display can do, best first.
    pub modes: Vec<Mode>,
    /// A bit for each CRTC that can drive it, by the CRTC's place in `Topology::crtcs`.
    pub wish: CrtcWish,
}

impl Connector {
    /// What was found on it, for [`crate::logic::hotplug`].
    pub fn scan(&self) -> Scan {
        match (self.has_display, self.is_connected) {
            (false, _) => Scan::Absent,
            (true, false) => Scan::Empty,
            (true, true) => {
                let mut hasher = DefaultHasher::new();
                // Another connector's display is another one, whatever it can do.
                (u32::from(self.handle), &self.modes).hash(&mut hasher);
                Scan::Ready { modes: hasher.finish() }
            }
        }
    }
}

/// Decorates what is seen of connectors: for tests of what displays do and no virtual one can.
pub trait Lens: std::fmt::Debug {
    /// Makes the connector look otherwise.
    fn bend(&self, connector: &mut Connector);
}

/// A plane.
#[derive(Debug, Clone)]
pub struct Plane {
    /// Its number.
    pub handle: plane::Handle,
    /// Each CRTC has one primary plane at least.
    pub is_primary: bool,
    /// For whatever is to be shown beside the primary plane's picture.
    pub is_overlay: bool,
    /// A bit for each CRTC it can be on.
    pub crtcs: u32,
    /// The formats' four letters.
    pub formats: Vec<u32>,
}

/// Everything on a card.
#[derive(Debug, Clone)]
pub struct Topology {
    /// CRTCs, in the kernel's order, which the bit masks count by.
    pub crtcs: Vec<crtc::Handle>,
    /// Connectors, writeback among them.
    pub connectors: Vec<Connector>,
    /// Planes.
    pub planes: Vec<Plane>,
}

impl Topology {
    /// Asks the kernel, and has it ask the displays; takes tenths of a second where displays are slow to answer.
    pub fn read(card: &Card) -> io::Result<Self> {
        let resources = card.resource_handles()?;
        let connectors = resources.connectors().iter();
        let connectors = connectors.filter_map(|it| read_connector(card, &resources, *it, Depth::Probe));
        let planes = card.plane_handles()?.into_iter().map(|it| read_plane(card, &resources, it));
        Ok(Self {
            crtcs: resources.crtcs().to_vec(),
            connectors: connectors.collect(),
            planes: planes.collect::<io::Result<_>>()?,
        })
    }

    /// Looks at the connectors again: at one of them, or at all that a display can be on.
    pub fn look(&mut self, card: &Card, only: Option<connector::Handle>, depth: Depth) -> io::Result<()> {
        let resources = card.resource_handles()?;
        let is_known = self.connectors.iter().map(|it| it.handle).eq(resources.connectors().iter().copied());
        if !is_known && depth == Depth::Probe {
            // A dock came or went, with connectors of its own.
            *self = Self::read(card)?;
            return Ok(());
        }
        let concerned = |it: &&mut Connector| !it.is_writeback && only.is_none_or(|only| it.handle == only);
        for it in self.connectors.iter_mut().filter(concerned) {
            match read_connector(card, &resources, it.handle, depth) {
                Some(found) => *it = found,
                None => (it.has_display, it.is_connected) = (false, false),
            }
        }
        Ok(())
    }

    /// The connectors a display can be on.
    pub fn displays(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.iter().filter(|it| !it.is_writeback)
    }

    /// The same, to choose by.
    pub fn outputs(&self) -> Vec<OutputFacts> {
        let facts = |it: &Connector| OutputFacts { name: it.name.clone(), is_connected: it.is_connected };
        self.displays().map(facts).collect()
    }

    /// The bit of a CRTC.
    pub fn crtc_bit(&self, handle: crtc::Handle) -> u32 {
        self.crtcs.iter().position(|it| *it == handle).map_or(0, bit)
    }
}

fn bit(index: usize) -> u32 {
    u32::try_from(index).ok().and_then(|it| 1_u32.checked_shl(it)).unwrap_or(0)
}

fn mask(resources: &ResourceHandles, filter: CrtcListFilter) -> u32 {
    let possible = resources.filter_crtcs(filter);
    let bits = resources.crtcs().iter().enumerate().filter(|(_, it)| possible.contains(it));
    bits.fold(0, |all, (index, _)| all | bit(index))
}

/// `None` for one that went away between being listed and being asked (a dock's).
fn read_connector(
    card: &Card,
    resources: &ResourceHandles,
    handle: connector::Handle,
    depth: Depth,
) -> Option<Connector> {
    let info = card.get_connector(handle, depth == Depth::Probe).ok()?;
    let encoders = info.encoders().iter().filter_map(|it| card.get_encoder(*it).ok());
    let possible = encoders.fold(0, |all, it| all | mask(resources, it.possible_crtcs()));
    let current = info.current_encoder().and_then(|it| card.get_encoder(it).ok()).and_then(|it| it.crtc());
    let current = current.and_then(|crtc| resources.crtcs().iter().position(|it| *it == crtc));
    Some(Connector {
        handle,
        name: info.to_string(),
        is_writeback: info.interface() == Interface::Writeback,
        has_display: info.state() == State::Connected,
        is_connected: info.state() == State::Connected && !info.modes().is_empty(),
        modes: info.modes().to_vec(),
        wish: CrtcWish { possible, current: current.and_then(|it| u32::try_from(it).ok()) },
    })
}

fn read_plane(card: &Card, resources: &ResourceHandles, handle: plane::Handle) -> io::Result<Plane> {
    let info = card.get_plane(handle)?;
    let kind = Properties::of(card, handle)?.value("type");
    Ok(Plane {
        handle,
        is_primary: kind == Some(PlaneType::Primary as u64),
        is_overlay: kind == Some(PlaneType::Overlay as u64),
        crtcs: mask(resources, info.possible_crtcs()),
        formats: info.formats().to_vec(),
    })
}
