//! What an output was like before us, to be put back.
use std::io;
use std::rc::Rc;

use drm::control::{AtomicCommitFlags, Device as _, RawResourceHandle, ResourceHandle, crtc, property};

use crate::backend::kms::device::Device;
use crate::backend::kms::pipe::Pipe;
use crate::backend::kms::planes::Planes;
use crate::backend::kms::properties::Properties;
use crate::sys::kms::{AtomicRequest, Card, PropertyBlob};

/// What is kept of a plane.
const OF_PLANE: [&str; 12] = [
    "FB_ID", "CRTC_ID", "SRC_X", "SRC_Y", "SRC_W", "SRC_H", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H", "rotation", "alpha",
];

/// One pipe's state.
#[derive(Debug)]
pub struct SavedState {
    crtc: crtc::Handle,
    values: Vec<(RawResourceHandle, property::Handle, u64)>,
    /// The mode line that was set. The kernel's own blob of it goes with the first mode of ours.
    mode: Option<(property::Handle, Vec<u8>)>,
}

impl SavedState {
    /// Asks the kernel.
    pub fn of(device: &Device, pipe: &Pipe) -> io::Result<Self> {
        let card = device.card();
        let mut saved = Self { crtc: pipe.crtc(), values: Vec::new(), mode: None };
        saved.keep(card, pipe.connector(), &["CRTC_ID"])?;
        saved.keep(card, pipe.crtc(), &["ACTIVE"])?;
        let of_crtc = Properties::of(card, pipe.crtc())?;
        if let (Some(property), Some(blob)) = (of_crtc.id("MODE_ID"), of_crtc.value("MODE_ID").filter(|it| *it != 0)) {
            saved.mode = Some((property, card.get_property_blob(blob)?));
        } else if let Some(property) = of_crtc.id("MODE_ID") {
            saved.values.push((pipe.crtc().into(), property, 0));
        }
        // We may attach one of these; a CRTC cannot stop with one attached.
        let topology = device.topology();
        let bit = topology.crtc_bit(pipe.crtc());
        for it in topology.connectors.iter().filter(|it| it.is_writeback && it.wish.possible & bit != 0) {
            saved.keep(card, it.handle, &["CRTC_ID"])?;
        }
        for plane in &topology.planes {
            let is_on_it = || card.get_plane(plane.handle).is_ok_and(|it| it.crtc() == Some(pipe.crtc()));
            if plane.handle == pipe.plane() || is_on_it() {
                saved.keep(card, plane.handle, &OF_PLANE)?;
            }
        }
        Ok(saved)
    }

    fn keep<H: ResourceHandle>(&mut self, card: &Card, object: H, names: &[&str]) -> io::Result<()> {
        let all = Properties::of(card, object)?;
        for name in names {
            if let (Some(property), Some(value)) = (all.id(name), all.value(name)) {
                self.values.push((object.into(), property, value));
            }
        }
        Ok(())
    }

    /// Whether it is this CRTC's.
    pub fn is_of(&self, crtc: crtc::Handle) -> bool {
        self.crtc == crtc
    }

    /// Puts it back; waits until the display shows it. Fails where what was shown is gone. Planes that showed our frames are
    /// off, unless they were on before us.
    pub fn restore(&self, card: &Rc<Card>, planes: &Planes) -> io::Result<()> {
        let mut request = AtomicRequest::new();
        planes.hide_all(&mut request);
        for (object, property, value) in &self.values {
            request.set_raw(*object, *property, *value);
        }
        // Alive until the commit, which takes a reference of its own.
        let mode = match &self.mode {
            Some((property, bytes)) => Some((*property, PropertyBlob::of_bytes(card, bytes)?)),
            None => None,
        };
        if let Some((property, blob)) = &mode {
            request.set(self.crtc, *property, blob.id());
        }
        request.commit(card, AtomicCommitFlags::ALLOW_MODESET).map(drop)
    }
}
