//! The decoder of H.264 in hardware, and the kernel's own test codec: `tests/v4l2` in full, which wants their nodes.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::cases::programs::{all_passed, program};
use crate::media::h264::{self, FILMS};
use crate::rig::{Ability, Codec, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "decoder::as_the_pi_every_frame_is_the_softwares", needs: CODEC, run: as_the_pi },
    Case { name: "decoder::strict_every_frame_is_the_softwares", needs: CODEC, run: strict },
    Case { name: "decoder::whatever_the_firmware_says_of_changes", needs: CODEC, run: characters },
    Case { name: "decoder::its_failures_are_said_in_time", needs: CODEC, run: faults },
    Case { name: "decoder::the_kernels_own_codec_agrees", needs: &[Ability::Vicodec], run: vicodec },
];

const CODEC: &[Ability] = &[Ability::CodecCharacter, Ability::VirtualTime];

/// Films whose name has one of these words, and those whose size changes, in the folder that the test looks into.
fn films(mut job: Job, names: &[&str]) -> Job {
    job = job.limit(Duration::from_secs(600)).push(&program("v4l2"), "v4l2").shell("mkdir media");
    for film in FILMS.iter().filter(|it| names.is_empty() || names.contains(&it.name)) {
        let file = format!("{}.mp4", film.name);
        job = job.push(&film.path(), &file).shell(&format!("mv {file} media/"));
    }
    for changes in h264::size_changes() {
        let ending = changes.extension().and_then(|it| it.to_str()).unwrap_or_default();
        let file = format!("size-changes.{ending}");
        job = job.push(&changes, &file).shell(&format!("mv {file} media/"));
    }
    job
}

/// All of the test's cases of this kind pass.
fn pass(bench: &Bench<'_>, job: Job, kind: &str) {
    let end = bench.run(job.shell(&format!("LD_LIBRARY_PATH=/opt/lucarne/lib ./v4l2 {kind}"))).done();
    all_passed(&end, 1);
}

fn as_the_pi(bench: &Bench<'_>) {
    pass(bench, films(bench.job().codec(Codec::PI), &[]), "h264");
}

fn strict(bench: &Bench<'_>) {
    pass(bench, films(bench.job().codec(Codec::Strict), &[]), "h264");
}

/// What comes first and what does not come at all differs between firmwares. In short, those that no other case here has,
/// and the films in which it matters: some of the firmware's pictures are not coded ones, and sizes change.
fn characters(bench: &Bench<'_>) {
    let films_of = bench.amount(&["open-gop", "322x242", "baseline"][..], &[][..]);
    let others = Codec::ALL.into_iter().filter(|it| !matches!(*it, Codec::PI | Codec::Strict));
    for codec in bench.amount(others.collect(), Codec::ALL.to_vec()) {
        pass(
            bench,
            films(bench.job().codec(codec), films_of),
            bench.amount("a_change_in every_frame", "lose every_frame"),
        );
    }
}

fn faults(bench: &Bench<'_>) {
    pass(bench, films(bench.job().codec(Codec::PI), &["854x480", "322x242", "open-gop"]), "faults");
}

fn vicodec(bench: &Bench<'_>) {
    let job = || bench.job().limit(Duration::from_secs(600)).push(&program("v4l2"), "v4l2");
    pass(bench, job(), "fwht");
    pass(bench, job().single_planar(), bench.amount("fwht::pictures", "fwht"));
}
