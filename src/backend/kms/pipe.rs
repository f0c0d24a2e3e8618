//! The way from a framebuffer to a connector, and what must be set on it.
use std::io;

use drm::control::{Device as _, connector, crtc, plane, property};

use crate::backend::kms::connectors::Connector;
use crate::backend::kms::device::{Device, Route};
use crate::backend::kms::properties::{ConnectorProperties, CrtcProperties, PlaneProperties, Properties};
use crate::base::format::Size;
use crate::sys::kms::AtomicRequest;

/// A connector with the CRTC and plane that drive it.
#[derive(Debug)]
pub struct Pipe {
    connector: connector::Handle,
    crtc: crtc::Handle,
    plane: plane::Handle,
    of_connector: ConnectorProperties,
    of_crtc: CrtcProperties,
    of_plane: PlaneProperties,
}

impl Pipe {
    /// Looks up the properties, once.
    pub fn new(device: &Device, connector: &Connector, route: Route) -> io::Result<Self> {
        let card = device.card();
        Ok(Self {
            connector: connector.handle,
            crtc: route.crtc,
            plane: route.plane,
            of_connector: ConnectorProperties::of(card, connector.handle)?,
            of_crtc: CrtcProperties::of(card, route.crtc)?,
            of_plane: PlaneProperties::of(card, route.plane)?,
        })
    }

    /// The connector.
    pub fn connector(&self) -> connector::Handle {
        self.connector
    }

    /// The CRTC.
    pub fn crtc(&self) -> crtc::Handle {
        self.crtc
    }

    /// The primary plane.
    pub fn plane(&self) -> plane::Handle {
        self.plane
    }

    /// The CRTC as properties take it.
    pub fn crtc_id(&self) -> u64 {
        id(self.crtc)
    }

    /// The mode, and the way from the CRTC to the connector. `mode` is a blob.
    pub fn set_mode(&self, request: &mut AtomicRequest, mode: u64) {
        request.set(self.connector, self.of_connector.crtc_id, id(self.crtc));
        if let Some((property, value)) = self.of_connector.link_status {
            request.set(self.connector, property, value);
        }
        request.set(self.crtc, self.of_crtc.mode_id, mode);
        request.set(self.crtc, self.of_crtc.active, 1);
        set_all(request, self.crtc, &self.of_crtc.fixed);
    }

    /// The primary plane shows a picture of the whole screen.
    pub fn show(&self, request: &mut AtomicRequest, framebuffer: u64, size: Size) {
        let plane = &self.of_plane;
        request.set(self.plane, plane.fb_id, framebuffer);
        request.set(self.plane, plane.crtc_id, id(self.crtc));
        let (width, height) = (u64::from(size.width), u64::from(size.height));
        // The source is in 16.16 fixed point.
        for (property, value) in plane.source.into_iter().zip([0, 0, width << 16, height << 16]) {
            request.set(self.plane, property, value);
        }
        for (property, value) in plane.target.into_iter().zip([0, 0, width, height]) {
            request.set(self.plane, property, value);
        }
        set_all(request, self.plane, &plane.fixed);
    }

    /// The primary plane is off; the CRTC stays on.
    pub fn hide(&self, request: &mut AtomicRequest) {
        request.set(self.plane, self.of_plane.fb_id, 0);
        request.set(self.plane, self.of_plane.crtc_id, 0);
    }

    /// Another picture.
    pub fn flip(&self, request: &mut AtomicRequest, framebuffer: u64) {
        request.set(self.plane, self.of_plane.fb_id, framebuffer);
    }

    /// Through which the kernel is told of a fence to wait for, before it shows what is on the primary plane.
    pub fn in_fence(&self) -> Option<property::Handle> {
        self.of_plane.in_fence
    }

    /// The CRTC stops; everything else stays as it is.
    pub fn switch_off(&self, request: &mut AtomicRequest) {
        request.set(self.crtc, self.of_crtc.active, 0);
    }

    /// Nothing is connected with anything any more.
    pub fn take_down(&self, request: &mut AtomicRequest) {
        request.set(self.connector, self.of_connector.crtc_id, 0);
        request.set(self.crtc, self.of_crtc.mode_id, 0);
        request.set(self.crtc, self.of_crtc.active, 0);
        self.hide(request);
    }

    /// Switches off what is on our CRTC beside the primary plane and those to `keep`: other planes, other connectors. For
    /// modesets only; it asks the kernel about each.
    pub fn clear_others(
        &self,
        device: &Device,
        slot: usize,
        keep: [Option<plane::Handle>; 2],
        request: &mut AtomicRequest,
    ) -> io::Result<()> {
        let card = device.card();
        let topology = device.topology();
        let is_kept = |it: plane::Handle| it == self.plane || keep.contains(&Some(it));
        for plane in topology.planes.iter().filter(|it| !is_kept(it.handle)) {
            if card.get_plane(plane.handle)?.crtc() == Some(self.crtc) {
                let all = Properties::of(card, plane.handle)?;
                request.set(plane.handle, all.required("FB_ID")?, 0);
                request.set(plane.handle, all.required("CRTC_ID")?, 0);
            }
        }
        for other in topology.connectors.iter().filter(|it| it.handle != self.connector) {
            let all = Properties::of(card, other.handle)?;
            if all.value("CRTC_ID") == Some(id(self.crtc)) && !other.is_writeback {
                request.set(other.handle, all.required("CRTC_ID")?, 0);
            }
        }
        // A CRTC that loses its only connector to us must stop.
        let all = Properties::of(card, self.connector)?;
        let before = all.value("CRTC_ID").and_then(|it| u32::try_from(it).ok());
        let before: Option<crtc::Handle> = before.and_then(drm::control::from_u32);
        if let Some(before) = before.filter(|it| *it != self.crtc && !device.is_others(slot, *it)) {
            let all = Properties::of(card, before)?;
            request.set(before, all.required("ACTIVE")?, 0);
            request.set(before, all.required("MODE_ID")?, 0);
        }
        Ok(())
    }
}

/// An object's number as a property's value.
fn id(crtc: crtc::Handle) -> u64 {
    u64::from(u32::from(crtc))
}

fn set_all<H: drm::control::ResourceHandle>(request: &mut AtomicRequest, object: H, all: &[(property::Handle, u64)]) {
    for (property, value) in all {
        request.set(object, *property, *value);
    }
}
