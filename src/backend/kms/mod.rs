//! The screen without a compositor: KMS through the kernel, buffers through GBM, drawn to by EGL without a surface.
//!
//! ```text
//!   buffer --EGLImage--> GL framebuffer        drawn into by whoever acquired it
//!      |
//!      +--AddFB2--> framebuffer --plane--> CRTC --encoder--> connector        scanned out
//! ```
//!
//! A [`Device`](device::Device) is one card, shared by its outputs: it reads the kernel's events once and keeps each for the
//! output whose CRTC it names. A [`KmsPresenter`] is one output: a connector, with a CRTC and a primary plane of its own.
//! Which buffer is where is [`crate::logic::redraw`]'s business; what is committed is `commit`'s; what is said of it is
//! `presenter`'s; frames that planes show without being drawn are `planes`'; bringing an output up and down is `bring_up`'s;
//! reading back what was on the wire is `writeback`'s, and its checksums are `checksums`'. All commits are atomic and non-blocking. The first one sets the mode, with the first picture, so that the
//! screen never shows anything of ours but pictures.
//!
//! What was on the card's outputs before is kept (`saved`) and put back when the presenter is dropped.
mod bring_up;
mod buffers;
mod cards;
mod checksums;
mod commit;
pub mod connectors;
pub mod device;
mod ears;
mod errors;
mod hotplug;
mod master;
mod modes;
mod pipe;
mod planes;
mod presenter;
mod properties;
mod saved;
mod trouble;
pub mod uevent;
mod writeback;

use std::rc::Rc;

use crate::base::format::Size;
use crate::base::time::MonoTime;
use crate::seam::presenter::PresentError;
use crate::sys::gl;

pub use cards::probe;
pub use planes::PlaneInterop;
pub use presenter::KmsPresenter;

/// What is wanted of the outputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KmsRequest {
    /// Connectors by name; empty: one, whichever has a display.
    pub outputs: Vec<String>,
    /// The mode's pixels; `None`: what the display prefers.
    pub size: Option<Size>,
    /// The mode's refreshes in a second; `None`: what suits the film.
    pub refresh_hz: Option<f64>,
}

/// Opens one presenter for each output wanted, and the GL context they share, current on this thread.
///
/// Fails where there is no card, no permission, another DRM master, no GBM or EGL, no such output or mode. That no display
/// is connected is no failure: the output comes up when one is.
pub fn open(request: &KmsRequest, now: MonoTime) -> Result<(Vec<KmsPresenter>, Rc<gl::Context>), PresentError> {
    // Before the displays are looked at, so that none comes or goes in between unheard.
    let uevents = uevent::UeventSocket::open();
    let card = cards::choose(&request.outputs)?;
    let device = device::Device::open(card, ears::Ears::hears_of(uevents))?;
    let gl = Rc::clone(device.gl());
    let mut presenters = Vec::new();
    for (slot, name) in device.reserve(&request.outputs)?.into_iter().enumerate() {
        presenters.push(KmsPresenter::open(&device, slot, name, request, now)?);
    }
    Ok((presenters, gl))
}
