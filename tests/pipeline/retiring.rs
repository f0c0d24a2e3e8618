//! Planes, and memory that a decoder wants back while its pictures are shown.
use std::sync::atomic::Ordering;
use std::time::Duration;

use lucarne::base::geometry::Rotation;
use lucarne::logic::interop_policy::{InteropMode, OnFailure};
use lucarne::pipeline::player::Ended;
use lucarne::seam::presenter::UserInput;

use crate::film::Film;
use crate::hardware::{KEPT, RETIRES};
use crate::rig::{Rig, Setup, frames_of};
use crate::screen::{REFRESH, Way};

fn setup(film: Film) -> Setup {
    let mut setup = Setup { hardware: true, ..Setup::of(vec![("a", vec![film.into()])]) };
    setup.ways = vec![Way::plane(), Way::upload("upload", Vec::new())];
    setup
}

/// What is left of pools that are wanted back: one entry for each.
fn left(rig: &Rig) -> Vec<u32> {
    let pools = rig.hardware.pools.lock().unwrap();
    pools.iter().filter(|it| it.is_retiring()).map(|it| it.leases() + it.imports()).collect()
}

#[test]
fn frames_in_dma_bufs_go_to_a_plane_as_they_are() {
    let mut rig = setup(Film::silent(30)).rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), frames_of("a", 30));
    let (stats, script) = (&rig.players[0].stats, rig.script.borrow());
    assert_eq!((stats.zero_copy_frames, stats.software_frames, stats.interop), (30, 0, Some("plane")));
    assert_eq!((stats.interop_reason.as_deref(), stats.fallbacks().len()), (None, 0));
    // The last stays on the screen when its decoder is gone.
    assert!(script.layers[..30].iter().all(|it| *it == "plane") && script.layers.len() <= 31, "{:?}", script.layers);
    assert!(script.acquired <= 2, "nothing is drawn: {}", script.acquired);
    assert_eq!(script.asked, 1, "once for a configuration");
    assert!(30 < script.tidied);
}

#[test]
fn what_a_plane_does_not_do_is_drawn_and_the_reason_told() {
    let mut setup = setup(Film::silent(10));
    setup.items[0].rotation = Some(Rotation::Clockwise90);
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let stats = &rig.players[0].stats;
    assert_eq!((stats.software_frames, stats.interop, stats.fallbacks().len()), (10, Some("upload"), 0));
    assert_eq!(stats.interop_reason.as_deref(), Some("plane: cannot take a picture on its side"));
    assert_eq!(rig.script.borrow().asked, 1);
}

#[test]
fn a_frame_that_the_plane_refuses_at_the_commit_is_drawn_at_once() {
    let mut rig = setup(Film::silent(12)).rig();
    rig.until_shown(4);
    rig.script.borrow_mut().plane_refuses = 1;
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), frames_of("a", 12));
    let stats = &rig.players[0].stats;
    let [fallback] = stats.fallbacks() else { panic!("{:?}", stats.fallbacks()) };
    assert_eq!((fallback.from.as_str(), fallback.to.as_str()), ("plane", "upload"));
    assert!(fallback.reason.contains("on purpose"), "{fallback:?}");
    assert_eq!((stats.missed_vblanks, stats.frames_dropped_stale), (Some(0), 0));
    let ways: Vec<&str> = rig.seen().iter().map(|it| it.backend).collect();
    assert_eq!(ways[..4], ["plane"; 4]);
    assert_eq!(ways[ways.len() - 7..], ["upload"; 7]);
}

#[test]
fn a_plane_that_refuses_what_it_has_shown_is_used_again() {
    let mut rig = setup(Film::silent(60)).rig();
    rig.until_shown(4);
    rig.script.borrow_mut().plane_refuses = 1;
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), frames_of("a", 60));
    let stats = &rig.players[0].stats;
    assert_eq!((stats.missed_vblanks, stats.frames_dropped_stale, stats.fallbacks().len()), (Some(0), 0, 1));
    assert_eq!((stats.interop, stats.interop_reason.as_deref()), (Some("plane"), None));
    // 25 a second, for half a second.
    assert!((11..=14).contains(&stats.software_frames), "{}", stats.software_frames);
    assert_eq!(rig.script.borrow().asked, 2);
}

#[test]
fn a_plane_that_refused_the_first_frame_is_not_used() {
    let mut rig = setup(Film::silent(60)).rig();
    rig.script.borrow_mut().plane_refuses = 1;
    assert_eq!(rig.until_the_end(), Ended::Done);
    let stats = &rig.players[0].stats;
    assert_eq!((stats.zero_copy_frames, stats.software_frames, stats.fallbacks().len()), (0, 60, 1));
    assert_eq!(rig.script.borrow().asked, 1);
}

#[test]
fn forced_zero_copy_ends_with_the_reason() {
    let mut setup = setup(Film::silent(12));
    (setup.mode, setup.hardware) = (InteropMode::ForceZeroCopy(OnFailure::Fail), false);
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::GaveUp);
    let why = rig.players[0].gave_up().unwrap_or_default().to_owned();
    assert!(why.contains("plane: cannot take ordinary memory"), "{why}");
}

