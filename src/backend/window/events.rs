//! What the desktop says of our window, as the presenter's events.
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow};
use winit::keyboard::{Key, NamedKey};
use winit::window::{Window, WindowAttributes, WindowId};

use crate::base::format::Size;
use crate::seam::presenter::{DisplayMode, PresentEvent, UserInput};

/// For monitors that do not say, and for those that say nonsense.
const USUAL_REFRESH: Duration = Duration::from_nanos(16_666_667);

/// Millihertz a monitor may have: from cinema's slowest to faster than any there is.
const CREDIBLE_RATES: std::ops::RangeInclusive<u32> = 10_000..=1_000_000;

/// Room for what a user does between two polls. A key that is held comes some thirty times a second; beyond this the newest
/// go.
const MAX_EVENTS: usize = 64;

/// Receives the toolkit's calls.
#[derive(Debug)]
pub struct WindowEvents {
    /// What to open; taken by the first `resumed`.
    attributes: Option<WindowAttributes>,
    opened: Option<Result<Rc<Window>, String>>,
    window: Option<Rc<Window>>,
    mode: DisplayMode,
    is_covered: bool,
    is_empty: bool,
    queue: VecDeque<PresentEvent>,
}

impl WindowEvents {
    /// Opens a window as soon as the toolkit says it can.
    pub fn new(attributes: WindowAttributes) -> Self {
        Self {
            attributes: Some(attributes),
            opened: None,
            window: None,
            mode: DisplayMode { size: Size::new(0, 0), refresh: USUAL_REFRESH },
            is_covered: false,
            is_empty: false,
            queue: VecDeque::with_capacity(MAX_EVENTS),
        }
    }

    /// The window, once; the error is the toolkit's words.
    pub fn take_window(&mut self) -> Result<Rc<Window>, String> {
        let window = self.opened.take().unwrap_or_else(|| Err("the desktop does not answer".to_owned()))?;
        self.window = Some(Rc::clone(&window));
        Ok(window)
    }

    /// What the window is like when it is opened: no event of its own.
    pub fn set_mode(&mut self, mode: DisplayMode) {
        self.mode = mode;
        self.queue.retain(|it| !matches!(it, PresentEvent::ModeChanged(_)));
    }

    /// What it is like now.
    pub fn mode(&self) -> DisplayMode {
        self.mode
    }

    /// Nothing of it can be seen.
    pub fn is_hidden(&self) -> bool {
        self.is_covered || self.is_empty
    }

    /// The oldest event not yet told.
    pub fn next(&mut self) -> Option<PresentEvent> {
        self.queue.pop_front()
    }

    fn tell(&mut self, event: PresentEvent) {
        if self.queue.len() < MAX_EVENTS {
            self.queue.push_back(event);
        }
    }

    fn look_again(&mut self, size: Size) {
        let Some(window) = &self.window else { return };
        self.is_empty = size.is_empty();
        // Minimised is not a size: the picture waits for the window to come back as it was.
        let size = if self.is_empty { self.mode.size } else { size };
        let mode = DisplayMode { size, refresh: refresh_of(window) };
        if mode != self.mode {
            self.mode = mode;
            // Dragging a corner changes the size with every step; only the last one matters.
            self.queue.retain(|it| !matches!(it, PresentEvent::ModeChanged(_)));
            self.tell(PresentEvent::ModeChanged(mode));
        }
    }
}

impl ApplicationHandler for WindowEvents {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        // We pump with a timeout of our own, and never want to be called in between.
        event_loop.set_control_flow(ControlFlow::Wait);
        if let Some(attributes) = self.attributes.take() {
            self.opened = Some(event_loop.create_window(attributes).map(Rc::new).map_err(|error| error.to_string()));
        }
    }

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => self.tell(PresentEvent::Input(UserInput::Quit)),
            WindowEvent::Destroyed => self.tell(PresentEvent::Disconnected),
            WindowEvent::Resized(size) => self.look_again(Size::new(size.width, size.height)),
            // Perhaps onto another monitor, with another refresh.
            WindowEvent::Moved(_) | WindowEvent::ScaleFactorChanged { .. } => self.look_again(self.mode.size),
            WindowEvent::Occluded(covered) => {
                let comes_back = self.is_covered && !covered;
                self.is_covered = covered;
                if comes_back {
                    // What was drawn while it was covered was never swapped.
                    self.tell(PresentEvent::ModeChanged(self.mode));
                }
            }
            // A synthetic press is a key that was down already when the window got the focus.
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. } => {
                if let Some(input) = input_of(&event) {
                    self.tell(PresentEvent::Input(input));
                }
            }
            _ => {}
        }
    }
}

