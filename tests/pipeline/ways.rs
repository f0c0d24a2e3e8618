//! Ways from frames to textures that fail.
use lucarne::logic::interop_policy::{InteropMode, OnFailure};
use lucarne::pipeline::player::Ended;

use crate::film::{FRAME_MS, Film, at_ms};
use crate::hardware::{BREAKS_ONCE, COPIES};
use crate::rig::{Rig, Setup};
use crate::screen::Fails::{self, Acquire, Context, Init, NotNow, Nothing, Submit};
use crate::screen::Way;

fn rig(mode: InteropMode, zero_copy_fails: &[Fails], software_fails: &[Fails]) -> Rig {
    let mut setup = Setup::of(vec![("a", vec![Film::silent(12).into()])]);
    setup.ways = vec![
        Way { zero_copy: true, ..Way::upload("direct", zero_copy_fails.to_vec()) },
        Way::upload("upload", software_fails.to_vec()),
    ];
    setup.mode = mode;
    setup.rig()
}

#[test]
fn three_failures_in_a_row_change_the_way_once_and_for_all() {
    for fails in [[Submit; 3], [Acquire; 3], [Init; 3], [Submit, Acquire, Submit]] {
        let mut rig = rig(InteropMode::Auto, &fails, &[]);
        assert_eq!(rig.until_the_end(), Ended::Done);
        let stats = &rig.players[0].stats;
        let [fallback] = stats.fallbacks() else { panic!("{fails:?}: {:?}", stats.fallbacks()) };
        assert_eq!((fallback.from.as_str(), fallback.to.as_str()), ("direct", "upload"), "{fails:?}");
        assert!(fallback.reason.contains("on purpose") && fallback.reason.contains("3 times"), "{}", fallback.reason);
        assert_eq!(stats.submit_failed + stats.acquire_failed, 3, "{fails:?}");
        // None was lost: each was tried again the other way.
        assert_eq!((stats.frames_presented, stats.software_frames, stats.zero_copy_frames), (12, 12, 0), "{fails:?}");
        assert!(rig.seen().iter().all(|it| it.backend == "upload"), "{fails:?}");
    }
}

#[test]
fn a_success_between_failures_forgives_them() {
    let fails = [Submit, Submit, Nothing, Acquire, Acquire, Nothing, Submit];
    let mut rig = rig(InteropMode::Auto, &fails, &[]);
    assert_eq!(rig.until_the_end(), Ended::Done);
    let stats = &rig.players[0].stats;
    assert_eq!((stats.submit_failed, stats.acquire_failed, stats.fallbacks().len()), (3, 2, 0));
    // What failed went the other way, that once.
    assert_eq!((stats.frames_presented, stats.zero_copy_frames, stats.software_frames), (12, 7, 5));
    let ways: Vec<&str> = rig.seen().iter().map(|it| it.backend).collect();
    let want = ["upload", "upload", "direct", "upload", "upload", "direct", "upload"];
    assert_eq!(ways[..7], want);
}

#[test]
fn a_lost_context_is_set_up_again_once() {
    let mut once = rig(InteropMode::Auto, &[Nothing, Context], &[]);
    assert_eq!(once.until_the_end(), Ended::Done);
    assert_eq!((once.players[0].stats.fallbacks().len(), once.players[0].stats.zero_copy_frames), (0, 12));
    drop(once);
    let mut twice = rig(InteropMode::Auto, &[Nothing, Context, Context], &[]);
    assert_eq!(twice.until_the_end(), Ended::Done);
    assert_eq!((twice.players[0].stats.fallbacks().len(), twice.players[0].stats.software_frames), (1, 11));
}

#[test]
fn what_cannot_be_done_now_is_done_another_way_and_comes_back() {
    // 25 a second: the way rests for half a second, and then for a whole one.
    for mode in [InteropMode::Auto, InteropMode::ForceZeroCopy(OnFailure::Downgrade)] {
        let mut setup = Setup::of(vec![("a", vec![Film::silent(60).into()])]);
        setup.ways = vec![
            Way { zero_copy: true, ..Way::upload("direct", vec![Nothing, Nothing, NotNow, NotNow]) },
            Way::upload("upload", Vec::new()),
        ];
        setup.mode = mode;
        let mut rig = setup.rig();
        assert_eq!(rig.until_the_end(), Ended::Done);
        let stats = &rig.players[0].stats;
        let ways: String = rig.seen().iter().map(|it| if it.backend == "direct" { 'd' } else { 'u' }).collect();
        let rest = ways.trim_start_matches('d').trim_end_matches('d');
        assert!(rest.chars().all(|it| it == 'u') && (36..=40).contains(&rest.len()), "{ways}");
        assert!(ways.starts_with("ddu") && ways.ends_with("ddd"), "{ways}");
        assert_eq!((stats.frames_presented, stats.submit_failed, stats.frames_dropped_stale), (60, 2, 0));
        let all = stats.fallbacks();
        assert!(all.iter().all(|it| it.from == "direct" && it.reason.contains("out of memory")), "{all:?}");
        assert_eq!((all.len(), stats.interop_reason.as_deref()), (2, None), "{all:?}");
    }
}

#[test]
fn forced_zero_copy_waits_for_what_worked_before() {
    let fails = [Nothing, NotNow];
    let mut rig = rig(InteropMode::ForceZeroCopy(OnFailure::Fail), &fails, &[]);
    assert_eq!(rig.until_the_end(), Ended::Done);
    let stats = &rig.players[0].stats;
    assert_eq!((stats.frames_presented, stats.software_frames), (1, 0), "the first stays for the rest of the film");
    drop(rig);
    let mut never = self::rig(InteropMode::ForceZeroCopy(OnFailure::Fail), &[NotNow], &[]);
    assert_eq!(never.until_the_end(), Ended::GaveUp);
}

