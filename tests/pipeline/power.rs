//! A display that is switched off on purpose: the programme goes on, and nobody sees it.
use std::time::Duration;

use lucarne::pipeline::player::Ended;

use crate::film::{FRAME_MS, Film};
use crate::rig::{Rig, Setup, frames_of};

fn films(frames: i64) -> Rig {
    let film = || vec![Film::silent(frames).into()];
    Setup::of(vec![("a", film()), ("b", film())]).rig()
}

fn frames(count: u64) -> Duration {
    Duration::from_millis(FRAME_MS as u64) * count as u32
}

#[test]
fn what_has_its_time_while_it_is_off_is_not_shown_and_nothing_waits_for_it() {
    let mut rig = films(30);
    rig.until_shown(5);
    rig.players[0].set_power(false);
    rig.play_for(frames(10));
    let before = rig.seen().len();
    assert!((5..=6).contains(&before), "{before} frames were seen");
    rig.players[0].set_power(true);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.script.borrow().powers, [false, true]);
    let all = [frames_of("a", 30), frames_of("b", 30)].concat();
    let shown = rig.shown();
    let unseen: Vec<_> = all.iter().filter(|it| !shown.contains(it)).collect();
    assert!((9..=11).contains(&unseen.len()), "{unseen:?}");
    // Those and only those: one stretch, right behind what was seen last.
    let first = all.iter().position(|it| it == unseen[0]).expect("it is one of them");
    assert_eq!(first, before);
    assert!(unseen.iter().copied().eq(&all[first..first + unseen.len()]), "{unseen:?}");
    let stats = &rig.players[0].stats;
    assert_eq!((stats.frames_dropped_stale, stats.display_lost, stats.seams.late_starts), (0, 0, 0));
    assert_eq!(stats.missed_vblanks, Some(0));
}

#[test]
fn a_seam_that_nobody_sees_is_played_over_in_its_time() {
    let mut rig = films(30);
    rig.until_shown(25);
    rig.players[0].set_power(false);
    rig.play_for(frames(20));
    rig.players[0].set_power(true);
    let at = rig.seen().len();
    assert_eq!(rig.until_the_end(), Ended::Done);
    let next = rig.seen().get(at).cloned().expect("more is shown");
    assert_eq!(next.item, "b");
    // It began at a time that was known: the picture is the one that is due, give or take the one on its way.
    assert!((next.pts_ms - 15 * FRAME_MS).abs() <= 2 * FRAME_MS, "{next:?}");
    assert_eq!(rig.players[0].stats.seams.worst_gap_frames, 0);
}

#[test]
fn a_display_that_cannot_be_switched_stays_on() {
    let mut rig = films(10);
    rig.script.borrow_mut().has_no_switch = true;
    rig.until_shown(3);
    rig.players[0].set_power(false);
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(rig.shown(), [frames_of("a", 10), frames_of("b", 10)].concat());
}
