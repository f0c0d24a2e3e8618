//! What `probe` says of the machine: everything is tried, nothing is shown or heard.
use crate::app::probe::machine::{Capability, MachineReport};
use crate::base::audio::AudioFormat;
use crate::base::format::Size;
use crate::platform::{DecoderWish, DisplayRequest, Platform};
use crate::seam::decoder::DecoderFactory;

/// Small enough to cost nothing, large enough for every driver.
const TRIAL: Size = Size::new(64, 64);

/// Tries everything `platform` names.
pub fn report(platform: &Platform) -> MachineReport {
    MachineReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        decode: decode(platform),
        encode: vec![Capability {
            name: "none".to_owned(),
            works: false,
            detail: "this version plays; it does not record or convert".to_owned(),
        }],
        show: show(platform),
        hear: hear(platform),
    }
}

fn decode(platform: &Platform) -> Vec<Capability> {
    let capability = |it: &std::sync::Arc<dyn DecoderFactory>| {
        let codecs = it.codecs();
        let works = !codecs.is_empty();
        let detail = if works { codecs.join(", ") } else { "this FFmpeg knows none of the usual codecs".to_owned() };
        Capability { name: it.name().to_owned(), works, detail }
    };
    (platform.decoders)(DecoderWish::default()).iter().map(capability).collect()
}

fn show(platform: &Platform) -> Vec<Capability> {
    let desktop = crate::app::play::has_desktop();
    let request =
        DisplayRequest { size: Some(TRIAL), refresh_hz: None, outputs: Vec::new(), now: platform.clock.now() };
    let trial = |kind: &crate::platform::DisplayKind| {
        // A window would flash up; that a desktop is there is as much as is asked of it.
        let tried = (kind.probe)(desktop).and_then(|()| match kind.name {
            "window" => Ok("a desktop session is there".to_owned()),
            _ => match (kind.open)(&request) {
                Ok(screens) => Ok(screens.into_iter().next().map(|it| it.renderer).unwrap_or_default()),
                Err(it) => Err(it.to_string()),
            },
        });
        let works = tried.is_ok();
        Capability { name: kind.name.to_owned(), works, detail: tried.unwrap_or_else(|it| it) }
    };
    platform.displays.iter().map(trial).collect()
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
        Capability { name: factory.name().to_owned(), works, detail }
    };
    platform.sinks.iter().map(trial).collect()
}
