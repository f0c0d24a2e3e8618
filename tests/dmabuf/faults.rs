//! What goes wrong: by importers around EGL's own that fail when they are told to.
use std::cell::Cell;
use std::rc::Rc;

use lucarne::backend::dmabuf::{DmabufInterop, ImportError, Importer, Styles};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::offer::Severity;
use lucarne::base::time::MediaTime;
use lucarne::seam::interop::{InteropError, Sampling, VideoInterop};
use lucarne::sys::egl::{DmaBuf, DmaBufModifier, ImageTexture};
use lucarne::sys::gl::{Fence, TextureTarget};

use crate::cases::{SHOWN, acquire};
use crate::dmabuf_frames::HeapPicture;
use crate::interop_conformance::{FrameSource, bars};
use crate::pictures::SDR;
use crate::place::Place;

const SIZE: Size = Size::new(64, 36);

/// What is to go wrong, shared with the case.
#[derive(Debug, Clone, Copy, Default)]
struct Plan {
    /// Ordinary textures begin so many bytes too late.
    off_by: u32,
    /// Nothing is imported any more, for this reason.
    refuse: Option<&'static str>,
    lost: bool,
    /// Nobody can say any more how far the GPU is.
    fences_fail: bool,
}

struct Faulty {
    inner: Box<dyn Importer>,
    plan: Rc<Cell<Plan>>,
    n_imports: Rc<Cell<usize>>,
}

impl Importer for Faulty {
    fn import(&self, picture: &DmaBuf<'_>, target: TextureTarget) -> Result<ImageTexture, ImportError> {
        self.n_imports.set(self.n_imports.get() + 1);
        let plan = self.plan.get();
        if plan.lost {
            return Err(ImportError::ContextLost);
        }
        if let Some(why) = plan.refuse {
            return Err(ImportError::Refused(why.to_owned()));
        }
        let late = if target == TextureTarget::D2 { plan.off_by } else { 0 };
        let mut planes = picture.planes.to_vec();
        planes.iter_mut().for_each(|it| it.offset += late);
        self.inner.import(&DmaBuf { planes: &planes, ..*picture }, target)
    }

    fn has_passed(&self, fence: &Fence) -> Result<bool, ImportError> {
        if self.plan.get().fences_fail {
            return Err(ImportError::Refused("glClientWaitSync failed".to_owned()));
        }
        self.inner.has_passed(fence)
    }

    fn modifiers(&self, fourcc: u32) -> Vec<DmaBufModifier> {
        self.inner.modifiers(fourcc)
    }
}

type Handles = (Rc<Cell<Plan>>, Rc<Cell<usize>>);

fn faulty(place: &Place) -> (Box<dyn Importer>, Handles) {
    let (plan, n_imports) = (Rc::<Cell<Plan>>::default(), Rc::<Cell<usize>>::default());
    let inner = place.importer();
    (Box::new(Faulty { inner, plan: Rc::clone(&plan), n_imports: Rc::clone(&n_imports) }), (plan, n_imports))
}

/// An interop that goes wrong when told to, not before.
fn interop(place: &Place) -> (DmabufInterop, Handles) {
    let (importer, handles) = faulty(place);
    (DmabufInterop::new(place.tried(importer, Styles::Auto).unwrap()), handles)
}

pub fn wrong_pixels(place: &Place) {
    let (importer, (plan, _)) = faulty(place);
    plan.set(Plan { off_by: 4, ..Plan::default() });
    let why = place.tried(importer, Styles::Planes).unwrap_err();
    assert!(why.contains("nv12: plane by plane: wrong pixels, plane 0 at "), "{why}");
    crate::harness::say(&format!("  {}", why.split("; ").next().unwrap()));
    // Where planes are wrong, the whole may still be right.
    let (importer, (plan, _)) = faulty(place);
    plan.set(Plan { off_by: 4, ..Plan::default() });
    let imports = place.tried(importer, Styles::Auto).unwrap();
    let nv12 = imports.verdict(PixelFormat::Nv12).unwrap().unwrap();
    assert_eq!(nv12.sampling, Some(Sampling::External), "{nv12}");
    assert!(nv12.reason.contains("wrong pixels") && nv12.reason.contains("as a whole: right pixels"), "{nv12}");
}