#[test]
fn forced_zero_copy_gives_up_or_downgrades_as_asked() {
    let mut fails = rig(InteropMode::ForceZeroCopy(OnFailure::Fail), &[Nothing, Submit, Submit, Submit], &[]);
    assert_eq!(fails.until_the_end(), Ended::GaveUp);
    assert_eq!(fails.players[0].stats.frames_presented, 1);
    drop(fails);
    let mut downgrades = rig(InteropMode::ForceZeroCopy(OnFailure::Downgrade), &[Submit; 3], &[]);
    assert_eq!(downgrades.until_the_end(), Ended::Done);
    assert_eq!(downgrades.players[0].stats.fallbacks().len(), 1);
}

#[test]
fn the_ways_behind_the_first_prepare_before_the_first_picture_and_only_then() {
    let film = || vec![Film::silent(3).into()];
    let mut setup = Setup::of(vec![("a", film()), ("b", film())]);
    setup.ways = ["first", "second", "third"].map(|it| Way::upload(it, vec![])).to_vec();
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.script.borrow().prepared, [("second", 0), ("third", 0)]);
    drop(rig);
    // A way that was asked already has nothing to find out.
    setup = Setup::of(vec![("a", film())]);
    setup.ways = vec![Way::upload("first", vec![Submit; 3]), Way::upload("last", vec![])];
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.script.borrow().prepared, []);
}

#[test]
fn what_a_frame_is_decides_its_way_frame_by_frame() {
    let film = Film::silent(12).coded(|it| (4..8).contains(&it), COPIES);
    let setup = Setup { hardware: true, ..Setup::of(vec![("a", vec![film.into()])]) };
    let mut rig = Setup { ways: vec![Way::plane(), Way::upload("upload", Vec::new())], ..setup }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let ways: Vec<&str> = rig.seen().iter().map(|it| it.backend).collect();
    assert_eq!(ways, [["plane"; 4], ["upload"; 4], ["plane"; 4]].concat());
    let stats = &rig.players[0].stats;
    assert_eq!((stats.zero_copy_frames, stats.software_frames, stats.fallbacks().len()), (8, 4, 0));
}

#[test]
fn times_only_go_forward_whatever_fails() {
    let all = [Nothing, Submit, Nothing, Acquire, Context, Nothing, Init, Submit, Acquire];
    for fails in [&[][..], &all] {
        // Some times are those of pictures long past, and the decoder begins again from the start.
        let film = Film::silent(25).coded(|it| it == 20, BREAKS_ONCE).map(|it| {
            if it.pts.is_some_and(|it| [at_ms(7 * FRAME_MS), at_ms(14 * FRAME_MS)].contains(&it)) {
                it.pts = Some(at_ms(2 * FRAME_MS));
            }
        });
        let mut setup = Setup { hardware: true, ..Setup::of(vec![("a", vec![film.into()])]) };
        setup.ways =
            vec![Way { zero_copy: true, ..Way::upload("direct", fails.to_vec()) }, Way::upload("upload", vec![])];
        let mut rig = setup.rig();
        assert_eq!(rig.until_the_end(), Ended::Done);
        let submitted = rig.script.borrow().submitted.clone();
        assert!(submitted.is_sorted(), "{submitted:?}");
        let mut distinct = submitted.clone();
        distinct.dedup();
        assert!(20 <= distinct.len(), "{submitted:?}");
        assert!(fails.is_empty() || distinct.len() < submitted.len(), "what failed was given once more");
        assert!(rig.seen().is_sorted_by(|a, b| a.pts_ms <= b.pts_ms && a.at < b.at), "{:?}", rig.shown());
    }
}

#[test]
fn the_last_way_failing_costs_the_item_and_not_the_show() {
    let film = || vec![Film::silent(5).into()];
    let mut setup = Setup::of(vec![("a", film()), ("b", film())]);
    setup.ways = vec![Way::upload("upload", vec![Nothing, Submit, Submit, Submit])];
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let shown: Vec<String> = rig.shown().into_iter().map(|it| it.0).collect();
    assert_eq!(shown.concat(), "abbbbb");
    let items = rig.players[0].stats.items.report();
    assert!(items[0].reason.as_ref().is_some_and(|it| it.contains("on purpose")), "{items:?}");
}

#[test]
fn playing_steadily_allocates_nothing() {
    let mut setup = Setup::of(vec![("a", vec![Film::silent(50).into()])]);
    setup.turns = Some(6);
    let mut rig = setup.rig();
    // The fakes allocate on the decks' threads, as do the diary and the script on this one; so the player's own turns
    // are counted where nothing of theirs is due.
    rig.until_shown(150);
    let mut counted = (0, 0);
    rig.play(std::time::Duration::from_secs(2), |rig| {
        let before = (lucarne::sys::alloc::thread_allocations(), rig.players[0].frames_presented());
        let _turn = rig.players[0].step();
        if rig.players[0].frames_presented() == before.1 {
            counted.0 += lucarne::sys::alloc::thread_allocations() - before.0;
            counted.1 += 1;
        }
        false
    });
    assert!(100 < counted.1, "{} turns", counted.1);
    assert_eq!(counted.0, 0, "allocations in {} turns", counted.1);
}
