//! Tests of the command line.
use std::ffi::OsString;
use std::time::Duration;

use crate::app::cli::{
    CecChoice, Command, DecoderChoice, DisplayChoice, InteropChoice, Pace, PlayOptions, ProbeOptions, Request,
    ZeroCopyFailure, parse,
};
use crate::app::cli_values::{AudioChoice, LoopCount, ModeRequest, OutputChoice, SyntheticAudio, parse_duration};
use crate::app::exit::{Exit, Failure};
use crate::base::format::Size;
use crate::base::geometry::{Fit, Rotation};

fn run(line: &str) -> Result<Request, Failure> {
    let line = format!("lucarne {line}");
    parse(line.split_whitespace().map(OsString::from))
}

#[track_caller]
fn play(line: &str) -> PlayOptions {
    match run(&format!("play {line}")) {
        Ok(Request::Run(Command::Play(it))) => *it,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn probe(line: &str) -> ProbeOptions {
    match run(&format!("probe {line}")) {
        Ok(Request::Run(Command::Probe(it))) => it,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(line: &str, want: &str) {
    let failure = run(line).expect_err(line);
    assert_eq!(failure.exit, Exit::Usage, "{line}");
    assert_eq!(failure.to_string(), want);
}

#[track_caller]
fn printed(line: &str) -> String {
    match run(line) {
        Ok(Request::Print(it)) => it,
        other => panic!("{other:?}"),
    }
}

#[test]
fn defaults_are_those_of_the_contract() {
    let it = play("film.mp4");
    assert_eq!(it.inputs, ["film.mp4"]);
    assert_eq!(it.display, DisplayChoice::Auto);
    assert_eq!(it.size, ModeRequest { size: None, refresh_hz: None });
    assert_eq!((it.rotate, it.fit), (Rotation::None, Fit::Contain));
    assert_eq!((it.interop, it.on_zero_copy_failure), (InteropChoice::Auto, ZeroCopyFailure::Downgrade));
    assert_eq!(it.decoder, DecoderChoice::Auto);
    assert_eq!((it.audio, it.volume), (AudioChoice::Auto, 100));
    assert_eq!((it.loops, it.duration, it.frames, it.pace), (None, None, None, Pace::Realtime));
    assert_eq!(it.cec, None);
    assert_eq!(play("film.mp4 --cec auto").cec, Some(CecChoice::Auto));
    assert_eq!(play("film.mp4 --cec off").cec, Some(CecChoice::Off));
    assert_eq!((it.stats, it.framelog, it.framelog_crc, it.no_preroll), (None, None, false, false));
    assert_eq!(it.log.verbosity(), 0);
}

#[test]
fn values_are_read_into_what_they_mean() {
    let it = play(
        "a b --display headless --size 640x360@59.94 --rotate 270 --fit cover --interop force_zero_copy \
         --on-zero-copy-failure fail --decoder software --audio hw:1,0 --volume 0 --loop forever --duration 2.5 \
         --frames 7 --pace fast --stats s.json --stats-interval 1 --snapshot-every 30 --snapshot-dir d \
         --framelog f.csv --framelog-crc --threads 2 --no-preroll -vv --log stderr",
    );
    assert_eq!(it.size, ModeRequest { size: Some(Size::new(640, 360)), refresh_hz: Some(59.94) });
    assert_eq!((it.rotate, it.fit), (Rotation::Clockwise270, Fit::Cover));
    assert_eq!((it.interop, it.on_zero_copy_failure), (InteropChoice::ForceZeroCopy, ZeroCopyFailure::Fail));
    assert_eq!((it.audio, it.volume), (AudioChoice::Device("hw:1,0".into()), 0));
    assert_eq!((it.loops, it.duration), (Some(LoopCount::Forever), Some(Duration::from_millis(2500))));
    assert_eq!((it.frames, it.snapshot_every, it.threads), (Some(7), Some(30), Some(2)));
    assert_eq!(it.log.verbosity(), 2);
    assert_eq!(play("a --size auto").size, ModeRequest { size: None, refresh_hz: None });
    assert_eq!(play("a --loop 20").loops, Some(LoopCount::Times(20)));
    assert_eq!(play("a --audio none").audio, AudioChoice::None);
    assert_eq!(play("a -q").log.verbosity(), -1);
    let it = probe("--json x.mp4");
    assert!(it.json && it.inputs == ["x.mp4"]);
    assert!(probe("").inputs.is_empty());
}

#[test]
fn a_synthetic_sound_device_says_how_its_clock_runs() {
    let want =
        SyntheticAudio { period: Duration::from_millis(10), jitter: Duration::from_micros(3500), drift_ppm: -100.0 };
    let it = play("a --audio synthetic:period_ms=10,jitter_ms=3.5,drift_ppm=-100");
    assert_eq!(it.audio, AudioChoice::Synthetic(want));
}

#[test]
fn fast_pace_means_headless() {
    assert_eq!(play("a --pace fast").display, DisplayChoice::Headless);
    refused(
        "play a --pace fast --display window",
        "--pace fast works on the headless display only; leave it out, or use --display headless",
    );
}

#[test]
fn outputs_say_what_they_show() {
    let choice = |name: &str, input: Option<&str>| OutputChoice { name: name.into(), input: input.map(Into::into) };
    let it = play("a --output HDMI-A-1 --output HDMI-A-2=rtsp://x/?a=b --audio-from HDMI-A-2");
    assert_eq!(it.outputs, [choice("HDMI-A-1", None), choice("HDMI-A-2", Some("rtsp://x/?a=b"))]);
    assert_eq!((it.display, it.audio_from.as_deref()), (DisplayChoice::Kms, Some("HDMI-A-2")));
    assert!(play("--output X=a.mp4").inputs.is_empty());
    for (line, want) in [
        (
            "play a --display window --output X",
            "--output X: only the kms display has outputs; leave it out, or use --display kms",
        ),
        (
            "play a --pace fast --output X",
            "--output X: only the kms display has outputs; leave it out, or use --display kms",
        ),
        ("play a --output X --output X=b", "--output X: named twice; name each output once"),
        (
            "play --output X=a --output Y",
            "--output Y: there is nothing for it to show; name an input, or what this output plays: --output Y=INPUT",
        ),
        (
            "play a --output X=b",
            "a: every output has an input of its own, so that nothing shows this one; \
             leave it out, or name an --output without an input",
        ),
        ("play a --output X --output Y --audio-from Z", "--audio-from Z: no such output is in use; one of X, Y"),
        (
            "play a --audio-from X",
            "the following required arguments were not provided: --output <NAME[=INPUT]>; see `lucarne --help`",
        ),
        (
            "play a --output =b",
            "invalid value '=b' for '--output <NAME[=INPUT]>': give it as HDMI-A-1 or HDMI-A-1=film.mp4; \
             see `lucarne --help`",
        ),
    ] {
        refused(line, want);
    }
}

#[test]
fn every_mistake_is_one_line_that_helps() {
    let help = "see `lucarne --help`";
    for (line, want) in [
        ("", "'lucarne' requires a subcommand but one was not provided [subcommands: play, probe]"),
        ("plya a", "unrecognized subcommand 'plya' tip: a similar subcommand exists: 'play'"),
        ("play", "the following required arguments were not provided: <INPUT>..."),
        (
            "play a --display drm",
            "invalid value 'drm' for '--display <DISPLAY>' [possible values: auto, kms, window, headless]",
        ),
        (
            "play a --size 0x4",
            "invalid value '0x4' for '--size <WxH[@HZ]|auto>': give it as 1280x720 or 1280x720@50, \
             up to 16384 pixels a side",
        ),
        (
            "play a --size 64x64@nan",
            "invalid value '64x64@nan' for '--size <WxH[@HZ]|auto>': give the refresh rate in Hz, from 1 to 1000",
        ),
        ("play a --rotate 45", "invalid value '45' for '--rotate <0|90|180|270>': one of 0, 90, 180, 270"),
        (
            "play a --fit fill",
            "invalid value 'fill' for '--fit <contain|cover|stretch>': one of contain, cover, stretch",
        ),
        ("play a --volume 101", "invalid value '101' for '--volume <0..100>': a whole number from 0 to 100"),
        ("play a --loop 0", "invalid value '0' for '--loop <N|forever>': a number of times, or `forever`"),
        ("play a --duration -1", "unexpected argument '-1' found tip: to pass '-1' as a value, use '-- -1'"),
        (
            "play a --duration inf",
            "invalid value 'inf' for '--duration <SECONDS>': a number of seconds above 0, such as 10 or 2.5",
        ),
        ("play a --frames 0", "invalid value '0' for '--frames <N>': 0 is not in 1..18446744073709551615"),
        ("play a --framelog-crc", "the following required arguments were not provided: --framelog <FILE>"),
        ("play a --snapshot-every 5", "the following required arguments were not provided: --snapshot-dir <DIR>"),
        (
            "play a --audio synthetic:period=1",
            "invalid value 'synthetic:period=1' for '--audio <auto|none|DEVICE>': \
             period: not one of period_ms, jitter_ms, drift_ppm",
        ),
        (
            "play a --audio synthetic:period_ms=0",
            "invalid value 'synthetic:period_ms=0' for '--audio <auto|none|DEVICE>': period_ms=0: out of range",
        ),
    ] {
        refused(line, &format!("{want}; {help}"));
    }
}

#[test]
fn help_names_what_works_today_and_nothing_else() {
    let help = printed("--help");
    for command in ["play", "probe"] {
        assert!(help.contains(&format!("\n  {command}")), "{help}");
    }
    for command in ["run", "prepare", "record", "codec-server", "ctl", "help"] {
        assert!(!help.contains(&format!("\n  {command} ")), "{help}");
    }
    let play = printed("play --help");
    for option in ["--display", "--on-zero-copy-failure", "--stats-interval", "--framelog-crc", "--loop", "--log"] {
        assert!(play.contains(option), "{option}");
    }
    for hidden in ["--no-preroll", "--threads", "synthetic", "--record", "vaapi"] {
        assert!(!play.contains(hidden), "{hidden}");
    }
    assert_eq!(printed("--version"), format!("lucarne {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn durations_carry_their_unit() {
    for (text, want) in
        [("10s", 10_000), ("2.5 s", 2500), ("500ms", 500), ("3min", 180_000), ("1h", 3_600_000), (" 1s ", 1000)]
    {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(want)), "{text}");
    }
    for text in ["", "10", "s", "-1s", "0s", "10 parsecs", "nan s", "1e300h", "infs"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}
