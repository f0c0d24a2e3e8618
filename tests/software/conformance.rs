//! The software decoder passes the suite.
use lucarne::backend::software::decoder::SoftwareDecoderFactory;
use lucarne::base::packet::Track;
use lucarne::seam::demuxer::Demuxed;

use crate::decoder_suite::{self, Case};
use crate::{media, player};

#[test]
fn the_software_decoder_passes_the_suite() {
    for name in ["h264.mp4", "open-gop.mp4", "hevc.mkv", "vp9.webm", "av1.mp4", "mpeg2.ts", "mjpeg.avi"] {
        let path = media::film(name);
        let mut demuxer = player::open(&path);
        let stream = demuxer.info().video.clone().expect("pictures");
        let mut packets = Vec::new();
        while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
            assert_eq!(it.track, Track::Video);
            packets.push(it);
        }
        let frames = media::frames_by_ffprobe(&path) as usize;
        for threads in [1, 3] {
            let factory = SoftwareDecoderFactory { threads };
            decoder_suite::decoder_conformance(&factory, &Case { name, stream: &stream, packets: &packets, frames });
        }
    }
}
