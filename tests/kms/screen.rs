//! A presenter with a way to draw and a way to wait.
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lucarne::backend::kms::{self, KmsPresenter, KmsRequest};
use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::backend::wait::PollWaiter;
use lucarne::base::color::{Color, Range};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::time::{MediaTime, MonoTime};
use lucarne::render::Compositor;
use lucarne::seam::interop::VideoInterop;
use lucarne::seam::presenter::{Layer, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId};
use lucarne::seam::wait::{Waitable, Waiter};
use lucarne::sys::clock::monotonic_now;
use lucarne::sys::gl::Context;

use crate::pictures::{Channel, Picture, SDR};

/// Waits are this long where nothing says when there is news.
const A_MOMENT: Duration = Duration::from_millis(5);

/// RGB as it is: 0 is black.
pub const FULL: Color = Color { range: Range::Full, ..SDR };

/// Draws and waits, for any presenter of its context.
pub struct Tools {
    pub gl: Rc<Context>,
    pub compositor: Compositor,
    upload: SoftwareUpload,
    waiter: PollWaiter,
}

/// What every case opens.
pub fn request(outputs: &[&str]) -> KmsRequest {
    let outputs = outputs.iter().map(|it| (*it).to_owned()).collect();
    KmsRequest { outputs, size: Some(Size::new(640, 480)), refresh_hz: None }
}

pub fn open(request: &KmsRequest) -> Result<(Vec<KmsPresenter>, Tools), PresentError> {
    let (presenters, gl) = kms::open(request, monotonic_now())?;
    let compositor = Compositor::new(Rc::clone(&gl)).unwrap();
    let upload = SoftwareUpload::new(Rc::clone(&gl), WideTexels::Auto);
    Ok((presenters, Tools { gl, compositor, upload, waiter: PollWaiter::new().unwrap() }))
}

/// A pattern that is another one when it is turned, mirrored, or of another `seed`.
pub fn pattern(x: u32, y: u32, channel: Channel, seed: u32) -> u16 {
    (match channel {
        Channel::Red => x * 3 + seed,
        Channel::Green => y * 5 + seed,
        _ => x + y * 2,
    } & 0xFF) as u16
}

impl Tools {
    /// Black.
    pub fn black(&mut self, target: &RenderTarget) {
        self.compositor.compose(target, None).unwrap();
    }

    /// The pattern, pixel for pixel.
    pub fn draw(&mut self, target: &RenderTarget, seed: u32) {
        let picture = Picture::new(PixelFormat::Rgba, target.size, FULL, |it| pattern(it.x, it.y, it.channel, seed));
        let frame = picture.frame_of(Arc::new(picture.planes(0)), MediaTime::ZERO);
        self.upload.init(&frame.format).unwrap();
        self.upload.submit_decoded_frame(frame).unwrap();
        let drawn = self.upload.acquire_renderable_frame().unwrap().unwrap();
        self.compositor.compose(target, Some((&drawn, Fit::Stretch, Rotation::None))).unwrap();
        self.upload.release_frame(drawn);
    }

    /// Waits for news, at most until `deadline`; the answer is the time.
    pub fn wait(&mut self, presenter: &dyn Presenter, deadline: Option<MonoTime>) -> MonoTime {
        self.wait_on(presenter.waitable(), deadline)
    }

    /// The same, where the presenter is somebody else's.
    pub fn wait_on(&mut self, waitable: Waitable<'_>, deadline: Option<MonoTime>) -> MonoTime {
        let now = monotonic_now();
        let timeout = deadline.map_or(A_MOMENT, |it| it.saturating_since(now)).min(Duration::from_millis(100));
        self.waiter.wait(&[waitable], Some(timeout));
        monotonic_now()
    }

    /// The next event, waited for.
    pub fn event(&mut self, presenter: &mut dyn Presenter) -> PresentEvent {
        for _ in 0..1000 {
            if let Some(event) = presenter.poll(monotonic_now()).unwrap() {
                return event;
            }
            self.wait(presenter, presenter.deadline());
        }
        panic!("no event for a thousand waits");
    }

    /// Draws and presents, and waits until it is shown.
    pub fn show(&mut self, presenter: &mut dyn Presenter, seed: u32) -> (SubmissionId, MonoTime) {
        let id = self.present(presenter, seed);
        match self.event(presenter) {
            PresentEvent::Presented { id: shown, at, .. } if shown == id => (id, at),
            other => panic!("{id:?} was submitted, and came: {other:?}"),
        }
    }

    /// Draws and presents, waiting for a buffer where need be.
    pub fn present(&mut self, presenter: &mut dyn Presenter, seed: u32) -> SubmissionId {
        self.present_by(presenter, |tools, target| tools.draw(target, seed))
    }

    /// The same, with another way to draw.
    pub fn present_by(
        &mut self,
        presenter: &mut dyn Presenter,
        mut draw: impl FnMut(&mut Self, &RenderTarget),
    ) -> SubmissionId {
        for _ in 0..1000 {
            if let Some(target) = presenter.acquire(monotonic_now()).unwrap() {
                draw(self, &target);
                match presenter.present(monotonic_now(), Layer::Composed(target)) {
                    Ok(id) => return id,
                    Err(PresentError::Busy) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            self.wait(presenter, presenter.deadline());
        }
        panic!("no buffer for a thousand waits");
    }
}
