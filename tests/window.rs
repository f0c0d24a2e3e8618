//! A real window on a virtual X server: what was drawn is on the screen, and what a user does arrives.
//!
//! A process can connect to a desktop once, and some systems want the main thread for it. So each case is a process of its
//! own, started by this one, and the harness is ours.
#[path = "support/harness.rs"]
mod harness;
#[path = "support/xserver.rs"]
mod xserver;

use std::cell::LazyCell;
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::backend::wait::PollWaiter;
use lucarne::backend::window::WindowPresenter;
use lucarne::base::color::ColorTags;
use lucarne::base::format::{PixelFormat, Ratio, Rect, Size};
use lucarne::base::frame::{Memory, VecPlanes, VideoFormat, VideoFrame};
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::time::MediaTime;
use lucarne::render::Compositor;
use lucarne::seam::interop::VideoInterop;
use lucarne::seam::presenter::{Layer, PresentError, PresentEvent, Presenter, UserInput};
use lucarne::seam::wait::{Waitable, Waiter};
use lucarne::sys::clock::monotonic_now;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xserver::XServer;

/// Tells a child which case it is.
const CASE: &str = "LUCARNE_TEST_WINDOW_CASE";
/// The virtual screen.
const SCREEN: Size = Size::new(800, 600);
/// Anything here takes milliseconds; a machine too busy for this is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a case runs.
#[derive(Clone, Copy, PartialEq)]
enum Desktop {
    None,
    X11,
    /// An X server that lacks an extension the toolkit cannot do without.
    BareX11,
    Wayland,
}

