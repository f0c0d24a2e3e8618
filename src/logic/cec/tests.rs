//! Tables of what is said and heard.
use proptest::prelude::*;

use super::*;

const PLACE: Place = Place { logical: 4, physical: 0x1000 };
const ON: [u8; 2] = [0x40, 0x04];
const ACTIVE: [u8; 4] = [0x4f, 0x82, 0x10, 0x00];
const OFF: [u8; 2] = [0x40, 0x36];

fn at(millis: u64) -> MonoTime {
    MonoTime::ZERO + Duration::from_millis(millis)
}

fn placed() -> Television {
    let mut it = Television::new();
    it.placed(Some(PLACE));
    it
}

/// One that shows us, and has been told so.
fn showing() -> Television {
    let mut it = placed();
    it.switch(true);
    expect(&mut it, 0, &[&ON, &ACTIVE]);
    assert_eq!(it.take_note(), Some(Note::SwitchedOn));
    it
}

/// It says exactly these, each of which is taken, and then nothing.
#[track_caller]
fn expect(it: &mut Television, millis: u64, want: &[&[u8]]) {
    for want in want {
        let got = it.next(at(millis)).expect("it has something to say");
        assert_eq!(got.bytes(), *want);
        it.sent(at(millis), true);
    }
    assert_eq!(it.next(at(millis)), None);
    assert_eq!(it.deadline(), None);
}

#[test]
fn nothing_is_said_before_a_picture_is_shown() {
    expect(&mut placed(), 0, &[]);
}

#[test]
fn on_wakes_it_and_then_says_where_the_picture_comes_from() {
    let _shows = showing();
}

#[test]
fn off_is_standby_and_on_again_says_everything_again() {
    let mut it = showing();
    it.switch(false);
    expect(&mut it, 10, &[&OFF]);
    assert_eq!(it.take_note(), Some(Note::SwitchedOff));
    it.switch(true);
    expect(&mut it, 20, &[&ON, &ACTIVE]);
}

#[test]
fn a_wish_without_a_television_is_kept_for_when_it_comes() {
    let mut it = Television::new();
    it.switch(true);
    expect(&mut it, 0, &[]);
    it.placed(Some(PLACE));
    expect(&mut it, 5, &[&ON, &ACTIVE]);
}

#[test]
fn one_that_is_found_again_is_told_again_but_not_that_it_is_off() {
    let mut it = showing();
    it.placed(None);
    it.placed(Some(Place { logical: 8, physical: 0x2000 }));
    expect(&mut it, 5, &[&[0x80, 0x04], &[0x8f, 0x82, 0x20, 0x00]]);
    it.switch(false);
    expect(&mut it, 6, &[&[0x80, 0x36]]);
    it.placed(None);
    it.placed(Some(PLACE));
    expect(&mut it, 7, &[]);
}

#[test]
fn the_same_place_told_twice_is_no_news() {
    let mut it = showing();
    it.placed(Some(PLACE));
    expect(&mut it, 5, &[]);
}

#[test]
fn a_refused_message_is_said_again_after_longer_and_longer_pauses_and_then_left() {
    let mut it = placed();
    it.switch(true);
    let (mut now, mut said) = (0, Vec::new());
    while let Some(message) = it.next(at(now)) {
        assert_eq!(message.bytes(), ON);
        said.push(now);
        assert_eq!(it.take_note(), None);
        it.sent(at(now), false);
        let Some(deadline) = it.deadline() else { break };
        let due = u64::try_from(deadline.saturating_since(MonoTime::ZERO).as_millis()).expect("soon");
        assert_eq!(it.next(at(due - 1)), None);
        now = due;
    }
    assert_eq!(said, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 61_500]);
    assert_eq!(it.take_note(), Some(Note::Unanswered(Saying::ImageViewOn)));
    assert_eq!((it.next(at(1_000_000)), it.deadline()), (None, None));
}

#[test]
fn one_that_answers_late_gets_the_rest() {
    let mut it = placed();
    it.switch(true);
    assert!(it.next(at(0)).is_some());
    it.sent(at(0), false);
    expect(&mut it, 500, &[&ON, &ACTIVE]);
}

#[test]
fn a_lost_outcome_counts_as_a_refusal() {
    let mut it = placed();
    it.switch(true);
    assert!(it.next(at(0)).is_some());
    assert_eq!(it.next(at(14_999)), None);
    assert_eq!((it.next(at(15_000)), it.deadline()), (None, Some(at(15_500))));
    expect(&mut it, 15_500, &[&ON, &ACTIVE]);
}

#[test]
fn another_wish_overtakes_the_one_on_the_bus() {
    let mut it = placed();
    it.switch(true);
    assert!(it.next(at(0)).is_some());
    it.switch(false);
    // The outcome of what was overtaken says nothing about what is to be said now.
    it.sent(at(1), false);
    expect(&mut it, 1, &[&OFF]);
}

#[test]
fn a_television_switched_off_by_somebody_is_not_fought() {
    let mut it = showing();
    assert_eq!(it.heard(&[0x0f, STANDBY]), None);
    assert_eq!(it.take_note(), Some(Note::SleepsByItself));
    it.placed(None);
    it.placed(Some(PLACE));
    expect(&mut it, 10, &[]);
    // Somebody switches it on, and it asks who shows something.
    assert_eq!(it.heard(&[0x0f, REQUEST_ACTIVE_SOURCE]).expect("we do").bytes(), ACTIVE);
    it.placed(None);
    it.placed(Some(PLACE));
    expect(&mut it, 20, &[&ON, &ACTIVE]);
}

