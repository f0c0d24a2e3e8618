//! From the options to open screens.
use crate::app::cli::{DisplayChoice, InteropChoice, PlayOptions, ZeroCopyFailure};
use crate::app::exit::Failure;
use crate::base::time::MonoTime;
use crate::logic::interop_policy::{InteropMode, OnFailure};
use crate::pipeline::player::interop::InteropSwitch;
use crate::pipeline::player::screen::Screen;
use crate::platform::{DisplayKind, DisplayRequest, DmabufWish, Injection, OpenScreen, Platform};
use crate::seam::presenter::PresentError;

/// What to do where there is no graphics card.
const NO_CARD: &str =
    "load the display's driver (on a Raspberry Pi: dtoverlay=vc4-kms-v3d in config.txt), or use --display headless";

/// What was opened.
pub struct Opened {
    /// "kms", "window" or "headless".
    pub display: &'static str,
    /// One for each output asked for, in that order; without any, one.
    pub screens: Vec<Screen>,
}

/// Opens the display that `options` ask for. `dmabuf`: how decoders hear what it takes. `now`: the time on the display's
/// clock.
pub fn open(
    options: &PlayOptions,
    platform: &Platform,
    injection: Option<&Injection>,
    dmabuf: &DmabufWish,
    now: MonoTime,
) -> Result<Opened, Failure> {
    let request = request(options, now);
    let (display, opened) = match kind_name(options.display) {
        Some(name) => open_one(name, platform, &request)?,
        None => open_any(platform, &request)?,
    };
    Ok(Opened { display, screens: screens(display, opened, options, injection, dmabuf)? })
}

/// Opens the screens of a `display` again whose device was gone.
pub fn reopen(
    display: &'static str,
    options: &PlayOptions,
    platform: &Platform,
    injection: Option<&Injection>,
    dmabuf: &DmabufWish,
    now: MonoTime,
) -> Result<Vec<Screen>, Failure> {
    let (display, opened) = open_one(display, platform, &request(options, now))?;
    screens(display, opened, options, injection, dmabuf)
}

fn request(options: &PlayOptions, now: MonoTime) -> DisplayRequest {
    DisplayRequest {
        size: options.size.size,
        refresh_hz: options.size.refresh_hz,
        outputs: options.outputs.iter().map(|it| it.name.clone()).collect(),
        now,
    }
}

/// What was opened, as the player takes it. Whether it takes dma-bufs as they are is told by `dmabuf`.
fn screens(
    display: &str,
    opened: Vec<OpenScreen>,
    options: &PlayOptions,
    injection: Option<&Injection>,
    dmabuf: &DmabufWish,
) -> Result<Vec<Screen>, Failure> {
    let wanted = options.outputs.len().max(1);
    if opened.len() != wanted {
        return Err(Failure::failed(format!("the {display} display has {} of {wanted} screens", opened.len())));
    }
    if let Some(it) = opened.first() {
        log::info!("showing on {display} with {}", it.renderer);
    }
    let takes_dmabufs = opened.iter().flat_map(|it| &it.interops).any(|it| it.capabilities().zero_copy);
    dmabuf.make(takes_dmabufs && options.interop != InteropChoice::ForceSoftware);
    let costly = |it| match injection {
        Some(injection) => injection.screen(it),
        None => it,
    };
    opened.into_iter().map(|it| screen(costly(it), options)).collect()
}

/// The one kind asked for, or `None` for the best there is.
fn kind_name(choice: DisplayChoice) -> Option<&'static str> {
    match choice {
        DisplayChoice::Auto => None,
        DisplayChoice::Kms => Some("kms"),
        DisplayChoice::Window => Some("window"),
        DisplayChoice::Headless => Some("headless"),
    }
}