type Case = (&'static str, Desktop, fn());

const CASES: [Case; 7] = [
    ("without_a_desktop_there_is_a_clean_error", Desktop::None, without_a_desktop),
    ("a_desktop_that_lacks_something_is_a_clean_error", Desktop::BareX11, bare_desktop),
    ("what_is_drawn_is_on_the_screen", Desktop::X11, drawn_is_on_screen),
    ("frames_are_paced_by_the_refresh_and_reported_once", Desktop::X11, paced),
    ("keys_and_a_new_size_arrive", Desktop::X11, keys_and_size),
    ("a_window_nobody_sees_does_not_stop_the_show", Desktop::X11, unseen),
    ("a_wayland_window_opens_and_swaps", Desktop::Wayland, paced),
];

fn main() -> ExitCode {
    if let Ok(name) = std::env::var(CASE) {
        let case = CASES.iter().find(|it| it.0 == name).expect("the parent names a case");
        case.2();
        return ExitCode::SUCCESS;
    }
    let desktops = LazyCell::new(Desktops::start);
    harness::run(&CASES.map(|it| it.0), |place| {
        let (name, desktop, _) = CASES[place];
        let mut child = Command::new(std::env::current_exe().expect("we are a file"));
        child.env(CASE, name).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        match desktop {
            Desktop::None => {}
            Desktop::X11 => drop(child.env("DISPLAY", &desktops.x11.display)),
            Desktop::BareX11 => drop(child.env("DISPLAY", &desktops.bare.display)),
            Desktop::Wayland => {
                let it = desktops.wayland.as_ref().ok_or("weston is not installed")?;
                child.env("WAYLAND_DISPLAY", Weston::SOCKET).env("XDG_RUNTIME_DIR", it.folder.path());
            }
        }
        let output = child.output().expect("we can be started");
        assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        Ok::<(), &str>(())
    })
}

/// All that the cases open windows on.
struct Desktops {
    x11: XServer,
    bare: XServer,
    wayland: Option<Weston>,
}

impl Desktops {
    fn start() -> Self {
        let start = |more: &[&str]| XServer::start(&SCREEN.to_string(), more);
        Self { x11: start(&[]), bare: start(&["-extension", "RANDR"]), wayland: Weston::start() }
    }
}

/// A Wayland compositor without a screen, where one is installed.
struct Weston {
    process: Child,
    folder: tempfile::TempDir,
}

impl Weston {
    const SOCKET: &str = "lucarne-test";

    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Command::new("weston")
            .args(["--backend=headless-backend.so", "--no-config", "--idle-time=0", "--socket", Self::SOCKET])
            .env("XDG_RUNTIME_DIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let it = Self { process, folder };
        let started = Instant::now();
        while !it.folder.path().join(Self::SOCKET).exists() {
            assert!(started.elapsed() < PATIENCE, "weston makes no socket");
            std::thread::yield_now();
        }
        Some(it)
    }
}

impl Drop for Weston {
    fn drop(&mut self) {
        // Politely, so that it ends its own children too.
        let _ = kill(Pid::from_raw(self.process.id() as i32), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

fn without_a_desktop() {
    let error = WindowPresenter::open(Size::new(320, 240), "Lucarne", false).expect_err("there is no desktop");
    assert!(matches!(error, PresentError::Device { .. }));
    let text = error.to_string();
    assert!(text.contains("DISPLAY") && !text.contains('\n') && !text.contains("src/"), "{text}");
}

fn bare_desktop() {
    let error = WindowPresenter::open(Size::new(320, 240), "Lucarne", false).expect_err("it cannot do");
    let text = error.to_string();
    assert!(text.contains("XRandR") && !text.contains('\n'), "{text}");
}

/// A window and what it takes to draw in it.
struct Show {
    presenter: WindowPresenter,
    compositor: Compositor,
    interop: SoftwareUpload,
    waiter: PollWaiter,
}

impl Show {
    fn open(size: Size) -> Self {
        let (presenter, gl) = WindowPresenter::open(size, "Lucarne", false).expect("there is a desktop");
        let compositor = Compositor::new(Rc::clone(&gl)).expect("it compiles");
        let interop = SoftwareUpload::new(gl, WideTexels::Auto);
        Self { presenter, compositor, interop, waiter: PollWaiter::new().expect("a descriptor is free") }
    }

    fn draw(&mut self, frame: &VideoFrame) {
        let now = monotonic_now();
        let target = self.presenter.acquire(now).expect("the window is there").expect("nothing is on its way");
        self.interop.init(&frame.format).expect("it takes RGB");
        self.interop.submit_decoded_frame(frame.clone()).expect("it takes RGB");
        let picture = self.interop.acquire_renderable_frame().expect("it uploads").expect("one was submitted");
        self.compositor.compose(&target, Some((&picture, Fit::Stretch, Rotation::None))).expect("it draws");
        self.presenter.present(now, Layer::Composed(target)).expect("the window is there");
        self.interop.release_frame(picture);
    }

    /// Waits as the present thread does, until an event is the one looked for.
    fn until(&mut self, what: &str, mut wanted: impl FnMut(&PresentEvent) -> bool) -> PresentEvent {
        let started = Instant::now();
        loop {
            let now = monotonic_now();
            while let Some(event) = self.presenter.poll(now).expect("the window is there") {
                if wanted(&event) {
                    return event;
                }
            }
            assert!(started.elapsed() < PATIENCE, "no {what}");
            let left = self.presenter.deadline().map_or(PATIENCE, |it| it.saturating_since(now));
            let waitable = self.presenter.waitable();
            assert!(matches!(waitable, Waitable::Fd(_)));
            self.waiter.wait(&[waitable], Some(left));
        }
    }
}

const COLORS: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 100, 50]];

/// Four quarters of different colours, top left first.
fn quarters(size: Size) -> VideoFrame {
    let mut bytes = Vec::new();
    for y in 0..size.height {
        for x in 0..size.width {
            let quarter = (x * 2 / size.width + 2 * (y * 2 / size.height)) as usize;
            bytes.extend(COLORS[quarter]);
        }
    }
    let format = VideoFormat {
        pixel: PixelFormat::Rgb24,
        coded: size,
        visible: Rect::of(size),
        sar: Ratio::ONE,
        rotation: Rotation::None,
        color: ColorTags::default().resolve(size, true),
    };
    VideoFrame {
        format,
        pts: MediaTime::ZERO,
        duration: Duration::ZERO,
        corrupt: false,
        lap: 0,
        discontinuity: false,
        memory: Memory::Cpu(Arc::new(VecPlanes { planes: vec![(bytes, size.width as usize * 3)] })),
    }
}

/// RGB bytes of the whole screen.
fn grab() -> Vec<u8> {
    let display = std::env::var("DISPLAY").expect("we run on X11");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-video_size"])
        .arg(format!("{}x{}", SCREEN.width, SCREEN.height))
        .args(["-i", &display, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .expect("ffmpeg is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The middles of the four quarters of a window of `size` in the corner of the screen, and a point beyond it.
fn look(size: Size) -> ([[u8; 3]; 4], [u8; 3]) {
    let screen = grab();
    let at = |x: u32, y: u32| {
        let at = (y * SCREEN.width + x) as usize * 3;
        [screen[at], screen[at + 1], screen[at + 2]]
    };
    let (x, y) = (size.width / 4, size.height / 4);
    let inside = [at(x, y), at(3 * x, y), at(x, 3 * y), at(3 * x, 3 * y)];
    (inside, at(size.width + 5, size.height + 5))
}

fn drawn_is_on_screen() {
    let size = Size::new(320, 240);
    let mut show = Show::open(size);
    assert_eq!(show.presenter.mode().size, size);
    // Two frames: a window system may throw away what was drawn before the window was first shown.
    for _ in 0..2 {
        show.draw(&quarters(size));
        show.until("presented frame", |it| matches!(it, PresentEvent::Presented { .. }));
    }
    assert_eq!(look(size), (COLORS, [0, 0, 0]));
}

fn paced() {
    let size = Size::new(320, 240);
    let mut show = Show::open(size);
    let refresh = show.presenter.mode().refresh;
    assert!((Duration::from_millis(1)..=Duration::from_millis(100)).contains(&refresh), "{refresh:?}");
    let frame = quarters(size);
    let mut last = None;
    let mut n_without_allocation = 0;
    for n in 0..12 {
        let before = lucarne::sys::alloc::thread_allocations();
        show.draw(&frame);
        // The first one makes textures and programs.
        assert!(n == 0 || lucarne::sys::alloc::thread_allocations() == before, "drawing frame {n} allocates");
        let now = monotonic_now();
        assert!(matches!(show.presenter.acquire(now), Ok(None)), "no target while a frame is on its way");
        let event = show.until("presented frame", |it| matches!(it, PresentEvent::Presented { .. }));
        let PresentEvent::Presented { id, at, sequence } = event else { unreachable!("that was asked for") };
        assert_eq!((id.0, sequence), (n, None));
        assert!(at <= monotonic_now(), "reported before its time");
        if let Some(last) = last {
            let apart = at.saturating_since(last).as_nanos();
            assert!(apart > 0 && apart.is_multiple_of(refresh.as_nanos()), "{apart} ns apart, refresh {refresh:?}");
        }
        last = Some(at);
        n_without_allocation += u32::from(lucarne::sys::alloc::thread_allocations() == before);
    }
    // Asking for news allocates where there is some: on Wayland the toolkit does for the compositor's every message, and
    // there is at least one for each frame. On X11 most frames bring none.
    let is_x11 = std::env::var_os("DISPLAY").is_some();
    assert!(
        !is_x11 || n_without_allocation >= 6,
        "only {n_without_allocation} of 12 frames went without an allocation"
    );
    let now = monotonic_now();
    assert!(show.presenter.deadline().is_none());
    show.presenter.set_fullscreen(true);
    show.presenter.set_fullscreen(false);
    while let Some(event) = show.presenter.poll(now).expect("the window is there") {
        assert!(!matches!(event, PresentEvent::Presented { .. }), "reported twice");
    }
}

fn xdotool(arguments: &[&str]) {
    let output = Command::new("xdotool").args(arguments).output().expect("xdotool is installed");
    assert!(output.status.success(), "xdotool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn keys_and_size() {
    let mut show = Show::open(Size::new(320, 240));
    show.draw(&quarters(Size::new(320, 240)));
    show.until("presented frame", |it| matches!(it, PresentEvent::Presented { .. }));
    // There is no window manager to do it.
    xdotool(&["search", "--sync", "--name", "^Lucarne$", "windowfocus", "--sync"]);
    for (key, want) in [
        ("space", UserInput::TogglePause),
        ("Right", UserInput::Next),
        ("Left", UserInput::Previous),
        ("f", UserInput::ToggleFullscreen),
        ("q", UserInput::Quit),
        ("Escape", UserInput::Quit),
    ] {
        xdotool(&["key", key]);
        let event = show.until(key, |it| matches!(it, PresentEvent::Input(_)));
        assert_eq!(event, PresentEvent::Input(want), "{key}");
    }
    xdotool(&["search", "--name", "^Lucarne$", "windowsize", "500", "400"]);
    let size = Size::new(500, 400);
    show.until("new size", |it| matches!(it, PresentEvent::ModeChanged(mode) if mode.size == size));
    assert_eq!(show.presenter.mode().size, size);
    for _ in 0..3 {
        show.draw(&quarters(size));
        show.until("presented frame", |it| matches!(it, PresentEvent::Presented { .. }));
    }
    assert_eq!(look(size), (COLORS, [0, 0, 0]));
}

fn unseen() {
    let size = Size::new(320, 240);
    let mut show = Show::open(size);
    let show_some = |show: &mut Show| {
        for _ in 0..4 {
            show.draw(&quarters(size));
            show.until("presented frame", |it| matches!(it, PresentEvent::Presented { .. }));
        }
    };
    show_some(&mut show);
    xdotool(&["search", "--name", "^Lucarne$", "windowunmap", "--sync"]);
    show_some(&mut show);
    assert_eq!(look(size).0, [[0; 3]; 4], "it is away");
    xdotool(&["search", "--name", "^Lucarne$", "windowmap", "--sync"]);
    show_some(&mut show);
    assert_eq!(look(size).0, COLORS, "it is back");
}
