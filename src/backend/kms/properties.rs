//! Properties: their numbers looked up once, since each lookup is a system call.
use std::io;

use drm::control::{Device as _, ResourceHandle, connector, crtc, plane, property};

use crate::logic::plane_choice::Level;
use crate::sys::kms::{Card, bits_of};

/// An object's properties as the kernel lists them.
#[derive(Debug)]
pub struct Properties(Vec<(property::Info, u64)>);

impl Properties {
    /// Asks for all of them.
    pub fn of<H: ResourceHandle>(card: &Card, object: H) -> io::Result<Self> {
        let set = card.get_properties(object)?;
        set.iter().map(|(id, value)| Ok((card.get_property(*id)?, *value))).collect::<io::Result<_>>().map(Self)
    }

    fn find(&self, name: &str) -> Option<&(property::Info, u64)> {
        self.0.iter().find(|(info, _)| info.name().to_bytes() == name.as_bytes())
    }

    /// A property's number, where the driver has it.
    pub fn id(&self, name: &str) -> Option<property::Handle> {
        self.find(name).map(|(info, _)| info.handle())
    }

    /// The number of one every atomic driver has.
    pub fn required(&self, name: &'static str) -> io::Result<property::Handle> {
        self.id(name).ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, format!("the driver has no {name}")))
    }

    /// What it is set to.
    pub fn value(&self, name: &str) -> Option<u64> {
        self.find(name).map(|it| it.1)
    }

    /// The number of one of an enumeration's values.
    fn named_value(&self, name: &str, value: &str) -> Option<u64> {
        let property::ValueType::Enum(values) = self.find(name)?.0.value_type() else { return None };
        values.values().1.iter().find(|it| it.name().to_bytes() == value.as_bytes()).map(property::EnumValue::value)
    }

    /// The bits that may be set in a bitmask; none where there is no such property.
    pub fn bits(&self, card: &Card, name: &str) -> io::Result<Option<u64>> {
        self.id(name).map(|it| bits_of(card, it)).transpose()
    }

    /// Where a plane lies among others.
    pub fn level(&self) -> Level {
        match self.find("zpos") {
            None => Level::AsListed,
            Some((info, at)) => match info.value_type() {
                property::ValueType::UnsignedRange(min, max) if info.mutable() => Level::Free { min: *min, max: *max },
                // The crate's name for a range of two.
                property::ValueType::Boolean if info.mutable() => Level::Free { min: 0, max: 1 },
                _ => Level::Fixed(*at),
            },
        }
    }

    /// A property with the value to give it, where the driver has both.
    pub fn setting(&self, name: &str, value: &str) -> Option<(property::Handle, u64)> {
        Some((self.id(name)?, self.named_value(name, value)?))
    }
}

/// What we set on a connector.
#[derive(Debug)]
pub struct ConnectorProperties {
    /// CRTC_ID.
    pub crtc_id: property::Handle,
    /// link-status: set to good again with each modeset.
    pub link_status: Option<(property::Handle, u64)>,
}

/// What we set on a CRTC.
#[derive(Debug)]
pub struct CrtcProperties {
    /// MODE_ID.
    pub mode_id: property::Handle,
    /// ACTIVE.
    pub active: property::Handle,
    /// What a desktop may have left behind: colour corrections and variable refresh, all to be off.
    pub fixed: Vec<(property::Handle, u64)>,
}

/// What we set on a plane.
#[derive(Debug)]
pub struct PlaneProperties {
    /// FB_ID.
    pub fb_id: property::Handle,
    /// CRTC_ID.
    pub crtc_id: property::Handle,
    /// SRC_X, SRC_Y, SRC_W, SRC_H: 16.16 fixed point.
    pub source: [property::Handle; 4],
    /// CRTC_X, CRTC_Y, CRTC_W, CRTC_H: pixels.
    pub target: [property::Handle; 4],
    /// IN_FENCE_FD.
    pub in_fence: Option<property::Handle>,
    /// Upright, opaque, and how YCbCr would be understood.
    pub fixed: Vec<(property::Handle, u64)>,
}

/// DRM_MODE_ROTATE_0.
const ROTATE_0: u64 = 1;
/// Opaque, as `drm_plane_create_alpha_property` has it.
const OPAQUE: u64 = 0xFFFF;

impl ConnectorProperties {
    /// Looks them up.
    pub fn of(card: &Card, object: connector::Handle) -> io::Result<Self> {
        let all = Properties::of(card, object)?;
        Ok(Self { crtc_id: all.required("CRTC_ID")?, link_status: all.setting("link-status", "Good") })
    }
}

impl CrtcProperties {
    /// Looks them up.
    pub fn of(card: &Card, object: crtc::Handle) -> io::Result<Self> {
        let all = Properties::of(card, object)?;
        let off = ["GAMMA_LUT", "DEGAMMA_LUT", "CTM", "VRR_ENABLED"];
        Ok(Self {
            mode_id: all.required("MODE_ID")?,
            active: all.required("ACTIVE")?,
            fixed: off.into_iter().filter_map(|name| Some((all.id(name)?, 0))).collect(),
        })
    }
}

impl PlaneProperties {
    /// Looks them up.
    pub fn of(card: &Card, object: plane::Handle) -> io::Result<Self> {
        let all = Properties::of(card, object)?;
        let fixed = [
            all.id("rotation").map(|it| (it, ROTATE_0)),
            all.id("alpha").map(|it| (it, OPAQUE)),
            all.setting("COLOR_ENCODING", "ITU-R BT.709 YCbCr"),
            all.setting("COLOR_RANGE", "YCbCr limited range"),
        ];
        Ok(Self {
            fb_id: all.required("FB_ID")?,
            crtc_id: all.required("CRTC_ID")?,
            source: [all.required("SRC_X")?, all.required("SRC_Y")?, all.required("SRC_W")?, all.required("SRC_H")?],
            target: [
                all.required("CRTC_X")?,
                all.required("CRTC_Y")?,
                all.required("CRTC_W")?,
                all.required("CRTC_H")?,
            ],
            in_fence: all.id("IN_FENCE_FD"),
            fixed: fixed.into_iter().flatten().collect(),
        })
    }
}
