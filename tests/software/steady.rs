//! Once warm, a loop allocates nothing of ours.
use std::path::Path;

use lucarne::base::offer::Offer;
use lucarne::base::packet::Packet;
use lucarne::seam::decoder::{DecodeEvent, Decoder};
use lucarne::seam::demuxer::{Demuxed, Demuxer};
use lucarne::sys::alloc::thread_allocations;

use crate::{media, player};

/// One turn of a loop; answers the pictures in it. Three are held back at any time, as a queue does.
fn turn(demuxer: &mut dyn Demuxer, decoder: &mut dyn Decoder) -> usize {
    let mut held = [None, None, None];
    let mut pictures = 0;
    let mut take = |decoder: &mut dyn Decoder| {
        while let Some(event) = decoder.poll().expect("sound data") {
            match event {
                DecodeEvent::Frame(it) => {
                    held[pictures % 3] = Some(it);
                    pictures += 1;
                }
                DecodeEvent::FormatChanged(_) | DecodeEvent::Retiring => {}
                DecodeEvent::Drained => break,
            }
        }
    };
    while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
        let mut packet: Packet = it;
        while let Offer::Refused(it) = decoder.submit(packet).expect("sound data") {
            packet = it;
            take(decoder);
        }
        take(decoder);
    }
    decoder.drain().expect("it drains");
    take(decoder);
    decoder.flush().expect("it flushes");
    demuxer.rewind().expect("it can be rewound");
    pictures
}

fn check(name: &str, path: &Path) {
    let mut demuxer = player::open(path);
    let mut decoder = player::decoder_for(demuxer.as_ref());
    for _ in 0..3 {
        turn(demuxer.as_mut(), decoder.as_mut());
    }
    let before = thread_allocations();
    let pictures: usize = (0..5).map(|_| turn(demuxer.as_mut(), decoder.as_mut())).sum();
    let allocations = thread_allocations() - before;
    assert!(pictures >= 100, "{name}: {pictures}");
    assert_eq!(allocations, 0, "{name}: over {pictures} pictures");
}

#[test]
fn a_warm_loop_allocates_nothing() {
    for name in ["h264.mp4", "open-gop.ts", "hevc.mkv", "vp9.webm", "mjpeg.avi"] {
        check(name, &media::film(name));
    }
    check("interlaced", &media::interlaced());
    let converted = media::silent("converted.nut", media::PICTURE, &["rawvideo", "-pix_fmt", "yuv410p"]);
    check("converted", &converted);
}
