//! Laps, failures, changes: tables and random operations.
use std::time::Duration;

use proptest::prelude::*;

use crate::base::time::MonoTime;
use crate::logic::playlist::{Looping, Next, Nothing, Outcome, Pick, Playlist, RETRY_AFTER};

fn at(seconds: u64) -> MonoTime {
    MonoTime::from_nanos(seconds * 1_000_000_000)
}

fn list(items: &str, looping: Looping) -> Playlist<char> {
    Playlist::new(items.chars().collect(), looping)
}

/// Plays `plays` items, a second each; capital letters fail. What was tried, with a space at each new lap, and "…" or "."
/// where it waits or ends.
fn story(it: &mut Playlist<char>, from: u64, plays: usize) -> String {
    let mut story = String::new();
    let mut lap = 0;
    for step in 0..plays as u64 {
        let now = at(from + step);
        let peeked = it.peek_next(now);
        assert_eq!(peeked, it.advance(now), "a peek says what an advance does");
        match peeked {
            Next::Play(pick) => {
                if pick.lap != lap {
                    story.push(' ');
                    lap = pick.lap;
                }
                story.push(pick.id);
                let outcome = if pick.id.is_uppercase() { Outcome::Failed } else { Outcome::Played };
                it.report(&pick, outcome, now);
            }
            Next::Wait { .. } => story.push('…'),
            Next::End => {
                story.push('.');
                break;
            }
        }
    }
    story
}

#[test]
fn items_follow_each_other_for_as_many_laps_as_asked() {
    let cases = [
        ("abc", Looping::Times(1), 9, "abc."),
        ("ab", Looping::Times(3), 9, "ab ab ab."),
        ("ab", Looping::Times(0), 9, "ab."),
        ("ab", Looping::Forever, 5, "ab ab a"),
        ("aBc", Looping::Times(2), 9, "aBc ac."),
        ("aBc", Looping::Forever, 8, "aBc ac ac a"),
        ("AB", Looping::Times(1), 9, "AB."),
        ("AB", Looping::Times(5), 9, "AB."),
        ("AB", Looping::Forever, 4, "AB……"),
        ("", Looping::Times(1), 9, "."),
        ("", Looping::Forever, 3, "………"),
    ];
    for (items, looping, plays, want) in cases {
        assert_eq!(story(&mut list(items, looping), 0, plays), want, "{items} {looping:?}");
    }
}

#[test]
fn a_bad_item_is_tried_again_on_a_later_lap_after_thirty_seconds() {
    let story = story(&mut list("aB", Looping::Forever), 0, 70);
    assert_eq!(story.matches('B').count(), 3, "{story}");
    assert_eq!(story.find(" aB"), Some(2 * 30 - 2), "30 laps of a alone, a second each: {story}");
}

#[test]
fn when_nothing_plays_it_says_until_when_and_tries_again() {
    let mut it = list("AB", Looping::Forever);
    assert_eq!(story(&mut it, 0, 3), "AB…");
    assert_eq!(it.peek_next(at(3)), Next::Wait { until: Some(at(30)), why: Nothing::NothingPlayable });
    assert!(!it.has_played());
    assert_eq!(story(&mut it, 30, 3), " AB…");
    assert_eq!(it.peek_next(at(33)), Next::Wait { until: Some(at(60)), why: Nothing::NothingPlayable });
    it.forgive(&'B');
    assert!(matches!(it.peek_next(at(33)), Next::Play(Pick { id: 'B', .. })));
    let empty = list("", Looping::Forever);
    assert_eq!(empty.peek_next(at(0)), Next::Wait { until: None, why: Nothing::Empty });
}

