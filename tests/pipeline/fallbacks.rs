//! Decoders that fail while others are there.
use std::sync::atomic::Ordering;

use lucarne::pipeline::player::Ended;

use crate::film::{Beat, Film};
use crate::hardware::{BREAKS_IT, BREAKS_ONCE, CONVERTS, COPIES, GOES, STALLS_IT};
use crate::rig::{Rig, Setup, frames_of, times};
use crate::screen::Way;

/// A film with a resume point every `group` pictures.
fn film(frames: i64, group: i64) -> Film {
    let mut film = Film::silent(frames);
    for (place, beat) in (0..).zip(&mut film.beats) {
        if let Beat::Packet(it) = beat {
            it.keyframe = place % group == 0;
        }
    }
    film
}

fn rig(film: Film) -> Rig {
    Setup { hardware: true, ..Setup::of(vec![("a", vec![film.into()])]) }.rig()
}

#[test]
fn the_first_that_takes_a_stream_decodes_it() {
    let mut rig = rig(film(20, 5));
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), frames_of("a", 20));
    let stats = &rig.players[0].stats;
    assert_eq!((stats.decoder, stats.decoders_opened, stats.fallbacks().len()), (Some("hardware"), 1, 0));
    assert_eq!(rig.decoder.opened.load(Ordering::SeqCst), 0);
}

#[test]
fn a_decoder_that_fails_is_followed_by_another_and_no_picture_is_lost() {
    for (name, byte, opened, to) in [
        ("broke once", BREAKS_ONCE, 2, vec!["hardware"]),
        ("breaks over the same picture", BREAKS_IT, 2, vec!["hardware", "blocks"]),
        ("stalls", STALLS_IT, 2, vec!["hardware", "blocks"]),
    ] {
        for at in [0, 1, 7, 24] {
            for group in [1, 5, 100] {
                let mut rig = rig(film(25, group).coded(|it| it == at, byte));
                let case = format!("{name} at {at}, groups of {group}");
                assert_eq!(rig.until_the_end(), Ended::Done, "{case}");
                assert_eq!(rig.shown(), frames_of("a", 25), "{case}");
                let stats = &rig.players[0].stats;
                let followed: Vec<&str> = stats.fallbacks().iter().map(|it| it.to.as_str()).collect();
                assert_eq!(followed, to, "{case}");
                assert!(stats.fallbacks().iter().all(|it| it.from == "hardware" && !it.reason.is_empty()), "{case}");
                assert_eq!(rig.hardware.opened.load(Ordering::SeqCst), opened, "{case}");
                assert_eq!((stats.frames_decoded, stats.frames_dropped_stale), (25, 0), "{case}");
                assert_eq!(stats.decoder, to.last().copied(), "{case}");
            }
        }
    }
}

#[test]
fn a_device_that_is_gone_is_tried_again_with_a_later_item() {
    let once = film(25, 5).coded(|it| it == 7, GOES);
    let films = vec![("a", vec![once.into(), film(25, 5).into()]), ("b", vec![film(25, 5).into()])];
    let mut rig = Setup { hardware: true, turns: Some(3), ..Setup::of(films) }.rig();
    rig.until_shown(20);
    rig.players[0].settle_stats();
    assert_eq!(rig.players[0].stats.decoder, Some("blocks"));
    assert!(rig.hardware.gone.load(Ordering::SeqCst));
    rig.hardware.gone.store(false, Ordering::SeqCst);
    assert_eq!(rig.until_the_end(), Ended::Done);
    let all = [frames_of("a", 25), frames_of("b", 25)].concat();
    assert_eq!(rig.shown(), times(all, 3));
    assert_eq!(rig.players[0].stats.decoder, Some("hardware"));
}

#[test]
fn a_film_that_goes_round_finds_its_device_again() {
    let mut rig = {
        let once = film(25, 5).coded(|it| it == 7, BREAKS_IT);
        let again = Film { rewinds: false, ..once };
        let films = vec![("a", vec![again.into(), film(25, 5).into()])];
        Setup { hardware: true, turns: Some(4), ..Setup::of(films) }.rig()
    };
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), times(frames_of("a", 25), 4));
    let stats = &rig.players[0].stats;
    assert_eq!((stats.decoder, stats.fallbacks().len()), (Some("hardware"), 2));
}

#[test]
fn where_the_resume_point_is_too_far_back_the_next_one_begins() {
    let film = film(800, 700).coded(|it| it == 650, BREAKS_ONCE);
    let mut rig = rig(film);
    assert_eq!(rig.until_the_end(), Ended::Done);
    let shown = rig.shown();
    // What had come out before it failed, and from the next resume point on.
    let lost = 800 - shown.len();
    assert!((48..=51).contains(&lost), "{lost}");
    assert_eq!(shown.last(), frames_of("a", 800).last());
}

#[test]
fn a_decoder_that_copies_against_its_word_is_told_of() {
    for (name, byte, is_told) in [("copies", COPIES, true), ("counts what it copies", CONVERTS, false)] {
        let mut rig = rig(film(20, 5).coded(|_| true, byte));
        assert_eq!(rig.until_the_end(), Ended::Done, "{name}");
        assert_eq!(rig.shown(), frames_of("a", 20), "{name}");
        let stats = &rig.players[0].stats;
        assert_eq!((stats.software_frames, stats.decoder), (20, Some("hardware")), "{name}");
        let told = stats.fallbacks().iter().map(|it| (it.from.as_str(), it.to.as_str(), it.reason.as_str()));
        let want =
            ("hardware", "hardware", "its frames are in ordinary memory, though it said that they are in dma-bufs");
        assert_eq!(told.collect::<Vec<_>>(), if is_told { vec![want] } else { vec![] }, "{name}");
    }
}

#[test]
fn from_a_plane_over_a_copy_to_software_it_goes_step_by_step() {
    // The codec is gone before the plane, which has shown the film, is asked again.
    let setup =
        Setup { hardware: true, ..Setup::of(vec![("a", vec![film(40, 5).coded(|it| it == 20, BREAKS_IT).into()])]) };
    let mut rig = Setup { ways: vec![Way::plane(), Way::upload("upload", Vec::new())], ..setup }.rig();
    rig.until_shown(10);
    rig.script.borrow_mut().plane_refuses = 1;
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), frames_of("a", 40));
    let stats = &rig.players[0].stats;
    let steps: Vec<(&str, &str)> = stats.fallbacks().iter().map(|it| (it.from.as_str(), it.to.as_str())).collect();
    assert_eq!(steps, [("plane", "upload"), ("hardware", "hardware"), ("hardware", "blocks")]);
    let n_planes = rig.seen().iter().take_while(|it| it.backend == "plane").count();
    assert!((10..=12).contains(&n_planes), "{n_planes}");
    assert!(rig.seen()[n_planes..].iter().all(|it| it.backend == "upload"));
    assert_eq!((stats.zero_copy_frames, stats.decoder), (n_planes as u64, Some("blocks")));
}
