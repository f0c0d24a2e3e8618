//! Laps join without a gap, whatever the file's timestamps look like.
use std::sync::Arc;

use super::*;
use crate::base::packet::VecData;

const MS: i64 = 1_000_000;

fn at(ms: i64) -> MediaTime {
    MediaTime::from_nanos(ms * MS)
}

fn packet(track: Track, pts: i64, dts: i64, duration: u64) -> Packet {
    Packet {
        track,
        pts: Some(at(pts)),
        dts: Some(at(dts)),
        duration: Duration::from_millis(duration),
        keyframe: false,
        discard: false,
        lap: 0,
        discontinuity: false,
        data: Arc::new(VecData::default()),
    }
}

/// Two laps of pictures at these times (40 ms each): where the second lap's pictures lie.
#[track_caller]
fn check(pts: &[i64], start: i64, want_end: i64, want_second: &[i64]) {
    let mut it = Laps::new(None);
    for (dts, pts) in pts.iter().enumerate() {
        assert!(it.place(&mut packet(Track::Video, *pts, dts as i64 * 40, 40)));
    }
    let end = it.end(Some(at(start)), None).expect("known");
    assert_eq!(end, at(want_end));
    assert!(it.next_lap(at(start), end));
    let second: Vec<i64> = pts
        .iter()
        .map(|pts| {
            let mut packet = packet(Track::Video, *pts, *pts, 40);
            assert!(it.place(&mut packet));
            assert_eq!(packet.lap, 1);
            packet.pts.expect("kept").nanos() / MS
        })
        .collect();
    assert_eq!(second, want_second);
}

#[test]
fn a_lap_begins_where_the_one_before_ended() {
    check(&[0, 40, 80], 0, 120, &[120, 160, 200]);
}

#[test]
fn a_bare_streams_first_picture_says_where_its_lap_begins() {
    let mut it = Laps::new(None);
    let bare = || Packet { pts: None, dts: None, ..packet(Track::Video, 0, 0, 40) };
    let place = |it: &mut Laps| {
        let mut packet = bare();
        assert!(it.place(&mut packet));
        packet.pts
    };
    // The decoder counts from nothing, and says where that ends.
    assert_eq!((place(&mut it), place(&mut it)), (None, None));
    let end = it.end(Some(at(0)), Some(at(80))).expect("the decoder's");
    assert!(it.next_lap(at(0), end));
    assert_eq!((place(&mut it), place(&mut it)), (Some(at(80)), None));
    assert_eq!((it.end(Some(at(0)), None), it.end(Some(at(0)), Some(at(160)))), (None, Some(at(160))));
}

#[test]
fn reordered_pictures_and_start_offsets_leave_no_gap() {
    check(&[1000, 1120, 1040, 1080], 1000, 1160, &[1160, 1280, 1200, 1240]);
}

#[test]
fn pictures_the_decoder_never_showed_leave_no_hole() {
    // The first picture of the file cannot be decoded; the first one shown is at 40.
    check(&[0, 40, 80], 40, 120, &[80, 120, 160]);
}

#[test]
fn a_source_that_comes_back_goes_on_where_it_left_off() {
    let mut it = Laps::new(None);
    assert!(it.place(&mut packet(Track::Video, 5000, 5000, 40)));
    it.rebase();
    let mut back = packet(Track::Video, 90, 90, 40);
    assert!(it.place(&mut back));
    assert_eq!((back.pts, back.discontinuity), (Some(at(5040)), true));
    let mut next = packet(Track::Video, 130, 130, 40);
    assert!(it.place(&mut next));
    assert_eq!((next.pts, next.discontinuity), (Some(at(5080)), false));
}

#[test]
fn a_limit_ends_the_lap() {
    let mut it = Laps::new(Some(1));
    it.limit = Some(Duration::from_millis(100));
    let taken = (0..10).filter(|n| it.place(&mut packet(Track::Video, n * 40, n * 40, 40))).count();
    assert_eq!(taken, 3);
    assert_eq!(it.end(Some(at(0)), None), Some(at(100)));
    assert!(it.is_last());
}

#[test]
fn without_timestamps_the_decoder_says_when_it_ended() {
    let it = Laps::new(Some(1));
    assert_eq!(it.end(Some(at(0)), None), None);
    assert_eq!(it.end(Some(at(0)), Some(at(320))), Some(at(320)));
}

#[test]
fn decoding_times_alone_do_not_end_a_lap() {
    let mut it = Laps::new(Some(1));
    for n in 0..3 {
        assert!(it.place(&mut Packet { pts: None, ..packet(Track::Video, 0, n * 40, 40) }));
    }
    assert_eq!(it.end(Some(at(80)), None), None);
    assert_eq!(it.end(Some(at(80)), Some(at(200))), Some(at(200)));
}

