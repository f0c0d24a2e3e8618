//! What must be so when a codec fails, on the board's own, which fails when it is told to.
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lucarne::backend::headless::display_clock::RealClock;
use lucarne::backend::v4l2::Buffers;
use lucarne::base::frame::VideoFrame;
use lucarne::base::offer::Severity;
use lucarne::base::packet::Packet;
use lucarne::base::time::MediaTime;
use lucarne::seam::clock::Clock;
use lucarne::seam::decoder::{DecodeError, DecoderFactory, DecoderStats};

use crate::films::Film;
use crate::h264_cases::{films, open, same};
use crate::play::{self, Screen, Shown};

const NONE: &str = "the codec here does not fail when it is told to";
const PARAMETERS: &str = "/sys/module/bcm2835_codec_twin/parameters";
const DRIVER: &str = "/sys/bus/platform/drivers/bcm2835-codec";
/// A failure is found and said within this, so that another decoder may take over within a second.
const SAID_WITHIN: Duration = Duration::from_millis(600);

/// A parameter that is as it was when this goes.
struct Fault(&'static str);

impl Fault {
    fn set(name: &'static str, value: u32) -> Self {
        fs::write(Path::new(PARAMETERS).join(name), value.to_string()).unwrap();
        Self(name)
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        let _ = fs::write(Path::new(PARAMETERS).join(self.0), "0");
    }
}

fn film(name: &str) -> Result<Film, &'static str> {
    if !Path::new(PARAMETERS).exists() {
        return Err(NONE);
    }
    films(&[name])?.into_iter().next().ok_or(NONE)
}

/// What came before it failed, with what, and how long after its last sign of life.
struct Failed {
    pictures: Vec<Shown>,
    error: Option<DecodeError>,
    after: Duration,
    stats: DecoderStats,
}

fn play(film: &Film) -> Failed {
    let factory = play::factory(Buffers::Exported);
    let mut decoder = open(&factory, &film.stream);
    let mut pictures = Vec::new();
    let mut last = RealClock.now();
    let mut look = |it: &VideoFrame| {
        last = RealClock.now();
        pictures.push(play::shown(it));
    };
    let mut screen = Screen::new(&mut look);
    let played =
        screen.feed(decoder.as_mut(), film.packets.iter().cloned()).and_then(|()| screen.finish(decoder.as_mut()));
    let after = RealClock.now().saturating_since(last);
    Failed { pictures, error: played.err(), after, stats: decoder.stats() }
}

/// Without the fault it plays as ever.
fn is_well(film: &Film) {
    let end = play(film);
    assert!(end.error.is_none(), "{:?}", end.error);
    same(&film.name, &end.pictures, &film.pictures);
}

pub fn error() -> Result<(), &'static str> {
    let film = film("854x480")?;
    {
        let _fault = Fault::set("error_after", 20);
        let end = play(&film);
        let error = end.error.expect("it fails");
        assert!(matches!(error, DecodeError::Device { .. }) && error.severity() == Severity::FallBack, "{error}");
        assert!(end.after < SAID_WITHIN, "{:?}", end.after);
        same("up to there", &end.pictures, &film.pictures[..end.pictures.len()]);
    }
    is_well(&film);
    Ok(())
}

fn stalls(fault: &'static str) -> Result<(), &'static str> {
    let film = film("854x480")?;
    {
        let _fault = Fault::set(fault, 20);
        let end = play(&film);
        let error = end.error.expect("it fails");
        let DecodeError::Stalled { decoder, packets, .. } = &error else { panic!("{error}") };
        assert!(decoder.contains("bcm2835") && *packets > 0, "{error}");
        assert!(end.after < SAID_WITHIN, "{:?}", end.after);
        same("up to there", &end.pictures, &film.pictures[..end.pictures.len()]);
    }
    is_well(&film);
    Ok(())
}

pub fn swallows() -> Result<(), &'static str> {
    stalls("stall_after")
}

