//! Every usual rate in milliseconds, as Matroska has them, on every usual screen: nothing but what the two rates cost.
use super::{MS, Run, Shown};

/// What televisions call 60 Hz, most often.
const HZ59_94: f64 = 60_000.0 / 1001.0;
/// A slip and one the other way within so many vblanks, two seconds, is flutter: no two rates are so near to each other and
/// so far apart.
const FLUTTER: usize = 120;

/// A film of so many frames a second in milliseconds.
fn rounded(per_second: f64) -> impl Fn(usize) -> f64 {
    move |index| (index as f64 * 1e9 / per_second / MS).round() * MS
}

/// An irregularity.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slip {
    vblank: usize,
    /// Refreshes that a frame stayed too long (a repeat) or too short.
    by: i64,
    /// Frames dropped before it.
    dropped: i64,
}

/// Where a film slipped, each of whose frames should stay `k` vblanks. The first frame is shown at once, whatever the time.
fn slips(shown: &[Shown], k: usize) -> Vec<Slip> {
    let slip = |it: &[Shown]| {
        let [this, next] = [it[0], it[1]];
        let by = (next.vblank - this.vblank) as i64 - k as i64;
        Slip { vblank: next.vblank, by, dropped: next.dropped_before as i64 }
    };
    shown[1..].windows(2).map(slip).filter(|it| it.by != 0 || it.dropped != 0).collect()
}

/// Plays the film at every phase for `seconds`; each may slip `most` times, and never to and fro.
#[track_caller]
fn check_whole(per_second: f64, hertz: f64, seconds: f64, k: usize, n_slips: std::ops::RangeInclusive<usize>) {
    for phase in -4..=4 {
        let refresh = 1e9 / hertz;
        let vblanks = (seconds * hertz) as usize;
        let run = Run { refresh, phase: f64::from(phase) / 8.0 * refresh, vblanks, ..Run::default() };
        let slips = slips(&run.play(rounded(per_second)), k);
        let about = format!("{per_second} on {hertz}, phase {phase}: {slips:?}");
        assert!(n_slips.contains(&slips.len()), "{about}");
        // One refresh each time, and nothing both dropped and held: a drop of one that stayed longer wins nothing.
        assert!(slips.iter().all(|it| (it.by - it.dropped).abs() == 1), "{about}");
        assert!(slips.iter().all(|it| it.by == 0 || it.dropped == 0), "{about}");
        assert!(slips.windows(2).all(|it| FLUTTER < it[1].vblank - it[0].vblank), "{about}");
    }
}

#[test]
fn sixty_on_59_94_drops_one_frame_in_a_thousand_and_no_more() {
    // 1200 pictures: 60 / 1.001 refreshes for 60 pictures is one drop in 1001 of them, and where it begins is the phase's.
    check_whole(60.0, HZ59_94, 20.0, 1, 0..=2);
    check_whole(60.0, HZ59_94, 334.0, 1, 19..=21);
    // As VESA has 640x480: 25.175 MHz for 800 x 525 pixels.
    check_whole(60.0, 25.175e6 / 420e3, 20.0, 1, 0..=2);
}

#[test]
fn whole_cadences_in_milliseconds_slip_as_rarely_as_their_rates_differ() {
    for (per_second, k) in [(30.0 / 1.001, 2), (60.0 / 1.001, 1)] {
        check_whole(per_second, HZ59_94, 300.0, k, 0..=0);
        // 59.94 refreshes in 1000 of the screen's are one too few.
        check_whole(per_second, 60.0, 300.0, k, 17..=19);
    }
    check_whole(30.0, HZ59_94, 300.0, 2, 17..=19);
    check_whole(30.0, 60.0, 300.0, 2, 0..=0);
    check_whole(60.0, 60.0, 300.0, 1, 0..=0);
    check_whole(50.0, 50.0, 300.0, 1, 0..=0);
    check_whole(25.0, 50.0, 300.0, 2, 0..=0);
}

/// Plays a film whose frames stay for fractions of refreshes. Any 40 frames in a row must last what they should to less than
/// a refresh: where the two rates slide past each other the pattern may change sides the way they slide, and never back.
#[track_caller]
fn check_pattern(per_second: f64, hertz: f64) {
    let due = hertz / per_second;
    for phase in -4..=4 {
        let refresh = 1e9 / hertz;
        let vblanks = (60.0 * hertz) as usize;
        let run = Run { refresh, phase: f64::from(phase) / 8.0 * refresh, vblanks, ..Run::default() };
        // The first is shown at once, and those that are due by then are dropped.
        let shown = &run.play(rounded(per_second))[2..];
        let about = format!("{per_second} on {hertz}, phase {phase}");
        assert!(shown.iter().all(|it| it.dropped_before == 0), "{about}: drops");
        let lasted = |row: &[Shown]| (row[row.len() - 1].vblank - row[0].vblank) as f64 - (row.len() - 1) as f64 * due;
        for n_frames in 2..=41 {
            let off = shown.windows(n_frames).find(|it| 1.0 - 1e-6 < lasted(it).abs());
            assert!(off.is_none(), "{about}: {off:?}");
        }
    }
}

#[test]
fn patterns_in_milliseconds_change_sides_one_way_only() {
    for hertz in [HZ59_94, 60.0] {
        for per_second in [24.0 / 1.001, 24.0, 25.0, 50.0] {
            check_pattern(per_second, hertz);
        }
    }
}

#[test]
fn a_screen_that_takes_every_second_vblank_shows_every_second_frame() {
    for (slow, jitter) in [(2, 0.0), (3, 0.0), (2, 1.0 * MS)] {
        for phase in -8..=8 {
            let refresh = 1e9 / 60.0;
            let run = Run { phase: f64::from(phase) / 16.0 * refresh, slow, jitter, vblanks: 2_400, ..Run::default() };
            let shown = &run.play(rounded(60.0))[2..];
            let steps: Vec<(usize, usize)> =
                shown.windows(2).map(|it| (it[1].frame - it[0].frame, it[1].vblank - it[0].vblank)).collect();
            assert!(steps.iter().all(|it| *it == (slow, slow)), "{slow}, phase {phase}: {steps:?}");
        }
    }
}
