//! No order of events loses a buffer, shows one while it is drawn into, or reports a submission twice or never.
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Op {
    Connect,
    Disconnect,
    Acquire,
    Commit { accepted: bool },
    CommitFrame { accepted: bool, has_above: bool },
    Flip,
    Tick,
    SwitchOff,
    SwitchOn,
    Lose,
    Regain,
    NeedModeset,
    Reconnect,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::Connect),
        1 => Just(Op::Disconnect),
        6 => Just(Op::Acquire),
        6 => any::<bool>().prop_map(|accepted| Op::Commit { accepted }),
        6 => any::<(bool, bool)>().prop_map(|(accepted, has_above)| Op::CommitFrame { accepted, has_above }),
        6 => Just(Op::Flip),
        3 => Just(Op::Tick),
        1 => Just(Op::SwitchOff),
        1 => Just(Op::SwitchOn),
        1 => Just(Op::Lose),
        1 => Just(Op::Regain),
        1 => Just(Op::NeedModeset),
        1 => Just(Op::Reconnect),
    ]
}

/// Buffers are numbers that nothing else has; not `Copy`, as the real ones are not.
#[derive(Debug, PartialEq, Eq)]
struct Buffer(u64);

/// A frame, which somebody wants back.
type Frame = Rc<u64>;

/// Everything the machine owns.
fn owned(redraw: &Redraw<Buffer, Frame>) -> Vec<u64> {
    let retiring = redraw.retiring.iter().filter_map(buffer_of);
    let mut all: Vec<u64> = redraw.free.iter().chain(&redraw.drawing).map(|it| it.0).chain(retiring).collect();
    all.extend(read_by_hardware(redraw).into_iter().filter_map(buffer_of));
    all
}

fn buffer_of(picture: &Picture<Buffer, Frame>) -> Option<u64> {
    match picture {
        Picture::Drawn(it) => Some(it.0),
        Picture::Frame { above, .. } => above.as_ref().map(|it| it.0),
    }
}

fn frame_of(picture: &Picture<Buffer, Frame>) -> Option<u64> {
    match picture {
        Picture::Drawn(_) => None,
        Picture::Frame { frame, .. } => Some(**frame),
    }
}

/// Everything the display controller may read, and nobody may draw into.
fn read_by_hardware(redraw: &Redraw<Buffer, Frame>) -> Vec<&Picture<Buffer, Frame>> {
    match &redraw.scanout {
        Scanout::NoDisplay | Scanout::SwitchedOff => vec![],
        Scanout::Dark { leaving } | Scanout::Lost { leaving } => leaving.iter().collect(),
        Scanout::Showing { picture } | Scanout::Unseen { picture, .. } => vec![picture],
        Scanout::Flipping { coming, leaving, .. } => std::iter::once(coming).chain(leaving).collect(),
    }
}

#[derive(Default)]
struct Model {
    redraw: Redraw<Buffer, Frame>,
    made: u64,
    alive: Vec<u64>,
    /// Every frame there ever was.
    frames: Vec<Frame>,
    now: MonoTime,
    pending: Option<SubmissionId>,
    last: Option<SubmissionId>,
}

impl Model {
    fn step(&mut self, op: Op) {
        let retiring = self.redraw.retiring.as_ref().and_then(buffer_of);
        self.apply(op);
        if self.redraw.retiring.as_ref().and_then(buffer_of) != retiring {
            assert!(!matches!(op, Op::Acquire | Op::Tick), "it goes when it is read no more");
            self.alive.retain(|it| Some(*it) != retiring);
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Connect => {
                let fresh: Vec<Buffer> = (0..3).map(|it| Buffer(self.made + it)).collect();
                self.made += 3;
                self.alive.extend(fresh.iter().map(|it| it.0));
                for gone in self.redraw.connect(fresh) {
                    self.alive.retain(|it| *it != gone.0);
                }
                self.forget_unseen();
            }
            Op::Disconnect => {
                let flipping = self.redraw.is_flipping();
                assert_eq!(self.redraw.disconnect(), !flipping);
                self.forget_unseen();
            }
            Op::Acquire => {
                let read: Vec<u64> = read_by_hardware(&self.redraw).into_iter().filter_map(buffer_of).collect();
                if let Ok(target) = self.redraw.acquire() {
                    assert!(!read.contains(&target.0), "drawn into while it is read");
                    let target = target.0;
                    assert_eq!(self.redraw.acquire().map(|it| it.0), Ok(target), "the same one until it is submitted");
                }
            }
            Op::Commit { accepted } => self.commit(accepted, Submission::Drawn),
            Op::CommitFrame { accepted, has_above } => {
                let frame = Rc::new(self.frames.len() as u64);
                self.frames.push(Rc::clone(&frame));
                self.commit(accepted, Submission::Frame { frame, has_above });
            }
            Op::Flip => {
                if let Some(id) = self.redraw.flipped() {
                    self.report(id);
                }
            }
            Op::Tick => {
                self.now = self.now + std::time::Duration::from_millis(10);
                if let Some((id, at)) = self.redraw.tick(self.now) {
                    assert!(at <= self.now);
                    self.report(id);
                }
            }
            Op::SwitchOff => {
                self.redraw.switch_off();
                self.forget_unseen();
            }
            Op::SwitchOn => {
                self.redraw.switch_on();
                self.forget_unseen();
            }
            Op::Lose => self.redraw.lose(),
            Op::Regain => self.redraw.regain(),
            Op::NeedModeset => self.redraw.need_modeset(),
            Op::Reconnect => self.redraw.reconnect(),
        }
    }

