//! A display that is not there: what the player does meanwhile, what it counts, and what it shows first when one comes.
use std::time::Duration;

use lucarne::logic::interop_policy::InteropMode;
use lucarne::pipeline::player::Ended;
use lucarne::seam::presenter::UserInput;

use crate::film::{Film, Gate, Opening};
use crate::rig::{Rig, Setup};
use crate::screen::{REFRESH, Way, screens};

/// Two films of two seconds each.
fn films(sounding: bool) -> Setup {
    let film = || vec![if sounding { Film::sounding(50).into() } else { Film::silent(50).into() }];
    let sink = sounding.then(Default::default);
    Setup { sink, ..Setup::of(vec![("a", film()), ("b", film())]) }
}

/// Nothing of what is measured says that somebody saw it late.
#[track_caller]
fn no_judder(rig: &Rig, unseen: std::ops::RangeInclusive<u64>) {
    let stats = &rig.players[0].stats;
    assert_eq!((stats.frames_dropped_stale, stats.missed_vblanks, stats.late_frames), (0, Some(0), 0));
    assert_eq!((stats.seams.late_starts, stats.seams.worst_gap_frames), (0, 0));
    assert!(unseen.contains(&stats.frames_unseen), "{} unseen", stats.frames_unseen);
    assert_eq!(stats.frames_presented + stats.frames_unseen, 100);
    let lag = stats.queued_lag.milliseconds().map_or(0.0, |it| it.max);
    assert!(lag <= 20.0, "lag of {lag} ms");
}

#[test]
fn what_passes_while_the_display_is_gone_is_unseen_and_nothing_else() {
    for sounding in [false, true] {
        let mut rig = films(sounding).rig();
        rig.until_shown(30);
        rig.script.borrow_mut().unplug();
        // Over the seam.
        rig.play_for(Duration::from_millis(1_500));
        let (seen, back) = (rig.seen().len(), rig.now());
        let drawn = rig.script.borrow().acquired;
        rig.script.borrow_mut().plug(REFRESH);
        assert_eq!(rig.until_the_end(), Ended::Done);
        no_judder(&rig, 35..=41);
        let stats = &rig.players[0].stats;
        assert_eq!((stats.display_lost, stats.display_regained), (1, 1), "with sound: {sounding}");
        let flips = rig.script.borrow().flips.clone();
        let first = flips.iter().find(|it| back < **it).expect("it shows again");
        assert!(first.saturating_since(back) <= 3 * REFRESH, "with sound: {sounding}");
        assert!(drawn <= 31, "nothing is drawn that nobody can see: {drawn}");
        // It is in its place: the programme went on.
        let shown = rig.seen();
        let (item, pts) = (shown[seen].item.as_str(), shown[seen].pts_ms);
        assert!(item == "b" && (600..=800).contains(&pts), "with sound: {sounding}: {item} at {pts} ms");
    }
}

/// A graphics card goes with all its screens, and comes back with others.
#[test]
fn screens_that_are_taken_away_count_as_unplugged() {
    let mut rig = Setup { mirrors: vec![REFRESH], ..films(false) }.rig();
    rig.until_shown(30);
    assert!(!rig.players[0].is_unseated());
    rig.script.borrow_mut().lost = true;
    assert!(rig.players[0].is_unseated());
    rig.players[0].detach();
    assert!(!rig.players[0].is_unseated());
    // Over the seam.
    rig.play_for(Duration::from_millis(1_500));
    assert_eq!(rig.players[0].own_output().expect("it had one").name, "X-0");
    assert_eq!(rig.players[0].mirror_output(0).expect("it had one").name, "X-1");
    let (seen, back) = (rig.seen().len(), rig.now());
    // A thread can have one GL context: this fails if anything is left of the first one.
    let ways = [Way::upload("software", Vec::new())];
    let (screens, scripts): (Vec<_>, Vec<_>) =
        screens(&[REFRESH, REFRESH], &ways, InteropMode::Auto).into_iter().unzip();
    let mut screens = screens.into_iter();
    rig.players[0].attach(screens.next().expect("the first"));
    rig.players[0].mirror_on(screens.next().expect("the second"));
    assert_eq!(rig.until_the_end(), Ended::Done);
    no_judder(&rig, 35..=41);
    let stats = &rig.players[0].stats;
    assert_eq!((stats.display_lost, stats.display_regained), (1, 1));
    let mirror = rig.players[0].mirrors()[0].stats();
    assert_eq!((mirror.display_lost, mirror.display_regained, mirror.frames_dropped_stale), (1, 1, 0));
    let (own, mirrored) = (stats.frames_presented, mirror.frames_presented);
    assert!(mirrored.abs_diff(own) <= 2, "its figures go on: {mirrored} of {own} frames");
    for script in scripts {
        let flips = script.borrow().flips.clone();
        assert!(flips[0].saturating_since(back) <= 3 * REFRESH, "it is shown on at once");
    }
    let first = &rig.seen()[seen];
    assert!(first.item == "b" && (600..=800).contains(&first.pts_ms), "{} at {} ms", first.item, first.pts_ms);
}

