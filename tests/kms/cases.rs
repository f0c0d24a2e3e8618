//! What is asked of the presenter.
use std::time::Duration;

use drm::Device as _;
use drm::control::Device as _;
use lucarne::backend::kms::{KmsPresenter, KmsRequest};
use lucarne::base::format::Size;
use lucarne::base::time::MonoTime;
use lucarne::logic::redraw::Phase;
use lucarne::seam::presenter::{Layer, PresentError, PresentEvent, Presenter, SubmissionId};
use lucarne::sys::alloc::thread_allocations;
use lucarne::sys::clock::monotonic_now;

use crate::cards::{Node, Surroundings, TwoHeads};
use crate::pictures::Channel;
use crate::presenter_conformance::{PresenterRig, presenter_conformance};
use crate::screen::{Tools, open, pattern, request};

pub type Outcome = Result<(), &'static str>;

pub const NO_CONFIGFS: &str = "this kernel cannot make vkms cards through configfs";

pub fn one(request: &KmsRequest) -> (KmsPresenter, Tools) {
    let (mut presenters, tools) = open(request).unwrap();
    (presenters.remove(0), tools)
}

pub fn conformance(_: &Surroundings) -> Outcome {
    presenter_conformance(&mut |case| {
        let (presenter, tools) = one(&request(&[]));
        let tools = std::cell::RefCell::new(tools);
        let device = std::rc::Rc::clone(presenter.device());
        let mut draw = |target: &_| tools.borrow_mut().black(target);
        let mut wait = |deadline: Option<MonoTime>| {
            // The presenter itself belongs to the suite; its card says the same.
            tools.borrow_mut().wait_on(device.waitable(), deadline)
        };
        case(PresenterRig { presenter: Box::new(presenter), draw: &mut draw, wait: &mut wait });
    });
    Ok(())
}

/// Reads the picture of the next submission back.
fn capture(screen: &mut KmsPresenter, tools: &mut Tools, seed: u32) -> (Vec<u8>, Size) {
    capture_by(screen, tools, |screen, tools| tools.present(screen, seed))
}

/// The same, of whatever is presented.
pub fn capture_by(
    screen: &mut KmsPresenter,
    tools: &mut Tools,
    mut present: impl FnMut(&mut KmsPresenter, &mut Tools) -> SubmissionId,
) -> (Vec<u8>, Size) {
    assert!(screen.capture_next());
    let mut shown = Vec::new();
    // A request may be put off while the hardware rests from the one before.
    for _ in 0..10 {
        shown.push(present(screen, tools));
        let event = tools.event(screen);
        assert!(matches!(event, PresentEvent::Presented { id, .. } if shown.last() == Some(&id)), "{event:?}");
        for _ in 0..20 {
            match screen.poll(monotonic_now()).unwrap() {
                Some(PresentEvent::Captured { id }) => {
                    assert_eq!(shown.last(), Some(&id), "the one that was asked for");
                    let mut pixels = Vec::new();
                    let size = screen.take_capture(&mut pixels).unwrap();
                    assert_eq!(screen.take_capture(&mut pixels), None, "taken once");
                    return (pixels, size);
                }
                Some(other) => panic!("{other:?}"),
                None => drop(tools.wait(screen, None)),
            }
        }
    }
    panic!("nothing was read back");
}

pub fn check_pattern(pixels: &[u8], size: Size, seed: u32) {
    assert_eq!(size, Size::new(640, 480));
    for (index, pixel) in pixels.chunks_exact(4).enumerate() {
        let (x, y) = (index as u32 % size.width, index as u32 / size.width);
        let want = [Channel::Red, Channel::Green, Channel::Blue].map(|it| pattern(x, y, it, seed) as u8);
        let apart = (0..3).map(|it| want[it].abs_diff(pixel[it])).max();
        assert!(apart <= Some(1) && pixel[3] == 255, "at {x},{y}: {pixel:?}, and it should be {want:?}");
    }
    assert_eq!(pixels.len(), 640 * 480 * 4);
}

pub fn pixels(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    // With the first picture, which sets the mode, and with a later one.
    let (pixels, size) = capture(&mut screen, &mut tools, 1);
    check_pattern(&pixels, size, 1);
    tools.show(&mut screen, 2);
    tools.show(&mut screen, 3);
    let (pixels, size) = capture(&mut screen, &mut tools, 77);
    check_pattern(&pixels, size, 77);
    drop((screen, tools));
    // And without having been asked for before the mode was set.
    let (mut screen, mut tools) = one(&request(&[]));
    tools.show(&mut screen, 2);
    let (pixels, size) = capture(&mut screen, &mut tools, 9);
    check_pattern(&pixels, size, 9);
    Ok(())
}

pub fn captures_in_a_row(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    for seed in 0..12 {
        let (pixels, size) = capture(&mut screen, &mut tools, seed);
        check_pattern(&pixels, size, seed);
    }
    Ok(())
}

