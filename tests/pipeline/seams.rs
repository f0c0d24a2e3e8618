//! One item after the other.
use std::time::Duration;

use crate::film::{Film, Gate, Opening};
use crate::rig::{Setup, frames_of, times, worst_gap_ms};
use lucarne::pipeline::player::Ended;

#[test]
fn a_seam_costs_nothing_with_preroll() {
    let films = vec![("a", vec![Film::silent(5).into()]), ("b", vec![Film::silent(5).into()])];
    let mut rig = Setup::of(films).rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), [frames_of("a", 5), frames_of("b", 5)].concat());
    let stats = &rig.players[0].stats;
    assert_eq!((stats.seams.count, stats.seams.late_starts, stats.seams.worst_gap_frames), (1, 0, 0));
    assert_eq!((worst_gap_ms(&rig.seen()), stats.frames_dropped_stale, stats.missed_vblanks), (40, 0, Some(0)));
}

#[test]
fn a_seam_to_an_item_that_opens_late_is_counted_and_loses_no_frame() {
    for preroll in [true, false] {
        let gate = Gate::default();
        let mut late = Film::silent(3);
        late.beats.insert(0, crate::film::Beat::Gate(gate.clone()));
        let films = vec![("a", vec![Film::silent(3).into()]), ("b", vec![late.into()])];
        let mut rig = Setup { preroll, ..Setup::of(films) }.rig();
        rig.play_for(Duration::from_millis(1_000));
        gate.open();
        assert_eq!(rig.until_the_end(), Ended::Done);
        assert_eq!(rig.shown(), [frames_of("a", 3), frames_of("b", 3)].concat(), "preroll {preroll}");
        let seams = rig.players[0].stats.seams;
        assert_eq!((seams.count, seams.late_starts), (1, 1), "preroll {preroll}");
        let when: Vec<_> = rig.seen().iter().map(|it| it.at.nanos() / 1_000_000).collect();
        assert!((80..100).contains(&seams.worst_gap_frames), "preroll {preroll}: {} {when:?}", seams.worst_gap_frames);
    }
}

#[test]
fn laps_follow_each_other_on_one_decoder() {
    let mut setup = Setup::of(vec![("a", vec![Film::silent(3).into()])]);
    setup.turns = Some(4);
    setup.decoder.delay = 2;
    let mut rig = setup.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), times(frames_of("a", 3), 4));
    assert_eq!((rig.shelf.opens(), worst_gap_ms(&rig.seen())), (1, 40));
    let stats = &rig.players[0].stats;
    assert_eq!((stats.loops, stats.seams.count, stats.seams.late_starts, stats.seams.worst_gap_frames), (3, 3, 0, 0));
}

#[test]
fn a_film_that_cannot_rewind_is_opened_again_without_a_gap() {
    let film = Film { rewinds: false, ..Film::silent(10) };
    let mut rig = Setup { turns: Some(3), ..Setup::of(vec![("a", vec![film.into()])]) }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!((rig.shown(), rig.shelf.opens()), (times(frames_of("a", 10), 3), 3));
    assert_eq!(rig.decoder.opened.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!((worst_gap_ms(&rig.seen()), rig.players[0].stats.seams.late_starts), (40, 0));
}

#[test]
fn laps_shorter_than_what_is_read_ahead_keep_their_place_in_the_log() {
    let mut rig = Setup { turns: Some(60), ..Setup::of(vec![("a", vec![Film::silent(1).into()])]) }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let seen = rig.seen();
    let laps: Vec<(u64, i64)> = seen.iter().map(|it| (it.lap, it.pts_ms)).collect();
    assert_eq!(laps, (0..60).map(|it| (it, 0)).collect::<Vec<_>>());
}

#[test]
fn a_still_stays_for_its_time_with_and_without_sound() {
    for sink in [None, Some(Default::default())] {
        let case = format!("sound: {}", sink.is_some());
        let mut rig = Setup { sink, ..Setup::of(vec![("a", vec![Film::still().into()])]) }.rig();
        let begun = rig.now();
        assert_eq!(rig.until_the_end(), Ended::Done, "{case}");
        assert_eq!(rig.shown(), frames_of("a", 1), "{case}");
        let shown_for = rig.now().saturating_since(begun);
        assert!((500..1_200).contains(&shown_for.as_millis()), "{case}: {shown_for:?}");
    }
}

#[test]
fn stills_and_films_take_turns_at_no_cost() {
    let films = vec![
        ("a", vec![Film::still().into()]),
        ("b", vec![Film::silent(4).into()]),
        ("c", vec![Opening::Missing]),
        ("d", vec![Film::still().into()]),
    ];
    let mut rig = Setup { turns: Some(2), ..Setup::of(films) }.rig();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let once = [frames_of("a", 1), frames_of("b", 4), frames_of("d", 1)].concat();
    assert_eq!(rig.shown(), times(once, 2));
    let seams = rig.players[0].stats.seams;
    let when: Vec<_> = rig.seen().iter().map(|it| it.at.nanos() / 1_000_000).collect();
    assert_eq!((seams.count, seams.late_starts, seams.worst_gap_frames), (5, 0, 0), "{when:?}");
}

/// A film of three pictures, or a still, and behind it one of three pictures that are not there before the gate opens after
/// so long. The figures of the one seam, with the pictures shown.
fn seam_with_a_gate(
    first: Film,
    opens_after_ms: u64,
    refresh_ms: u64,
) -> (lucarne::base::stats::SeamTally, Vec<i64>, u64) {
    let gate = Gate::default();
    let mut late = Film::silent(3);
    late.beats.insert(0, crate::film::Beat::Gate(gate.clone()));
    let films = vec![("a", vec![first.into()]), ("b", vec![late.into()])];
    let mut rig = Setup { refresh: Duration::from_millis(refresh_ms), ..Setup::of(films) }.rig();
    rig.play_for(Duration::from_millis(opens_after_ms));
    gate.open();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let of_b = rig.seen().iter().filter(|it| it.item == "b").map(|it| it.at.nanos() as i64 / 1_000_000).collect();
    let stats = &rig.players[0].stats;
    (stats.seams, of_b, stats.frames_dropped_stale)
}

#[test]
fn a_late_item_at_the_screens_own_rate_begins_at_a_vblank_and_drops_nothing() {
    for phase in [0, 8, 16, 24, 32] {
        let (seams, shown, dropped) = seam_with_a_gate(Film::silent(3), 1_000 + phase, 40);
        assert_eq!((seams.late_starts, dropped, shown.len()), (1, 0, 3), "phase {phase}: {shown:?}");
        assert_eq!([shown[1] - shown[0], shown[2] - shown[1]], [40, 40], "phase {phase}");
    }
}

#[test]
fn a_seam_is_late_when_nothing_is_decoded_as_the_last_picture_becomes_due() {
    // The last of three pictures is due after 80 ms, and over after 120; the still's is over after 500.
    for (still, opens_after_ms, late) in
        [(false, 50, 0), (false, 100, 1), (true, 100, 0), (true, 440, 0), (true, 480, 1)]
    {
        let first = if still { Film::still() } else { Film::silent(3) };
        let (seams, shown, _) = seam_with_a_gate(first, opens_after_ms, 10);
        let case = format!("a still: {still}, there after {opens_after_ms} ms: {shown:?}");
        assert_eq!((seams.count, seams.late_starts, seams.worst_gap_frames), (1, late, 0), "{case}");
    }
}
