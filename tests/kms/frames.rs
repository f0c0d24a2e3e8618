//! Frames that planes show as they are: no GL, no copy.
use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;

use lucarne::backend::kms::{KmsPresenter, PlaneInterop};
use lucarne::base::color::{Color, Matrix, Range, Transfer};
use lucarne::base::dmabuf::PoolState;
use lucarne::base::format::{PixelFormat, Rect, Size};
use lucarne::base::frame::VideoFrame;
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::logic::redraw::Phase;
use lucarne::seam::interop::{InteropError, Place, Sampling, VideoInterop};
use lucarne::seam::presenter::{
    Layer, PlanePicture, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId,
};
use lucarne::sys::alloc::thread_allocations;
use lucarne::sys::clock::monotonic_now;

use crate::buffers::Buffers;
use crate::cards::{Node, Surroundings, TwoHeads};
use crate::cases::{NO_CONFIGFS, Outcome, capture_by, check_pattern, lit, one, others};
use crate::pictures::{Channel, Picture, SDR, Texel, noise};
use crate::reference;
use crate::screen::{FULL, Tools, pattern, request};

const NO_VGEM: &str = "this kernel has no vgem, whose memory stands for a decoder's";

const SCREEN: Size = Size::new(640, 480);

pub const PLACE: Place = Place { fit: Fit::Contain, rotation: Rotation::None, screen: SCREEN };

/// Bars of one colour each across, which differ from the upper half to the lower. vkms does not filter chroma, so that
/// where two meet it is off by up to two pixels from what siting and filtering make of it.
const BARS: u32 = 8;

/// Luma is noise, chroma is flat.
fn flat_chroma(bits: u32) -> impl Fn(Texel) -> u16 {
    let top = (1_u32 << bits) - 1;
    move |it| {
        let salt = it.channel as u32;
        let code = match it.channel {
            Channel::Luma => noise(it.x, it.y, salt) & top,
            _ => noise(BARS * it.x / it.size.width, 2 * it.y / it.size.height, salt) & top,
        };
        u16::try_from(code).unwrap()
    }
}

/// Whether chroma is flat around a pixel of the picture.
fn is_flat(x: u32, y: u32, size: Size) -> bool {
    let far = |at: u32, step: u32| (2..step - 2).contains(&(at % step));
    far(x, size.width / BARS) && far(y, size.height / 2)
}

/// A picture of the wire against what it should be, within 2/255. `skip` leaves out pixels.
#[track_caller]
pub fn check(size: Size, pixels: &[u8], want: &[[f64; 3]], what: &str, skip: impl Fn(u32, u32) -> bool) {
    let mut seen = 0;
    for (index, (pixel, want)) in pixels.chunks_exact(4).zip(want).enumerate() {
        let (x, y) = (index as u32 % size.width, index as u32 / size.width);
        if skip(x, y) {
            continue;
        }
        seen += 1;
        let apart = (0..3).map(|it| (f64::from(pixel[it]) - want[it] * 255.0).abs()).fold(0.0, f64::max);
        assert!(apart <= 2.0, "{what}: at {x},{y}: {pixel:?}, and it should be {:?}", want.map(|it| it * 255.0));
    }
    assert!(seen > size.width * size.height / 5, "{what}: only {seen} pixels were looked at");
}

fn plane(frame: VideoFrame, place: Place) -> Layer {
    Layer::Plane(PlanePicture { frame, place, above: None })
}