pub fn allocations(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    for seed in 0..10 {
        tools.show(&mut screen, seed);
    }
    let mut count = 0;
    for _ in 0..60 {
        let target = screen.acquire(monotonic_now()).unwrap().unwrap();
        tools.black(&target);
        let before = thread_allocations();
        screen.present(monotonic_now(), Layer::Composed(target)).unwrap();
        count += thread_allocations() - before;
        loop {
            let before = thread_allocations();
            let event = screen.poll(monotonic_now()).unwrap();
            count += thread_allocations() - before;
            if event.is_some() {
                break;
            }
            tools.wait(&screen, screen.deadline());
        }
    }
    assert_eq!(count, 0, "60 frames");
    Ok(())
}

pub fn modes(_: &Surroundings) -> Outcome {
    let wish = KmsRequest { size: Some(Size::new(1280, 720)), refresh_hz: Some(60.0), ..request(&[]) };
    let (mut screen, mut tools) = one(&wish);
    assert_eq!((screen.mode().size, screen.mode().refresh), (Size::new(1280, 720), Duration::from_nanos(16_666_667)));
    let (_, first) = tools.show(&mut screen, 1);
    let (_, second) = tools.show(&mut screen, 2);
    let apart = second.saturating_since(first);
    // Whole refreshes; how many is the host's business outside virtual time.
    let off = apart.as_nanos() % 16_666_667;
    assert!(!apart.is_zero() && off.min(16_666_667 - off) < 20_000, "{apart:?}");
    drop((screen, tools));
    // 4096x2160 has both 60 and 59.94; nothing else does.
    let wish = KmsRequest { size: Some(Size::new(4096, 2160)), ..request(&[]) };
    let (mut screen, tools) = one(&wish);
    assert_eq!(screen.poll(monotonic_now()).unwrap(), None);
    screen.prefer_rate(60_000.0 / 1001.0);
    let ntsc = screen.mode();
    assert_eq!(ntsc.refresh.as_micros(), 16_683);
    assert_eq!(screen.poll(monotonic_now()).unwrap(), Some(PresentEvent::ModeChanged(ntsc)));
    screen.prefer_rate(30.0);
    assert_eq!(screen.mode().refresh.as_micros(), 16_666);
    drop((screen, tools));
    // Once something was shown, the mode stays.
    let (mut screen, mut tools) = one(&request(&[]));
    tools.show(&mut screen, 1);
    let before = screen.mode();
    screen.prefer_rate(24.0);
    assert_eq!((screen.mode(), screen.poll(monotonic_now()).unwrap()), (before, None));
    Ok(())
}

fn refusal(request: &KmsRequest) -> (String, String) {
    match open(request) {
        Err(PresentError::Unavailable { what, advice }) => (what, advice),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it opened"),
    }
}

pub fn refusals(_: &Surroundings) -> Outcome {
    let (what, advice) = refusal(&request(&["HDMI-A-9"]));
    assert_eq!(what, "there is no output HDMI-A-9; there are Virtual-1");
    assert!(advice.contains("--output"));
    let (what, advice) = refusal(&KmsRequest { size: Some(Size::new(641, 480)), ..request(&[]) });
    assert!(what.starts_with("Virtual-1: it has no mode 641x480; it has 1024x768@60, "), "{what}");
    assert!(what.contains("640x480@59.94") && advice.contains("--size"));
    // What only reads pictures back is no display.
    let (what, _) = refusal(&request(&["Writeback-1"]));
    assert_eq!(what, "there is no output Writeback-1; there are Virtual-1");
    Ok(())
}

pub fn other_master(surroundings: &Surroundings) -> Outcome {
    let other = Node::open(&surroundings.vkms);
    other.acquire_master_lock().unwrap();
    let (what, advice) = refusal(&request(&[]));
    assert!(what.contains("another program controls the display"), "{what}");
    assert!(advice.contains("stop the other program"));
    drop(other);
    let (mut screen, mut tools) = one(&request(&[]));
    tools.show(&mut screen, 1);
    Ok(())
}

pub fn master_lost_and_regained(surroundings: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    tools.show(&mut screen, 1);
    // A console switch: we are told to let go, and somebody else takes it.
    screen.device().give_up();
    let other = Node::open(&surroundings.vkms);
    other.acquire_master_lock().unwrap();
    let target = screen.acquire(monotonic_now()).unwrap().unwrap();
    let refused = screen.present(monotonic_now(), Layer::Composed(target));
    assert!(matches!(refused, Err(PresentError::LostMaster { .. })), "{refused:?}");
    assert_eq!(screen.phase(), Phase::Lost);
    screen.device().take_back(monotonic_now());
    for _ in 0..5 {
        assert_eq!(screen.poll(monotonic_now()).unwrap(), None);
        assert!(matches!(screen.acquire(monotonic_now()), Err(PresentError::LostMaster { .. })));
        tools.wait(&screen, screen.deadline());
    }
    other.release_master_lock().unwrap();
    assert_eq!(tools.event(&mut screen), PresentEvent::ModeChanged(screen.mode()));
    tools.show(&mut screen, 2);
    let (pixels, size) = capture(&mut screen, &mut tools, 3);
    check_pattern(&pixels, size, 3);
    Ok(())
}

