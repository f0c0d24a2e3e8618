//! Tests of the figures.
use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use crate::base::format::Size;
use crate::base::stats::{Fallback, Histogram, ItemTally, Outcome, PlayStats, RunFacts};

/// The top-level keys operators' scripts rely on.
const CONTRACT: &str = "version display decoder interop items frames_decoded frames_presented frames_dropped_stale \
    missed_vblanks zero_copy_frames software_frames freeze_frames frames_corrupt display_lost display_regained outputs \
    submit_ok submit_failed acquire_failed fallbacks queued_lag_ms av_offset_ms upload_us draw_us import_us present_us \
    seams loops first_frame_ms elapsed_s audio peak_rss_kib allocations_per_frame";
/// Keys added since.
const ADDED: &str = "frames_unseen late_frames frames_converted frames_deinterlaced decoders_opened reconnects \
    frames_ordinary interop_reason";

fn keys(it: &Value) -> BTreeSet<&str> {
    it.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn words(it: &str) -> BTreeSet<&str> {
    it.split_whitespace().collect()
}

fn played() -> PlayStats {
    let mut stats = PlayStats::new(true);
    let item = stats.items.begin(0, "film.mp4");
    stats.items.presented(item);
    stats.queued_lag.record(Duration::from_millis(3));
    stats.av_offset.record_nanos_abs(-2_000_000);
    stats.seams.record(0, false);
    stats.fell_back(Fallback { from: "dmabuf".into(), to: "software_upload".into(), reason: "no EGLImage".into() });
    stats
}

#[test]
fn the_statistics_file_has_the_keys_of_its_contract() {
    let audio = crate::base::stats::AudioReport { device: "default".into(), xruns: 0, clock_switches: 0 };
    let stats = played();
    let outputs = vec![stats.output("HDMI-A-1", Some((Size::new(1280, 720), Duration::from_millis(20))))];
    let report = stats.report(RunFacts { audio: Some(audio), ..RunFacts::default() }, outputs);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(keys(&json), words(&format!("{CONTRACT} {ADDED}")));
    for (at, want) in [
        ("/items/0", "input outcome reason frames_decoded frames_presented"),
        (
            "/outputs/0",
            "name mode refresh_hz items frames_presented interop interop_reason zero_copy_frames software_frames fallbacks \
             missed_vblanks frames_dropped_stale seams av_offset_ms",
        ),
        ("/outputs/0/seams", "count worst_gap_frames late_starts"),
        ("/outputs/0/av_offset_ms", "p50 p95 max"),
        ("/fallbacks/0", "from to reason"),
        ("/queued_lag_ms", "p50 p95 max"),
        ("/seams", "count worst_gap_frames late_starts"),
        ("/audio", "device xruns clock_switches"),
    ] {
        assert_eq!(keys(json.pointer(at).expect(at)), words(want), "{at}");
    }
    assert_eq!(json["items"][0]["outcome"], "played");
    assert_eq!((&json["outputs"][0]["mode"], &json["outputs"][0]["refresh_hz"]), (&"1280x720".into(), &50.0.into()));
}

#[test]
fn what_was_not_measured_is_null() {
    let stats = PlayStats::new(false);
    let outputs = vec![stats.output("HDMI-A-1", None)];
    let json = serde_json::to_value(stats.report(RunFacts::default(), outputs)).unwrap();
    for key in ["mode", "refresh_hz", "missed_vblanks", "av_offset_ms"] {
        assert!(json["outputs"][0][key].is_null(), "{key}: {}", json["outputs"][0][key]);
    }
    for key in [
        "decoder",
        "interop",
        "interop_reason",
        "missed_vblanks",
        "queued_lag_ms",
        "av_offset_ms",
        "upload_us",
        "draw_us",
        "import_us",
        "present_us",
        "first_frame_ms",
        "audio",
        "peak_rss_kib",
        "allocations_per_frame",
    ] {
        assert!(json[key].is_null(), "{key}: {}", json[key]);
    }
    let mut window = PlayStats::new(false);
    window.missed(3);
    assert_eq!(window.missed_vblanks, None);
}

#[test]
fn an_item_looped_for_ever_stays_one_entry() {
    let mut items = ItemTally::new();
    for lap in 0..5000 {
        let id = items.begin(0, "a.mp4");
        items.presented(id);
        let id = items.begin(1, "broken.mp4");
        items.failed(id, &format!("truncated, turn {lap}"));
    }
    let report = items.report();
    assert_eq!(report.len(), 2);
    assert_eq!((report[0].frames_presented, report[0].outcome), (5000, Outcome::Played));
    assert_eq!((report[1].reason.as_deref(), report[1].outcome), (Some("truncated, turn 4999"), Outcome::Skipped));
    assert!(items.any_played());
}

#[test]
fn one_file_at_two_places_of_a_playlist_is_two_items() {
    let mut items = ItemTally::new();
    assert_ne!(items.begin(0, "a.mp4"), items.begin(2, "a.mp4"));
}

#[test]
fn ever_new_names_drop_the_oldest_entry() {
    let mut items = ItemTally::new();
    let first = items.begin(0, "first.mp4");
    for n in 0..3000 {
        items.begin(0, &format!("{n}.mp4"));
    }
    items.presented(first);
    let last = items.begin(0, "2999.mp4");
    items.presented(last);
    let report = items.report();
    assert_eq!(report.len(), 1024);
    assert_eq!(report.iter().map(|it| it.frames_presented).sum::<u64>(), 1, "the dropped entry counts nowhere");
    assert_eq!(report.last().map(|it| it.frames_presented), Some(1));
}

#[test]
fn long_reasons_are_cut_between_letters() {
    let mut items = ItemTally::new();
    let id = items.begin(0, "a");
    items.failed(id, &"é".repeat(1000));
    assert_eq!(items.report()[0].reason.as_ref().map(|it| it.chars().count()), Some(150));
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let mut it = Histogram::new();
    assert_eq!(it.microseconds(), None);
    for us in 1..=20 {
        it.record_us(us);
    }
    let got = it.microseconds().unwrap();
    assert_eq!((got.p50, got.p95, got.max), (10, 19, 20));
}

#[test]
fn absurd_values_land_in_the_last_bin() {
    let mut it = Histogram::new();
    it.record(Duration::MAX);
    it.record_nanos_abs(i64::MIN);
    assert_eq!(it.microseconds().unwrap().max, u64::MAX);
    assert_eq!(it.count(), 2);
}

proptest! {
    #[test]
    fn percentiles_are_within_two_percent(mut values in prop::collection::vec(0u64..100_000_000_000, 1..300)) {
        let (mut all, mut half) = (Histogram::new(), Histogram::new());
        for (n, us) in values.iter().enumerate() {
            if n % 2 == 0 { all.record_us(*us) } else { half.record_us(*us) }
        }
        all.merge(&half);
        values.sort_unstable();
        let exact = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
        let got = all.microseconds().unwrap();
        for (got, want) in [(got.p50, exact(50)), (got.p95, exact(95))] {
            prop_assert!(got.abs_diff(want) as f64 <= want as f64 * 0.02, "{got} for {want}");
        }
        prop_assert_eq!(got.max, exact(100));
    }
}
