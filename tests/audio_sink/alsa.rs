//! The ALSA sink: its logic over a scripted PCM, and alsa-lib itself over the plug-ins that need no hardware.
use std::time::Duration;

use alsa::pcm::State;
use lucarne::backend::alsa::AlsaSinkFactory;
use lucarne::backend::alsa::sink::AlsaSink;
use lucarne::base::audio::AudioFormat;
use lucarne::seam::audio_sink::{AudioError, AudioSink, AudioSinkFactory};
use lucarne::seam::wait::Waitable;

use crate::scripted_pcm::ScriptedPcm;
use crate::suite::{self, Rig};

const STEREO: AudioFormat = AudioFormat { rate: 48_000, channels: 2 };

fn scripted(can_pause: bool) -> (ScriptedPcm, AlsaSink<ScriptedPcm>) {
    let pcm = ScriptedPcm::new(can_pause);
    let mut sink = AlsaSink::new("scripted", pcm.clone());
    sink.configure(STEREO).expect("it takes stereo");
    (pcm, sink)
}

#[test]
fn it_passes_the_suite_on_devices_that_can_pause_and_that_cannot() {
    for can_pause in [true, false] {
        let pcm = std::cell::RefCell::new(ScriptedPcm::new(can_pause));
        let rig = Rig {
            name: if can_pause { "scripted" } else { "scripted, cannot pause" },
            open: &|| {
                pcm.replace(ScriptedPcm::new(can_pause));
                Box::new(AlsaSink::new("scripted", pcm.borrow().clone()))
            },
            pass: &|time| pcm.borrow().pass(time),
            skips: &[],
        };
        assert_eq!(suite::run(&rig), 12);
    }
}

/// Stereo sample frames that name themselves: frame `n` is 16-bit code `n` on both sides.
fn numbered(from: usize, n: usize) -> Vec<f32> {
    (from..from + n).flat_map(|it| [it as f32 / 32_768.0; 2]).collect()
}

fn played_codes(pcm: &ScriptedPcm) -> Vec<u16> {
    pcm.device().played.as_chunks::<4>().0.iter().map(|it| u16::from_le_bytes([it[0], it[1]])).collect()
}

#[test]
fn a_device_that_cannot_pause_loses_and_repeats_no_sample() {
    let (pcm, mut sink) = scripted(false);
    let mut next = 0;
    for turn in 0..40 {
        let samples = numbered(next, 700);
        next += sink.write(&samples).expect("it is never dry");
        if turn % 7 == 3 {
            sink.pause(true).expect("by stopping it");
            let at_pause = sink.position().expect("it has one").heard;
            pcm.pass(Duration::from_millis(90));
            assert_eq!(sink.position().expect("it has one").heard, at_pause);
            sink.pause(false).expect("it goes on");
        }
        pcm.pass(Duration::from_millis(11));
    }
    sink.drain().expect("it plays");
    pcm.pass(Duration::from_secs(1));
    let want: Vec<u16> = (0..next as u16).collect();
    assert!(next > 15_000, "the ring went round: {next}");
    assert_eq!(played_codes(&pcm), want);
}

#[test]
fn a_short_write_by_the_device_loses_nothing() {
    let (pcm, mut sink) = scripted(true);
    let mut next = 0;
    while next < 9_000 {
        next += sink.write(&numbered(next, 1_100)).expect("it is never dry");
    }
    // Almost full: an offer of more than fits is cut, and the rest offered again.
    for _ in 0..30 {
        pcm.pass(Duration::from_millis(13));
        next += sink.write(&numbered(next, 1_100)).expect("it is never dry");
    }
    sink.drain().expect("it plays");
    pcm.pass(Duration::from_secs(1));
    assert_eq!(played_codes(&pcm), (0..next as u16).collect::<Vec<_>>());
}