#[test]
fn live_clocks_may_stutter_but_not_jump() {
    assert!(!live_jump(Some(at(1000)), Some(at(1040))));
    assert!(!live_jump(Some(at(1000)), Some(at(9000))));
    assert!(live_jump(Some(at(9000)), Some(at(0))));
    assert!(live_jump(Some(at(0)), Some(at(60_000))));
    assert!(!live_jump(None, Some(at(60_000))));
}

#[test]
fn a_still_for_no_time_at_all_still_moves_on() {
    let info = MediaInfo {
        container: "image".into(),
        duration: None,
        start: None,
        live: false,
        seekable: true,
        still: true,
        video: None,
        audio: None,
    };
    let mut it = Laps::new(None);
    it.opened(&info, Some(Duration::ZERO));
    assert!(it.place(&mut packet(Track::Video, 0, 0, 0)));
    assert_eq!(it.end(Some(at(0)), None), Some(at(1)));
}

#[test]
fn tracks_that_cross_a_break_one_by_one_stay_together() {
    let mut it = Laps::new(None);
    // Pictures at these times, sound at those; the source's clock starts anew, first for the pictures.
    let packets = [
        (Track::Video, 3_600_000),
        (Track::Audio, 3_600_000),
        (Track::Video, 0),
        (Track::Audio, 3_600_040),
        (Track::Video, 40),
        (Track::Audio, 0),
        (Track::Video, 80),
        (Track::Audio, 40),
        (Track::Video, 120),
        (Track::Audio, 80),
    ];
    let mut breaks = 0;
    let mut last = [0; 2];
    for (track, own) in packets {
        let mut packet = packet(track, own, own, 40);
        if it.is_broken_by(&packet) {
            breaks += 1;
            it.rebase();
        }
        assert!(it.place(&mut packet));
        last[index(track)] = packet.pts.expect("kept").nanos() / MS;
    }
    let apart = last[0] - last[1];
    assert!(breaks <= 4 && (0..=200).contains(&apart), "{breaks} breaks, {apart} ms apart: {last:?}");
    assert!((3_600_000..3_601_000).contains(&last[0]), "{last:?}");
}

#[test]
fn tracks_some_seconds_apart_are_no_break() {
    let mut it = Laps::new(None);
    assert!(!it.is_broken_by(&packet(Track::Audio, 0, 0, 40)));
    assert!(it.place(&mut packet(Track::Audio, 5_000, 5_000, 40)));
    assert!(!it.is_broken_by(&packet(Track::Video, 0, 0, 40)));
    assert!(it.is_broken_by(&packet(Track::Video, 60_000, 60_000, 40)));
}

/// The length of 60 laps of so many pictures at times in milliseconds, as Matroska rounds those of a film with this rate.
fn length_of_60_laps(rate: f64, pictures: u32, lasts_ms: u64) -> f64 {
    let mut it = Laps::new(None);
    (it.rate, it.frame) = (Some(rate), Duration::from_secs_f64(1.0 / rate));
    let start = MediaTime::ZERO;
    let mut end = start;
    for _ in 0..60 {
        for n in 0..pictures {
            let ms = (f64::from(n) * 1000.0 / rate).round() as i64;
            assert!(it.place(&mut packet(Track::Video, ms, ms, lasts_ms)));
        }
        end = it.end(Some(start), None).expect("known");
        assert!(it.next_lap(start, end));
    }
    end.nanos() as f64 / 1e9
}

#[test]
fn rounded_timestamps_do_not_shorten_a_lap() {
    for (rate, lasts_ms) in [(60.0, 16), (60.0, 17), (60.0 / 1.001, 16), (24.0 / 1.001, 41), (30.0, 33), (25.0, 40)] {
        for pictures in [1, 7, 60, 599] {
            let want = 60.0 * f64::from(pictures) / rate;
            let off = length_of_60_laps(rate, pictures, lasts_ms) - want;
            assert!(off.abs() < 1e-6, "{rate} fps, {pictures} pictures: off by {off} s");
        }
    }
}

#[test]
fn a_rate_that_is_an_average_moves_an_end_by_no_more_than_rounding_may() {
    let mut it = Laps::new(None);
    it.rate = Some(31.7);
    for ms in [0, 33, 70, 85, 200, 233, 251] {
        assert!(it.place(&mut packet(Track::Video, ms, ms, 40)));
    }
    let end = it.end(Some(at(0)), None).expect("known");
    assert!(end.delta_nanos(at(291)).abs() <= COARSE_ERROR, "{end:?}");
}

#[test]
fn exact_timestamps_are_believed() {
    let mut it = Laps::new(None);
    it.rate = Some(60.0);
    let exact = |nanos| Packet { pts: Some(MediaTime::from_nanos(nanos)), ..packet(Track::Video, 0, 0, 16) };
    assert!(it.place(&mut exact(0)));
    assert!(it.place(&mut exact(16_666_667)));
    assert_eq!(it.end(Some(at(0)), None), Some(MediaTime::from_nanos(32_666_667)));
}
