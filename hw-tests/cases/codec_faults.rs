//! Faults of the codec's node, and of what shows its frames: the last picture stays, the film goes on within a second, by the
//! same decoder or the next, and the statistics say why.
//!
//! What the codec answers is a parameter of its driver (`fail`), which hits the very call that is meant; so is what it does by
//! itself. Calls on the graphics card fail by strace: a first run counts them up to the one that is meant, in the second that
//! one fails.
use std::fs;
use std::path::Path;

use crate::case::{Bench, Case};
use crate::cases::codec_films::{dear, decoder_was, fell_back, film, goes_on, job, never_black, part, play, seconds};
use crate::rig::{Ability, Ended, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "codec_faults::the_wedge_never_springs", needs: NEEDS, run: the_wedge_never_springs },
    Case { name: "codec_faults::what_is_refused_at_the_start_is_said", needs: NEEDS, run: refused_at_the_start },
    Case { name: "codec_faults::calls_that_fail_in_mid_film", needs: NEEDS, run: calls_in_mid_film },
    Case { name: "codec_faults::both_queues_in_error", needs: NEEDS, run: both_queues_in_error },
    Case { name: "codec_faults::packets_that_are_swallowed", needs: NEEDS, run: swallowed },
    Case { name: "codec_faults::damaged_pictures_are_counted", needs: NEEDS, run: damaged },
    Case { name: "codec_faults::a_node_that_vanishes_and_comes_back", needs: NEEDS, run: vanishes },
    Case { name: "codec_faults::firmware_that_crashes", needs: NEEDS, run: crashes },
    Case { name: "codec_faults::ends_and_changes_in_every_order", needs: NEEDS, run: every_order },
    Case { name: "codec_faults::a_size_that_is_absurd", needs: NEEDS, run: absurd_size },
    Case { name: "codec_faults::an_import_that_is_refused", needs: NEEDS, run: refused_imports },
    Case { name: "codec_faults::commits_that_are_refused", needs: NEEDS, run: refused_commits },
    Case { name: "codec_faults::zero_copy_or_nothing", needs: NEEDS, run: zero_copy_or_nothing },
];

const NEEDS: &[Ability] = &[Ability::CodecCharacter, Ability::Faults, Ability::Crc, Ability::VirtualTime];

/// As many calls failed as were to.
#[track_caller]
fn hit(film: &Ended, count: u32) {
    let hits = film.text("hits.txt");
    assert_eq!(hits.trim(), count.to_string(), "calls that failed\n{}", film.said());
}

/// Everything the decoder asks for before its first picture is refused once, or answered in another way.
fn refused_at_the_start(bench: &Bench<'_>) {
    // How it fails, what is said of it, what decodes then. A soak does the rest too.
    let faults = [
        ("S_FMT:output:1-1:other", "VIDIOC_S_FMT: ", "software"),
        ("REQBUFS:output:1-1:none", "no buffers for packets", "software"),
        ("S_FMT:capture:1-1:other", "VIDIOC_S_FMT: ", "v4l2"),
        ("REQBUFS:capture:1-1:ENOMEM", "VIDIOC_REQBUFS: ", "v4l2"),
        ("REQBUFS:capture:1-1:few", "1 buffers where", "v4l2"),
        ("EXPBUF:capture:3-3:EINVAL", "VIDIOC_EXPBUF: ", "v4l2"),
        ("REQBUFS:output:1-1:ENOMEM", "VIDIOC_REQBUFS: ", "software"),
        ("S_FMT:capture:1-1:EBUSY", "VIDIOC_S_FMT: ", "v4l2"),
        ("S_FMT:capture:1-1:ignored", "VIDIOC_S_FMT: ", "v4l2"),
        ("STREAMON:capture:1-1:EIO", "VIDIOC_STREAMON: ", "v4l2"),
    ];
    let faults = bench.amount(&faults[..6], &faults);
    let with = |job: Job, (at, it): (usize, &(&str, &str, &str))| {
        job.shell(&format!("film_failing {at} {} {}", it.0, play(0.8)))
    };
    let job = job(bench).shell("blind=yes");
    let end = bench.run(faults.iter().enumerate().fold(job, with)).done();
    for (at, (_, reason, decoder)) in faults.iter().enumerate() {
        let film = part(&end, &at.to_string()).done();
        hit(&film, 1);
        decoder_was(&film, decoder);
        fell_back(&film, "v4l2", decoder, reason);
        goes_on(&film, 0.8);
        assert!(film.figure("/first_frame_ms") < 1000.0, "{}", film.said());
    }
}

