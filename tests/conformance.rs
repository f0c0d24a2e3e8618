//! One suite for each seam, passed by every backend this machine can run.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "support/difference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod difference;
#[path = "support/interop_conformance.rs"]
mod interop_conformance;
#[path = "support/pictures.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pictures;
#[path = "support/presenter_conformance.rs"]
mod presenter_conformance;
#[path = "support/reference.rs"]
mod reference;
#[path = "support/stage.rs"]
mod stage;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lucarne::backend::headless::presenter::HeadlessPresenter;
use lucarne::backend::inject::costs::{Cost, Costs};
use lucarne::backend::inject::interop::costly_ways;
use lucarne::backend::inject::presenter::CostlyPresenter;
use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::base::format::Size;
use lucarne::base::time::MonoTime;
use lucarne::seam::presenter::Presenter;
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

/// No costs, and small ones.
fn tables() -> [Arc<Costs>; 2] {
    let cost = Cost { mean: Duration::from_micros(40), jitter: Duration::from_micros(20) };
    let small = Costs { seed: 1, import: cost, draw: cost, commit: cost, ..Costs::default() };
    [Arc::new(Costs::default()), Arc::new(small)]
}

#[test]
fn an_interop_with_injected_costs_conforms() {
    for costs in tables() {
        let upload = |gl| {
            let inner = Box::new(SoftwareUpload::new(gl, WideTexels::Auto));
            costly_ways(vec![inner], &costs).pop().unwrap()
        };
        interop_conformance(&upload, &|| Box::new(CpuFrames::default()));
    }
}

#[test]
fn the_headless_presenter_conforms() {
    headless_conforms(&|it| it);
}

#[test]
fn a_presenter_with_injected_costs_conforms() {
    for costs in tables() {
        headless_conforms(&|it| Box::new(CostlyPresenter::new(it, costs.clone())));
    }
}

/// The headless presenter conforms, with this around it.
fn headless_conforms(wrap: &dyn Fn(Box<dyn Presenter>) -> Box<dyn Presenter>) {
    let mut stage = Stage::new(Api::Gles3);
    presenter_conformance(&mut |case| {
        let refresh = Duration::from_nanos(16_666_667);
        let mut now = MonoTime::from_nanos(5_000_000_000);
        let gl = Rc::clone(&stage.gl);
        let presenter = wrap(Box::new(HeadlessPresenter::new(gl, Size::new(64, 36), refresh, now).unwrap()));
        // Virtual time: a wait is over as soon as it begins.
        let mut wait = |deadline: Option<MonoTime>| {
            now = deadline.unwrap_or(now + refresh / 7).max(now);
            now
        };
        let mut draw = |target: &_| stage.compositor.compose(target, None).unwrap();
        case(PresenterRig { presenter, draw: &mut draw, wait: &mut wait });
    });
}