/// Whether anything is on: the CRTCs with a mode, the planes with a framebuffer.
pub fn lit(node: &Node) -> (usize, usize) {
    let crtcs = node.resource_handles().unwrap().crtcs().to_vec();
    let planes = node.plane_handles().unwrap();
    let on = crtcs.iter().filter(|it| node.get_crtc(**it).unwrap().mode().is_some()).count();
    (on, planes.iter().filter(|it| node.get_plane(**it).unwrap().framebuffer().is_some()).count())
}

pub fn restored(surroundings: &Surroundings) -> Outcome {
    let node = Node::open(&surroundings.vkms);
    let _ = node.release_master_lock();
    assert_eq!(lit(&node), (0, 0), "nothing was on");
    let (mut screen, mut tools) = one(&request(&[]));
    let (_, _) = capture(&mut screen, &mut tools, 1);
    assert_eq!(lit(&node).0, 1, "something is");
    drop(screen);
    assert_eq!(lit(&node), (0, 0), "nothing is left");
    drop(tools);
    Ok(())
}

pub fn power(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let (_, first) = tools.show(&mut screen, 1);
    screen.set_power(false).unwrap();
    assert_eq!(screen.phase(), Phase::SwitchedOff);
    let refresh = screen.mode().refresh.as_nanos();
    let mut last = first;
    for seed in 0..10 {
        let (_, at) = tools.show(&mut screen, seed);
        // On the grid of the vblanks there were.
        let off = at.saturating_since(first).as_nanos() % refresh;
        assert!(at > last && off.min(refresh - off) < 1000, "{off}");
        last = at;
    }
    // Asked for while a flip is pending, it waits for that.
    screen.set_power(true).unwrap();
    assert_eq!(tools.event(&mut screen), PresentEvent::ModeChanged(screen.mode()));
    let id = tools.present(&mut screen, 1);
    screen.set_power(false).unwrap();
    assert!(matches!(tools.event(&mut screen), PresentEvent::Presented { id: shown, .. } if shown == id));
    assert_eq!(screen.poll(monotonic_now()).unwrap(), None);
    assert_eq!(screen.phase(), Phase::SwitchedOff);
    screen.set_power(true).unwrap();
    assert_eq!(tools.event(&mut screen), PresentEvent::ModeChanged(screen.mode()));
    let (pixels, size) = capture(&mut screen, &mut tools, 3);
    check_pattern(&pixels, size, 3);
    Ok(())
}

/// The names of a card's outputs that are not vkms's own.
pub fn others(card: &TwoHeads) -> Vec<String> {
    card.enable();
    let (what, _) = refusal(&request(&["none"]));
    let (_, names) = what.split_once("there are ").unwrap();
    names.split(", ").filter(|it| *it != "Virtual-1").map(str::to_owned).collect()
}

pub fn two_outputs(_: &Surroundings) -> Outcome {
    let Some(card) = TwoHeads::new("two") else { return Err(NO_CONFIGFS) };
    let names = others(&card);
    let (mut screens, mut tools) = open(&request(&[&names[1], &names[0]])).unwrap();
    assert_eq!((screens[0].output(), screens[1].output()), (names[1].as_str(), names[0].as_str()));
    for frame in 0..30 {
        let ids: Vec<_> = screens.iter_mut().map(|it| tools.present(it, frame)).collect();
        // Whoever polls first reads the events of both.
        for (screen, id) in screens.iter_mut().zip(ids) {
            assert!(matches!(tools.event(screen), PresentEvent::Presented { id: shown, .. } if shown == id));
            assert_eq!(screen.poll(monotonic_now()).unwrap(), None);
        }
    }
    for (screen, seed) in screens.iter_mut().zip([5, 6]) {
        let (pixels, size) = capture(screen, &mut tools, seed);
        check_pattern(&pixels, size, seed);
    }
    drop(screens);
    Ok(())
}

pub fn hotplug(_: &Surroundings) -> Outcome {
    let Some(card) = TwoHeads::new("plugged") else { return Err(NO_CONFIGFS) };
    let names = others(&card);
    card.plug(0, false);
    card.plug(1, false);
    // Named, so that it is this card; no display yet.
    let (mut screen, mut tools) = one(&request(&[&names[0]]));
    assert_eq!(screen.poll(monotonic_now()).unwrap(), Some(PresentEvent::Disconnected));
    assert_eq!(screen.mode().size, Size::new(640, 480), "a guess");
    assert!(matches!(screen.acquire(monotonic_now()), Err(PresentError::NoDisplay { .. })));
    for seed in 0..5 {
        card.plug(0, true);
        assert_eq!(tools.event(&mut screen), PresentEvent::ModeChanged(screen.mode()));
        tools.show(&mut screen, seed);
        let (pixels, size) = capture(&mut screen, &mut tools, seed);
        check_pattern(&pixels, size, seed);
        card.plug(0, false);
        assert_eq!(tools.event(&mut screen), PresentEvent::Disconnected);
        assert_eq!(screen.phase(), Phase::NoDisplay);
    }
    drop(screen);
    drop(tools);
    Ok(())
}
