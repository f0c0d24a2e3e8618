//! What every `VideoInterop` must do. A backend brings itself and a source of frames in memory it can take.
use std::rc::Rc;
use std::sync::Arc;

use lucarne::base::color::Color;
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::frame::{VecPlanes, VideoFrame};
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::offer::Severity;
use lucarne::base::time::MediaTime;
use lucarne::seam::interop::{InteropError, Renderable, VideoInterop};
use lucarne::sys::gl::{Api, Context};

use crate::difference::compare;
use crate::pictures::{Channel, Picture, SDR, Texel, hard};
use crate::reference;
use crate::stage::{Stage, keep_evidence};

/// Where a backend's frames come from, and whether they come home.
pub trait FrameSource {
    /// The picture in memory of the backend's kind, rows padded by `padding` bytes.
    fn frame(&mut self, picture: &Picture, padding: usize, pts: MediaTime) -> VideoFrame;
    /// Frames somebody still holds.
    fn held(&self) -> usize;
}

/// Frames in ordinary memory.
#[allow(dead_code, reason = "some backends take other memory")]
#[derive(Debug, Default)]
pub struct CpuFrames(Vec<Arc<VecPlanes>>);

impl FrameSource for CpuFrames {
    fn frame(&mut self, picture: &Picture, padding: usize, pts: MediaTime) -> VideoFrame {
        let planes = Arc::new(picture.planes(padding));
        self.0.push(Arc::clone(&planes));
        picture.frame_of(planes, pts)
    }

    fn held(&self) -> usize {
        self.0.iter().filter(|it| Arc::strong_count(it) > 1).count()
    }
}

/// What a backend may ask of pictures to be exact.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What the numbers mean.
    pub color: Color,
    /// Sizes that chroma does not divide are shown too.
    pub odd_sizes: bool,
}

/// None.
pub const ANY: Terms = Terms { color: SDR, odd_sizes: true };

/// One backend under test.
struct Rig<'a> {
    stage: Stage,
    terms: Terms,
    interop: Box<dyn VideoInterop>,
    source: &'a mut dyn FrameSource,
}

/// One thing a backend must do.
type Case = fn(&mut Rig<'_>);

/// Runs every case on a screenless context, each on an interop of its own.
#[allow(dead_code, reason = "some backends need a context of another kind")]
pub fn interop_conformance(
    make: &dyn Fn(Rc<Context>) -> Box<dyn VideoInterop>,
    make_source: &dyn Fn() -> Box<dyn FrameSource>,
) {
    interop_conformance_on(Stage::new(Api::Gles3), ANY, make, make_source);
}

/// Runs every case on a stage, each on an interop of its own.
pub fn interop_conformance_on(
    mut stage: Stage,
    terms: Terms,
    make: &dyn Fn(Rc<Context>) -> Box<dyn VideoInterop>,
    make_source: &dyn Fn() -> Box<dyn FrameSource>,
) {
    let cases: &[(&str, Case)] = &[
        ("nothing submitted, nothing to show", nothing_submitted),
        ("colour bars of every format are right", colour_bars),
        ("odd sizes and padded rows are right", odd_sizes_and_strides),
        ("a pending frame is replaced by a newer one", pending_is_replaced),
        ("the picture shown survives the next", shown_picture_survives),
        ("every frame comes home", frames_come_home),
        ("the format may change at any frame", format_changes),
        ("a frame may be out when the interop goes", teardown_with_a_frame_out),
        ("what is too large is refused for good", too_large),
    ];
    for (name, case) in cases {
        let interop = make(Rc::clone(&stage.gl));
        let mut source = make_source();
        let mut rig = Rig { stage, terms, interop, source: &mut *source };
        case(&mut rig);
        let Rig { stage: back, interop, .. } = rig;
        drop(interop);
        stage = back;
        stage.gl.check("teardown").unwrap();
        assert_eq!(source.held(), 0, "{name}: frames are still held after teardown");
    }
}

impl Rig<'_> {
    /// Submits a picture.
    fn submit(&mut self, picture: &Picture, padding: usize, pts: i64) {
        let frame = self.source.frame(picture, padding, MediaTime::from_nanos(pts));
        self.interop.submit_decoded_frame(frame).unwrap();
    }

    /// What is to be shown; there must be something.
    fn acquire(&mut self) -> Renderable {
        self.interop.acquire_renderable_frame().unwrap().expect("a frame was submitted")
    }

    /// Draws it at its own size and compares.
    #[track_caller]
    fn check(&mut self, name: &str, renderable: &Renderable, picture: &Picture) {
        let screen = picture.format.visible.size();
        let got = self.stage.draw(renderable, Fit::Contain, Rotation::None, screen, true);
        let want = reference::render(picture, Fit::Contain, Rotation::None, screen);
        let difference = compare(&got, &want);
        // One more than exact: where chroma changes, a GPU's own filter has a say.
        let good = difference.max <= 3.0 && difference.psnr >= 45.0;
        assert!(good, "{name}: {difference:?}: {}", keep_evidence(name, &got, &want, screen));
    }

    /// The GPU has done all it was asked, and the backend has heard of it.
    fn settle(&mut self) {
        self.stage.gl.finish();
        self.interop.tidy();
    }

    /// The eight classic bars of this format and size.
    fn bars(&self, pixel: PixelFormat, size: Size) -> Picture {
        bars(pixel, size, self.terms.color)
    }

    /// Formats the backend says it takes.
    fn formats(&self) -> Vec<PixelFormat> {
        self.interop.capabilities().formats.to_vec()
    }
}