#[test]
fn an_item_that_fails_while_it_is_prepared_is_stepped_over() {
    let mut it = list("aBc", Looping::Forever);
    assert!(matches!(it.advance(at(0)), Next::Play(Pick { id: 'a', .. })));
    let Next::Play(bad) = it.peek_next(at(1)) else { panic!("B is next") };
    it.report(&bad, Outcome::Failed, at(1));
    assert_eq!(it.current().map(|it| it.id), Some('a'));
    assert_eq!(it.advance(at(2)), Next::Play(Pick { id: 'c', index: 2, lap: 0 }));
    assert_eq!(it.advance(at(3)), Next::Play(Pick { id: 'a', index: 0, lap: 1 }));
}

#[test]
fn a_single_bad_item_is_prepared_again_and_again_without_an_end() {
    let mut it = list("A", Looping::Forever);
    for minute in 0..10 {
        let now = at(minute * 60);
        let Next::Play(pick) = it.peek_next(now) else { panic!("minute {minute}") };
        assert_eq!(u64::from(pick.lap), minute);
        it.report(&pick, Outcome::Failed, now);
        assert_eq!(it.peek_next(now), Next::Wait { until: Some(now + RETRY_AFTER), why: Nothing::NothingPlayable });
    }
}

#[test]
fn previous_goes_back_past_what_failed_lately() {
    let mut it = list("aBcd", Looping::Times(2));
    assert_eq!(story(&mut it, 0, 4), "aBcd");
    let ids = |next| if let Next::Play(pick) = next { pick.id } else { '.' };
    assert_eq!(ids(it.previous(at(4))), 'c');
    assert_eq!(ids(it.previous(at(5))), 'a');
    assert_eq!(ids(it.previous(at(6))), 'a', "the first begins again");
    assert_eq!(ids(it.advance(at(7))), 'c');
    assert_eq!(ids(it.previous(at(40))), 'B', "rested");
    let mut it = list("ab", Looping::Forever);
    assert_eq!(ids(it.previous(at(0))), 'b');
    assert_eq!(ids(it.previous(at(0))), 'a');
    assert_eq!(ids(list("", Looping::Forever).previous(at(0))), '.');
}

/// Plays so many of the items, replaces them, and tells what follows.
#[track_caller]
fn check_change(before: &str, plays: usize, after: &str, want: &str) {
    let mut it = list(before, Looping::Forever);
    story(&mut it, 0, plays);
    let current = it.current().map(|it| it.id);
    it.replace_items(after.chars().collect());
    assert_eq!(it.current().map(|it| it.id), current);
    let got: String = (0..want.chars().count())
        .map(|_| match it.advance(at(20)) {
            Next::Play(pick) => pick.id,
            _ => '…',
        })
        .collect();
    assert_eq!(got, want, "{before} -> {after}");
}

#[test]
fn a_changed_list_goes_on_from_the_same_place() {
    check_change("abc", 1, "abxc", "bxc");
    check_change("abc", 1, "xabc", "bcx");
    check_change("abcd", 2, "acd", "cda");
    check_change("abcd", 2, "ad", "da");
    check_change("abc", 3, "ab", "ab");
    check_change("abc", 1, "xy", "xy");
    check_change("abc", 2, "", "……");
    check_change("", 2, "ab", "aba");
    check_change("abac", 3, "abxac", "cab");
    check_change("abac", 1, "axbac", "xbac");
    check_change("aBc", 2, "aBc", "cac");
}

#[test]
fn an_emptied_folder_waits_and_goes_on_when_a_file_arrives() {
    let mut it = list("ab", Looping::Forever);
    story(&mut it, 0, 1);
    it.replace_items(vec![]);
    assert_eq!(it.advance(at(1)), Next::Wait { until: None, why: Nothing::Empty });
    it.replace_items(vec!['z']);
    assert!(matches!(it.advance(at(2)), Next::Play(Pick { id: 'z', index: 0, .. })));
}

#[derive(Debug, Clone)]
enum Op {
    Advance { works: bool },
    Prepare { works: bool },
    Previous,
    Replace(Vec<u8>),
    Forgive(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => any::<bool>().prop_map(|works| Op::Advance { works }),
        3 => any::<bool>().prop_map(|works| Op::Prepare { works }),
        1 => Just(Op::Previous),
        1 => prop::collection::vec(0u8..6, 0..6).prop_map(Op::Replace),
        1 => (0u8..6).prop_map(Op::Forgive),
    ]
}

