//! What every `Presenter` must do. A backend brings itself, a way to draw and a way to wait; time is an argument.
use lucarne::base::time::MonoTime;
use lucarne::seam::presenter::{Layer, PresentEvent, Presenter, RenderTarget, SubmissionId};

/// One backend under test.
pub struct PresenterRig<'a> {
    /// The screen.
    pub presenter: Box<dyn Presenter>,
    /// Leaves every pixel of a target defined.
    pub draw: &'a mut dyn FnMut(&RenderTarget),
    /// Waits until a deadline (or a moment, where there is none) and says what time it is then.
    pub wait: &'a mut dyn FnMut(Option<MonoTime>) -> MonoTime,
}

/// One thing a screen must do.
pub type Case = fn(PresenterRig<'_>);

/// Frames in each case: several turns of any ring of buffers.
const FRAMES: u64 = 40;

/// Runs every case on a screen of its own.
pub fn presenter_conformance(with_rig: &mut dyn FnMut(Case)) {
    with_rig(every_submission_is_presented_once);
    with_rig(a_target_on_screen_is_never_drawn_into);
    with_rig(misuse_is_refused);
}

impl PresenterRig<'_> {
    /// Draws and presents; waits for a target if need be.
    fn show(&mut self, mut now: MonoTime) -> (SubmissionId, MonoTime, RenderTarget) {
        for _ in 0..1000 {
            if let Some(target) = self.presenter.acquire(now).unwrap() {
                (self.draw)(&target);
                let drawn = RenderTarget { ..target };
                return (self.presenter.present(now, Layer::Composed(target)).unwrap(), now, drawn);
            }
            now = (self.wait)(self.presenter.deadline());
        }
        panic!("no target for a thousand waits");
    }

    /// Waits for the submission to reach the screen.
    fn presented(&mut self, mut now: MonoTime) -> (SubmissionId, MonoTime, Option<u64>, MonoTime) {
        for _ in 0..1000 {
            if let Some(PresentEvent::Presented { id, at, sequence }) = self.presenter.poll(now).unwrap() {
                return (id, at, sequence, now);
            }
            now = (self.wait)(self.presenter.deadline());
        }
        panic!("not presented after a thousand waits");
    }
}

fn every_submission_is_presented_once(mut rig: PresenterRig<'_>) {
    let mode = rig.presenter.mode();
    assert!(!mode.size.is_empty() && !mode.refresh.is_zero() && !rig.presenter.name().is_empty());
    let mut now = (rig.wait)(None);
    let mut last: Option<(SubmissionId, MonoTime, Option<u64>)> = None;
    for _ in 0..FRAMES {
        let (id, submitted_at, target) = rig.show(now);
        assert_eq!(target.size, rig.presenter.mode().size);
        if let Some(deadline) = rig.presenter.deadline() {
            assert!(deadline > submitted_at, "a flip lies in the future");
        }
        let (presented, at, sequence, then) = rig.presented(submitted_at);
        assert_eq!(presented, id);
        assert!(at > submitted_at, "shown after it was submitted: {at:?}, {submitted_at:?}");
        assert!(at <= then, "reported after it was shown: {at:?}, {then:?}");
        if let Some((last_id, last_at, last_sequence)) = last {
            assert_eq!(id.0, last_id.0 + 1, "submissions count up by one");
            assert!(at > last_at, "vblanks go forward");
            assert!(sequence.is_none() || sequence > last_sequence, "and are counted");
        }
        assert_eq!(rig.presenter.poll(then).unwrap(), None, "presented once");
        last = Some((id, at, sequence));
        now = then;
    }
}

fn a_target_on_screen_is_never_drawn_into(mut rig: PresenterRig<'_>) {
    let mut now = (rig.wait)(None);
    let mut on_screen: Option<RenderTarget> = None;
    for _ in 0..FRAMES {
        let (_, submitted_at, target) = rig.show(now);
        // A window has one name for all its buffers, and swaps them itself.
        if target.framebuffer != 0 {
            assert_ne!(Some(&target), on_screen.as_ref());
        }
        if let Some(while_pending) = rig.presenter.acquire(submitted_at).unwrap() {
            assert!(
                while_pending.framebuffer == 0
                    || (while_pending != target && Some(&while_pending) != on_screen.as_ref())
            );
        }
        now = rig.presented(submitted_at).3;
        on_screen = Some(target);
    }
}

fn misuse_is_refused(mut rig: PresenterRig<'_>) {
    let now = (rig.wait)(None);
    let size = rig.presenter.mode().size;
    let stranger = RenderTarget { framebuffer: 4_000_000, size, top_down: true };
    assert!(rig.presenter.present(now, Layer::Composed(stranger)).is_err(), "a target it never gave");
    // And it goes on after that.
    let (id, at, _) = rig.show(now);
    assert_eq!(rig.presented(at).0, id);
    let first = rig.presenter.acquire((rig.wait)(None)).unwrap();
    let again = rig.presenter.acquire((rig.wait)(None)).unwrap();
    assert!(first.is_some() && first == again, "a target that was not presented is given again");
}
