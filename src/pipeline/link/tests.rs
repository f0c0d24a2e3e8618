//! The link: who is woken when, and that nothing is lost between two threads.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::base::offer::{FlowPolicy, FlowSignal, Offer};
use crate::base::time::MediaTime;
use crate::logic::flow::{ItemMeta, Limits};
use crate::pipeline::link::Link;
use crate::pipeline::runner::Bell;
use crate::seam::wait::Wake;

#[derive(Default)]
struct Count(AtomicUsize);
impl Wake for Count {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
impl Count {
    fn so_far(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn meta(ms: i64) -> ItemMeta {
    ItemMeta::frame(MediaTime::from_nanos(ms * 1_000_000), Duration::ZERO, 1)
}

#[test]
fn a_taken_offer_wakes_the_consumer_and_a_take_the_producer() {
    let link = Link::new(FlowPolicy::Block, Limits::items(1));
    let (consumer, producer) = (Arc::new(Count::default()), Arc::new(Count::default()));
    link.set_consumer(consumer.clone());
    link.set_producer(producer.clone());
    assert_eq!(link.offer(1, meta(1)), (Offer::Taken, FlowSignal::Busy));
    assert_eq!(link.offer(2, meta(2)), (Offer::Refused(2), FlowSignal::Busy));
    assert_eq!((consumer.so_far(), producer.so_far()), (1, 0), "a refused offer changes nothing");
    assert_eq!((link.take(), link.take()), (Some(1), None));
    assert_eq!((consumer.so_far(), producer.so_far()), (1, 1), "an empty queue has no news");
    link.clear();
    assert_eq!(producer.so_far(), 2);
}

#[test]
fn a_closed_link_gives_what_it_has_and_takes_no_more() {
    let link = Link::new(FlowPolicy::Block, Limits::items(4));
    let (consumer, producer) = (Arc::new(Count::default()), Arc::new(Count::default()));
    link.set_consumer(consumer.clone());
    link.set_producer(producer.clone());
    assert_eq!(link.offer(1, meta(1)).0, Offer::Taken);
    link.close();
    assert_eq!((consumer.so_far(), producer.so_far()), (2, 1), "both hear of the end");
    assert_eq!(link.offer(2, ItemMeta::event()), (Offer::Refused(2), FlowSignal::Eos));
    assert_eq!((link.take(), link.take(), link.is_closed()), (Some(1), None, true));
}

#[test]
fn the_queued_times_can_be_looked_at_without_taking() {
    let link = Link::new(FlowPolicy::Block, Limits::items(4));
    for ms in [10, 20, 30] {
        assert_eq!(link.offer((), meta(ms)).0, Offer::Taken);
    }
    let mut times = [MediaTime::ZERO; 2];
    link.with_queue(|queue| {
        for (slot, (_, meta)) in times.iter_mut().zip(queue.iter()) {
            *slot = meta.media_time.unwrap();
        }
    });
    assert_eq!(times, [meta(10), meta(20)].map(|it| it.media_time.unwrap()));
    assert_eq!(link.level().items, 3);
}

#[test]
fn two_threads_pass_everything_in_order_without_missing_a_wake() {
    const ITEMS: u32 = 20_000;
    let link = Link::new(FlowPolicy::Block, Limits::items(3));
    let (consumer, producer) = (Arc::new(Bell::new()), Arc::new(Bell::new()));
    link.set_consumer(consumer.clone());
    link.set_producer(producer.clone());
    let theirs = link.clone();
    let source = std::thread::spawn(move || {
        for item in 0..ITEMS {
            let mut pending = item;
            while let (Offer::Refused(back), _) = theirs.offer(pending, meta(i64::from(item))) {
                pending = back;
                assert!(producer.wait(Some(Duration::from_secs(20))), "a wake was lost");
            }
        }
        theirs.close();
    });
    let mut next = 0;
    while next < ITEMS {
        match link.take() {
            Some(item) => {
                assert_eq!(item, next);
                next += 1;
            }
            None => assert!(consumer.wait(Some(Duration::from_secs(20))), "a wake was lost"),
        }
    }
    source.join().unwrap();
    assert_eq!((link.take(), link.stats().accepted), (None, u64::from(ITEMS)));
}
