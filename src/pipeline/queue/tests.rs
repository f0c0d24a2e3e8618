//! The queue against a table, and against random operations.
use std::time::Duration;

use proptest::prelude::*;

use crate::base::offer::{FlowPolicy, FlowSignal, Offer};
use crate::base::time::MediaTime;
use crate::logic::flow::{ItemMeta, Level, Limits};
use crate::pipeline::queue::Queue;

fn frame(ms: i64) -> ItemMeta {
    ItemMeta::frame(MediaTime::from_nanos(ms * 1_000_000), Duration::ZERO, 1)
}

fn coded(keyframe: bool) -> ItemMeta {
    ItemMeta { bytes: 1, media_time: None, duration: Duration::ZERO, keyframe, droppable: true }
}

/// Offers `metas`, numbered from 0, and answers which are queued.
#[track_caller]
fn check(policy: FlowPolicy, limits: Limits, metas: &[ItemMeta], want: &[usize], (dropped, refused): (u64, u64)) {
    let mut queue = Queue::new(policy, limits);
    for (index, meta) in metas.iter().enumerate() {
        let _: Offer<usize> = queue.offer(index, *meta);
    }
    let got: Vec<usize> = queue.iter().map(|it| *it.0).collect();
    assert_eq!((got.as_slice(), queue.stats().dropped, queue.stats().refused), (want, dropped, refused));
}

#[test]
fn a_full_queue_gives_way_as_its_policy_says() {
    let frames = [frame(0), frame(1), frame(2), frame(3)];
    check(FlowPolicy::Block, Limits::items(2), &frames, &[0, 1], (0, 2));
    check(FlowPolicy::Drop, Limits::items(2), &frames, &[0, 1], (2, 0));
    check(FlowPolicy::RingBuffer, Limits::items(2), &frames, &[2, 3], (2, 0));
}

#[test]
fn each_limit_counts_by_itself() {
    let no = Limits::items(usize::MAX);
    let frames = [frame(0), frame(100), frame(200), frame(300)];
    check(FlowPolicy::Block, Limits { bytes: 3, ..no }, &frames, &[0, 1, 2], (0, 1));
    check(FlowPolicy::Block, Limits { span: Duration::from_millis(200), ..no }, &frames, &[0, 1, 2], (0, 1));
    let lasting = [ItemMeta { duration: Duration::from_millis(150), ..frame(0) }; 3];
    check(FlowPolicy::Block, Limits { span: Duration::from_millis(300), ..no }, &lasting, &[0, 1], (0, 1));
}

#[test]
fn an_item_larger_than_the_queue_passes_an_empty_one() {
    let large = ItemMeta { bytes: 1000, duration: Duration::from_secs(99), ..frame(0) };
    let limits = Limits { items: 4, bytes: 10, span: Duration::from_secs(1) };
    for policy in [FlowPolicy::Block, FlowPolicy::Drop, FlowPolicy::RingBuffer] {
        check(policy, limits, &[ItemMeta::event(), large], &[0, 1], (0, 0));
    }
    check(FlowPolicy::Block, limits, &[frame(0), large], &[0], (0, 1));
    check(FlowPolicy::RingBuffer, limits, &[frame(0), large], &[1], (1, 0));
    check(FlowPolicy::Block, Limits::items(0), &[frame(0), frame(1)], &[0], (0, 1));
}

#[test]
fn events_are_neither_dropped_nor_refused() {
    let event = ItemMeta::event();
    let metas = [event, frame(0), event, frame(1), frame(2), event];
    check(FlowPolicy::Block, Limits::items(1), &metas, &[0, 1, 2, 5], (0, 2));
    check(FlowPolicy::Drop, Limits::items(1), &metas, &[0, 1, 2, 5], (2, 0));
    check(FlowPolicy::RingBuffer, Limits::items(1), &metas, &[0, 2, 4, 5], (2, 0));
}

#[test]
fn after_a_lost_packet_all_up_to_the_next_keyframe_go() {
    let (key, delta) = (coded(true), coded(false));
    let mut queue = Queue::new(FlowPolicy::Drop, Limits::items(2));
    for (item, meta) in [(0, key), (1, delta), (2, delta)] {
        assert_eq!(queue.offer(item, meta), Offer::Taken);
    }
    assert_eq!(queue.signal(), FlowSignal::Drop);
    assert_eq!(queue.take(), Some(0));
    assert_eq!(queue.offer(3, delta), Offer::Taken);
    assert_eq!(queue.signal(), FlowSignal::Drop, "there is room, but what it depends on is gone");
    assert_eq!(queue.offer(4, key), Offer::Taken);
    assert_eq!(queue.iter().map(|it| *it.0).collect::<Vec<_>>(), [1, 4]);
    assert_ne!(queue.signal(), FlowSignal::Drop);
}

#[test]
fn a_ring_loses_whole_groups_of_coded_packets() {
    let (key, delta) = (coded(true), coded(false));
    check(FlowPolicy::RingBuffer, Limits::items(4), &[key, delta, delta, key, delta], &[3, 4], (3, 0));
    check(FlowPolicy::RingBuffer, Limits::items(2), &[key, delta, delta, delta, key], &[4], (4, 0));
}

#[test]
fn busy_lasts_from_the_high_mark_down_to_the_low_one() {
    let mut queue = Queue::new(FlowPolicy::Block, Limits::items(10));
    let mut signals = Vec::new();
    for item in 0..10 {
        assert_eq!(queue.offer(item, frame(item)), Offer::Taken);
        signals.push(queue.signal() == FlowSignal::Busy);
    }
    assert_eq!(signals, [false, false, false, false, false, false, false, true, true, true]);
    signals.clear();
    while queue.take().is_some() {
        signals.push(queue.signal() == FlowSignal::Busy);
    }
    assert_eq!(signals, [true, true, true, true, true, true, true, false, false, false]);
}