fn screen(it: OpenScreen, options: &PlayOptions) -> Result<Screen, Failure> {
    let OpenScreen { interops, missing, compositor, presenter, .. } = it;
    let missing = missing.into_iter().map(|it| format!("{}: {}", it.name, it.detail)).collect();
    let mode = match options.interop {
        InteropChoice::Auto => InteropMode::Auto,
        InteropChoice::ForceSoftware => InteropMode::ForceSoftware,
        InteropChoice::ForceZeroCopy => InteropMode::ForceZeroCopy(match options.on_zero_copy_failure {
            ZeroCopyFailure::Fail => OnFailure::Fail,
            ZeroCopyFailure::Downgrade => OnFailure::Downgrade,
        }),
    };
    let interops =
        InteropSwitch::with_missing(interops, missing, mode).map_err(|it| Failure::failed(it.to_string()))?;
    Ok(Screen { interops, compositor, presenter })
}

/// The kind the user named, and no other.
fn open_one(
    name: &'static str,
    platform: &Platform,
    request: &DisplayRequest,
) -> Result<(&'static str, Vec<OpenScreen>), Failure> {
    let Some(kind) = platform.displays.iter().find(|it| it.name == name) else {
        let known: Vec<&str> = platform.displays.iter().map(|it| it.name).collect();
        let what = format!("--display {name}: this system has no such display");
        return Err(Failure::failed(what).advise(&format!("one of {}", known.join(", "))));
    };
    // Who asks for KMS by name knows that there is a desktop.
    let desktop = name != "kms" && has_desktop();
    if let Err(reason) = (kind.probe)(desktop) {
        let advice = if name == "kms" { NO_CARD.to_owned() } else { advice(name) };
        return Err(Failure::failed(format!("no display could be opened ({name}: {reason})")).advise(&advice));
    }
    match (kind.open)(request) {
        Ok(screens) => Ok((kind.name, screens)),
        Err(error) => {
            let advice = error.advice().map_or_else(|| advice(name), str::to_owned);
            Err(Failure::failed(format!("no display could be opened ({name}: {error})")).advise(&advice))
        }
    }
}

/// The first kind that can be opened. Says once what could not be and why.
fn open_any(platform: &Platform, request: &DisplayRequest) -> Result<(&'static str, Vec<OpenScreen>), Failure> {
    let desktop = has_desktop();
    let mut refusals = Vec::new();
    for kind in &platform.displays {
        match try_open(kind, desktop, request) {
            Ok(screens) => {
                tell_choice(kind.name, &refusals);
                return Ok((kind.name, screens));
            }
            Err(reason) => refusals.push(format!("{}: {reason}", kind.name)),
        }
    }
    let what = format!("no display could be opened ({})", refusals.join("; "));
    Err(Failure::failed(what).advise(&advice("auto")))
}

fn try_open(kind: &DisplayKind, desktop: bool, request: &DisplayRequest) -> Result<Vec<OpenScreen>, String> {
    (kind.probe)(desktop)?;
    (kind.open)(request).map_err(|it| with_advice(&it))
}

fn with_advice(error: &PresentError) -> String {
    error.advice().map_or_else(|| error.to_string(), |advice| format!("{error}, {advice}"))
}

/// That one display is shown on rather than another is normal; that nobody sees anything is not.
fn tell_choice(name: &str, refusals: &[String]) {
    match (name, refusals) {
        (_, []) => {}
        ("headless", refusals) => {
            log::warn!("nothing is shown: no display could be opened, playing headless ({})", refusals.join("; "));
        }
        (name, refusals) => log::info!("showing on the {name} display ({})", refusals.join("; ")),
    }
}

/// What to do when nobody below knows better.
fn advice(kind: &str) -> String {
    match kind {
        "kms" => "see `lucarne probe`, or use --display headless",
        _ => "install libegl1 and libgl1-mesa-dri, or start it in a desktop session",
    }
    .to_owned()
}

/// Whether there is a desktop session to open a window in. The environment is read here and nowhere below.
pub fn has_desktop() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(|it| std::env::var_os(it).is_some_and(|it| !it.is_empty()))
}