pub fn refused(place: &Place) {
    let (mut interop, (plan, n_imports)) = interop(place);
    let mut frames = place.frames();
    let picture = bars(PixelFormat::Nv12, SIZE, SDR);
    for _ in 0..3 {
        frames.add(&picture, 0, |_| {});
    }
    for slot in 0..2 {
        let it = acquire(&mut interop, &frames, slot, &picture);
        interop.release_frame(it);
    }
    plan.set(Plan { refuse: Some("out of memory"), ..Plan::default() });
    interop.submit_decoded_frame(frames.lend(2, &picture, MediaTime::ZERO)).unwrap();
    let error = interop.acquire_renderable_frame().unwrap_err();
    let words = error.to_string();
    crate::harness::say(&format!("  {words}"));
    for it in ["dmabuf: ", "nv12 64x36", "2 planes", "modifier 0x0", "fd ", "offset 2304, stride 64", "out of memory"] {
        assert!(words.contains(it), "{it:?} is not in {words:?}");
    }
    // A heap gives whole pages; how large is its own affair.
    let length = words.split(" of ").nth(1).and_then(|it| it.split_once(" bytes: "));
    let length = length.and_then(|it| it.0.parse::<u32>().ok());
    assert!(length.is_some_and(|it| 3456 <= it && it % 4096 == 0), "{words}");
    assert_eq!(error.severity(), Severity::Retry);
    // What was imported before goes on; and the frame that was refused is home and may come again.
    let n_before = n_imports.get();
    let it = acquire(&mut interop, &frames, 1, &picture);
    interop.release_frame(it);
    assert_eq!(n_imports.get(), n_before);
    plan.set(Plan::default());
    let it = acquire(&mut interop, &frames, 2, &picture);
    interop.release_frame(it);
    assert_eq!(frames.pool.imports(), 3);
    // As a question about a configuration, it is a refusal with the same words.
    let slot = frames.add(&picture, 0, |_| {});
    plan.set(Plan { refuse: Some("out of memory"), ..Plan::default() });
    let error = interop.accepts(&frames.lend(slot, &picture, MediaTime::ZERO), &SHOWN).unwrap_err();
    assert_eq!(error.severity(), Severity::FallBack);
    assert!(error.to_string().contains("out of memory"), "{error}");
}

pub fn context_lost(place: &Place) {
    let (mut interop, (plan, _)) = interop(place);
    let (mut frames, stage) = (place.frames(), place.stage());
    let picture = bars(PixelFormat::Nv12, SIZE, SDR);
    for _ in 0..2 {
        frames.add(&picture, 0, |_| {});
    }
    let out = acquire(&mut interop, &frames, 0, &picture);
    plan.set(Plan { lost: true, ..Plan::default() });
    interop.submit_decoded_frame(frames.lend(1, &picture, MediaTime::ZERO)).unwrap();
    let error = interop.acquire_renderable_frame().unwrap_err();
    assert!(matches!(error, InteropError::ContextLost { .. }), "{error}");
    assert_eq!(error.severity(), Severity::Reconfigure);
    assert_eq!((frames.pool.imports(), interop.imported()), (0, 0));
    // A picture of before comes back late.
    interop.release_frame(out);
    stage.gl.finish();
    interop.tidy();
    assert_eq!(frames.held(), 0);
    // And once it can import again, it does.
    plan.set(Plan::default());
    interop.init(&picture.format).unwrap();
    let it = acquire(&mut interop, &frames, 1, &picture);
    interop.release_frame(it);
    assert_eq!(frames.pool.imports(), 1);
}

