//! The software decoder passes the suite, alone and with another machine's costs around it.
use std::sync::Arc;

use lucarne::backend::headless::display_clock::ManualClock;
use lucarne::backend::inject::costs::Costs;
use lucarne::backend::inject::decoder::CostlyDecoderFactory;
use lucarne::backend::software::factory::SoftwareDecoderFactory;
use lucarne::base::packet::{Packet, Track};
use lucarne::base::stream::VideoStream;
use lucarne::base::time::MonoTime;
use lucarne::seam::clock::{AdvanceClock, Clock};
use lucarne::seam::demuxer::Demuxed;
use lucarne::seam::wait::Waitable;

use crate::decoder_suite::{self, Case};
use crate::injected::small_costs;
use crate::{media, player};

/// A film's stream, packets and number of pictures.
pub fn film(name: &str) -> (VideoStream, Vec<Packet>, usize) {
    let path = media::film(name);
    let mut demuxer = player::open(&path);
    let stream = demuxer.info().video.clone().expect("pictures");
    let mut packets = Vec::new();
    while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
        assert_eq!(it.track, Track::Video);
        packets.push(it);
    }
    (stream, packets, media::frames_by_ffprobe(&path) as usize)
}

#[test]
fn the_software_decoder_passes_the_suite() {
    for name in ["h264.mp4", "open-gop.mp4", "hevc.mkv", "vp9.webm", "av1.mp4", "mpeg2.ts", "mjpeg.avi"] {
        let (stream, packets, frames) = film(name);
        let wait = &|_: Waitable<'_>| panic!("it answers at once");
        for threads in [1, 3] {
            let factory = SoftwareDecoderFactory { threads, memory: None };
            let case = Case { name, stream: &stream, packets: &packets, frames, wait };
            decoder_suite::decoder_conformance(&factory, &case);
        }
    }
}

#[test]
fn a_decoder_with_injected_costs_passes_the_suite() {
    for (name, costs) in [("h264.mp4", Costs::default()), ("h264.mp4", small_costs()), ("vp9.webm", small_costs())] {
        let (stream, packets, frames) = film(name);
        let clock = ManualClock::new(MonoTime::from_nanos(1_000_000_000));
        let is_free = costs == Costs::default();
        let inner = Arc::new(SoftwareDecoderFactory::default());
        let factory = CostlyDecoderFactory::new(inner, Arc::new(costs), Arc::new(clock.clone()));
        let wait = |it: Waitable<'_>| match it {
            Waitable::Every(it) => clock.advance_to(clock.now() + it),
            _ => panic!("it says when to ask again"),
        };
        let case = Case { name, stream: &stream, packets: &packets, frames, wait: &wait };
        decoder_suite::decoder_conformance(&factory, &case);
        assert_eq!(clock.now() == MonoTime::from_nanos(1_000_000_000), is_free, "{name}: what costs takes time");
    }
}