/// The eight classic bars, in codes good for any format.
pub fn bars(pixel: PixelFormat, size: Size, color: Color) -> Picture {
    let top = (1u32 << pixel.bit_depth()) - 1;
    Picture::new(pixel, size, color, |it: Texel| {
        let bar = 8 * it.x / it.size.width;
        let on = match it.channel {
            Channel::Luma => 8 - bar,
            Channel::Red | Channel::Cr => (bar & 1) * 6 + 1,
            Channel::Green | Channel::Cb => (bar >> 1 & 1) * 6 + 1,
            Channel::Blue | Channel::Alpha => (bar >> 2) * 6 + 1,
        };
        u16::try_from(top * on / 8).unwrap()
    })
}

fn nothing_submitted(rig: &mut Rig<'_>) {
    assert!(!rig.interop.name().is_empty());
    let picture = rig.bars(PixelFormat::Nv12, Size::new(32, 16));
    rig.interop.init(&picture.format).unwrap();
    assert!(rig.interop.acquire_renderable_frame().unwrap().is_none());
    rig.submit(&picture, 0, 0);
    let shown = rig.acquire();
    assert!(rig.interop.acquire_renderable_frame().unwrap().is_none(), "a frame is handed out once");
    rig.interop.release_frame(shown);
}

fn colour_bars(rig: &mut Rig<'_>) {
    for pixel in rig.formats() {
        let picture = rig.bars(pixel, Size::new(64, 36));
        rig.interop.init(&picture.format).unwrap();
        rig.submit(&picture, 0, 1);
        let shown = rig.acquire();
        assert_eq!(shown.zero_copy, rig.interop.capabilities().zero_copy);
        rig.check(&format!("bars {}", pixel.name()), &shown, &picture);
        rig.interop.release_frame(shown);
    }
}

fn odd_sizes_and_strides(rig: &mut Rig<'_>) {
    for pixel in rig.formats() {
        for (width, height, padding) in [(5, 3, 0), (33, 17, 1), (33, 17, 31), (64, 35, 64)] {
            let even = |it: u32| if rig.terms.odd_sizes { it } else { it.next_multiple_of(2) };
            let size = Size::new(even(width), even(height));
            let picture = Picture::new(pixel, size, rig.terms.color, hard(pixel.bit_depth()));
            rig.interop.init(&picture.format).unwrap();
            rig.submit(&picture, padding, 1);
            let shown = rig.acquire();
            rig.check(&format!("{} {width}x{height}+{padding}", pixel.name()), &shown, &picture);
            rig.interop.release_frame(shown);
        }
    }
}