/// A fence that fails is never reached: what waits for it must not wait for ever.
pub fn fences_fail(place: &Place) {
    let (mut interop, (plan, _)) = interop(place);
    let mut frames = place.frames();
    let picture = bars(PixelFormat::Nv12, SIZE, SDR);
    for _ in 0..2 {
        frames.add(&picture, 0, |_| {});
    }
    // Seen when the next frame comes.
    let it = acquire(&mut interop, &frames, 0, &picture);
    interop.release_frame(it);
    plan.set(Plan { fences_fail: true, ..Plan::default() });
    let error = interop.submit_decoded_frame(frames.lend(1, &picture, MediaTime::ZERO)).unwrap_err();
    assert_eq!(error.severity(), Severity::Reconfigure, "{error}");
    assert_eq!((frames.held(), frames.pool.imports(), interop.imported()), (0, 0, 0));
    // Seen while nothing comes, by a pool that is wanted back.
    plan.set(Plan::default());
    let it = acquire(&mut interop, &frames, 0, &picture);
    interop.release_frame(it);
    plan.set(Plan { fences_fail: true, ..Plan::default() });
    frames.pool.retire();
    interop.tidy();
    assert_eq!((frames.held(), frames.pool.imports()), (0, 0));
    // And it goes on when the GPU does.
    plan.set(Plan::default());
    let mut frames = place.frames();
    frames.add(&picture, 0, |_| {});
    let it = acquire(&mut interop, &frames, 0, &picture);
    interop.release_frame(it);
    assert_eq!(frames.pool.imports(), 1);
}

/// A way to spoil a picture in a buffer, and what is said of it.
type Spoiled = (fn(&mut HeapPicture), &'static str);

pub fn corrupted(place: &Place) {
    let (mut interop, (_, n_imports)) = interop(place);
    let mut frames = place.frames();
    let picture = bars(PixelFormat::Nv12, SIZE, SDR);
    let n_before = n_imports.get();
    let spoiled: [Spoiled; 9] = [
        (|it| it.places[0].1 = 0, "plane 0's rows have 64 bytes, 0 apart"),
        (|it| it.places[0].1 = 63, "63 apart"),
        (|it| it.places[1].1 = u32::MAX, "plane 1 ends at byte"),
        (|it| it.places[1].0 = u32::MAX, "plane 1 ends at byte"),
        (|it| it.places[1].0 = 65_536, "plane 1 ends at byte"),
        (|it| it.places[1].1 = 4096, "plane 1 ends at byte"),
        (|it| it.places.truncate(1), "plane 1 is missing"),
        (|it| it.places.clear(), "plane 0 is missing"),
        (|it| it.modifier = 0x0700_0000_0000_0004, "R8 cannot be imported with modifier 0x700000000000004"),
    ];
    for (change, why) in spoiled {
        let slot = frames.add(&picture, 0, change);
        let frame = frames.lend(slot, &picture, MediaTime::ZERO);
        let error = interop.accepts(&frame, &SHOWN).unwrap_err();
        assert!(error.to_string().contains(why), "{why:?} is not in {error}");
        assert_eq!(error.severity(), Severity::FallBack);
        // Nor does it when nobody asks before.
        interop.submit_decoded_frame(frame).unwrap();
        let error = interop.acquire_renderable_frame().unwrap_err();
        assert!(error.to_string().contains(why), "{why:?} is not in {error}");
    }
    let mut too_large = bars(PixelFormat::Nv12, SIZE, SDR);
    let slot = frames.add(&too_large, 0, |_| {});
    too_large.format.coded.height = 100_000;
    assert!(interop.accepts(&frames.lend(slot, &too_large, MediaTime::ZERO), &SHOWN).is_err());
    // What is in ordinary memory is told apart, whatever its decoder is called.
    let ordinary = picture.frame_of(picture.planes(0).into(), MediaTime::ZERO);
    let error = interop.accepts(&ordinary, &SHOWN).unwrap_err();
    assert!(error.to_string().contains("nv12 in ordinary memory"), "{error}");
    assert_eq!((n_imports.get(), frames.pool.imports(), frames.held()), (n_before, 0, 0));
}
