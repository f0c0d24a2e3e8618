//! Injected costs on real files: when frames come out, and how long opening takes.
use std::sync::Arc;
use std::time::{Duration, Instant};

use lucarne::backend::headless::display_clock::ManualClock;
use lucarne::backend::inject::costs::{Cost, Costs};
use lucarne::backend::inject::decoder::CostlyDecoderFactory;
use lucarne::backend::inject::demuxer::CostlyDemuxerFactory;
use lucarne::backend::software::demuxer::FfmpegDemuxerFactory;
use lucarne::backend::software::factory::SoftwareDecoderFactory;
use lucarne::base::offer::Offer;
use lucarne::base::time::MonoTime;
use lucarne::seam::clock::{AdvanceClock, Clock};
use lucarne::seam::decoder::{DecodeEvent, Decoder, DecoderFactory};
use lucarne::seam::demuxer::{DemuxError, Demuxed, DemuxerFactory};
use lucarne::seam::wait::Waitable;

use crate::conformance::film;
use crate::{media, player};

const DECODE: Duration = Duration::from_millis(12);
const FIRST: Duration = Duration::from_millis(120);

fn fixed(mean: Duration) -> Cost {
    Cost { mean, jitter: Duration::ZERO }
}

/// Everything costs a little, and some of it now more, now less.
pub fn small_costs() -> Costs {
    let cost = Cost { mean: Duration::from_micros(40), jitter: Duration::from_micros(20) };
    let first_frame = fixed(Duration::from_micros(400));
    Costs {
        open: cost,
        seek: cost,
        first_frame,
        decode: cost,
        import: cost,
        draw: cost,
        commit: cost,
        ..Costs::default()
    }
}

/// A decoder for `h264.mp4` on a clock at 0 that needs 120 ms to start and 12 ms a frame.
fn decoder(clock: &ManualClock) -> (Box<dyn Decoder>, Vec<lucarne::base::packet::Packet>) {
    let (stream, packets, _) = film("h264.mp4");
    let costs = Costs { first_frame: fixed(FIRST), decode: fixed(DECODE), ..Costs::default() };
    // One thread: the inner decoder answers each packet at once.
    let inner = Arc::new(SoftwareDecoderFactory { threads: 1, memory: None });
    let factory = CostlyDecoderFactory::new(inner, Arc::new(costs), Arc::new(clock.clone()));
    (factory.open(&stream).expect("it opens"), packets)
}

/// Times at which frames came out, for a caller who takes each at once.
fn run(clock: &ManualClock, decoder: &mut dyn Decoder, packets: &[lucarne::base::packet::Packet]) -> Vec<MonoTime> {
    let mut out = Vec::new();
    let mut packets = packets.iter().cloned();
    let mut refused = None;
    let mut drained = false;
    loop {
        match decoder.poll().expect("sound data") {
            Some(DecodeEvent::Frame(_)) => out.push(clock.now()),
            Some(DecodeEvent::FormatChanged(_) | DecodeEvent::Retiring) => {}
            Some(DecodeEvent::Drained) => return out,
            None => {
                if let Some(packet) = refused.take().or_else(|| packets.next())
                    && let Offer::Refused(it) = decoder.submit(packet).expect("sound data")
                {
                    refused = Some(it);
                } else if refused.is_none() && packets.len() == 0 && !std::mem::replace(&mut drained, true) {
                    decoder.drain().expect("it drains");
                }
                if let Waitable::Every(it) = decoder.waitable() {
                    clock.advance_to(clock.now() + it);
                }
            }
        }
    }
}

#[test]
fn frames_come_one_after_the_other_at_the_decoders_pace() {
    let clock = ManualClock::default();
    let (mut decoder, packets) = decoder(&clock);
    let out = run(&clock, decoder.as_mut(), &packets);
    assert_eq!(out.len(), 30);
    assert_eq!(out[0], MonoTime::ZERO + FIRST + DECODE);
    assert!(out.windows(2).all(|it| it[1].saturating_since(it[0]) == DECODE), "{out:?}");
}

#[test]
fn a_decoder_works_on_while_its_frames_wait() {
    let clock = ManualClock::default();
    let (mut decoder, packets) = decoder(&clock);
    // What the same packets give without costs: a decoder keeps some back to put them in order.
    let mut plain = SoftwareDecoderFactory { threads: 1, memory: None }.open(&film("h264.mp4").0).expect("it opens");
    let mut given = 0;
    for packet in packets {
        if let Offer::Refused(_) = decoder.submit(packet.clone()).expect("sound data") {
            break;
        }
        assert!(matches!(plain.submit(packet).expect("sound data"), Offer::Taken));
        given += 1;
        let _format = decoder.poll().expect("sound data");
    }
    assert!(given > 1, "it takes packets while a frame is on its way, took {given}");
    let held = decoder.poll().expect("sound data");
    assert!(held.is_none(), "nothing yet: {held:?}");
    clock.advance_to(MonoTime::from_nanos(1_000_000_000));
    let frames = |decoder: &mut dyn Decoder| {
        let events = std::iter::from_fn(|| decoder.poll().expect("sound data"));
        events.filter(|it| matches!(it, DecodeEvent::Frame(_))).count()
    };
    let (frames, of) = (frames(decoder.as_mut()), frames(plain.as_mut()));
    assert!(0 < of && frames == of, "what it had packets for is ready: {frames} of {of} from {given} packets");
}

#[test]
fn opening_and_rewinding_take_their_time_and_can_be_given_up() {
    let path = media::film("h264.mp4");
    let path = path.to_str().expect("UTF-8");
    let (open, seek) = (Duration::from_millis(20), Duration::from_millis(10));
    let costs = Costs { open: fixed(open), seek: fixed(seek), ..Costs::default() };
    let factory = CostlyDemuxerFactory::new(Arc::new(FfmpegDemuxerFactory), Arc::new(costs));
    let begun = Instant::now();
    let mut demuxer = factory.open(path, &player::options()).expect("it opens");
    assert!(open <= begun.elapsed());
    let mut count = || {
        let mut packets = 0;
        while let Demuxed::Packet(_) = demuxer.read().expect("it can be read") {
            packets += 1;
        }
        let begun = Instant::now();
        demuxer.rewind().expect("it is a file");
        assert!(seek <= begun.elapsed());
        packets
    };
    assert_eq!([count(), count()], [30, 30]);

    let mut options = player::options();
    options.timeout = Duration::from_millis(5);
    let error = factory.open(path, &options).err();
    assert!(matches!(error, Some(DemuxError::TimedOut { after, .. }) if after == options.timeout), "{error:?}");
    options.cancel.cancel();
    let error = factory.open(path, &options).err();
    assert!(matches!(error, Some(DemuxError::Cancelled { .. })), "{error:?}");
}
