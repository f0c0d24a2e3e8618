//! What the user and the screen do to a player.
use std::time::Duration;

use lucarne::base::format::Size;
use lucarne::pipeline::player::Ended;
use lucarne::seam::presenter::{DisplayMode, PresentEvent, UserInput};

use crate::film::{Beat, Film, Gate, Opening};
use crate::rig::{Rig, Setup, frames_of, item, times};
use crate::screen::REFRESH;

fn films(frames: i64) -> Setup {
    let film = || vec![Film::silent(frames).into()];
    Setup::of(vec![("a", film()), ("b", film()), ("c", film())])
}

/// Frames shown of each item, in order.
fn runs(rig: &Rig) -> Vec<(String, usize)> {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for it in rig.seen() {
        match runs.last_mut() {
            Some(last) if last.0 == it.item => last.1 += 1,
            _ => runs.push((it.item, 1)),
        }
    }
    runs
}

#[test]
fn a_pause_holds_the_picture_and_costs_no_frame() {
    let mut rig = films(6).rig();
    rig.until_shown(4);
    rig.input(UserInput::TogglePause);
    rig.play_for(Duration::from_secs(3));
    let shown = rig.seen().len();
    assert!((4..=5).contains(&shown), "{shown} frames, one of them on its way");
    rig.input(UserInput::TogglePause);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), [frames_of("a", 6), frames_of("b", 6), frames_of("c", 6)].concat());
    assert_eq!((rig.players[0].stats.frames_dropped_stale, rig.players[0].stats.seams.late_starts), (0, 0));
}

#[test]
fn next_and_previous_begin_an_item_with_its_first_picture() {
    // However far the item has got, and whatever is on its way to the screen.
    for after in 1..12 {
        let mut rig = films(50).rig();
        rig.until_shown(after);
        rig.input(UserInput::Next);
        rig.until_shown(after + 5);
        rig.input(UserInput::Previous);
        rig.until_shown(after + 12);
        rig.players[0].settle_stats();
        let seen = rig.seen();
        let case = format!("after {after}: {:?}", rig.shown());
        let order: Vec<String> = runs(&rig).into_iter().map(|it| it.0).collect();
        assert_eq!(order, ["a", "b", "a"], "{case}");
        let firsts = seen.windows(2).filter(|it| it[0].item != it[1].item).map(|it| it[1].pts_ms);
        assert_eq!(firsts.collect::<Vec<_>>(), [0, 0], "{case}");
        // What a user does is no seam of the programme, and no frame is lost for it.
        let stats = &rig.players[0].stats;
        assert_eq!((stats.seams.count, stats.seams.late_starts, stats.frames_dropped_stale), (0, 0, 0), "{case}");
        assert_eq!(stats.frames_presented as usize, seen.len(), "{case}");
    }
}