#[test]
fn what_is_behind_the_ring_is_not_yet_heard() {
    let (pcm, mut sink) = scripted(true);
    pcm.device().fifo = 1_000;
    sink.write(&numbered(0, 9_600)).expect("it is empty");
    pcm.pass(Duration::from_millis(100));
    let position = sink.position().expect("it plays");
    assert_eq!(position.heard, 3_800);
    assert_eq!(position.at.nanos(), pcm.device().now);
    assert_eq!(sink.delay().expect("it plays"), Duration::from_nanos((4_800 + 1_000) * 1_000_000_000 / 48_000));
    // The estimate grows: the position waits for it.
    pcm.device().fifo = 2_000;
    assert_eq!(sink.position().expect("it plays").heard, 3_800);
}

#[test]
fn errors_become_what_the_contract_says() {
    let is_xrun = |it: &Result<usize, AudioError>| matches!(it, Err(AudioError::Xrun { .. }));
    let is_gone = |it: &Result<usize, AudioError>| matches!(it, Err(AudioError::Device { .. }));
    let is_nothing = |it: &Result<usize, AudioError>| matches!(it, Ok(0));
    type Want = fn(&Result<usize, AudioError>) -> bool;
    type Failures = &'static [(&'static str, i32)];
    let table: [(&str, State, Failures, Want); 9] = [
        ("gone while running", State::Disconnected, &[], is_gone),
        ("dry", State::XRun, &[], is_xrun),
        ("dry and gone", State::XRun, &[("prepare", libc::ENODEV)], is_gone),
        ("asleep, cannot resume", State::Suspended, &[("resume", libc::ENOSYS)], is_xrun),
        ("asleep, not yet awake", State::Suspended, &[("resume", libc::EAGAIN)], is_nothing),
        ("dry between two calls", State::Running, &[("room", libc::EPIPE)], is_nothing),
        ("unplugged on asking", State::Running, &[("room", libc::ENODEV)], is_gone),
        ("unplugged on writing", State::Running, &[("write", libc::EIO)], is_gone),
        ("busy", State::Running, &[("write", libc::EAGAIN)], is_nothing),
    ];
    for (name, state, failures, want) in table {
        let (pcm, mut sink) = scripted(true);
        sink.write(&numbered(0, 4_800)).expect("it is empty");
        pcm.device().state = state;
        pcm.device().failures.extend(failures);
        let got = sink.write(&numbered(4_800, 480));
        assert!(want(&got), "{name}: {got:?}");
    }
}

#[test]
fn a_resumed_device_goes_on_as_if_nothing_had_been() {
    let (pcm, mut sink) = scripted(true);
    sink.write(&numbered(0, 4_800)).expect("it is empty");
    pcm.device().state = State::Suspended;
    assert_eq!(sink.write(&numbered(4_800, 480)).expect("it resumes"), 480);
    pcm.pass(Duration::from_millis(20));
    assert_eq!(sink.position().expect("it plays").heard, 960);
}

#[test]
fn what_was_never_configured_answers_with_an_error() {
    let mut sink = AlsaSink::new("scripted", ScriptedPcm::new(true));
    assert!(matches!(sink.write(&[0.0; 2]), Err(AudioError::Device { .. })));
    assert!(matches!(sink.position(), Err(AudioError::Device { .. })));
    assert!(matches!(sink.waitable(), Waitable::Every(_)));
}

#[test]
fn a_device_that_drains_is_asked_now_and_then_and_not_woken_for() {
    let (pcm, mut sink) = scripted(true);
    sink.write(&numbered(0, 4_800)).expect("it is empty");
    sink.drain().expect("it plays");
    assert!(matches!(sink.waitable(), Waitable::Every(it) if it == Duration::from_millis(10)));
    assert_eq!(sink.write(&numbered(4_800, 480)).expect("not now"), 0);
    pcm.pass(Duration::from_millis(200));
    assert_eq!(sink.write(&numbered(4_800, 480)).expect("it has drained"), 480);
}