pub fn keeps() -> Result<(), &'static str> {
    film("854x480")?;
    let _fault = Fault::set("stall_hold", 1);
    stalls("stall_after")
}

pub fn corrupt() -> Result<(), &'static str> {
    let film = film("854x480")?;
    let _fault = Fault::set("corrupt_at", 10);
    let end = play(&film);
    assert!(end.error.is_none(), "{:?}", end.error);
    assert_eq!((end.pictures.len(), end.stats.corrupt), (film.pictures.len(), 1));
    Ok(())
}

pub fn lost() -> Result<(), &'static str> {
    let film = film("size-changes")?;
    let _fault = Fault::set("drop_on_change", 2);
    let end = play(&film);
    assert!(end.error.is_none(), "{:?}", end.error);
    let known: Vec<u32> = film.pictures.iter().map(|it| it.crc).collect();
    assert!(end.pictures.iter().all(|it| known.contains(&it.crc)));
    assert!(end.pictures.len() + 12 > film.pictures.len(), "{} of {}", end.pictures.len(), film.pictures.len());
    Ok(())
}

pub fn gone() -> Result<(), &'static str> {
    let film = film("854x480")?;
    let factory = play::factory(Buffers::Exported);
    let mut decoder = open(&factory, &film.stream);
    let mut n = 0;
    let mut look = |_: &VideoFrame| {
        n += 1;
        if n == 20 {
            fs::write(Path::new(DRIVER).join("unbind"), "bcm2835-codec").unwrap();
        }
    };
    let mut screen = Screen::new(&mut look);
    let played =
        screen.feed(decoder.as_mut(), film.packets.iter().cloned()).and_then(|()| screen.finish(decoder.as_mut()));
    let error = played.expect_err("it is gone");
    drop(screen);
    assert!(matches!(error, DecodeError::Device { .. }), "{error}");
    let reason = factory.probe(&film.stream).expect_err("it is gone").to_string();
    assert!(!reason.contains("bcm2835"), "{reason}");
    drop(decoder);
    fs::write(Path::new(DRIVER).join("bind"), "bcm2835-codec").unwrap();
    let mut decoder = open(&factory, &film.stream);
    same(&film.name, &play::all(decoder.as_mut(), film.packets.iter().cloned()), &film.pictures);
    Ok(())
}

/// Frames are held and buffers imported as a screen does, through laps, items and changes of size. The firmware dies at
/// the first queue that is stopped under them.
pub fn wedge() -> Result<(), &'static str> {
    let changes = film("size-changes")?;
    let small = films(&["322x242", "open-gop"])?;
    {
        let _fault = Fault::set("wedge_after", 1);
        let factory = play::factory(Buffers::Exported);
        for round in 0..6 {
            for film in small.iter().chain([&changes]) {
                let mut decoder = open(&factory, &film.stream);
                let mut pictures = Vec::new();
                let mut look = |it: &VideoFrame| pictures.push(play::shown(it));
                let mut screen = Screen::new(&mut look);
                screen.imports = Some(HashMap::new());
                let offset = |lap: i64, it: &Packet| {
                    let moved = |it: Option<MediaTime>| it.map(|it| it.offset_by(lap * 60_000_000_000));
                    Packet { pts: moved(it.pts), dts: moved(it.dts), ..it.clone() }
                };
                for lap in 0..3 {
                    screen.feed(decoder.as_mut(), film.packets.iter().map(|it| offset(lap, it))).unwrap();
                    screen.finish(decoder.as_mut()).unwrap();
                    decoder.flush().unwrap();
                }
                // The decoder goes first: the screen shows its last picture until the next item's first.
                drop(decoder);
                drop(screen);
                assert_eq!(pictures.len(), 3 * film.pictures.len(), "{} in round {round}", film.name);
            }
        }
    }
    assert_eq!(fs::read_to_string(Path::new(PARAMETERS).join("dead")).unwrap().trim(), "N");
    is_well(&changes);
    Ok(())
}