#[test]
fn next_before_the_first_picture_and_behind_the_last_item_end_well() {
    let mut rig = films(5).rig();
    rig.input(UserInput::Next);
    rig.until_shown(2);
    assert_eq!(rig.shown()[0], ("b".into(), 0));
    rig.input(UserInput::Next);
    rig.until_shown(4);
    rig.input(UserInput::Next);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(runs(&rig).into_iter().map(|it| it.0).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn next_while_the_clock_waits_for_the_sound_does_not_hang() {
    let mut setup = films(20);
    setup.sink = Some(Default::default());
    let mut rig = setup.rig();
    rig.until_shown(1);
    rig.input(UserInput::Next);
    assert_eq!(rig.until_the_end(), Ended::Done);
    let runs = runs(&rig);
    assert_eq!(runs[1..].iter().map(|it| it.1).collect::<Vec<_>>(), [20, 20], "{runs:?}");
}

#[test]
fn next_leaves_a_paused_item_and_one_that_will_not_open() {
    let gate = Gate::default();
    let mut setup = films(5);
    setup.films[1].1 = vec![Opening::Stalls(gate)];
    let mut rig = setup.rig();
    rig.until_shown(2);
    rig.input(UserInput::TogglePause);
    rig.play_for(Duration::from_secs(1));
    rig.input(UserInput::Next);
    rig.play_for(Duration::from_secs(1));
    rig.input(UserInput::Next);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(runs(&rig).last(), Some(&("c".to_owned(), 5)));
}

#[test]
fn another_mode_draws_the_same_picture_again_and_counts_nothing() {
    let mode = DisplayMode { size: Size::new(16, 16), refresh: REFRESH };
    let mut rig = Setup::of(vec![("a", vec![Film::still().into()])]).rig();
    rig.until_shown(1);
    let before = rig.script.borrow().flips.len();
    rig.tell(PresentEvent::ModeChanged(mode));
    rig.play_for(Duration::from_millis(100));
    assert_eq!(rig.script.borrow().flips.len(), before + 1);
    assert_eq!((rig.seen().len(), rig.players[0].stats.frames_presented), (1, 1));
    assert_eq!((rig.players[0].stats.display_lost, rig.players[0].stats.display_regained), (0, 0));
    assert_eq!(rig.until_the_end(), Ended::Done);
}

#[test]
fn another_mode_at_any_moment_loses_no_frame() {
    let mode = DisplayMode { size: Size::new(16, 16), refresh: REFRESH };
    for turn in 5..60 {
        let mut rig = films(3).rig();
        let mut turns = 0;
        rig.play(Duration::from_secs(60), |_| {
            turns += 1;
            turns == turn
        });
        rig.tell(PresentEvent::ModeChanged(mode));
        assert_eq!(rig.until_the_end(), Ended::Done);
        assert_eq!(rig.shown(), [frames_of("a", 3), frames_of("b", 3), frames_of("c", 3)].concat(), "turn {turn}");
    }
}

#[test]
fn while_the_display_is_gone_the_programme_goes_on() {
    let mode = DisplayMode { size: Size::new(16, 16), refresh: REFRESH };
    for says_so in [true, false] {
        let mut rig = Setup { turns: None, ..films(10) }.rig();
        rig.until_shown(3);
        rig.script.borrow_mut().gone = true;
        if says_so {
            rig.tell(PresentEvent::Disconnected);
        }
        // Two turns of the whole list and a little more.
        rig.play_for(Duration::from_millis(2_500));
        let unseen = rig.seen().len();
        assert!(unseen <= 4, "{unseen} frames");
        rig.script.borrow_mut().gone = false;
        if says_so {
            rig.tell(PresentEvent::ModeChanged(mode));
        }
        rig.play_for(Duration::from_millis(800));
        let stats = &rig.players[0].stats;
        assert_eq!((stats.display_lost, stats.display_regained), (1, 1), "says so: {says_so}");
        assert!(18 <= rig.seen().len() - unseen, "says so: {says_so}: {:?}", rig.shown());
        assert!(stats.items.report().iter().all(|it| it.reason.is_none()), "{:?}", stats.items.report());
    }
}

#[test]
fn a_busy_screen_delays_a_frame_and_loses_none() {
    let mut rig = films(4).rig();
    rig.script.borrow_mut().busy = 1;
    rig.until_shown(2);
    rig.script.borrow_mut().busy = 2;
    rig.until_shown(5);
    rig.script.borrow_mut().busy_commits = 2;
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), [frames_of("a", 4), frames_of("b", 4), frames_of("c", 4)].concat());
}

#[test]
fn flips_that_come_late_are_counted() {
    let mut rig = films(10).rig();
    for misses in [1, 2] {
        rig.until_shown(5 * misses);
        rig.script.borrow_mut().misses = misses;
    }
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.players[0].stats.missed_vblanks, Some(3));
    assert_eq!(rig.seen().len(), 30);
}

#[test]
fn it_stops_after_so_many_frames_or_so_long() {
    let mut rig = Setup { frames: Some(7), ..films(5) }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), [frames_of("a", 5), frames_of("b", 2)].concat());
    // Two GL contexts cannot be current at once.
    drop(rig);
    let mut rig = Setup { duration: Some(Duration::from_millis(170)), ..films(50) }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), frames_of("a", 5));
}

#[test]
fn closing_the_screen_ends_it_though_an_input_hangs() {
    let mut rig = Setup::of(vec![("a", vec![Opening::Stalls(Gate::default())])]).rig();
    rig.play_for(Duration::from_secs(2));
    rig.input(UserInput::Quit);
    assert_eq!(rig.until_the_end(), Ended::Asked);
}