/// One call on a node that worked so far.
fn calls_in_mid_film(bench: &Bench<'_>) {
    let faults = [
        ("DQBUF:capture:15-15:EIO", Some("VIDIOC_DQBUF: ")),
        ("DQBUF:output:15-15:EIO", Some("VIDIOC_DQBUF: ")),
        ("QBUF:capture:15-15:EIO", Some("VIDIOC_QBUF: ")),
        ("QBUF:output:15-15:EIO", Some("VIDIOC_QBUF: ")),
        // The queue has ended, and no last buffer says so.
        ("DQBUF:capture:15-15:EPIPE", None),
    ];
    let with = |job: Job, (at, it): (usize, &(&str, Option<&str>))| {
        job.shell(&format!("film_failing {at} {} {}", it.0, play(1.4)))
    };
    let job = dear(bench, job(bench));
    let end = bench.run(faults.iter().enumerate().fold(job, with)).done();
    for (at, (_, reason)) in faults.into_iter().enumerate() {
        let film = part(&end, &at.to_string()).done();
        hit(&film, 1);
        decoder_was(&film, "v4l2");
        reason.into_iter().for_each(|it| fell_back(&film, "v4l2", "v4l2", it));
        goes_on(&film, 1.4);
        never_black(&end, &film);
        // The first decoder's last frames may be drawn, the second's are not.
        assert_eq!(film.stats()["interop"], "plane", "{}", film.said());
    }
}

/// EIO from both queues, and POLLERR: for good, and once.
fn both_queues_in_error(bench: &Bench<'_>) {
    let good = format!("codec error_after 20; film good {}; codec error_after 0", play(1.8));
    let once = format!("{{ sleep 1; codec error_after 1; sleep 0.2; codec error_after 0; }} & film once {}", play(3.0));
    let end = bench.run(dear(bench, job(bench)).shell(&good).shell(&once)).done();
    let film = part(&end, "good").done();
    fell_back(&film, "v4l2", "v4l2", "I/O error");
    fell_back(&film, "v4l2", "software", "I/O error");
    decoder_was(&film, "software");
    goes_on(&film, 1.8);
    never_black(&end, &film);
    let film = part(&end, "once").done();
    fell_back(&film, "v4l2", "v4l2", "I/O error");
    goes_on(&film, 3.0);
    never_black(&end, &film);
}

/// Packets go in and nothing comes out: taken and lost, and kept.
fn swallowed(bench: &Bench<'_>) {
    let stall = |hold: u32| format!("codec stall_hold {hold}; codec stall_after 30; film {hold} {}", play(4.0));
    let end = bench.run(dear(bench, job(bench)).shell(&stall(0)).shell(&stall(1))).done();
    for hold in ["0", "1"] {
        let film = part(&end, hold).done();
        fell_back(&film, "v4l2", "v4l2", "no picture for");
        fell_back(&film, "v4l2", "software", "no picture for");
        goes_on(&film, 4.0);
        never_black(&end, &film);
    }
}

fn damaged(bench: &Bench<'_>) {
    let end = bench.run(job(bench).shell(&format!("codec corrupt_at 10; film it {}", play(1.5)))).done();
    let film = part(&end, "it").done();
    assert_eq!(film.figure("/frames_corrupt"), 1.0, "{}", film.said());
    assert_eq!(film.stats()["fallbacks"].as_array().map(Vec::len), Some(0));
    decoder_was(&film, "v4l2");
    goes_on(&film, 1.5);
    never_black(&end, &film);
}