#[test]
fn one_that_drops_the_line_as_it_goes_to_sleep_is_not_fought_either() {
    // The news of the line is read before the message that came just before it.
    for comes_back_first in [false, true] {
        let mut it = showing();
        it.placed(None);
        if comes_back_first {
            it.placed(Some(PLACE));
        }
        assert_eq!(it.heard(&[0x0f, STANDBY]), None);
        assert_eq!(it.take_note(), Some(Note::SleepsByItself));
        it.placed(Some(PLACE));
        expect(&mut it, 10, &[]);
    }
}

#[test]
fn a_standby_from_another_player_is_none_of_the_televisions() {
    let mut it = showing();
    assert_eq!(it.heard(&[0x8f, STANDBY]), None);
    assert_eq!(it.take_note(), None);
}

#[test]
fn somebody_elses_picture_is_not_switched_off() {
    let mut it = showing();
    assert_eq!(it.heard(&[0x8f, ACTIVE_SOURCE, 0x20, 0x00]), None);
    it.switch(false);
    expect(&mut it, 10, &[]);
    assert_eq!(it.take_note(), Some(Note::LeftAlone));
}

#[test]
fn a_television_that_declines_is_noted() {
    for (opcode, want) in [
        (IMAGE_VIEW_ON, Some(Note::Declined(Saying::ImageViewOn))),
        (STANDBY, Some(Note::Declined(Saying::Standby))),
        (ACTIVE_SOURCE, None),
    ] {
        let mut it = showing();
        assert_eq!(it.heard(&[0x04, FEATURE_ABORT, opcode, 0]), None);
        assert_eq!(it.take_note(), want);
    }
}

#[test]
fn what_is_asked_is_answered() {
    let on = showing;
    let off = || {
        let mut it = showing();
        it.switch(false);
        it
    };
    let elsewhere = || {
        let mut it = showing();
        it.heard(&[0x0f, ROUTING_CHANGE, 0x10, 0x00, 0x20, 0x00]);
        it
    };
    type Row<'a> = (&'a str, &'a dyn Fn() -> Television, &'a [u8], Option<&'a [u8]>);
    let table: &[Row<'_>] = &[
        ("power, not yet on", &placed, &[0x04, GIVE_POWER_STATUS], Some(&[0x40, 0x90, 2])),
        ("power, on", &on, &[0x04, GIVE_POWER_STATUS], Some(&[0x40, 0x90, 0])),
        ("power, off", &off, &[0x84, GIVE_POWER_STATUS], Some(&[0x48, 0x90, 1])),
        ("power, asked by nobody", &on, &[0xf4, GIVE_POWER_STATUS], None),
        ("who shows something, we", &on, &[0x0f, REQUEST_ACTIVE_SOURCE], Some(&ACTIVE)),
        ("who shows something, we are off", &off, &[0x0f, REQUEST_ACTIVE_SOURCE], None),
        ("who shows something, another", &elsewhere, &[0x0f, REQUEST_ACTIVE_SOURCE], None),
        ("who shows something, nothing yet", &placed, &[0x0f, REQUEST_ACTIVE_SOURCE], None),
        ("our input is chosen", &elsewhere, &[0x0f, SET_STREAM_PATH, 0x10, 0x00], Some(&ACTIVE)),
        ("our input is chosen while off", &off, &[0x0f, SET_STREAM_PATH, 0x10, 0x00], None),
        ("another input is chosen", &on, &[0x0f, SET_STREAM_PATH, 0x30, 0x00], None),
        ("our input by its buttons", &elsewhere, &[0x0f, ROUTING_CHANGE, 0x20, 0x00, 0x10, 0x00], Some(&ACTIVE)),
        ("a key of its remote control", &on, &[0x04, 0x44, 0x41], Some(&[0x40, FEATURE_ABORT, 0x44, 0])),
        ("the same for another", &on, &[0x08, 0x44, 0x41], None),
        ("a broadcast we do not know", &on, &[0x0f, 0xa7], None),
        ("a refusal", &on, &[0x04, FEATURE_ABORT, 0x04, 0], None),
        ("its name", &on, &[0x04, 0x47, b'T', b'V'], None),
        ("a poll", &on, &[0x04], None),
        ("nothing", &on, &[], None),
        ("a path cut short", &on, &[0x0f, SET_STREAM_PATH, 0x10], None),
        ("before we have an address", &Television::new, &[0x0f, REQUEST_ACTIVE_SOURCE], None),
    ];
    for (what, television, message, want) in table {
        assert_eq!(television().heard(message).as_ref().map(Message::bytes), *want, "{what}");
    }
}

proptest! {
    #[test]
    fn whatever_is_heard_and_wished_what_is_said_is_ours_and_well_formed(
        ops in prop::collection::vec((0u8..6, prop::collection::vec(any::<u8>(), 0..17), any::<bool>()), 1..60),
    ) {
        let (mut it, mut now) = (Television::new(), 0);
        for (op, bytes, flag) in ops {
            let said = match op {
                0 => it.heard(&bytes),
                1 => { it.switch(flag); None }
                2 => { it.placed(flag.then_some(PLACE)); None }
                3 => { it.sent(at(now), flag); None }
                _ => { now += 700; it.next(at(now)) }
            };
            if let Some(message) = said {
                prop_assert!(it.place().is_some());
                prop_assert_eq!(message.bytes()[0] >> 4, PLACE.logical);
                prop_assert!((2..=4).contains(&message.bytes().len()));
            }
        }
    }
}