#[test]
fn an_empty_list_says_so_and_starts_with_what_comes() {
    let films = vec![("a", vec![Film::silent(20).into()]), ("b", vec![Film::silent(20).into()])];
    for sink in [None, Some(Default::default())] {
        let mut setup = Setup { films: films.clone(), turns: None, waits_when_empty: true, ..Setup::of(vec![]) };
        setup.sink = sink;
        let mut rig = setup.rig();
        rig.play_for(Duration::from_secs(3));
        // The status picture, drawn once; it is no frame of the programme.
        assert_eq!((rig.script.borrow().flips.len(), rig.seen().len()), (1, 0));
        rig.players[0].programme().replace_items(vec![item("a")], &[]);
        rig.play_for(Duration::from_millis(1_200));
        // One file is replaced by another: the first goes on to its end, and no further.
        rig.players[0].programme().replace_items(vec![item("b")], &[]);
        rig.play_for(Duration::from_millis(5_000));
        rig.players[0].programme().replace_items(vec![], &[]);
        rig.play_for(Duration::from_millis(5_000));
        let order: Vec<String> = runs(&rig).into_iter().map(|it| it.0).collect();
        assert_eq!(order, ["a", "b"]);
        let flips = rig.script.borrow().flips.len();
        assert_eq!(flips, rig.seen().len() + 2, "the status picture is back");
        rig.players[0].programme().replace_items(vec![item("a")], &[]);
        rig.play_for(Duration::from_millis(1_000));
        assert_eq!(runs(&rig).last().map(|it| it.0.clone()), Some("a".into()));
        let seams = rig.players[0].stats.seams;
        assert_eq!((seams.late_starts, seams.worst_gap_frames), (0, 0));
    }
}

#[test]
fn a_picture_that_comes_hopelessly_late_moves_the_timeline_once() {
    let gate = Gate::default();
    let film = Film::silent(30).with(10, Beat::Gate(gate.clone()));
    let mut rig = Setup::of(vec![("a", vec![film.into()]), ("b", vec![Film::silent(3).into()])]).rig();
    rig.play_for(Duration::from_secs(5));
    assert_eq!(rig.seen().len(), 10);
    gate.open();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), [frames_of("a", 30), frames_of("b", 3)].concat());
    assert_eq!((rig.players[0].stats.frames_dropped_stale, rig.players[0].stats.seams.late_starts), (0, 0));
}

#[test]
fn a_picture_a_little_late_is_caught_up_with() {
    let gate = Gate::default();
    let film = Film::silent(40).with(10, Beat::Gate(gate.clone()));
    let mut rig = Setup::of(vec![("a", vec![film.into()])]).rig();
    rig.play_for(Duration::from_millis(900));
    gate.open();
    let begun = rig.seen()[0].at;
    assert_eq!(rig.until_the_end(), Ended::Done);
    let seen = rig.seen();
    let last = seen.last().expect("some");
    // The last frame is where it would have been, and the missing ones are counted.
    assert_eq!(last.at.saturating_since(begun).as_millis(), 39 * 40);
    assert_eq!(seen.len() as u64 + rig.players[0].stats.frames_dropped_stale, 40);
}

#[test]
fn a_picture_without_a_successor_is_shown_however_late() {
    // Late is what is shown more than 50 ms after it was due; the screen's refresh is 10.
    for (late_ms, n_late) in [(20, 0), (80, 1), (300, 1)] {
        let (own, next) = (Gate::default(), Gate::default());
        let film = Film::silent(20).with(10, Beat::Gate(own.clone())).with(12, Beat::Gate(next.clone()));
        let mut rig = Setup::of(vec![("a", vec![film.into()])]).rig();
        rig.until_shown(10);
        rig.play_for(Duration::from_millis(40 + late_ms));
        own.open();
        rig.until_shown(11);
        let shown = &rig.seen()[9..];
        let after = shown[1].at.saturating_since(shown[0].at).as_millis() as u64;
        assert_eq!(shown[1].pts_ms, 400);
        assert!((40 + late_ms..=60 + late_ms).contains(&after), "{after} ms after the one before");
        let stats = &rig.players[0].stats;
        assert_eq!((stats.late_frames, stats.frames_dropped_stale), (n_late, 0), "{late_ms} ms");
        next.open();
        assert_eq!(rig.until_the_end(), Ended::Done);
    }
}

#[test]
fn a_list_of_one_goes_round_with_everything_the_screen_does_to_it() {
    let mut rig = Setup { turns: Some(3), ..Setup::of(vec![("a", vec![Film::silent(8).into()])]) }.rig();
    rig.script.borrow_mut().busy = 3;
    rig.until_shown(9);
    rig.script.borrow_mut().busy_commits = 1;
    rig.input(UserInput::TogglePause);
    rig.play_for(Duration::from_millis(300));
    rig.input(UserInput::TogglePause);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), times(frames_of("a", 8), 3));
}