#[test]
fn alsas_null_device_passes_what_of_the_suite_a_device_without_time_can() {
    let factory = AlsaSinkFactory;
    let why = "null swallows everything at once, so nothing in it depends on time or room";
    let rig = Rig {
        name: "alsa null",
        open: &|| factory.open("null").expect("alsa-lib has it built in"),
        pass: &|_| (),
        skips: &[
            ("a_full_device_takes_no_more", why),
            ("the_position_moves_on_and_never_beyond_what_was_written", why),
            ("a_dry_device_says_so_once_and_goes_on", why),
            ("drain_plays_out_without_complaint", why),
            ("pause_stops_the_position_and_resume_moves_it", why),
            ("flush_discards_and_counts_from_zero", why),
            ("delay_is_what_was_written_and_not_heard", why),
            ("configure_again_starts_afresh", why),
            ("writing_and_asking_allocate_nothing", why),
        ],
    };
    assert_eq!(suite::run(&rig), 3);
}

#[test]
fn alsas_null_device_takes_a_minute_at_once_and_every_call() {
    let mut sink = AlsaSinkFactory.open("null").expect("alsa-lib has it built in");
    let format = sink.configure(STEREO).expect("null takes anything");
    assert_eq!(format, STEREO);
    assert!(sink.capacity() >= 480);
    let samples = vec![0.5; 960];
    let before = lucarne::sys::alloc::thread_allocations();
    let mut written = 0;
    for _ in 0..6_000 {
        written += sink.write(&samples).expect("it takes anything") as u64;
    }
    let position = sink.position().expect("it has one");
    assert_eq!(lucarne::sys::alloc::thread_allocations() - before, 0);
    assert_eq!((written, position.heard), (2_880_000, 2_880_000));
    assert!(position.at.nanos() > 0);
    assert!(matches!(sink.waitable(), Waitable::Every(_)), "/dev/null cannot be waited for");
    for paused in [true, true, false, false] {
        sink.pause(paused).expect("it can be asked");
    }
    sink.drain().expect("it can be asked");
    assert_eq!(sink.write(&samples).expect("it goes on after draining"), 480);
    sink.flush().expect("it can be asked");
    assert_eq!(sink.position().expect("it has one").heard, 0);
    let again = sink.configure(AudioFormat { rate: 44_100, channels: 6 }).expect("null takes anything");
    assert_eq!(again, AudioFormat { rate: 44_100, channels: 6 });
}

#[test]
fn a_device_that_is_not_there_is_a_clean_error() {
    for name in ["hw:CARD=nothing_of_this_name", "no such thing", "", "with\0zero"] {
        let error = AlsaSinkFactory.open(name).err().expect("there is no such device");
        assert!(matches!(error, AudioError::Device { call: "snd_pcm_open", .. }), "{name:?}: {error}");
    }
}

#[test]
fn alsas_file_plugin_gets_every_sample_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.raw");
    // alsa-lib's own configuration defines tee as the `file` plug-in over any other device.
    let mut sink = AlsaSinkFactory.open(&format!("tee:null,'{}',raw", out.display())).expect("it is built in");
    assert_eq!(sink.configure(STEREO).expect("null below takes anything"), STEREO);
    let samples: Vec<f32> = (0..50_000).map(|it| (it as f32 / 50_000.0) * 2.5 - 1.25).collect();
    let mut rest = &samples[..];
    let mut n_turns = 0;
    while !rest.is_empty() && n_turns < 1_000 {
        let taken = sink.write(&rest[..rest.len().min(1_234)]).expect("null below takes anything");
        rest = &rest[2 * taken..];
        n_turns += 1;
    }
    sink.drain().expect("it can be asked");
    assert_eq!(sink.position().expect("it has one").heard, 25_000);
    drop(sink);
    let bytes = std::fs::read(&out).expect("the plug-in wrote it");
    let got: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
    let want: Vec<f32> = samples.iter().map(|it| it.clamp(-1.0, 1.0)).collect();
    assert!(got == want, "{} of {} samples, or other ones", got.len(), want.len());
}
