//! The bitstream filters that hardware decoders need.
use lucarne::backend::software::factory::SoftwareDecoderFactory;
use lucarne::base::stream::{CodecParameters, VideoStream};
use lucarne::seam::decoder::DecoderFactory;
use lucarne::seam::demuxer::Demuxed;
use lucarne::sys::ffmpeg::{BitstreamFilter, Parameters};

use crate::media;
use crate::player::{self, Played};

fn filter_for(stream: &VideoStream) -> Option<BitstreamFilter> {
    let native = stream.parameters.native.as_ref().expect("FFmpeg's own");
    let parameters = native.as_any().downcast_ref::<Parameters>().expect("FFmpeg's own");
    BitstreamFilter::to_annex_b(parameters).expect("FFmpeg has the filters")
}

#[test]
fn filtered_packets_decode_alone_to_the_same_pictures() {
    for name in ["h264.mp4", "open-gop.mkv", "hevc.mp4", "hevc.mkv", "h264.ts"] {
        let path = media::film(name);
        let want = player::play(&path, 1);
        let mut demuxer = player::open(&path);
        let stream = demuxer.info().video.clone().expect("pictures");
        let mut filter = filter_for(&stream).expect("H.264 and HEVC have one");
        // Nothing out of band: the parameter sets must be in the packets.
        let bare = CodecParameters { extra: [].into(), native: None, ..stream.parameters.clone() };
        let mut decoder =
            SoftwareDecoderFactory::default().open(&VideoStream { parameters: bare, ..stream }).expect("it opens");
        let mut got = Played::default();
        while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
            filter.submit(&it).expect("it takes it");
            while let Some(filtered) = filter.poll().expect("sound data") {
                assert_eq!((filtered.pts, filtered.keyframe, filtered.lap), (it.pts, it.keyframe, it.lap), "{name}");
                assert!(filtered.data.bytes().starts_with(&[0, 0, 0, 1]), "{name}: a start code");
                player::feed(decoder.as_mut(), filtered, &mut got);
            }
        }
        decoder.drain().expect("it drains");
        player::take(decoder.as_mut(), &mut got);
        let pixels = |it: &Played| it.frames.iter().map(|it| (it.pts, it.crc)).collect::<Vec<_>>();
        assert_eq!(pixels(&got), pixels(&want), "{name}");
    }
}

#[test]
fn other_codecs_need_no_filter() {
    let demuxer = player::open(&media::film("vp9.webm"));
    assert!(filter_for(demuxer.info().video.as_ref().expect("pictures")).is_none());
}

#[test]
fn a_flushed_filter_puts_the_parameter_sets_first_again() {
    let mut demuxer = player::open(&media::film("h264.mp4"));
    let mut filter = filter_for(demuxer.info().video.as_ref().expect("pictures")).expect("H.264 has one");
    for _ in 0..2 {
        let Demuxed::Packet(it) = demuxer.read().expect("it can be read") else { panic!("a first packet") };
        filter.submit(&it).expect("it takes it");
        let filtered = filter.poll().expect("sound data").expect("one for one");
        // NAL unit type 7 is a sequence parameter set, 5 a slice of a keyframe.
        let units: Vec<_> =
            filtered.data.bytes().windows(4).filter(|it| it[..3] == [0, 0, 1]).map(|it| it[3] & 0x1f).collect();
        let place = |kind| units.iter().position(|it| *it == kind).expect("there is one");
        assert!(place(7) < place(5), "{units:?}");
        assert!(filter.poll().expect("sound data").is_none());
        filter.flush();
        demuxer.rewind().expect("it can be rewound");
    }
}