fn pending_is_replaced(rig: &mut Rig<'_>) {
    let picture = rig.bars(rig.formats()[0], Size::new(32, 16));
    rig.interop.init(&picture.format).unwrap();
    for pts in 1..=3 {
        rig.submit(&picture, 0, pts);
        assert_eq!(rig.source.held(), 1, "the replaced frame went home");
    }
    let shown = rig.acquire();
    assert_eq!(shown.frame.pts, MediaTime::from_nanos(3));
    rig.interop.release_frame(shown);
}

fn shown_picture_survives(rig: &mut Rig<'_>) {
    let pixel = rig.formats()[0];
    let first = rig.bars(pixel, Size::new(32, 16));
    let second = Picture::new(pixel, Size::new(32, 16), rig.terms.color, hard(pixel.bit_depth()));
    rig.interop.init(&first.format).unwrap();
    rig.submit(&first, 0, 1);
    let mut on_screen = rig.acquire();
    for turn in 0..4 {
        let (old, new) = if turn % 2 == 0 { (&first, &second) } else { (&second, &first) };
        rig.submit(new, 0, 2 + turn);
        let next = rig.acquire();
        // A screen may have to be drawn again while the next picture is ready.
        rig.check("redrawn", &on_screen, old);
        rig.check("next", &next, new);
        rig.interop.release_frame(std::mem::replace(&mut on_screen, next));
    }
    rig.interop.release_frame(on_screen);
}

fn frames_come_home(rig: &mut Rig<'_>) {
    let picture = rig.bars(rig.formats()[0], Size::new(32, 16));
    rig.interop.init(&picture.format).unwrap();
    for pts in 0..50 {
        rig.submit(&picture, 0, pts);
        let shown = rig.acquire();
        rig.settle();
        assert_eq!(rig.source.held(), 1, "the renderable keeps its frame");
        rig.interop.release_frame(shown);
        // A backend that shows the frame's own memory may keep it until the GPU has read it.
        assert!(rig.source.held() <= 1);
    }
    rig.settle();
    assert_eq!(rig.source.held(), 0, "the GPU has read all of them");
    // The last one is pending when the interop goes.
    rig.submit(&picture, 0, 99);
}

fn format_changes(rig: &mut Rig<'_>) {
    let formats = rig.formats();
    let sizes = [Size::new(64, 36), Size::new(16, 8), Size::new(48, 64)];
    let mut on_screen: Option<(Renderable, Picture)> = None;
    for turn in 0..formats.len() * 2 {
        let picture = rig.bars(formats[turn % formats.len()], sizes[turn % sizes.len()]);
        rig.interop.init(&picture.format).unwrap();
        rig.submit(&picture, 0, turn as i64);
        let next = rig.acquire();
        if let Some((old, of)) = on_screen.take() {
            rig.check("before the change", &old, &of);
            rig.interop.release_frame(old);
        }
        rig.check("after the change", &next, &picture);
        on_screen = Some((next, picture));
    }
    if let Some((last, _)) = on_screen {
        rig.interop.release_frame(last);
    }
}

fn teardown_with_a_frame_out(rig: &mut Rig<'_>) {
    let picture = rig.bars(rig.formats()[0], Size::new(32, 16));
    rig.interop.init(&picture.format).unwrap();
    rig.submit(&picture, 0, 1);
    drop(rig.acquire());
}

fn too_large(rig: &mut Rig<'_>) {
    let mut format = rig.bars(rig.formats()[0], Size::new(32, 16)).format;
    format.coded.width = rig.interop.capabilities().max_size + 1;
    let error = rig.interop.init(&format).unwrap_err();
    assert!(matches!(error, InteropError::Unsupported { .. }), "{error}");
    assert_eq!(error.severity(), Severity::FallBack);
    assert!(error.to_string().contains(&rig.interop.capabilities().max_size.to_string()), "{error}");
}