/// The driver is unbound in mid-film, and bound again: a later turn of the film has it again.
fn vanishes(bench: &Bench<'_>) {
    let goes = "{ sleep 1.2; echo bcm2835-codec >$driver/unbind; sleep 1; echo bcm2835-codec >$driver/bind; } &";
    let end = bench.run(job(bench).shell(&format!("{goes} film it {}", play(6.0)))).done();
    let film = part(&end, "it").done();
    fell_back(&film, "v4l2", "software", "is gone");
    decoder_was(&film, "v4l2");
    goes_on(&film, 6.0);
    never_black(&end, &film);
}

/// The firmware is killed, and started again after a while; a later turn of the film has it again.
fn crashes(bench: &Bench<'_>) {
    let goes = "{ sleep 1.2; pkill -KILL -x codecd; sleep 3; setsid /run/codec/codecd >/dev/null 2>&1 & } &";
    let end = bench.run(dear(bench, job(bench)).shell(&format!("{goes} film it {}", play(5.0)))).done();
    let film = part(&end, "it").done();
    fell_back(&film, "v4l2", "software", "no picture for");
    fell_back(&film, "v4l2", "software", "no codec answers within");
    goes_on(&film, 5.0);
    never_black(&end, &film);
}

/// A film of 30 frames whose size changes twice in mid-stream.
fn changing(bench: &Bench<'_>, job: Job) -> Job {
    let parts = ["640x480", "320x240", "640x480"].map(|it| fs::read(film(it, "0.4", "h264")).unwrap());
    let path = bench.path("changing.h264");
    fs::write(&path, parts.concat()).unwrap();
    job.push(Path::new(&path), "changing.h264")
}

/// A last buffer without an event, an event after its buffer, changes that nobody announces, ends that say nothing.
fn every_order(bench: &Bench<'_>) {
    const PLAY: &str = "play changing.h264 --loop 1";
    // No event may be had at all where both subscriptions are refused.
    let mute = |name: &str| format!("film_failing {name} SUBSCRIBE_EVENT:any:1-2:EINVAL {PLAY}");
    let job = dear(bench, changing(bench, job(bench)))
        .shell(&format!("film late {PLAY}; codec event_late 0; film early {PLAY}; codec src_change 1"))
        .shell(&format!("film always {PLAY}; codec src_change 0; codec event_late 1; {}", mute("mute")))
        .shell(&format!("codec strict 1; film strict {PLAY}; {}", mute("strict-mute")));
    let end = bench.run(job).done();
    for name in ["late", "early", "always", "mute", "strict", "strict-mute"] {
        let film = part(&end, name).done();
        decoder_was(&film, "v4l2");
        assert_eq!(film.stats()["fallbacks"].as_array().map(Vec::len), Some(0), "{}", film.said());
        assert_eq!(film.figure("/frames_presented"), 30.0, "{}", film.said());
        never_black(&end, &film);
    }
}

/// The source changes to what no picture can be: whoever asks for it is told so.
fn absurd_size(bench: &Bench<'_>) {
    // Three times it is asked at the start; then at the change, and three times for setting up.
    let with = "film_failing it G_FMT:capture:4-7:absurd play changing.h264 --loop 1";
    let end = bench.run(dear(bench, changing(bench, job(bench))).shell(with)).done();
    let film = part(&end, "it").done();
    hit(&film, 4);
    fell_back(&film, "v4l2", "v4l2", "absurd");
    assert_eq!(film.figure("/frames_presented"), 30.0, "{}", film.said());
    never_black(&end, &film);
}

