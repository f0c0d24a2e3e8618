//! Frames in dma-bufs as textures: the whole way without the player.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::cases::programs::{all_passed, program};
use crate::rig::Ability;

/// The cases of this file.
pub const CASES: &[Case] =
    &[Case { name: "interop::dma_bufs_as_textures_conform", needs: &[Ability::VirtualTime], run: conform }];

/// `tests/dmabuf` in full, with a rasteriser that is behind as a GPU is.
fn conform(bench: &Bench<'_>) {
    let job = bench.job().limit(Duration::from_secs(300)).push(&program("dmabuf"), "dmabuf");
    let job = job.env("LP_NUM_THREADS", "2").shell("LD_LIBRARY_PATH=/opt/lucarne/lib ./dmabuf");
    let end = bench.run(job).done();
    all_passed(&end, 1);
}
