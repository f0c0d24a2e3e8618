//! Linux: KMS on a free console, a window where there is a desktop, ALSA, inotify.
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use crate::backend::alsa::AlsaSinkFactory;
use crate::backend::cec::CecTelevisions;
use crate::backend::console::{Console, NoConsole};
use crate::backend::dmabuf::Imports;
use crate::backend::frame_memory::DmabufSource;
use crate::backend::headless::display_clock::RealClock;
use crate::backend::inotify::InotifyWatch;
use crate::backend::kms::{self, KmsPresenter, KmsRequest};
use crate::backend::software::demuxer::FfmpegDemuxerFactory;
use crate::backend::v4l2::{Buffers, V4l2DecoderFactory};
use crate::backend::wait::PollWaiter;
use crate::backend::window::WindowPresenter;
use crate::platform::{DecoderWish, DisplayKind, DisplayRequest, OpenScreen, Platform, headless};
use crate::seam::clock::Clock;
use crate::seam::decoder::DecoderFactory;
use crate::seam::presenter::PresentError;
use crate::seam::television::Televisions;
use crate::sys;
use crate::sys::ffmpeg::{FrameMemory, FrameMemorySource};
use crate::sys::gl;

/// What this machine offers.
pub fn open() -> Platform {
    Platform {
        clock: Arc::new(RealClock),
        stepped_clock: headless::stepped_clock,
        demuxers: Arc::new(FfmpegDemuxerFactory),
        decoders,
        audio_decoders: headless::audio_decoders(),
        displays: vec![kms(), window(), headless::display()],
        sinks: vec![Arc::new(AlsaSinkFactory)],
        synthetic_sink: headless::synthetic_sink,
        waiter: || Ok(Box::new(PollWaiter::new()?)),
        watch: || Ok(Box::new(InotifyWatch::new()?)),
        televisions,
        allocations: sys::alloc::thread_allocations,
        peak_rss_kib,
    }
}

/// Hardware first: its pictures need no copy to be shown. What the CPU decodes goes into dma-bufs where there are some.
fn decoders(wish: DecoderWish) -> Vec<Arc<dyn DecoderFactory>> {
    let hardware = V4l2DecoderFactory::new(Arc::new(RealClock), Buffers::Exported);
    vec![Arc::new(hardware), headless::software(&wish, Some(Arc::new(LazySource::default())))]
}

/// Looks for a heap when the first decoder wants one.
#[derive(Debug, Default)]
struct LazySource(OnceLock<Option<DmabufSource>>);

impl FrameMemorySource for LazySource {
    fn memory(&self, n_pictures: usize) -> Option<Arc<dyn FrameMemory>> {
        self.0.get_or_init(find_memory).as_ref()?.memory(n_pictures)
    }
}

fn find_memory() -> Option<DmabufSource> {
    match DmabufSource::find() {
        Ok(it) => {
            log::debug!("software decoders may write to dma-bufs of {}", it.heap().path().display());
            Some(it)
        }
        Err(reason) => {
            log::debug!("what is decoded in software is copied to the screen: {reason}");
            None
        }
    }
}

/// The kernel's own high-water mark.
fn peak_rss_kib() -> Option<u64> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()?;
    u64::try_from(usage.max_rss()).ok()
}

fn televisions(clock: Arc<dyn Clock>) -> std::io::Result<Option<Box<dyn Televisions>>> {
    Ok(CecTelevisions::open(clock)?.map(|it| Box::new(it) as Box<dyn Televisions>))
}

fn kms() -> DisplayKind {
    DisplayKind {
        name: "kms",
        probe: |desktop| if desktop { Err("the desktop owns the screen".to_owned()) } else { kms::probe() },
        open: open_kms,
    }
}

fn open_kms(request: &DisplayRequest) -> Result<Vec<OpenScreen>, PresentError> {
    let wanted = KmsRequest { outputs: request.outputs.clone(), size: request.size, refresh_hz: request.refresh_hz };
    let (presenters, gl) = kms::open(&wanted, request.now)?;
    if let Some(presenter) = presenters.first() {
        take_console(presenter);
    }
    let imports = match presenters.first() {
        Some(it) => Imports::open(&gl, it.device().display()),
        None => return Ok(Vec::new()),
    };
    presenters.into_iter().map(|it| screen(gl.clone(), &imports, it)).collect()
}

/// Frames go to planes as they are wherever planes take them; everything else is drawn.
fn screen(
    gl: Rc<gl::Context>,
    imports: &Result<Rc<Imports>, String>,
    presenter: KmsPresenter,
) -> Result<OpenScreen, PresentError> {
    let plane = Box::new(presenter.plane_interop());
    let mut screen = headless::screen(gl, imports, Box::new(presenter))?;
    screen.interops.insert(0, plane);
    Ok(screen)
}

/// The text console is below the screen that is ours now; a machine without one plays all the same.
fn take_console(presenter: &KmsPresenter) {
    // This program is its own guard, as it is installed now: an update may replace its file meanwhile.
    match Console::take(&["/proc/self/exe", "console-guard"]) {
        Ok(console) => {
            if let Err(reason) = presenter.device().sit(Box::new(console)) {
                log::warn!("the console was let go of again: {reason}");
            }
        }
        Err(reason @ NoConsole::Missing(_)) => log::debug!("{reason}"),
        Err(reason @ NoConsole::Refused { .. }) => log::info!("{reason}"),
    }
}

fn window() -> DisplayKind {
    DisplayKind {
        name: "window",
        probe: |desktop| if desktop { Ok(()) } else { Err("there is no desktop session here".to_owned()) },
        open: open_window,
    }
}

fn open_window(request: &DisplayRequest) -> Result<Vec<OpenScreen>, PresentError> {
    let size = headless::size_without_outputs("window", request)?;
    let (presenter, gl) = WindowPresenter::open(size, "Lucarne", false)?;
    // A desktop's window is for trying things out: what it shows is copied by the compositor in any case.
    let imports = Err("not for windows".to_owned());
    Ok(vec![headless::screen(gl, &imports, Box::new(presenter))?])
}