/// What a key means to us.
fn input_of(event: &KeyEvent) -> Option<UserInput> {
    if event.state != ElementState::Pressed {
        return None;
    }
    meaning_of(&event.logical_key, event.repeat)
}

/// Arrows repeat while they are held; the others would undo themselves.
fn meaning_of(key: &Key, repeat: bool) -> Option<UserInput> {
    match key {
        Key::Named(NamedKey::ArrowRight) => Some(UserInput::Next),
        Key::Named(NamedKey::ArrowLeft) => Some(UserInput::Previous),
        _ if repeat => None,
        Key::Named(NamedKey::Escape) => Some(UserInput::Quit),
        Key::Named(NamedKey::Space) => Some(UserInput::TogglePause),
        Key::Character(it) if it.eq_ignore_ascii_case("q") => Some(UserInput::Quit),
        Key::Character(it) if it.eq_ignore_ascii_case("f") => Some(UserInput::ToggleFullscreen),
        Key::Character(it) if it == " " => Some(UserInput::TogglePause),
        _ => None,
    }
}

/// The pixels of a window; `wanted` while the desktop has not said.
pub fn size_of(window: &Window, wanted: Size) -> Size {
    let size = window.inner_size();
    let size = Size::new(size.width, size.height);
    if size.is_empty() { wanted } else { size }
}

/// The refresh of the monitor a window is on; 60 Hz where it does not say.
pub fn refresh_of(window: &Window) -> Duration {
    let monitor = window.current_monitor().or_else(|| window.primary_monitor());
    refresh_from(monitor.and_then(|it| it.refresh_rate_millihertz()))
}

fn refresh_from(millihertz: Option<u32>) -> Duration {
    match millihertz {
        Some(it) if CREDIBLE_RATES.contains(&it) => Duration::from_nanos(1_000_000_000_000 / u64::from(it)),
        _ => USUAL_REFRESH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says() {
        let named = |it| Key::Named(it);
        let typed = |it: &str| Key::Character(it.into());
        for (key, first, held) in [
            (named(NamedKey::Escape), Some(UserInput::Quit), None),
            (typed("q"), Some(UserInput::Quit), None),
            (typed("Q"), Some(UserInput::Quit), None),
            (typed("f"), Some(UserInput::ToggleFullscreen), None),
            (named(NamedKey::Space), Some(UserInput::TogglePause), None),
            (named(NamedKey::ArrowRight), Some(UserInput::Next), Some(UserInput::Next)),
            (named(NamedKey::ArrowLeft), Some(UserInput::Previous), Some(UserInput::Previous)),
            (typed("x"), None, None),
            (named(NamedKey::Enter), None, None),
        ] {
            assert_eq!((meaning_of(&key, false), meaning_of(&key, true)), (first, held), "{key:?}");
        }
    }

    #[test]
    fn a_monitor_without_a_credible_refresh_has_60_hz() {
        for (millihertz, nanos) in [
            (Some(50_000), 20_000_000),
            (Some(59_940), 16_683_350),
            (None, 16_666_667),
            (Some(0), 16_666_667),
            (Some(u32::MAX), 16_666_667),
        ] {
            assert_eq!(refresh_from(millihertz).as_nanos(), nanos, "{millihertz:?}");
        }
    }

    #[test]
    fn events_beyond_the_room_are_dropped_and_the_newest_size_wins() {
        let mut events = WindowEvents::new(Window::default_attributes());
        for _ in 0..100 {
            events.tell(PresentEvent::Input(UserInput::Next));
        }
        assert_eq!(std::iter::from_fn(|| events.next()).count(), MAX_EVENTS);
    }
}
