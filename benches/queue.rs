//! The link between two threads against the standard library's bounded channel, and what one decision of the player
//! costs.
use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use lucarne::base::offer::{FlowPolicy, Offer};
use lucarne::base::time::{MediaTime, MonoTime};
use lucarne::logic::flow::{ItemMeta, Limits};
use lucarne::logic::playsync::{PlaySync, VblankQuery, Verdict};
use lucarne::pipeline::link::Link;
use lucarne::pipeline::runner::Bell;

mod support;
use support::{in_turns, medians, say};

/// Items sent in one run: a tenth of a second or so.
const ITEMS: u64 = 100_000;
/// Pairs of runs; odd, so that there is a middle one.
const TURNS: usize = 9;
/// As large as a frame without its pixels.
type Item = [u64; 16];

fn item(number: u64) -> Item {
    [number; 16]
}

/// All items through a link, with the bells that its threads wait on.
fn through_link(depth: usize) {
    let link: Link<Item> = Link::new(FlowPolicy::Block, Limits::items(depth));
    let (producer, consumer) = (Arc::new(Bell::new()), Arc::new(Bell::new()));
    link.set_producer(producer.clone());
    link.set_consumer(consumer.clone());
    std::thread::scope(|scope| {
        let from = link.clone();
        scope.spawn(move || {
            let mut next = 0;
            while next < ITEMS {
                match from.take() {
                    Some(it) => {
                        assert_eq!(it[0], next);
                        next += 1;
                    }
                    None => {
                        consumer.wait(None);
                    }
                }
            }
        });
        for number in 0..ITEMS {
            let pts = MediaTime::from_nanos(number as i64);
            let meta = ItemMeta::frame(pts, Duration::from_nanos(1), 1);
            let mut it = item(number);
            while let Offer::Refused(back) = link.offer(it, meta).0 {
                it = back;
                producer.wait(None);
            }
        }
    });
}

/// The same through a channel.
fn through_channel(depth: usize) {
    let (to, from) = sync_channel::<Item>(depth);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for (number, it) in (0..ITEMS).zip(from) {
                assert_eq!(it[0], number);
            }
        });
        for number in 0..ITEMS {
            if to.send(item(number)).is_err() {
                return;
            }
        }
    });
}

fn queues() {
    say("queue: one item from thread to thread");
    for depth in [3, 64, 512] {
        let (link, channel) = medians(&in_turns(TURNS, || through_link(depth), || through_channel(depth)));
        let each = |nanos: f64| nanos / ITEMS as f64;
        let (link, channel) = (each(link), each(channel));
        let ratio = link / channel;
        say(&format!("  depth {depth}: link {link:.0} ns, sync_channel {channel:.0} ns, ratio {ratio:.2}"));
    }
}

/// A film at `rate` on a 60 Hz screen; answers decisions taken.
fn decisions(rate: u64, vblanks: u64) -> u64 {
    let refresh = Duration::from_nanos(16_666_667);
    let mut sync = PlaySync::new();
    let (mut asked, mut newest, mut on_screen) = (0, 0, None);
    let pts = |frame: u64| MediaTime::from_nanos((frame * 1_000_000_000 / rate) as i64);
    for index in 0..vblanks {
        let vblank = MonoTime::ZERO + refresh * index as u32;
        let at = VblankQuery { vblank, media: MediaTime::from_nanos(vblank.nanos() as i64), refresh };
        let queued = [pts(newest), pts(newest + 1), pts(newest + 2)];
        asked += 1;
        if let Verdict::Present { drop } = black_box(sync.decide(black_box(at), on_screen, black_box(&queued))) {
            newest += drop as u64 + 1;
            let shown = pts(newest - 1);
            sync.presented(shown, vblank);
            on_screen = Some(shown);
        }
    }
    asked
}

fn decide() {
    say("decide: which picture at the next vblank");
    for rate in [60, 25, 24] {
        let vblanks = 100_000;
        let run = || {
            black_box(decisions(rate, vblanks));
        };
        let (first, second) = medians(&in_turns(TURNS, run, run));
        let each = first.min(second) / vblanks as f64;
        say(&format!("  {rate} frames a second on 60 Hz: {each:.1} ns"));
    }
}

fn main() {
    queues();
    decide();
}