    fn commit(&mut self, accepted: bool, what: Submission<Frame>) {
        let needs_drawn = !matches!(what, Submission::Frame { has_above: false, .. });
        let id = match self.redraw.how() {
            Ok(_) if !accepted => return self.redraw.refuse(),
            Ok(How::Unseen) => self.redraw.submit_unseen(what, self.now + std::time::Duration::from_millis(16)),
            Ok(How::Modeset | How::Flip) => self.redraw.submit(what),
            Err(why) => {
                assert_eq!(self.redraw.submit(what), Err(why));
                return;
            }
        };
        let id = match id {
            Ok(id) => id,
            Err(why) => {
                assert!(needs_drawn && why == NotNow::NothingDrawn && self.redraw.drawn().is_none(), "{why:?}");
                return;
            }
        };
        assert_eq!(self.pending, None, "one at a time");
        assert!(self.last < Some(id), "submissions count up");
        (self.pending, self.last) = (Some(id), Some(id));
    }

    /// Each is reported once, and in order.
    fn report(&mut self, id: SubmissionId) {
        assert_eq!(self.pending.take(), Some(id));
    }

    /// What nobody saw, and was taken back by the screen becoming another one, is never reported.
    fn forget_unseen(&mut self) {
        if !self.redraw.is_flipping() && self.redraw.tick_at().is_none() {
            self.pending = None;
        }
    }

    fn check(&self) {
        let mut owned = owned(&self.redraw);
        owned.sort_unstable();
        let mut alive = self.alive.clone();
        alive.sort_unstable();
        assert_eq!(owned, alive, "every buffer is in one place");
        // A frame is held for as long as it is read, and no longer.
        let read = read_by_hardware(&self.redraw).into_iter().chain(&self.redraw.retiring).filter_map(frame_of);
        let mut read: Vec<u64> = read.collect();
        read.sort_unstable();
        let held = self.frames.iter().filter(|it| Rc::strong_count(it) > 1).map(|it| **it);
        assert_eq!(held.collect::<Vec<u64>>(), read);
        let waiting = self.redraw.is_flipping() || self.redraw.tick_at().is_some();
        assert_eq!(self.pending.is_some(), waiting, "a submission is reported or waited for");
    }
}

proptest! {
    #[test]
    fn no_order_of_events_breaks_the_loop(ops in proptest::collection::vec(op(), 0..80)) {
        let mut model = Model::default();
        for op in ops {
            model.step(op);
            model.check();
        }
    }
}

#[test]
fn the_usual_round_goes_through_the_named_states() {
    let mut redraw = Redraw::<Buffer, Frame>::default();
    assert_eq!(redraw.phase(), Phase::NoDisplay);
    assert_eq!(redraw.acquire(), Err(NotNow::NoDisplay));
    redraw.connect((0..3).map(Buffer).collect());
    assert_eq!(redraw.phase(), Phase::Dark);
    redraw.acquire().unwrap();
    assert_eq!((redraw.how(), redraw.drawn()), (Ok(How::Modeset), Some(&Buffer(0))));
    redraw.submit(Submission::Drawn).unwrap();
    assert_eq!((redraw.phase(), redraw.acquire()), (Phase::WaitingForFlip, Err(NotNow::Busy)));
    assert_eq!(redraw.flipped(), Some(SubmissionId(0)));
    assert_eq!(redraw.phase(), Phase::Idle);
    redraw.acquire().unwrap();
    assert_eq!(redraw.phase(), Phase::Drawing);
    assert_eq!((redraw.how(), redraw.drawn()), (Ok(How::Flip), Some(&Buffer(1))));
    redraw.submit(Submission::Drawn).unwrap();
    assert_eq!(redraw.flipped(), Some(SubmissionId(1)));
    assert_eq!(redraw.flipped(), None, "a stray event");
}

#[test]
fn the_old_picture_stays_until_the_new_mode_shows_one() {
    let mut redraw = Redraw::<Buffer, Frame>::default();
    redraw.connect((0..3).map(Buffer).collect());
    redraw.acquire().unwrap();
    redraw.submit(Submission::Drawn).unwrap();
    redraw.flipped();
    let gone = redraw.connect((3..6).map(Buffer).collect());
    assert_eq!(gone, [Buffer(1), Buffer(2)]);
    redraw.acquire().unwrap();
    redraw.submit(Submission::Drawn).unwrap();
    assert_eq!(redraw.retiring, Some(Picture::Drawn(Buffer(0))));
    redraw.flipped();
    assert_eq!(redraw.retiring, None, "and is never drawn into again");
    assert_eq!(redraw.free, [Buffer(4), Buffer(5)]);
}

#[test]
fn a_frame_goes_home_with_the_flip_that_replaces_it() {
    let mut redraw = Redraw::<Buffer, Frame>::default();
    redraw.connect((0..3).map(Buffer).collect());
    let frame = Rc::new(0);
    let submit = |redraw: &mut Redraw<Buffer, Frame>, frame: &Frame, has_above| {
        redraw.submit(Submission::Frame { frame: Rc::clone(frame), has_above }).unwrap();
        redraw.flipped().unwrap();
    };
    redraw.acquire().unwrap();
    submit(&mut redraw, &frame, true);
    let second = Rc::new(1);
    redraw.submit(Submission::Frame { frame: Rc::clone(&second), has_above: false }).unwrap();
    assert_eq!(Rc::strong_count(&frame), 2, "it may still be read");
    redraw.flipped().unwrap();
    assert_eq!((Rc::strong_count(&frame), Rc::strong_count(&second)), (1, 2));
    assert_eq!(redraw.free, [Buffer(1), Buffer(2), Buffer(0)], "and so does what was above it");
    redraw.acquire().unwrap();
    redraw.submit(Submission::Drawn).unwrap();
    redraw.flipped().unwrap();
    assert_eq!(Rc::strong_count(&second), 1);
}
