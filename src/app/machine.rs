//! What `probe` says of the machine: everything is tried, nothing is shown or heard.
use crate::app::probe::Stage;
use crate::app::probe::machine::MachineReport;
use crate::base::audio::AudioFormat;
use crate::base::capability::Capability;
use crate::platform::{DecoderWish, DisplayRequest, OpenScreen, Platform};
use crate::seam::decoder::DecoderFactory;
use crate::seam::interop::VideoInterop;

/// Tries everything `platform` names.
pub fn report(platform: &Platform) -> MachineReport {
    MachineReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        decode: decode(platform),
        encode: vec![Capability::no("none", "this version plays; it does not record or convert")],
        show: show(platform),
        hear: hear(platform),
    }
}

fn decode(platform: &Platform) -> Vec<Capability> {
    let capability = |it: &std::sync::Arc<dyn DecoderFactory>| {
        let codecs = it.codecs();
        let works = !codecs.is_empty();
        let detail = if works { codecs.join(", ") } else { "this FFmpeg knows none of the usual codecs".to_owned() };
        Capability { works, ..Capability::yes(it.name(), detail) }.with(it.describe())
    };
    (platform.decoders)(DecoderWish::default()).iter().map(capability).collect()
}

fn show(platform: &Platform) -> Vec<Capability> {
    let desktop = crate::app::play::has_desktop();
    let request = DisplayRequest { size: None, refresh_hz: None, outputs: Vec::new(), now: platform.clock.now() };
    let trial = |kind: &crate::platform::DisplayKind| {
        // A window would flash up; that a desktop is there is as much as is asked of it.
        let tried = (kind.probe)(desktop).and_then(|()| match kind.name {
            "window" => Ok(("a desktop session is there".to_owned(), Vec::new())),
            _ => match (kind.open)(&request) {
                Ok(screens) => Ok(screens.first().map(describe).unwrap_or_default()),
                Err(it) => Err(it.to_string()),
            },
        });
        match tried {
            Ok((detail, parts)) => Capability::yes(kind.name, detail).with(parts),
            Err(why) => Capability::no(kind.name, why),
        }
    };
    platform.displays.iter().map(trial).collect()
}

/// What draws on a screen; and its planes, and the ways frames take to it, best first.
fn describe(screen: &OpenScreen) -> (String, Vec<Capability>) {
    let way = |it: &dyn VideoInterop| {
        let how = if it.capabilities().zero_copy { "without a copy" } else { "copied by the processor" };
        let parts = it.describe();
        // A way that says of each format that it does not work shows none.
        match parts.is_empty() || parts.iter().any(|it| it.works) {
            true => Capability::yes(it.name(), how),
            false => Capability::no(it.name(), "none of its formats works here"),
        }
        .with(parts)
    };
    let ways = screen.interops.iter().map(|it| way(it.as_ref())).chain(screen.missing.iter().cloned());
    (screen.renderer.clone(), screen.presenter.describe().into_iter().chain(ways).collect())
}

/// The screen that files would be shown on: the first display that can be opened without anybody seeing it.
pub fn stage(platform: &Platform) -> Option<Stage> {
    let desktop = crate::app::play::has_desktop();
    let request = DisplayRequest { size: None, refresh_hz: None, outputs: Vec::new(), now: platform.clock.now() };
    let kinds = platform.displays.iter().filter(|it| it.name != "window" && (it.probe)(desktop).is_ok());
    let screen = kinds.filter_map(|it| (it.open)(&request).ok()).flatten().next()?;
    let size = screen.presenter.mode().size;
    Some(Stage { size, ways: screen.interops, missing: screen.missing, presenter: Some(screen.presenter) })
}

fn hear(platform: &Platform) -> Vec<Capability> {
    let wanted = AudioFormat { rate: 48_000, channels: 2 };
    let trial = |factory: &std::sync::Arc<dyn crate::seam::audio_sink::AudioSinkFactory>| {
        let tried = factory.open("default").and_then(|mut sink| sink.configure(wanted));
        let works = tried.is_ok();
        let detail = match tried {
            Ok(it) => format!("the default device takes {} Hz, {} channels", it.rate, it.channels),
            Err(error) => format!("{error}; films play without sound"),
        };
        Capability { works, ..Capability::yes(factory.name(), detail) }
    };
    platform.sinks.iter().map(trial).collect()
}