#[test]
fn a_break_of_the_timeline_is_not_media_that_waits() {
    let mut queue = Queue::new(FlowPolicy::Block, Limits { span: Duration::from_secs(1), ..Limits::items(9) });
    for ms in [0, 40, 5_000_000, 5_000_040, 80] {
        assert_eq!(queue.offer((), frame(ms)), Offer::Taken);
    }
    assert_eq!(queue.level().span, Duration::from_millis(80));
}

#[test]
fn over_the_limit_there_is_still_a_limit() {
    let mut queue = Queue::new(FlowPolicy::Block, Limits::items(3));
    let taken = (0..100).filter(|it| queue.offer_over_limit(*it, frame(*it)) == Offer::Taken).count();
    assert_eq!(taken, 12);
    assert_eq!(queue.offer(100, frame(100)), Offer::Refused(100));
}

#[test]
fn a_cleared_queue_is_as_new_but_remembers_its_statistics() {
    let mut queue = Queue::new(FlowPolicy::Drop, Limits::items(1));
    for item in 0..3 {
        assert_eq!(queue.offer(item, coded(item == 0)), Offer::Taken);
    }
    queue.clear();
    assert_eq!((queue.len(), queue.level(), queue.signal()), (0, Level::default(), FlowSignal::Ok));
    assert_eq!(queue.offer(9, coded(false)), Offer::Taken);
    assert_eq!(queue.take(), Some(9));
    assert_eq!((queue.stats().accepted, queue.stats().dropped, queue.stats().high_water), (2, 2, 1));
}

#[derive(Debug, Clone)]
enum Op {
    Offer(ItemMeta),
    OverLimit(ItemMeta),
    Take,
    Clear,
}

fn meta() -> impl Strategy<Value = ItemMeta> {
    let time = proptest::option::of(-50_000_000_000i64..50_000_000_000);
    (0usize..40, time, 0u64..3_000, any::<bool>(), prop::bool::weighted(0.8)).prop_map(
        |(bytes, time, ms, keyframe, droppable)| ItemMeta {
            bytes,
            media_time: time.map(MediaTime::from_nanos),
            duration: Duration::from_millis(ms),
            keyframe,
            droppable,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => meta().prop_map(Op::Offer),
        1 => meta().prop_map(Op::OverLimit),
        5 => Just(Op::Take),
        1 => Just(Op::Clear),
    ]
}

fn policy() -> impl Strategy<Value = FlowPolicy> {
    prop::sample::select(vec![FlowPolicy::Block, FlowPolicy::Drop, FlowPolicy::RingBuffer])
}

proptest! {
    /// Order kept, events never lost, nothing lost unaccounted, limits held (but for one item), no item in the queue that
    /// lost its keyframe under `Drop`, the level exact.
    #[test]
    fn whatever_happens_the_books_balance(policy in policy(), ops in prop::collection::vec(op(), 1..120)) {
        let limits = Limits { items: 5, bytes: 60, span: Duration::from_secs(4) };
        let mut queue = Queue::new(policy, limits);
        let (mut offered, mut taken, mut cleared, mut events_in, mut events_out) = (0u64, 0u64, 0u64, 0u64, 0u64);
        let mut last = None;
        let mut over = false;
        for op in ops {
            match op {
                Op::Offer(meta) | Op::OverLimit(meta) => {
                    let normal = matches!(op, Op::Offer(_));
                    let before = queue.level();
                    let refused_before = queue.stats().refused;
                    let answer =
                        if normal { queue.offer(offered, meta) } else { queue.offer_over_limit(offered, meta) };
                    let refused = answer != Offer::Taken;
                    prop_assert_eq!(queue.stats().refused - refused_before, u64::from(refused));
                    prop_assert!(!refused || (policy == FlowPolicy::Block && meta.droppable && before.items > 0));
                    offered += 1;
                    over = over || !normal;
                    events_in += u64::from(!meta.droppable);
                }
                Op::Take => {
                    let droppable = queue.peek().map(|it| it.1.droppable);
                    if let Some(item) = queue.take() {
                        prop_assert!(last.is_none_or(|last| last < item), "order");
                        last = Some(item);
                        taken += 1;
                        events_out += u64::from(droppable == Some(false));
                    }
                }
                Op::Clear => {
                    cleared += queue.len() as u64;
                    events_out += queue.iter().filter(|it| !it.1.droppable).count() as u64;
                    queue.clear();
                    over = false;
                }
            }
            let (stats, level) = (queue.stats(), queue.level());
            prop_assert_eq!(offered, taken + cleared + stats.dropped + stats.refused + queue.len() as u64);
            let events = queue.iter().filter(|it| !it.1.droppable).count() as u64;
            prop_assert_eq!(events_in, events_out + events);
            prop_assert_eq!(level.items, queue.len() - events as usize);
            let bytes: usize = queue.iter().filter(|it| it.1.droppable).map(|it| it.1.bytes).sum();
            prop_assert_eq!(level.bytes, bytes);
            if !over && level.items > 1 {
                prop_assert!(level.items <= limits.items && level.bytes <= limits.bytes && level.span <= limits.span);
            }
            if level.items == 0 {
                prop_assert_eq!(level.span, Duration::ZERO);
            }
        }
    }
}
