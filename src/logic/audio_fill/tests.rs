//! Placement to the sample frame, and joins without a click.
use std::time::Duration;

use proptest::prelude::*;

use crate::base::time::{MediaTime, NANOS_PER_SECOND};
use crate::logic::audio_fill::{Block, Cursor, Declick, Fill, align, apply_fade, frames_in, silence_to};

const MS: i64 = 1_000_000;

fn at(nanos: i64) -> MediaTime {
    MediaTime::from_nanos(nanos)
}

/// A block of 480 sample frames (10 ms) at `pts_ms`, the cursor at 1 s, 48 kHz.
#[track_caller]
fn check(pts_ms: i64, limit_ms: Option<i64>, (silence, skip, take): (u64, u64, u64)) {
    let cursor = Cursor::new(at(1_000 * MS), 48_000);
    let got = align(&cursor, Block { pts: at(pts_ms * MS), frames: 480 }, limit_ms.map(|it| at(it * MS)));
    assert_eq!(got, Fill { silence_frames_before: silence, skip_frames: skip, take_frames: take });
    assert_eq!(got.is_join(), silence > 0 || skip > 0);
}

#[test]
fn small_errors_are_absorbed_large_ones_padded_or_cut() {
    check(1_000, None, (0, 0, 480));
    check(1_005, None, (0, 0, 480));
    check(995, None, (0, 0, 480));
    check(1_006, None, (288, 0, 480));
    check(994, None, (0, 288, 192));
    check(500, None, (0, 480, 0));
    check(2_000, None, (48_000, 0, 480));
}

#[test]
fn nothing_is_written_past_the_end_of_a_lap() {
    check(1_000, Some(1_004), (0, 0, 192));
    check(1_006, Some(1_010), (288, 0, 192));
    check(2_000, Some(1_010), (480, 0, 0));
    check(1_000, Some(900), (0, 0, 0));
    check(994, Some(1_002), (0, 288, 96));
    let cursor = Cursor::new(at(0), 44_100);
    assert_eq!((silence_to(&cursor, at(NANOS_PER_SECOND)), silence_to(&cursor, at(-5))), (44_100, 0));
}

#[test]
fn hours_of_blocks_add_up_without_rounding() {
    let mut cursor = Cursor::new(at(-7), 44_100);
    for _ in 0..10 * 3600 {
        for _ in 0..100 {
            cursor.advance(441);
        }
    }
    assert_eq!(cursor.media_time(), at(36_000 * NANOS_PER_SECOND - 7));
}

#[test]
fn a_fade_is_the_same_in_one_piece_or_many() {
    let (mut whole, mut pieces) = (vec![1.0f32; 200], vec![1.0f32; 200]);
    apply_fade(&mut whole, 2, (1.0, 0.0), 0, 80);
    for (index, piece) in pieces.chunks_mut(14).enumerate() {
        apply_fade(piece, 2, (1.0, 0.0), index as u64 * 7, 80);
    }
    assert_eq!(whole, pieces);
    assert!(whole[0] < 1.0 && whole[158] > 0.0 && whole[160..].iter().all(|it| *it == 0.0));
    assert!(whole.chunks(2).all(|it| it[0] == it[1]));
}

/// The largest step between neighbours of one channel.
fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(3).map(|it| (it[2] - it[0]).abs()).fold(0.0, f32::max)
}

/// Stereo sine of 440 Hz at full scale, from a phase in turns.
fn sine(frames: usize, phase: f32) -> Vec<f32> {
    let value = |index: usize| ((index as f32 * 440.0 / 48_000.0 + phase) * std::f32::consts::TAU).sin();
    (0..frames).flat_map(|index| [value(index), value(index)]).collect()
}

#[test]
fn a_joined_sine_has_no_step_larger_than_its_own_and_the_fades() {
    // A 440 Hz sine at full scale moves by 0.0576 a sample; 240 sample frames of fade from one extreme to the other add
    // at most 2/241.
    let bound = 0.0577 + 2.0 / 241.0;
    for phase in 0..16 {
        let phase = phase as f32 / 16.0;
        for silence in [0, 1, 100, 480] {
            let mut declick = Declick::new(2, 48_000);
            let mut out = Vec::new();
            let mut write = |declick: &mut Declick, mut samples: Vec<f32>| {
                for piece in samples.chunks_mut(2 * 37) {
                    declick.process(piece);
                    out.extend_from_slice(piece);
                }
            };
            write(&mut declick, sine(1_000, 0.3));
            declick.join();
            write(&mut declick, vec![0.0; silence * 2]);
            declick.join();
            write(&mut declick, sine(1_000, phase));
            let step = largest_step(&out).max(out[0].abs());
            assert!(step <= bound, "phase {phase}, {silence} of silence: a step of {step}");
            let unjoined = [&sine(1_000, 0.3)[1_990..], &sine(10, phase)[..]].concat();
            assert!(phase != 0.75 || largest_step(&unjoined) > bound, "the test would notice a click");
        }
    }
}

#[test]
fn between_joins_the_sound_is_untouched() {
    let mut declick = Declick::new(1, 48_000);
    declick.process(&mut vec![0.5; 240]);
    let mut samples = vec![0.25, -0.75];
    declick.process(&mut samples);
    assert_eq!(samples, [0.25, -0.75]);
    declick.flush();
    let mut samples = vec![1.0; 240];
    declick.process(&mut samples);
    assert!(samples[0] < 0.01 && samples[239] > 0.99);
    assert_eq!(frames_in(Duration::from_millis(5).as_nanos() as i64, 48_000), 240);
}

proptest! {
    /// Whatever blocks come, each is written within the tolerance of its time, the block's frames are accounted for, and
    /// nothing passes the limit.
    #[test]
    fn every_sample_frame_is_within_the_tolerance_of_its_time(
        rate in prop::sample::select(vec![8_000u32, 44_100, 48_000, 96_000]),
        blocks in prop::collection::vec((-80 * MS..80 * MS, 0u64..5_000), 1..80),
        limit in proptest::option::of(0..2_000 * MS),
    ) {
        let mut cursor = Cursor::new(MediaTime::ZERO, rate);
        let limit = limit.map(at);
        let frame = NANOS_PER_SECOND / i64::from(rate) + 1;
        for (error, frames) in blocks {
            let block = Block { pts: cursor.media_time().offset_by(error), frames };
            let fill = align(&cursor, block, limit);
            prop_assert!(fill.skip_frames + fill.take_frames <= frames);
            prop_assert!(fill.silence_frames_before == 0 || fill.skip_frames == 0);
            cursor.advance(fill.silence_frames_before);
            if fill.take_frames > 0 {
                let skipped = fill.skip_frames as i64 * NANOS_PER_SECOND / i64::from(rate);
                let off = block.pts.offset_by(skipped).delta_nanos(cursor.media_time());
                prop_assert!(off.abs() <= 5 * MS + frame, "{off}");
            }
            cursor.advance(fill.take_frames);
            if let Some(limit) = limit {
                prop_assert!(cursor.media_time() <= limit.max(MediaTime::ZERO).offset_by(frame));
            } else {
                prop_assert_eq!(fill.skip_frames + fill.take_frames, frames);
            }
        }
    }

    #[test]
    fn absurd_times_do_not_overflow(cursor in any::<i64>(), pts in any::<i64>(), frames in any::<u64>(), limit in any::<i64>()) {
        let cursor = Cursor::new(at(cursor), 192_000);
        let fill = align(&cursor, Block { pts: at(pts), frames }, Some(at(limit)));
        prop_assert!(fill.take_frames <= frames && fill.skip_frames <= frames);
    }
}
