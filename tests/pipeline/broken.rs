//! Items that cannot be played, or not to their end.
use std::time::Duration;

use lucarne::base::stats::Outcome;
use lucarne::pipeline::player::Ended;

use crate::codec::{BREAKS, Blocks, CORRUPT, NOTHING, PANICS, UNSHOWABLE};
use crate::film::{Beat, Film, Opening, video_stream};
use crate::rig::{Setup, frames_of};

fn good(frames: i64) -> Vec<Opening> {
    vec![Film::silent(frames).into()]
}

/// Everything an item can have wrong with it so that nothing of it is shown.
fn unplayable() -> Vec<(&'static str, Opening)> {
    let empty = Film { beats: Vec::new(), ..Film::silent(0) };
    let mut unknown = Film::silent(3);
    unknown.info.video = Some(video_stream("unheard of"));
    vec![
        ("missing", Opening::Missing),
        ("empty", empty.into()),
        ("read error at once", Film { beats: vec![Beat::Error("bad sector")], ..Film::silent(0) }.into()),
        ("no decoder", unknown.into()),
        ("nothing comes out", Film::silent(5).coded(|_| true, NOTHING).into()),
        ("all corrupt", Film::silent(5).coded(|_| true, CORRUPT).into()),
        ("the decoder breaks", Film::silent(5).coded(|it| it == 0, BREAKS).into()),
        ("the decoder panics", Film::silent(5).coded(|it| it == 0, PANICS).into()),
        ("no interop takes it", Film::silent(5).coded(|_| true, UNSHOWABLE).into()),
        ("a live source with nothing in it", Film { beats: Vec::new(), ..Film::silent(0) }.live().into()),
    ]
}

#[test]
fn an_unplayable_item_is_stepped_over_wherever_it_stands() {
    for (name, opening) in unplayable() {
        for place in 0..3 {
            let mut films = vec![("a", good(4)), ("b", good(4))];
            films.insert(place, ("bad", vec![opening.clone()]));
            let mut rig = Setup::of(films).rig();
            let case = format!("{name} at {place}");
            assert_eq!(rig.until_the_end(), Ended::Done, "{case}");
            assert_eq!(rig.shown(), [frames_of("a", 4), frames_of("b", 4)].concat(), "{case}");
            let items = rig.players[0].stats.items.report();
            let bad = items.iter().find(|it| it.input == "bad").expect("it was tried");
            assert_eq!(bad.outcome, Outcome::Skipped, "{case}");
            assert!(bad.reason.as_ref().is_some_and(|it| it.contains("bad")), "{case}: {:?}", bad.reason);
        }
    }
}

#[test]
fn nothing_but_unplayable_items_is_a_failure() {
    let setup = Setup::of(unplayable().into_iter().map(|(name, it)| (name, vec![it])).collect());
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::NothingPlayable);
    assert_eq!((rig.shown(), rig.players[0].stats.frames_presented), (Vec::new(), 0));
}

#[test]
fn a_decoder_that_cannot_be_opened_is_named() {
    let mut setup = Setup::of(vec![("a", good(3))]);
    setup.decoder = Blocks { refuses: true, ..Blocks::default() };
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::NothingPlayable);
    let items = rig.players[0].stats.items.report();
    assert!(items[0].reason.as_ref().is_some_and(|it| it.contains("out of order")), "{items:?}");
}