proptest! {
    /// Laps never go back and never pass the number asked for; a failed item is not tried within 30 s or twice on a lap;
    /// one that loops for ever never ends and always says until when it waits.
    #[test]
    fn whatever_fails_and_changes_the_show_goes_on(
        items in prop::collection::vec(0u8..6, 0..6),
        laps in proptest::option::of(0u32..4),
        ops in prop::collection::vec((0u64..20, op()), 1..120),
    ) {
        let looping = laps.map_or(Looping::Forever, Looping::Times);
        let mut it = Playlist::new(items.clone(), looping);
        let mut items = items;
        let (mut now, mut lap) = (MonoTime::ZERO, 0);
        for (seconds, op) in ops {
            now = now + Duration::from_secs(seconds);
            let (next, works) = match op {
                Op::Advance { works } => (it.advance(now), works),
                Op::Prepare { works } => (it.peek_next(now), works),
                Op::Previous => {
                    if let Next::Play(pick) = it.previous(now) {
                        prop_assert_eq!(items[pick.index], pick.id);
                    }
                    continue;
                }
                Op::Replace(new) => {
                    items = new.clone();
                    it.replace_items(new);
                    continue;
                }
                Op::Forgive(id) => {
                    it.forgive(&id);
                    continue;
                }
            };
            match next {
                Next::Play(pick) => {
                    prop_assert_eq!(items[pick.index], pick.id);
                    prop_assert!(pick.lap >= lap && laps.is_none_or(|laps| pick.lap < laps.max(1)));
                    if let Some((failed_lap, failed_at)) = it.entries[pick.index].failed {
                        prop_assert!(pick.lap > failed_lap && now >= failed_at + RETRY_AFTER);
                    }
                    lap = it.lap;
                    if !works {
                        it.report(&pick, Outcome::Failed, now);
                        lap = lap.max(pick.lap);
                    } else if it.current() == Some(&pick) {
                        it.report(&pick, Outcome::Played, now);
                        prop_assert!(it.has_played());
                    }
                }
                Next::Wait { until, why } => {
                    prop_assert_eq!(looping, Looping::Forever);
                    prop_assert_eq!(until.is_none(), why == Nothing::Empty);
                    prop_assert_eq!(items.is_empty(), why == Nothing::Empty);
                    prop_assert!(until.is_none_or(|it| it > now));
                }
                Next::End => prop_assert_ne!(looping, Looping::Forever),
            }
        }
    }
}

#[test]
fn what_was_cued_begins_whatever_is_due_by_then() {
    let mut it = list("abc", Looping::Forever);
    let play = |next: Next<char>| match next {
        Next::Play(pick) => pick,
        other => panic!("{other:?}"),
    };
    let failed = play({
        it.advance(at(0));
        it.peek_next(at(0))
    });
    it.report(&failed, Outcome::Failed, at(0));
    it.begin(&play(it.peek_next(at(1))));
    it.begin(&play(it.peek_next(at(2))));
    // Cued when b was still resting, begun when it is not: c is not played a second time for that.
    let cued = play(it.peek_next(at(25)));
    assert_eq!(cued.id, 'c');
    it.begin(&cued);
    assert_eq!(play(it.peek_next(at(31))).id, 'a');
    // The list has changed since: by its id, or not at all.
    let cued = play(it.peek_next(at(31)));
    it.replace_items("xca".chars().collect());
    it.begin(&cued);
    assert_eq!((it.current().map(|it| it.index), play(it.peek_next(at(31))).id), (Some(2), 'x'));
    it.begin(&Pick { id: 'z', index: 0, lap: 1 });
    assert_eq!(play(it.peek_next(at(31))).id, 'x');
}
