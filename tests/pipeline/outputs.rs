//! Several screens: mirrors of one player, and players side by side.
use std::time::Duration;

use lucarne::pipeline::player::Ended;

use crate::film::{Film, Opening};
use crate::rig::{Rig, Setup, frames_of};

const HZ60: Duration = Duration::from_nanos(16_666_667);
const HZ50: Duration = Duration::from_millis(20);
const HZ30: Duration = Duration::from_nanos(33_333_333);
const FRAMES: u64 = 100;

/// Two films of two seconds each on a screen, and on those that mirror it.
fn films(refresh: Duration, mirrors: &[Duration]) -> Setup {
    let film = || vec![Film::silent(FRAMES as i64 / 2).into()];
    Setup { refresh, mirrors: mirrors.to_vec(), ..Setup::of(vec![("a", film()), ("b", film())]) }
}

/// Presented, dropped and unseen frames of the first mirror.
fn mirrored(rig: &Rig) -> (u64, u64, u64) {
    let stats = rig.players[0].mirrors()[0].stats();
    (stats.frames_presented, stats.frames_dropped_stale, stats.frames_unseen)
}

/// The first player's screen shows everything as if it were alone.
#[track_caller]
fn undisturbed(rig: &Rig, case: &str) {
    assert_eq!(rig.shown(), [frames_of("a", 50), frames_of("b", 50)].concat(), "{case}");
    let stats = &rig.players[0].stats;
    assert_eq!((stats.frames_dropped_stale, stats.missed_vblanks, stats.frames_unseen), (0, Some(0), 0), "{case}");
    assert_eq!((stats.display_lost, stats.display_regained), (0, 0), "{case}");
}

#[test]
fn a_mirror_shows_every_frame_at_its_own_rhythm() {
    for (own, other) in [(HZ60, HZ50), (HZ60, HZ30), (HZ50, HZ60), (HZ30, HZ60), (HZ60, HZ60)] {
        let case = format!("{other:?} beside {own:?}");
        let mut rig = films(own, &[other]).rig();
        assert_eq!(rig.until_the_end(), Ended::Done);
        undisturbed(&rig, &case);
        let flips = rig.scripts[1].borrow().flips.clone();
        let when: Vec<u64> = flips.iter().map(|it| (it.nanos() - flips[0].nanos()) / 1_000_000).collect();
        // The mirror's first vblank may be the one that is the second frame's: then one of the two has no place.
        let (presented, dropped, unseen) = mirrored(&rig);
        assert_eq!((presented + dropped, unseen), (FRAMES, 0), "{case}: {when:?}");
        assert!(dropped <= u64::from(other == HZ30), "{case}: {when:?}");
        // A frame of 40 ms stays for the whole refreshes around that, and for no other number of them.
        let refreshes = 40.0 / (other.as_secs_f64() * 1000.0);
        for pair in flips.windows(2).skip(1) {
            let stayed = pair[1].saturating_since(pair[0]).as_secs_f64() / other.as_secs_f64();
            let most = (refreshes - 0.01).ceil() + 0.1;
            assert!((refreshes.floor() - 0.1..=most).contains(&stayed), "{case}: {stayed} refreshes, not {refreshes}");
        }
        let mirror = rig.players[0].mirrors()[0].stats();
        assert_eq!(
            (mirror.missed_vblanks, mirror.seams.count, mirror.seams.worst_gap_frames),
            (Some(0), 1, 0),
            "{case}"
        );
        assert!(mirror.items.report().is_empty(), "{case}");
        // One decoder for each film, whoever shows it.
        assert_eq!(rig.decoder.opened.load(std::sync::atomic::Ordering::SeqCst), 2, "{case}");
    }
}

#[test]
fn the_player_is_the_same_with_a_mirror_and_without() {
    let flips = |mirrors: &[Duration]| {
        let mut rig = films(HZ60, mirrors).rig();
        assert_eq!(rig.until_the_end(), Ended::Done);
        rig.script.borrow().flips.clone()
    };
    assert_eq!(flips(&[HZ50, HZ30]), flips(&[]));
}

