//! A window on a desktop, X11 or Wayland, drawn to through the same EGL as everything else.
//!
//! No toolkit says when a frame was shown, and waiting for the compositor in `eglSwapBuffers` would stop the present thread
//! for as long as a window is hidden. So the swap interval is 0 and nothing waits: the picture is swapped at once and counts
//! as presented at the next tick of a grid with the monitor's refresh, until which no other target is given out. What is
//! really on the glass is up to one refresh early or late, which the compositor alone knows.
//!
//! While the window cannot be seen nothing is swapped, since a compositor need not give buffers back then; time goes on.
//!
//! Drawing and presenting allocate nothing. `poll` does on Wayland, within the toolkit, for each message of the compositor.
mod events;
mod grid;

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use winit::dpi::PhysicalSize;
use winit::event_loop::EventLoop;
use winit::platform::pump_events::{EventLoopExtPumpEvents, PumpStatus};
use winit::platform::{wayland, x11};
use winit::window::{Fullscreen, Window};

use crate::backend::window::events::{WindowEvents, refresh_of, size_of};
use crate::backend::window::grid::Grid;
use crate::base::format::Size;
use crate::base::time::MonoTime;
use crate::seam::presenter::{DisplayMode, Layer, PresentError, PresentEvent, Presenter, RenderTarget, SubmissionId};
use crate::seam::wait::Waitable;
use crate::sys::egl::{self, DesktopSurface, Display, EglError};
use crate::sys::gl::{self, Api};

const NAME: &str = "window";

/// One window. Lives on the thread that opened it; on some systems that must be the main thread.
#[derive(Debug)]
pub struct WindowPresenter {
    /// Dropped before the window and the connection.
    surface: DesktopSurface<Window>,
    window: Rc<Window>,
    events: WindowEvents,
    event_loop: EventLoop<()>,
    grid: Grid,
    next_id: SubmissionId,
    /// Swapped, and counted as presented at that tick.
    pending: Option<(SubmissionId, MonoTime)>,
    is_drawing: bool,
}

impl WindowPresenter {
    /// Opens a window of `size` pixels, or on the whole screen, and makes the GL context to draw with current. Works once
    /// in a process. Without a desktop it is `PresentError::Device`.
    pub fn open(size: Size, title: &str, fullscreen: bool) -> Result<(Self, Rc<gl::Context>), PresentError> {
        // The toolkit panics on a server without the usual extensions and on missing libraries; neither is our end.
        without_panic(|| Self::open_or_panic(size, title, fullscreen))
            .unwrap_or_else(|reason| Err(device("opening a window", last_line(&reason))))
    }

    fn open_or_panic(size: Size, title: &str, fullscreen: bool) -> Result<(Self, Rc<gl::Context>), PresentError> {
        let mut builder = EventLoop::builder();
        // A test may have its window on any thread; where the system insists on the main one, this backend is another.
        x11::EventLoopBuilderExtX11::with_any_thread(&mut builder, true);
        wayland::EventLoopBuilderExtWayland::with_any_thread(&mut builder, true);
        let mut event_loop =
            builder.build().map_err(|error| device("connecting to the desktop", last_line(&error.to_string())))?;
        let attributes = Window::default_attributes()
            .with_title(title)
            .with_inner_size(PhysicalSize::new(size.width.max(1), size.height.max(1)))
            .with_fullscreen(fullscreen.then_some(Fullscreen::Borderless(None)));
        let mut events = WindowEvents::new(attributes);
        event_loop.pump_app_events(Some(Duration::ZERO), &mut events);
        let window = events.take_window().map_err(|reason| device("opening a window", reason))?;
        window.set_cursor_visible(!fullscreen);

        let display = Display::of_desktop(event_loop.owned_display_handle()).map_err(|it| failed("EGL", &it))?;
        let config = display
            .choose_config(Api::Gles3, true, egl::visual_of(&*window))
            .map_err(|it| failed("eglChooseConfig", &it))?;
        let egl = egl::Context::new(&display, config, Api::Gles3).map_err(|it| failed("making a GL context", &it))?;
        let surface = DesktopSurface::new(&egl, &window, size_of(&window, size))
            .map_err(|it| failed("drawing to the window", &it))?;
        egl.make_current(Some(surface.surface())).map_err(|it| failed("drawing to the window", &it))?;
        egl.swap_interval(0).map_err(|it| failed("eglSwapInterval", &it))?;
        let gl = gl::Context::new(Rc::clone(&egl) as Rc<dyn gl::Platform>)
            .map_err(|error| device("loading GL", error.to_string()))?;

        events.set_mode(DisplayMode { size: size_of(&window, size), refresh: refresh_of(&window) });
        let grid = Grid::new(events.mode().refresh);
        let presenter = Self {
            surface,
            window,
            events,
            event_loop,
            grid,
            next_id: SubmissionId(0),
            pending: None,
            is_drawing: false,
        };
        Ok((presenter, gl))
    }

