//! Choosing the card: by its driver and its connectors, never by its number, which changes from boot to boot.
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use drm::{ClientCapability, Device as _};

use crate::backend::kms::connectors::Topology;
use crate::backend::kms::errors::{taken, unavailable};
use crate::logic::outputs::{CardFacts, NoSuchOutput, choose_card};
use crate::seam::presenter::PresentError;
use crate::sys::kms::Card;

/// Where the kernel's nodes are.
const NODES: &str = "/dev/dri";

/// The card that was chosen.
#[derive(Debug)]
pub struct ChosenCard {
    /// Open, with the capabilities we need; its DRM master.
    pub card: Rc<Card>,
    /// The driver's name: "vc4".
    pub driver: String,
    /// What is on it.
    pub topology: Topology,
}

/// Whether there is a card at all; opens none.
pub fn probe() -> Result<(), String> {
    if nodes().is_empty() { Err(format!("there is no graphics card: {NODES} has no card*")) } else { Ok(()) }
}

/// Opens the card that has the wanted outputs.
pub fn choose(wanted: &[String]) -> Result<ChosenCard, PresentError> {
    let mut found = Vec::new();
    let mut refusals: Vec<(PathBuf, io::Error)> = Vec::new();
    for node in nodes() {
        match look_at(&node) {
            Ok(it) => found.push(it),
            Err(error) => refusals.push((node, error)),
        }
    }
    let facts = |it: &ChosenCard| CardFacts { driver: it.driver.clone(), outputs: it.topology.outputs() };
    let facts: Vec<CardFacts> = found.iter().map(facts).collect();
    let no_outputs = facts.iter().all(|it| it.outputs.is_empty());
    // A card that could not be opened may be the one that is meant.
    if no_outputs && let Some((node, error)) = refusals.first() {
        return Err(refused(node, error));
    }
    if found.is_empty() {
        let what = format!("there is no graphics card: {NODES} has no card*");
        return Err(unavailable(what, "load the display's driver (on a Raspberry Pi: dtoverlay=vc4-kms-v3d)"));
    }
    let index = choose_card(&facts, wanted).map_err(|it| no_such_output(&it))?;
    let chosen = found.swap_remove(index);
    // The others are closed here, and their outputs with them.
    drop(found);
    let node = chosen.card.path().display().to_string();
    chosen.card.acquire_master_lock().map_err(|it| taken(&node, &it))?;
    log::info!("{node}: driver {}, outputs {}", chosen.driver, names(&chosen.topology));
    Ok(chosen)
}

/// The cards' nodes, by name, so that equals are chosen alike every time.
fn nodes() -> Vec<PathBuf> {
    let Ok(folder) = std::fs::read_dir(NODES) else { return Vec::new() };
    let is_card = |it: &PathBuf| it.file_name().and_then(|it| it.to_str()).is_some_and(|it| it.starts_with("card"));
    let mut nodes: Vec<PathBuf> = folder.flatten().map(|it| it.path()).filter(is_card).collect();
    nodes.sort();
    nodes
}

fn look_at(node: &Path) -> io::Result<ChosenCard> {
    let card = Rc::new(Card::open(node)?);
    let driver = card.get_driver()?.name().to_string_lossy().into_owned();
    // A card that only computes has no mode setting: no connectors, and so never chosen.
    let has_modes = card.set_client_capability(ClientCapability::Atomic, true);
    if let Err(error) = has_modes {
        log::debug!("{}: {driver}: no atomic mode setting: {error}", node.display());
        let topology = Topology { crtcs: Vec::new(), connectors: Vec::new(), planes: Vec::new() };
        return Ok(ChosenCard { card, driver, topology });
    }
    // Not every kernel shows these; then pictures cannot be read back.
    if let Err(error) = card.set_client_capability(ClientCapability::WritebackConnectors, true) {
        log::debug!("{}: {driver}: no writeback connectors: {error}", node.display());
    }
    let topology = Topology::read(&card)?;
    Ok(ChosenCard { card, driver, topology })
}

fn refused(node: &Path, error: &io::Error) -> PresentError {
    let what = format!("{}: {error}", node.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            unavailable(what, "put the user into the group video (usermod -aG video NAME), or run as a service that is")
        }
        _ => unavailable(what, "look at the kernel's log for the display's driver (dmesg | grep drm)"),
    }
}

fn no_such_output(error: &NoSuchOutput) -> PresentError {
    let advice = match error {
        NoSuchOutput::NoConnectors { .. } => "load the display's driver (on a Raspberry Pi: dtoverlay=vc4-kms-v3d)",
        NoSuchOutput::Unknown { .. } => "name one of those with --output, or none for the first with a display",
        NoSuchOutput::Apart { .. } => "run one player for each graphics card",
        NoSuchOutput::Twice { .. } => "name each output once",
    };
    unavailable(error.to_string(), advice)
}

fn names(topology: &Topology) -> String {
    let name = |it: &crate::backend::kms::connectors::Connector| {
        format!("{}{}", it.name, if it.is_connected { " (connected)" } else { "" })
    };
    topology.displays().map(name).collect::<Vec<_>>().join(", ")
}