/// One buffer of the decoder is not taken by the display controller, once: frames go another way for a while.
fn refused_imports(bench: &Bench<'_>) {
    // In the midst of the decoder's buffers: trials come before them, and a framebuffer takes a handle for each plane.
    let calls = [("DRM_IOCTL_MODE_ADDFB2", 8), ("DRM_IOCTL_PRIME_FD_TO_HANDLE", 30)];
    let calls = bench.amount(&calls[..1], &calls);
    let with = |job: Job, it: &(&str, u32)| {
        job.shell(&format!("film_with {} {} {} error=ENOMEM {}", it.0, it.0, it.1, play(1.2)))
    };
    let end = bench.run(calls.iter().fold(dear(bench, job(bench)), with)).done();
    for (call, _) in calls {
        let film = part(&end, call).done();
        decoder_was(&film, "v4l2");
        fell_back(&film, "plane", "dmabuf", "plane: not now: a framebuffer of NV12 640x480");
        goes_on(&film, 1.2);
        never_black(&end, &film);
        assert_eq!(film.stats()["interop"], "plane", "{}", film.said());
    }
}

/// The screen's commits fail for a while: the picture stays, and frames are on their plane again after it.
fn refused_commits(bench: &Bench<'_>) {
    let refuse = |error: &str| {
        format!(
            "{{ sleep 0.4; strace -f -qq -o faults.txt -P $card -e trace=ioctl -e inject=ioctl:error={error} \
             -p $(pgrep -o -x lucarne) & sleep 0.3; kill $!; }} & film {error} {}",
            play(1.6)
        )
    };
    let errors = bench.amount(&["EINVAL"][..], &["EINVAL", "ENOSPC"]);
    let end = bench.run(errors.iter().fold(job(bench), |job, it| job.shell(&refuse(it)))).done();
    for error in errors {
        let film = part(&end, error).done();
        assert!(film.text("faults.txt").contains("INJECTED"), "nothing was injected");
        decoder_was(&film, "v4l2");
        goes_on(&film, 1.6);
        never_black(&end, &film);
        assert_eq!(film.stats()["interop"], "plane", "{}", film.said());
        assert_eq!(film.figure("/display_lost"), 1.0, "{}", film.said());
        fell_back(&film, "plane", "dmabuf", "os error ");
    }
}

/// The codec fails for good, and software has no dma-bufs to decode into.
fn zero_copy_or_nothing(bench: &Bench<'_>) {
    let film =
        |name: &str| format!("film {name} {} --interop force_zero_copy --on-zero-copy-failure {name}", play(1.8));
    let job = job(bench).shell("rm -f /dev/udmabuf /dev/dma_heap/*; codec error_after 20");
    let end = bench.run(job.shell(&film("fail")).shell(&film("downgrade"))).done();
    let failed = part(&end, "fail").with(1);
    let said = failed.said();
    let last = said.lines().rfind(|it| it.starts_with("lucarne: ")).unwrap_or_default();
    assert!(last.contains("no zero-copy way to the screen: "), "{said}");
    let went_on = part(&end, "downgrade").done();
    fell_back(&went_on, "v4l2", "software", "I/O error");
    goes_on(&went_on, 1.8);
    never_black(&end, &went_on);
}

/// The firmware dies at the first queue that is stopped while something of it is still held.
fn the_wedge_never_springs(bench: &Bench<'_>) {
    let turns = bench.amount(4, 250);
    let (large, small) = (film("640x480", "0.4", "mp4"), film("320x240", "0.4", "mp4"));
    let job = job(bench).push(&large, "large.mp4").push(&small, "small.mp4").limit(seconds(900.0));
    let job = job.shell("codec wedge_after 1");
    let job = job.shell(&format!("film items play large.mp4 small.mp4 --loop {turns}; cat $parameters/dead"));
    let job = job.shell(&format!("film laps play small.mp4 --loop {turns}; cat $parameters/dead"));
    let end = bench.run(job).done();
    assert_eq!(end.stdout.trim(), "N\nN", "the firmware is dead");
    for (name, n_items) in [("items", 2), ("laps", 1)] {
        let film = part(&end, name).done();
        assert_eq!(film.stats()["fallbacks"].as_array().map(Vec::len), Some(0), "{}", film.said());
        decoder_was(&film, "v4l2");
        assert_eq!(film.figure("/frames_presented"), f64::from(turns * 10 * n_items), "{}", film.said());
        never_black(&end, &film);
    }
}