    /// Lets the toolkit look at what the desktop said; never waits.
    fn pump(&mut self) -> Result<(), PresentError> {
        let before = self.events.mode();
        let status = self.event_loop.pump_app_events(Some(Duration::ZERO), &mut self.events);
        let after = self.events.mode();
        if after.size != before.size {
            self.surface.resize(after.size);
        }
        self.grid.set_refresh(after.refresh);
        match status {
            PumpStatus::Continue => Ok(()),
            PumpStatus::Exit(code) => {
                Err(device("asking the desktop for news", format!("the connection has ended (code {code})")))
            }
        }
    }
}

fn device(call: &'static str, reason: String) -> PresentError {
    PresentError::Device { screen: NAME.to_owned(), call, reason }
}

fn failed(call: &'static str, error: &EglError) -> PresentError {
    device(call, error.to_string())
}

/// Runs what may panic, with the panic's words as the error and nothing printed. For start-up only: while it lasts, no other
/// thread's panic is printed either.
fn without_panic<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(run));
    std::panic::set_hook(hook);
    outcome.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        text.unwrap_or("the toolkit gave up without a word").to_owned()
    })
}

/// The toolkit's errors begin with where in its own source they arose.
fn last_line(text: &str) -> String {
    let text = text.trim_end_matches('.').replace('\n', "; ");
    match text.split_once("src/").and_then(|(_, rest)| rest.split_once(": ")) {
        Some((_, reason)) => reason.to_owned(),
        None => text,
    }
}

impl Presenter for WindowPresenter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn mode(&self) -> DisplayMode {
        self.events.mode()
    }

    fn acquire(&mut self, _now: MonoTime) -> Result<Option<RenderTarget>, PresentError> {
        if self.pending.is_some() {
            return Ok(None);
        }
        self.is_drawing = true;
        Ok(Some(RenderTarget { framebuffer: 0, size: self.mode().size, top_down: false }))
    }

    fn present(&mut self, now: MonoTime, layer: Layer) -> Result<SubmissionId, PresentError> {
        if self.pending.is_some() {
            return Err(PresentError::Busy);
        }
        let Layer::Composed(target) = layer else {
            return Err(device("present", "there are no planes here".to_owned()));
        };
        if !std::mem::take(&mut self.is_drawing) || target.framebuffer != 0 {
            return Err(device("present", "the target is not the one that was acquired".to_owned()));
        }
        if !self.events.is_hidden() {
            self.surface.surface().swap_buffers().map_err(|it| failed("eglSwapBuffers", &it))?;
        }
        let id = self.next_id;
        self.next_id = SubmissionId(id.0 + 1);
        self.pending = Some((id, self.grid.tick_after(now)));
        Ok(id)
    }

    fn poll(&mut self, now: MonoTime) -> Result<Option<PresentEvent>, PresentError> {
        self.pump()?;
        match self.pending {
            Some((id, at)) if now >= at => {
                self.pending = None;
                Ok(Some(PresentEvent::Presented { id, at, sequence: None }))
            }
            _ => Ok(self.events.next()),
        }
    }

    fn deadline(&self) -> Option<MonoTime> {
        self.pending.map(|(_, at)| at)
    }

    fn waitable(&self) -> Waitable<'_> {
        Waitable::Fd(self.event_loop.as_fd())
    }

    fn set_fullscreen(&mut self, on: bool) {
        self.window.set_fullscreen(on.then_some(Fullscreen::Borderless(None)));
        self.window.set_cursor_visible(!on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolkits_errors_lose_their_source_line() {
        for (text, want) in [
            ("os error at /a/b/src/platform_impl/linux/mod.rs:765: DISPLAY is not set.", "DISPLAY is not set"),
            ("not supported", "not supported"),
            ("one\ntwo", "one; two"),
        ] {
            assert_eq!(last_line(text), want);
        }
    }
}