#[test]
fn a_mirror_that_is_unplugged_is_its_own_affair() {
    let mut rig = films(HZ60, &[HZ50]).rig();
    rig.until_shown(20);
    rig.scripts[1].borrow_mut().unplug();
    rig.play_for(Duration::from_secs(1));
    let before = rig.scripts[1].borrow().flips.len();
    let back = rig.now();
    rig.scripts[1].borrow_mut().plug(HZ50);
    assert_eq!(rig.until_the_end(), Ended::Done);
    undisturbed(&rig, "the mirror was gone for a second");
    let (presented, dropped, unseen) = mirrored(&rig);
    assert_eq!((presented + unseen, dropped), (FRAMES, 0));
    assert!((24..=28).contains(&unseen), "{unseen} unseen in a second");
    let stats = rig.players[0].mirrors()[0].stats();
    assert_eq!((stats.display_lost, stats.display_regained, stats.missed_vblanks), (1, 1, Some(0)));
    assert_eq!(stats.seams.worst_gap_frames, 0);
    let first = rig.scripts[1].borrow().flips[before];
    assert!(first.saturating_since(back) <= 3 * HZ50, "back after {:?}", first.saturating_since(back));
    let told: Vec<f64> = rig.scripts[1].borrow().rates.iter().map(|it| it.0).collect();
    assert_eq!(told, [25.0, 25.0], "once at first, and once more when it was back");
}

#[test]
fn a_mirror_goes_on_when_the_first_screen_is_unplugged() {
    let mut rig = films(HZ60, &[HZ50]).rig();
    rig.until_shown(20);
    rig.script.borrow_mut().unplug();
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(mirrored(&rig), (FRAMES, 0, 0));
    let stats = &rig.players[0].stats;
    assert_eq!((stats.frames_presented + stats.frames_unseen, stats.frames_dropped_stale), (FRAMES, 0));
    assert_eq!(rig.players[0].mode(), None);
}

#[test]
fn a_screen_that_hangs_does_not_slow_the_other() {
    let mut rig = films(HZ60, &[HZ50]).rig();
    rig.until_shown(20);
    rig.scripts[1].borrow_mut().stuck = true;
    assert_eq!(rig.until_the_end(), Ended::Done);
    undisturbed(&rig, "the mirror hangs");
    assert!(mirrored(&rig).0 < 25);

    // Two GL contexts cannot be current at once.
    drop(rig);
    let mut rig = films(HZ60, &[HZ50]).rig();
    rig.until_shown(20);
    rig.script.borrow_mut().stuck = true;
    rig.play_for(Duration::from_secs(1));
    assert_eq!(rig.players[0].frames_presented(), 20);
    let (presented, dropped, _) = mirrored(&rig);
    assert!((44..=47).contains(&presented) && dropped == 0, "{presented} shown, {dropped} dropped");
    rig.script.borrow_mut().stuck = false;
    assert_eq!(rig.until_the_end(), Ended::Done);
    assert_eq!(mirrored(&rig).0, FRAMES);
}

#[test]
fn players_side_by_side_end_each_in_its_own_time_and_keep_their_last_picture() {
    let mut setup = films(HZ60, &[]);
    setup.films.push(("short", vec![Film::silent(10).into()]));
    setup.films.push(("missing", vec![Opening::Missing]));
    setup.guests = vec![(vec!["short"], HZ50), (vec!["missing"], HZ30)];
    let mut rig = setup.rig();
    rig.until_shown(50);
    assert_eq!(rig.ended, [None, Some(Ended::Done), Some(Ended::NothingPlayable)]);
    assert_eq!(rig.players[1].stats.frames_presented, 10);
    let flips = rig.scripts[1].borrow().flips.len();
    rig.scripts[1].borrow_mut().plug(HZ30);
    assert_eq!(rig.until_the_end(), Ended::Done);
    undisturbed(&rig, "the others have ended");
    assert_eq!(rig.scripts[1].borrow().flips.len(), flips + 1, "the last picture is drawn again");
    assert_eq!((rig.players[1].stats.frames_presented, rig.diaries[1].seen.borrow().len()), (10, 10));
}