/// Presents a layer, waiting for the one before.
fn present(screen: &mut KmsPresenter, tools: &mut Tools, mut layer: impl FnMut() -> Layer) -> SubmissionId {
    for _ in 0..1000 {
        match screen.present(monotonic_now(), layer()) {
            Ok(id) => return id,
            Err(PresentError::Busy) => drop(tools.wait(screen, screen.deadline())),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("busy for a thousand waits");
}

/// Shows a frame.
fn show(screen: &mut KmsPresenter, tools: &mut Tools, frame: &VideoFrame, place: Place) {
    let id = present(screen, tools, || plane(frame.clone(), place));
    let event = tools.event(screen);
    assert!(matches!(event, PresentEvent::Presented { id: shown, .. } if shown == id), "{event:?}");
}

/// Shows a frame and reads back what is on the wire.
pub fn wire(screen: &mut KmsPresenter, tools: &mut Tools, frame: &VideoFrame, place: Place) -> Vec<u8> {
    let (pixels, size) =
        capture_by(screen, tools, |screen, tools| present(screen, tools, || plane(frame.clone(), place)));
    assert_eq!(size, place.screen);
    pixels
}

fn picture(pixel: PixelFormat, color: Color) -> Picture {
    Picture::new(pixel, SCREEN, color, flat_chroma(pixel.bit_depth()))
}

/// The pattern that GL draws, as a frame.
fn pattern_frame(seed: u32) -> Picture {
    Picture::new(PixelFormat::Rgba, SCREEN, FULL, |it| pattern(it.x, it.y, it.channel, seed))
}

const YCBCR: [PixelFormat; 6] = [
    PixelFormat::Nv12,
    PixelFormat::Nv21,
    PixelFormat::Yuv420p,
    PixelFormat::Yuv422p,
    PixelFormat::Yuv444p,
    PixelFormat::P010,
];

pub fn pixels(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let mut interop = screen.plane_interop();
    for pixel in YCBCR {
        let colors = [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020]
            .map(|matrix| [Range::Limited, Range::Full].map(|range| Color { matrix, range, ..SDR }));
        let pictures: Vec<Picture> = colors.into_iter().flatten().map(|it| picture(pixel, it)).collect();
        let Some(buffers) = Buffers::of(pictures) else { return Err(NO_VGEM) };
        for index in 0..6 {
            let frame = buffers.frame(index);
            let what = format!("{} {:?}", pixel.name(), frame.format.color);
            interop.accepts(&frame, &PLACE).unwrap_or_else(|error| panic!("{what}: {error}"));
            let pixels = wire(&mut screen, &mut tools, &frame, PLACE);
            let want = reference::render(buffers.picture(index), PLACE.fit, PLACE.rotation, SCREEN);
            check(SCREEN, &pixels, &want, &what, |x, y| !is_flat(x, y, SCREEN));
        }
        buffers.pool.retire();
        interop.tidy();
    }
    Ok(())
}

pub fn placed(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let mut interop = screen.plane_interop();
    // Upside down; bars above and below; the coded picture's last rows and first columns cut off.
    let whole = picture(PixelFormat::Nv12, SDR);
    let wide = Picture::new(PixelFormat::Nv12, Size::new(640, 360), SDR, flat_chroma(8));
    let mut cut = Picture::new(PixelFormat::Nv12, Size::new(656, 488), SDR, |it| match it.channel {
        Channel::Luma => (noise(it.x, it.y, 1) & 0xFF) as u16,
        _ => 100,
    });
    cut.format.visible = Rect { x: 16, y: 0, width: 640, height: 480 };
    let Some(buffers) = Buffers::of(vec![whole, wide, cut]) else { return Err(NO_VGEM) };
    let half = Place { rotation: Rotation::Half, ..PLACE };
    for (index, place) in [(0, half), (1, PLACE), (2, PLACE), (0, PLACE)] {
        let frame = buffers.frame(index);
        interop.accepts(&frame, &place).unwrap();
        let pixels = wire(&mut screen, &mut tools, &frame, place);
        let want = reference::render(buffers.picture(index), place.fit, place.rotation, SCREEN);
        check(SCREEN, &pixels, &want, &format!("{index} {place:?}"), |x, y| match index {
            0 => !is_flat(x, y, SCREEN),
            // The black bars are all looked at.
            1 => (60..420).contains(&y) && !is_flat(x, y - 60, Size::new(640, 360)),
            _ => false,
        });
    }
    Ok(())
}

/// What the interop says against a frame.
#[track_caller]
fn against(interop: &mut PlaneInterop, frame: &VideoFrame, place: &Place) -> String {
    match interop.accepts(frame, place) {
        Err(error @ InteropError::Unsupported { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

pub fn refusals(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let mut interop = screen.plane_interop();
    let small = Picture::new(PixelFormat::Nv12, Size::new(320, 240), SDR, flat_chroma(8));
    let mut turned = picture(PixelFormat::Nv12, SDR);
    turned.format.rotation = Rotation::Clockwise90;
    let bright = picture(PixelFormat::P010, Color { transfer: Transfer::Pq, ..SDR });
    let good = picture(PixelFormat::Nv12, SDR);
    let Some(buffers) = Buffers::of(vec![small, turned, bright, good]) else { return Err(NO_VGEM) };
    let said = [0, 1, 2].map(|it| against(&mut interop, &buffers.frame(it), &PLACE));
    assert_eq!(
        said,
        [
            "plane: cannot take 320x240 scaled to 640x480",
            "plane: cannot take a picture turned by 90 degrees",
            "plane: cannot take a frame that needs tone mapping (Pq)",
        ]
    );
    let ordinary = buffers.picture(3).frame_of(Default::default(), lucarne::base::time::MediaTime::ZERO);
    assert_eq!(against(&mut interop, &ordinary, &PLACE), "plane: cannot take a frame in ordinary memory");
    // A frame that was not asked about is refused when it comes, and the picture before it stays.
    let good = buffers.frame(3);
    show(&mut screen, &mut tools, &good, PLACE);
    let refused = screen.present(monotonic_now(), plane(buffers.frame(0), PLACE));
    assert!(matches!(refused, Err(PresentError::PlaneRefused { .. })), "{refused:?}");
    assert_eq!((screen.phase(), buffers.is_home(0), buffers.is_home(3)), (Phase::Idle, true, false));
    show(&mut screen, &mut tools, &good, PLACE);
    // Through the interop it comes as it is.
    interop.init(&good.format).unwrap();
    interop.submit_decoded_frame(good).unwrap();
    let it = interop.acquire_renderable_frame().unwrap().unwrap();
    assert_eq!((it.sampling, it.zero_copy, it.planes), (Sampling::Scanout, true, [None; 3]));
    interop.release_frame(it);
    assert!(interop.acquire_renderable_frame().unwrap().is_none());
    // When its screen is gone it is no more.
    drop(screen);
    let gone = interop.accepts(&buffers.frame(3), &PLACE);
    assert!(matches!(gone, Err(InteropError::ContextLost { .. })), "{gone:?}");
    drop(tools);
    Ok(())
}

pub fn leases(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let Some(buffers) = Buffers::of((0..4).map(|_| picture(PixelFormat::Nv12, SDR)).collect()) else {
        return Err(NO_VGEM);
    };
    // The first commit sets the mode, with a frame.
    assert_eq!(screen.phase(), Phase::Dark);
    let home = |buffers: &Buffers| [0, 1, 2, 3].map(|it| buffers.is_home(it));
    show(&mut screen, &mut tools, &buffers.frame(0), PLACE);
    assert_eq!(home(&buffers), [false, true, true, true]);
    for turn in 1..20_usize {
        let (old, new) = ((turn - 1) % 4, turn % 4);
        let id = present(&mut screen, &mut tools, || plane(buffers.frame(new), PLACE));
        assert!(!buffers.is_home(old) && !buffers.is_home(new), "both may be read until the flip");
        assert!(matches!(tools.event(&mut screen), PresentEvent::Presented { id: shown, .. } if shown == id));
        let held = home(&buffers).iter().filter(|it| !**it).count();
        assert!(buffers.is_home(old) && held == 1, "turn {turn}: {:?}", home(&buffers));
    }
    tools.show(&mut screen, 1);
    assert_eq!((home(&buffers), buffers.pool.leases()), ([true; 4], 0));
    assert_eq!(buffers.pool.imports(), 4, "kept for the pool's life");
    Ok(())
}

/// Framebuffers of a card, by the kernel's own list.
fn framebuffers(node: &Node) -> usize {
    let stat = nix::sys::stat::fstat(node.as_fd()).unwrap();
    let path = format!("/sys/kernel/debug/dri/{}/framebuffer", nix::sys::stat::minor(stat.st_rdev));
    let list = fs::read_to_string(PathBuf::from(path)).unwrap();
    list.lines().filter(|it| it.starts_with("framebuffer[")).count()
}

/// Attachments of dma-bufs, by the kernel's own list.
fn attachments() -> usize {
    let list = fs::read_to_string("/sys/kernel/debug/dma_buf/bufinfo").unwrap();
    let counts = list.lines().filter_map(|it| it.trim().strip_prefix("Total ")?.strip_suffix(" devices attached"));
    counts.map(|it| it.parse::<usize>().unwrap()).sum()
}

pub fn retired(surroundings: &Surroundings) -> Outcome {
    let node = Node::open(&surroundings.vkms);
    let _ = drm::Device::release_master_lock(&node);
    let (mut screen, mut tools) = one(&request(&[]));
    let mut interop = screen.plane_interop();
    tools.show(&mut screen, 1);
    let before = (framebuffers(&node), attachments());
    let Some(buffers) = Buffers::of((0..4).map(|_| picture(PixelFormat::Nv12, SDR)).collect()) else {
        return Err(NO_VGEM);
    };
    for index in 0..4 {
        show(&mut screen, &mut tools, &buffers.frame(index), PLACE);
    }
    assert_eq!((framebuffers(&node), attachments()), (before.0 + 4, before.1 + 4));
    let pool: &PoolState = &buffers.pool;
    pool.retire();
    assert_eq!(pool.imports(), 4);
    interop.tidy();
    assert_eq!((pool.imports(), pool.leases()), (1, 1), "what is on the screen stays");
    assert_eq!(framebuffers(&node), before.0 + 1);
    // Nothing of it is shown anew, and what is shown is not touched by that.
    let refused = screen.present(monotonic_now(), plane(buffers.frame(1), PLACE));
    assert!(matches!(refused, Err(PresentError::PlaneRefused { .. })), "{refused:?}");
    interop.accepts(&buffers.frame(1), &PLACE).unwrap();
    assert!(interop.submit_decoded_frame(buffers.frame(1)).is_err(), "it is late, and says nothing of those to come");
    // A picture of ours takes its place.
    tools.show(&mut screen, 2);
    assert_eq!((pool.imports(), pool.leases()), (0, 0));
    assert_eq!((framebuffers(&node), attachments()), before);
    // So does the next decoder's first frame.
    let Some(next) = Buffers::of(vec![picture(PixelFormat::Nv12, SDR)]) else { return Err(NO_VGEM) };
    show(&mut screen, &mut tools, &next.frame(0), PLACE);
    next.pool.retire();
    interop.tidy();
    let Some(after) = Buffers::of(vec![picture(PixelFormat::Nv12, SDR)]) else { return Err(NO_VGEM) };
    show(&mut screen, &mut tools, &after.frame(0), PLACE);
    assert_eq!((next.pool.imports(), next.pool.leases(), after.pool.imports()), (0, 0, 1));
    drop(screen);
    assert_eq!((after.pool.imports(), after.pool.leases()), (0, 0), "at the end too");
    drop(tools);
    Ok(())
}

pub fn switching(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let Some(buffers) = Buffers::of(vec![pattern_frame(5)]) else { return Err(NO_VGEM) };
    let frame = buffers.frame(0);
    tools.show(&mut screen, 5);
    // The same picture both ways: every vblank's checksum is the same, whatever shows it.
    let path = "/sys/kernel/debug/dri/0/crtc-0/crc/data";
    let found = (0..8).map(|it| path.replace("/0/", &format!("/{it}/"))).find(|it| fs::exists(it).is_ok_and(|it| it));
    let Some(path) = found else { return Err("this kernel has no checksums of a CRTC") };
    let lines = fs::File::open(path).unwrap();
    for turn in 0..12 {
        match turn % 4 {
            0 | 1 => show(&mut screen, &mut tools, &frame, PLACE),
            _ => drop(tools.show(&mut screen, 5)),
        }
    }
    let mut sums = Vec::new();
    let mut line = [0; 128];
    for _ in 0..10 {
        let length = std::io::Read::read(&mut &lines, &mut line).unwrap();
        let text = String::from_utf8_lossy(&line[..length]).trim_end_matches(['\0', '\n']).to_owned();
        sums.push(text.split_once(' ').unwrap().1.to_owned());
    }
    assert!(sums.iter().all(|it| *it == sums[0]), "{sums:?}");
    // And it is no black.
    drop(lines);
    let pixels = wire(&mut screen, &mut tools, &frame, PLACE);
    check_pattern(&pixels, SCREEN, 5);
    Ok(())
}

/// A target with a half transparent red square, and nothing else.
fn square(tools: &Tools, target: &RenderTarget) {
    let gl = tools.compositor.gl();
    gl.bind_framebuffer(target.framebuffer);
    gl.fill(Rect::of(target.size), [0.0; 4]);
    gl.fill(Rect { x: 100, y: 50, width: 200, height: 100 }, [0.5, 0.0, 0.0, 0.5]);
}

pub fn above(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let Some(buffers) = Buffers::of(vec![picture(PixelFormat::Nv12, SDR)]) else { return Err(NO_VGEM) };
    let frame = buffers.frame(0);
    show(&mut screen, &mut tools, &frame, PLACE);
    let mut want = reference::render(buffers.picture(0), PLACE.fit, PLACE.rotation, SCREEN);
    for (index, want) in want.iter_mut().enumerate() {
        let (x, y) = (index as u32 % SCREEN.width, index as u32 / SCREEN.width);
        if (100..300).contains(&x) && (50..150).contains(&y) {
            *want = [want[0] * 0.5 + 0.5, want[1] * 0.5, want[2] * 0.5];
        }
    }
    for turn in 0..4 {
        let (pixels, _) = capture_by(&mut screen, &mut tools, |screen, tools| {
            let target = screen.acquire(monotonic_now()).unwrap().unwrap();
            square(tools, &target);
            let layer = Layer::Plane(PlanePicture { frame: frame.clone(), place: PLACE, above: Some(target) });
            screen.present(monotonic_now(), layer).unwrap()
        });
        check(SCREEN, &pixels, &want, &format!("with something above, {turn}"), |x, y| !is_flat(x, y, SCREEN));
    }
    // Without it again, and then drawn, which shows nothing of what was above.
    let want = reference::render(buffers.picture(0), PLACE.fit, PLACE.rotation, SCREEN);
    let pixels = wire(&mut screen, &mut tools, &frame, PLACE);
    check(SCREEN, &pixels, &want, "without", |x, y| !is_flat(x, y, SCREEN));
    let (pixels, size) = capture_by(&mut screen, &mut tools, |screen, tools| tools.present(screen, 7));
    check_pattern(&pixels, size, 7);
    Ok(())
}

pub fn allocations(_: &Surroundings) -> Outcome {
    let (mut screen, mut tools) = one(&request(&[]));
    let Some(buffers) = Buffers::of((0..3).map(|_| picture(PixelFormat::Nv12, SDR)).collect()) else {
        return Err(NO_VGEM);
    };
    let mut interop = screen.plane_interop();
    let mut count = 0;
    for turn in 0..66 {
        let frame = buffers.frame(turn % 3);
        let before = thread_allocations();
        interop.tidy();
        interop.submit_decoded_frame(frame).unwrap();
        let it = interop.acquire_renderable_frame().unwrap().unwrap();
        screen.present(monotonic_now(), plane(it.frame.clone(), PLACE)).unwrap();
        interop.release_frame(it);
        let mut spent = thread_allocations() - before;
        loop {
            let before = thread_allocations();
            let event = screen.poll(monotonic_now()).unwrap();
            spent += thread_allocations() - before;
            if event.is_some() {
                break;
            }
            tools.wait(&screen, screen.deadline());
        }
        // Each buffer's first time is not counted.
        count += if turn < 6 { 0 } else { spent };
    }
    assert_eq!(count, 0, "60 frames");
    Ok(())
}

pub fn power_and_master(surroundings: &Surroundings) -> Outcome {
    let node = Node::open(&surroundings.vkms);
    let _ = drm::Device::release_master_lock(&node);
    let (mut screen, mut tools) = one(&request(&[]));
    let Some(buffers) = Buffers::of(vec![pattern_frame(5), pattern_frame(6)]) else { return Err(NO_VGEM) };
    show(&mut screen, &mut tools, &buffers.frame(0), PLACE);
    // The primary plane is off, an overlay is on.
    assert_eq!(lit(&node), (1, 1));
    screen.set_power(false).unwrap();
    assert_eq!((screen.phase(), buffers.pool.leases()), (Phase::SwitchedOff, 0), "nothing reads it");
    for index in [1, 0, 1] {
        show(&mut screen, &mut tools, &buffers.frame(index), PLACE);
    }
    screen.set_power(true).unwrap();
    assert_eq!(tools.event(&mut screen), PresentEvent::ModeChanged(screen.mode()));
    check_pattern(&wire(&mut screen, &mut tools, &buffers.frame(1), PLACE), SCREEN, 6);
    // Another program has the card for a while. The frame stays leased: it is still on the screen.
    screen.device().give_up();
    drm::Device::acquire_master_lock(&node).unwrap();
    let refused = screen.present(monotonic_now(), plane(buffers.frame(0), PLACE));
    assert!(matches!(refused, Err(PresentError::LostMaster { .. })), "{refused:?}");
    assert_eq!((screen.phase(), buffers.is_home(1)), (Phase::Lost, false));
    drm::Device::release_master_lock(&node).unwrap();
    screen.device().take_back(monotonic_now());
    assert_eq!(tools.event(&mut screen), PresentEvent::ModeChanged(screen.mode()));
    check_pattern(&wire(&mut screen, &mut tools, &buffers.frame(0), PLACE), SCREEN, 5);
    // At the end nothing is on that was not on before.
    drop(screen);
    assert_eq!(lit(&node), (0, 0));
    drop(tools);
    Ok(())
}

pub fn without_overlays(_: &Surroundings) -> Outcome {
    let Some(card) = TwoHeads::new("bare") else { return Err(NO_CONFIGFS) };
    let names = others(&card);
    let (mut screen, mut tools) = one(&request(&[&names[0]]));
    let mut interop = screen.plane_interop();
    let wide = Picture::new(PixelFormat::Nv12, Size::new(640, 360), SDR, flat_chroma(8));
    let Some(buffers) = Buffers::of(vec![pattern_frame(5), wide]) else { return Err(NO_VGEM) };
    let said = against(&mut interop, &buffers.frame(1), &PLACE);
    assert_eq!(said, "plane: cannot take a picture smaller than the screen, without an overlay");
    interop.accepts(&buffers.frame(0), &PLACE).unwrap();
    for seed in 0..3 {
        check_pattern(&wire(&mut screen, &mut tools, &buffers.frame(0), PLACE), SCREEN, 5);
        let (pixels, size) = capture_by(&mut screen, &mut tools, |screen, tools| tools.present(screen, seed));
        check_pattern(&pixels, size, seed);
    }
    let target = screen.acquire(monotonic_now()).unwrap().unwrap();
    square(&tools, &target);
    let layer = Layer::Plane(PlanePicture { frame: buffers.frame(0), place: PLACE, above: Some(target) });
    let refused = screen.present(monotonic_now(), layer);
    assert!(matches!(refused, Err(PresentError::PlaneRefused { .. })), "{refused:?}");
    drop((screen, tools));
    Ok(())
}

/// One overlay that either output can have: whoever comes first has it, and the other does without.
pub fn shared_overlay(_: &Surroundings) -> Outcome {
    let Some(card) = TwoHeads::with_overlay("shared") else { return Err(NO_CONFIGFS) };
    let names = others(&card);
    let (mut screens, mut tools) = crate::screen::open(&request(&[&names[0], &names[1]])).unwrap();
    let wide = || Picture::new(PixelFormat::Nv12, Size::new(640, 360), SDR, flat_chroma(8));
    let Some(buffers) = Buffers::of(vec![wide(), pattern_frame(5)]) else { return Err(NO_VGEM) };
    let mut interops = [screens[0].plane_interop(), screens[1].plane_interop()];
    interops[0].accepts(&buffers.frame(0), &PLACE).unwrap();
    let said = against(&mut interops[1], &buffers.frame(0), &PLACE);
    assert_eq!(said, "plane: cannot take a picture smaller than the screen, without an overlay");
    for _ in 0..3 {
        show(&mut screens[0], &mut tools, &buffers.frame(0), PLACE);
        check_pattern(&wire(&mut screens[1], &mut tools, &buffers.frame(1), PLACE), SCREEN, 5);
    }
    drop((screens, tools));
    Ok(())
}
