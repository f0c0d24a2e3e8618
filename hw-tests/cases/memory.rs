//! Software decoding into dma-bufs.
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::cases::programs::{all_passed, program};
use crate::rig::Ability;

/// The cases of this file.
pub const CASES: &[Case] = &[Case {
    name: "memory::software_decodes_into_dmabufs",
    needs: &[Ability::VirtualTime],
    run: software_decodes_into_dmabufs,
}];

/// `tests/frame_memory`, which wants dma-bufs: of a heap, and without one of memfds. The board has no encoder: its films are
/// made here.
fn software_decodes_into_dmabufs(bench: &Bench<'_>) {
    let program = program("frame_memory");
    let films = Command::new(&program).arg("--films").output().expect("it runs");
    assert!(films.status.success(), "{}", String::from_utf8_lossy(&films.stderr));
    let mut job = bench.job().limit(Duration::from_secs(300)).push(&program, "frame_memory");
    for line in String::from_utf8_lossy(&films.stdout).lines() {
        let (name, path) = line.split_once('\t').expect("a name and a path");
        job = job.push(Path::new(path), name);
    }
    let shell = "export LD_LIBRARY_PATH=/opt/lucarne/lib; ./frame_memory && mount -t tmpfs none /dev/dma_heap && \
        ./frame_memory pictures_; code=$?; umount /dev/dma_heap; (exit $code)";
    let end = bench.run(job.shell(shell)).done();
    all_passed(&end, 2);
    for device in ["/dev/dma_heap/system", "/dev/udmabuf"] {
        assert!(end.stdout.lines().any(|it| it == format!("buffers of {device}")), "{device}: {}", end.stdout);
    }
}
