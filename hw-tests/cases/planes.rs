//! Frames that the display controller reads as they are. What is on the wire then is the business of `tests/kms`, which the
//! case `outputs::the_presenter_conforms` runs; here it is the whole player.
use std::path::Path;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "planes::a_film_of_the_screens_size_is_not_drawn", needs: EXACT, run: is_not_drawn },
    Case { name: "planes::one_of_another_size_is_drawn_and_it_is_said_why", needs: EXACT, run: is_drawn },
    Case { name: "planes::from_planes_to_drawing_and_back_nothing_is_lost", needs: EXACT, run: back_and_forth },
];

const EXACT: &[Ability] = &[Ability::VirtualTime];

/// How long the films of this file are.
const FILM_S: u32 = 3;
const N_FRAMES: usize = 30 * FILM_S as usize;

fn play(bench: &Bench<'_>, films: &[(&Path, &str)], words: &str) -> Ended {
    let job = films.iter().fold(bench.job(), |job, (film, name)| job.push(film, name));
    let names: Vec<&str> = films.iter().map(|it| it.1).collect();
    let words = format!("play {} --display kms --size 640x480 --audio none -v {words}", names.join(" "));
    bench.run(job.player(words.split_whitespace()).finish()).done()
}

/// The ways the frames took, one after the other.
#[track_caller]
fn ways(end: &Ended, n_frames: usize) -> Vec<String> {
    let frames = end.frames();
    assert_eq!(frames.len(), n_frames, "frames shown\n{}", end.said());
    let bad = ["missed_vblanks", "frames_dropped_stale", "late_frames", "submit_failed", "acquire_failed"];
    for figure in bad {
        assert_eq!(end.figure(&format!("/{figure}")), 0.0, "{figure}: {:#}", end.stats());
    }
    frames.into_iter().map(|it| it.backend).collect()
}

fn is_not_drawn(bench: &Bench<'_>) {
    let film = media::tone_film("640x480", "30", FILM_S);
    let end = play(bench, &[(&film, "film.mkv")], "--loop 2");
    let ways = ways(&end, 2 * N_FRAMES);
    assert!(ways.iter().all(|it| it == "plane"), "{ways:?}\n{}", end.said());
    let figures = ["frames_presented", "zero_copy_frames"].map(|it| end.figure(&format!("/{it}")));
    assert_eq!(figures, [2.0 * N_FRAMES as f64; 2]);
    // The twin: told to copy, nothing of it is on a plane.
    let end = play(bench, &[(&film, "film.mkv")], "--loop 1 --interop force_software");
    assert_eq!(end.figure("/zero_copy_frames"), 0.0);
}

fn is_drawn(bench: &Bench<'_>) {
    let film = media::tone_film("320x240", "30", FILM_S);
    let end = play(bench, &[(&film, "film.mkv")], "--loop 1");
    let ways = ways(&end, N_FRAMES);
    assert!(ways.iter().all(|it| it != "plane"), "{ways:?}\n{}", end.said());
    let stats = end.stats();
    let reason = stats.pointer("/interop_reason").and_then(|it| it.as_str()).unwrap_or_default();
    assert!(reason.contains("plane: cannot take 320x240 scaled to 640x480"), "{reason:?}\n{}", end.said());
}

fn back_and_forth(bench: &Bench<'_>) {
    let (large, small) = (media::tone_film("640x480", "30", FILM_S), media::tone_film("320x240", "30", FILM_S));
    let end = play(bench, &[(&large, "large.mkv"), (&small, "small.mkv")], "--loop 3");
    let ways = ways(&end, 6 * N_FRAMES);
    for (item, ways) in ways.chunks(N_FRAMES).enumerate() {
        let n_plane = ways.iter().filter(|it| *it == "plane").count();
        let want = if item % 2 == 0 { N_FRAMES } else { 0 };
        assert_eq!(n_plane, want, "item {item}\n{}", end.said());
    }
}