#[test]
fn forced_zero_copy_that_may_be_downgraded_says_so_once() {
    let mut setup = setup(Film::silent(12));
    (setup.mode, setup.hardware) = (InteropMode::ForceZeroCopy(OnFailure::Downgrade), false);
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let [fallback] = rig.players[0].stats.fallbacks() else { panic!("{:?}", rig.players[0].stats.fallbacks()) };
    assert_eq!((fallback.from.as_str(), fallback.to.as_str()), ("zero_copy", "upload"));
}

#[test]
fn a_picture_that_is_wanted_is_drawn_that_once() {
    let mut rig = Setup { picture_every: 5, ..setup(Film::silent(12)) }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let ways: Vec<&str> = rig.seen().iter().map(|it| it.backend).collect();
    let want: Vec<&str> = (0..12).map(|it| if it % 5 == 0 { "upload" } else { "plane" }).collect();
    assert_eq!(ways, want);
    assert_eq!(rig.diaries[0].pictures.borrow().len(), 3);
}

#[test]
fn a_pool_that_is_wanted_back_in_mid_film_comes_home_behind_a_freeze_frame() {
    for ways in [vec![Way::plane(), Way::upload("upload", Vec::new())], vec![Way::upload("upload", Vec::new())]] {
        for mirrors in [vec![], vec![REFRESH]] {
            let has_plane = ways.len() == 2;
            let case = format!("plane: {has_plane}, mirrors: {}", mirrors.len());
            let film = Film::silent(40).coded(|it| it == 10 || it == 25, RETIRES);
            let mut rig = Setup { ways: ways.clone(), mirrors, ..setup(film) }.rig();
            assert_eq!(rig.until_the_end(), Ended::Done, "{case}");
            assert_eq!(rig.shown(), frames_of("a", 40), "{case}");
            let stats = &rig.players[0].stats;
            assert_eq!(rig.hardware.freed.load(Ordering::SeqCst), 2, "{case}");
            assert_eq!((stats.fallbacks().len(), stats.frames_dropped_stale), (0, 0), "{case}");
            // The last one is for the decoder that is no longer needed.
            assert_eq!(stats.freeze_frames, if has_plane { 3 } else { 0 }, "{case}");
            if has_plane {
                let drawn = rig.script.borrow().layers.iter().filter(|it| **it == "drawn").count();
                // Those on their way when the pool goes are still shown by the plane.
                assert_eq!((drawn, stats.zero_copy_frames), (3, 40), "{case}");
            }
        }
    }
}

#[test]
fn a_decoder_that_ends_gets_its_pool_back_while_its_last_picture_stays() {
    let mut setup = setup(Film::silent(5));
    // Somebody else plays on, so that the last picture has to stay.
    setup.films.push(("b", vec![Film::silent(60).into()]));
    setup.guests = vec![(vec!["b"], REFRESH)];
    let mut rig = setup.rig();
    rig.play(Duration::from_secs(1), |_| false);
    assert_eq!(left(&rig), [0]);
    assert_eq!(rig.players[0].stats.freeze_frames, 1);
    assert_eq!(rig.script.borrow().layers.last(), Some(&"drawn"));
}

#[test]
fn nothing_is_kept_while_paused_or_unplugged() {
    for unplug in [false, true] {
        let film = Film::silent(40).coded(|it| it == 10, RETIRES);
        let mut rig = setup(film).rig();
        // The decoder is some frames ahead of the screen.
        rig.until_shown(9);
        if unplug {
            rig.script.borrow_mut().unplug();
        } else {
            rig.input(UserInput::TogglePause);
        }
        rig.play_for(Duration::from_secs(1));
        assert_eq!(left(&rig)[0], 0, "unplugged: {unplug}");
        if !unplug {
            rig.input(UserInput::TogglePause);
        } else {
            rig.script.borrow_mut().plug(REFRESH);
        }
        assert_eq!(rig.until_the_end(), Ended::Done);
        assert_eq!(rig.hardware.freed.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn memory_that_does_not_come_home_holds_up_its_decoder_only() {
    for quits in [false, true] {
        let film = Film::silent(40).coded(|it| it == 5, KEPT).coded(|it| it == 10, RETIRES);
        let mut rig = setup(film).rig();
        // Far past the tenth picture, which its decoder cannot make yet.
        rig.play_for(Duration::from_secs(2));
        assert_eq!((rig.shown(), left(&rig)), (frames_of("a", 10), vec![1]));
        // The screen is served meanwhile.
        rig.script.borrow_mut().unplug();
        rig.play_for(Duration::from_millis(100));
        let n_flips = rig.script.borrow().flips.len();
        rig.script.borrow_mut().plug(REFRESH);
        rig.play_for(Duration::from_millis(100));
        assert!(n_flips < rig.script.borrow().flips.len(), "the last picture is there again");
        if quits {
            rig.input(UserInput::Quit);
            assert_eq!(rig.until_the_end(), Ended::Asked);
        } else {
            rig.hardware.kept.lock().unwrap().clear();
            assert_eq!(rig.until_the_end(), Ended::Done);
            assert_eq!(rig.shown(), frames_of("a", 40));
        }
    }
}
