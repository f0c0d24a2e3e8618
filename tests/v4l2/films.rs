//! H.264 in files, and what the software decoder makes of them.
use std::path::{Path, PathBuf};
use std::time::Duration;

use lucarne::backend::software::demuxer::FfmpegDemuxerFactory;
use lucarne::backend::software::factory::SoftwareDecoderFactory;
use lucarne::base::cancel::Cancel;
use lucarne::base::packet::{Packet, Track};
use lucarne::base::stream::VideoStream;
use lucarne::seam::decoder::{DecodeEvent, DecoderFactory};
use lucarne::seam::demuxer::{Demuxed, DemuxerFactory, OpenOptions};

use crate::play::{self, Shown};

/// A film: its stream, its packets, and every picture of the software decoder.
pub struct Film {
    pub name: String,
    pub stream: VideoStream,
    pub packets: Vec<Packet>,
    pub pictures: Vec<Shown>,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new("media").read_dir().into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = folder.map(|it| it.path()).collect();
    all.sort();
    all
}

pub fn read(path: &Path) -> Film {
    let options = OpenOptions { timeout: Duration::from_secs(10), without_audio: true, cancel: Cancel::new() };
    let mut demuxer = FfmpegDemuxerFactory.open(path.to_str().unwrap(), &options).unwrap();
    let stream = demuxer.info().video.clone().unwrap();
    let mut packets = Vec::new();
    while let Demuxed::Packet(it) = demuxer.read().unwrap() {
        if it.track == Track::Video {
            packets.push(it);
        }
    }
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let pictures = software(&stream, &packets);
    Film { name, stream, packets, pictures }
}

/// All pictures of the software decoder.
pub fn software(stream: &VideoStream, packets: &[Packet]) -> Vec<Shown> {
    let mut decoder = SoftwareDecoderFactory { threads: 1, memory: None }.open(stream).unwrap();
    let mut all = Vec::new();
    let mut take = |decoder: &mut dyn lucarne::seam::decoder::Decoder| {
        while let Some(event) = decoder.poll().unwrap() {
            match event {
                DecodeEvent::Frame(it) => all.push(play::shown(&it)),
                DecodeEvent::Drained => return,
                _ => {}
            }
        }
    };
    for packet in packets {
        assert!(matches!(decoder.submit(packet.clone()), Ok(lucarne::base::offer::Offer::Taken)));
        take(decoder.as_mut());
    }
    decoder.drain().unwrap();
    take(decoder.as_mut());
    all
}

/// The films in the `media` folder whose names have one of these words; all, where there are none.
pub fn named(words: &[&str]) -> Vec<Film> {
    let is_wanted = |path: &&PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        words.is_empty() || words.iter().any(|it| name.contains(it))
    };
    files().iter().filter(is_wanted).map(|it| read(it)).collect()
}