#[test]
fn what_breaks_half_way_is_shown_so_far_and_costs_the_next_item_nothing() {
    let cases = [
        ("read error", Film::silent(8).with(4, Beat::Error("bad sector")), 4),
        ("the decoder breaks", Film::silent(8).coded(|it| it == 4, BREAKS), 4),
        ("the decoder panics", Film::silent(8).coded(|it| it == 4, PANICS), 4),
        ("no interop takes the rest", Film::silent(8).coded(|it| 4 <= it, UNSHOWABLE), 4),
    ];
    for (name, film, shown) in cases {
        let mut rig = Setup::of(vec![("a", vec![film.into()]), ("b", good(3))]).rig();
        assert_eq!(rig.until_the_end(), Ended::Done, "{name}");
        assert_eq!(rig.shown(), [frames_of("a", shown), frames_of("b", 3)].concat(), "{name}");
        let items = rig.players[0].stats.items.report();
        assert!(items[0].reason.is_some() && items[1].reason.is_none(), "{name}: {items:?}");
        assert_eq!(items[0].outcome, Outcome::Played, "{name}");
    }
}

#[test]
fn corrupt_packets_cost_their_own_pictures_only() {
    let film = Film::silent(9).coded(|it| it % 3 == 1, CORRUPT);
    let mut rig = Setup::of(vec![("a", vec![film.into()])]).rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown().iter().map(|it| it.1).collect::<Vec<_>>(), [0, 80, 120, 200, 240, 320]);
    assert_eq!((rig.players[0].stats.frames_corrupt, rig.players[0].stats.frames_dropped_stale), (3, 0));
}

#[test]
fn a_second_lap_that_fails_leaves_the_first_whole() {
    let broken = Film { beats: vec![Beat::Error("bad sector")], ..Film::silent(0) };
    let empty = Film { beats: Vec::new(), ..Film::silent(0) };
    for (name, second) in [
        ("read error", broken.into()),
        ("empty", empty.into()),
        ("missing", Opening::Missing),
        ("undecodable", Film { rewinds: false, ..Film::silent(30) }.coded(|_| true, NOTHING).into()),
        (
            "undecodable and untimed",
            Film { rewinds: false, ..Film::silent(30) }
                .coded(|_| true, NOTHING)
                .map(|it| (it.pts, it.dts) = (None, None))
                .into(),
        ),
    ] {
        let first = Film { rewinds: false, ..Film::silent(30) };
        let mut rig = Setup { turns: Some(2), ..Setup::of(vec![("a", vec![first.into(), second])]) }.rig();
        assert_eq!(rig.until_the_end(), Ended::Done, "{name}");
        assert_eq!(rig.shown(), frames_of("a", 30), "{name}");
        let items = rig.players[0].stats.items.report();
        assert_eq!(items[0].outcome, Outcome::Played, "{name}");
        assert!(items[0].reason.is_some(), "{name}: {items:?}");
    }
}

#[test]
fn a_loop_of_broken_items_waits_and_does_not_spin() {
    let films = vec![("a", vec![Opening::Missing]), ("b", vec![Opening::Missing])];
    let mut rig = Setup { turns: None, ..Setup::of(films) }.rig();
    rig.play_for(Duration::from_secs(100));
    // At once, and again after each 30 s of rest; both items each time.
    assert!((6..=10).contains(&rig.shelf.opens()), "opened {} times", rig.shelf.opens());
    // Twice a second is what `run` looks up anyway; the rest is for the decks' own news.
    assert!(rig.turns < 350, "{} turns in 100 s", rig.turns);
}

#[test]
fn a_loop_goes_on_with_what_works_and_tries_the_rest_again() {
    let mended = vec![Opening::Missing, Opening::Missing, Film::silent(2).into()];
    let still = || vec![Film::still().into()];
    let mut setup = Setup { turns: None, ..Setup::of(vec![("a", still()), ("b", mended), ("c", still())]) };
    setup.items.iter_mut().for_each(|it| it.still = Duration::from_secs(4));
    let mut rig = setup.rig();
    rig.play_for(Duration::from_secs(75));
    let mut order: Vec<String> = rig.shown().into_iter().map(|it| it.0).collect();
    order.dedup();
    // No item is played twice in a row because a broken one between them was due for another try.
    let text = order.concat();
    assert!(text.starts_with("acac") && text.contains("abc"), "{text}");
    assert_eq!(rig.players[0].stats.seams.late_starts, 0);
}
