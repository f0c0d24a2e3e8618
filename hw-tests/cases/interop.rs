//! Frames in dma-bufs as textures: the whole way without the player, and what it costs.
use std::time::Duration;

use super::outputs::program;
use crate::case::{Bench, Case};
use crate::rig::Ability;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "interop::dma_bufs_as_textures_conform", needs: &[Ability::VirtualTime], run: conform },
    Case { name: "interop::an_import_costs_less_than_an_upload", needs: &[Ability::VirtualTime], run: cost },
];

/// `tests/dmabuf` in full, with a rasteriser that is behind as a GPU is.
fn conform(bench: &Bench<'_>) {
    let job = bench.job().limit(Duration::from_secs(300)).push(&program("test", "dmabuf"), "dmabuf");
    let job = job.env("LP_NUM_THREADS", "2").shell("LD_LIBRARY_PATH=/opt/lucarne/lib ./dmabuf");
    let end = bench.run(job).done();
    let verdict = end.stdout.lines().find(|it| it.starts_with("test result: ")).unwrap_or_default();
    assert!(verdict.contains(" 0 failed; 0 ignored"), "{}\n{}", end.stdout, end.said());
}

/// In real time: virtual time has no costs. Both sides in one run, so the machine's mood meets both.
fn cost(bench: &Bench<'_>) {
    let job = bench.job().real_time().limit(Duration::from_secs(300)).push(&program("bench", "texture"), "texture");
    let end = bench.run(job.shell("LD_LIBRARY_PATH=/opt/lucarne/lib ./texture --bench")).done();
    let judged = end.stdout.lines().filter(|it| it.ends_with(" ok")).count();
    assert!(judged == 4 && !end.stdout.contains("TOO LOW"), "{}\n{}", end.stdout, end.said());
}