#[test]
fn the_picture_that_is_due_comes_with_the_first_flip() {
    let mut rig = films(false).rig();
    rig.until_shown(5);
    rig.script.borrow_mut().unplug();
    rig.play_for(Duration::from_millis(1_000));
    let (flips, back) = (rig.script.borrow().flips.len(), rig.now());
    rig.script.borrow_mut().plug(REFRESH);
    rig.until_shown(8);
    // The picture of the moment is drawn once, be it an old or a new one; then each in its time.
    let after = rig.script.borrow().flips[flips..].to_vec();
    assert!(after[0].saturating_since(back) <= 3 * REFRESH);
    let seen = rig.seen();
    let last = seen.last().expect("some");
    assert!(last.at.nanos().abs_diff(last.pts_ms as u64 * 1_000_000) <= 20_000_000, "{last:?}");
    assert!(after.len() <= 4, "{after:?}");
}

#[test]
fn a_mode_that_takes_long_to_set_is_no_judder() {
    let mut rig = films(false).rig();
    rig.until_shown(5);
    rig.script.borrow_mut().unplug();
    rig.play_for(Duration::from_millis(500));
    rig.script.borrow_mut().misses = 30;
    rig.script.borrow_mut().plug(REFRESH);
    assert_eq!(rig.until_the_end(), Ended::Done);
    no_judder(&rig, 18..=23);
}

#[test]
fn without_a_display_at_the_start_the_programme_runs() {
    for sounding in [false, true] {
        let mut rig = films(sounding).rig();
        rig.script.borrow_mut().unplug();
        rig.play_for(Duration::from_millis(1_000));
        assert_eq!((rig.seen().len(), rig.players[0].mode()), (0, None));
        rig.script.borrow_mut().plug(REFRESH);
        assert_eq!(rig.until_the_end(), Ended::Done);
        let first = rig.seen()[0].clone();
        assert!((800..=1_100).contains(&first.pts_ms), "with sound: {sounding}: {first:?}");
        no_judder(&rig, 20..=28);
        let stats = &rig.players[0].stats;
        assert_eq!((stats.display_lost, stats.display_regained), (0, 0), "it was never there to be lost");
    }
}

#[test]
fn a_run_that_nobody_sees_ends_as_others_do() {
    let mut rig = films(true).rig();
    rig.script.borrow_mut().unplug();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!((rig.players[0].stats.frames_unseen, rig.seen().len()), (100, 0));
    drop(rig);
    // And one that has nothing to show ends when its time is up.
    let duration = Some(Duration::from_secs(3));
    let mut rig = Setup { duration, ..Setup::of(vec![("a", vec![Opening::Stalls(Gate::default())])]) }.rig();
    let begun = rig.now();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.now().saturating_since(begun).as_millis(), 3_000);
}

#[test]
fn a_paused_picture_is_there_again_when_the_display_is() {
    let mut rig = films(false).rig();
    rig.until_shown(5);
    rig.input(UserInput::TogglePause);
    rig.play_for(Duration::from_millis(200));
    rig.script.borrow_mut().unplug();
    rig.play_for(Duration::from_millis(500));
    let flips = rig.script.borrow().flips.len();
    rig.script.borrow_mut().plug(REFRESH);
    rig.play_for(Duration::from_millis(200));
    assert_eq!(rig.script.borrow().flips.len(), flips + 1);
}

#[test]
fn a_screen_is_told_the_frame_rate_before_anything_is_drawn_and_when_it_is_back() {
    let mut rig = films(false).rig();
    rig.until_shown(5);
    assert_eq!(rig.script.borrow().rates, [(25.0, 0)]);
    rig.script.borrow_mut().unplug();
    rig.play_for(Duration::from_millis(500));
    let drawn = rig.script.borrow().acquired;
    rig.script.borrow_mut().plug(REFRESH);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.script.borrow().rates, [(25.0, 0), (25.0, drawn)]);
}

#[test]
fn pictures_come_from_the_wire_where_the_screen_takes_them() {
    for (captures, fail, want) in [(true, false, Some("wire")), (false, false, Some("read back")), (true, true, None)] {
        let setup = Setup { picture_every: 5, ..Setup::of(vec![("a", vec![Film::silent(11).into()])]) };
        let mut rig = setup.rig();
        {
            let mut script = rig.script.borrow_mut();
            (script.captures, script.captures_fail) = (captures, fail);
        }
        // One that never comes stalls nothing.
        assert_eq!(rig.until_the_end(), Ended::Done);
        assert_eq!(rig.seen().len(), 11);
        let pictures = rig.diaries[0].pictures.borrow().clone();
        let all: Vec<(u64, &str)> = want.iter().flat_map(|how| [0, 5, 10].map(|it| (it, *how))).collect();
        assert_eq!(pictures, all, "{captures} {fail}");
    }
}
