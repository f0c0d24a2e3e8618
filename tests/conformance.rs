//! One suite for each seam, passed by every backend this machine can run.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "support/interop_conformance.rs"]
mod interop_conformance;
#[path = "support/pictures.rs"]
mod pictures;
#[path = "support/presenter_conformance.rs"]
mod presenter_conformance;
#[path = "support/reference.rs"]
mod reference;
#[path = "support/stage.rs"]
mod stage;

use std::rc::Rc;
use std::time::Duration;

use lucarne::backend::headless::presenter::HeadlessPresenter;
use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::base::format::Size;
use lucarne::base::time::MonoTime;
use lucarne::sys::gl::Api;

use interop_conformance::{CpuFrames, interop_conformance};
use presenter_conformance::{PresenterRig, presenter_conformance};
use stage::Stage;

#[test]
fn software_upload_conforms() {
    for wide in [WideTexels::Auto, WideTexels::Split] {
        interop_conformance(&|gl| Box::new(SoftwareUpload::new(gl, wide)), &|| Box::new(CpuFrames::default()));
    }
}

#[test]
fn the_headless_presenter_conforms() {
    let mut stage = Stage::new(Api::Gles3);
    presenter_conformance(&mut |case| {
        let refresh = Duration::from_nanos(16_666_667);
        let mut now = MonoTime::from_nanos(5_000_000_000);
        let gl = Rc::clone(&stage.gl);
        let presenter = Box::new(HeadlessPresenter::new(gl, Size::new(64, 36), refresh, now).unwrap());
        // Virtual time: a wait is over as soon as it begins.
        let mut wait = |deadline: Option<MonoTime>| {
            now = deadline.unwrap_or(now + refresh / 7).max(now);
            now
        };
        let mut draw = |target: &_| stage.compositor.compose(target, None).unwrap();
        case(PresenterRig { presenter, draw: &mut draw, wait: &mut wait });
    });
}
