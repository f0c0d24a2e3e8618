//! Every codec in every container: all of its frames, once, in order, as often as it is looped.
use crate::media::{self, FILMS};
use crate::player;

#[test]
fn every_film_gives_the_frames_ffprobe_counts() {
    for (name, source, codec) in FILMS {
        let path = media::silent(name, source, codec);
        let played = player::play(&path, 1);
        assert_eq!(played.frames.len() as u64, media::frames_by_ffprobe(&path), "{name}");
        assert_eq!(played.errors, [""; 0], "{name}");
        assert_eq!(played.formats.len(), 1, "{name}");
        assert!(played.frames.iter().all(|it| !it.corrupt), "{name}");
        let in_order = played.frames.windows(2).all(|it| it[0].pts < it[1].pts);
        assert!(in_order, "{name}: {:?}", played.frames.iter().map(|it| it.pts).collect::<Vec<_>>());
    }
}

#[test]
fn a_rewound_film_gives_exactly_the_same_packets() {
    for (name, source, codec) in FILMS {
        let mut demuxer = player::open(&media::silent(name, source, codec));
        let first = player::packets(demuxer.as_mut());
        assert!(first.len() >= 20, "{name}: {} packets", first.len());
        for _ in 0..2 {
            demuxer.rewind().expect("it can be rewound");
            let again = player::packets(demuxer.as_mut());
            assert_eq!(again, first, "{name}");
        }
    }
}

#[test]
fn a_looped_film_gives_exactly_the_same_frames_each_time() {
    for (name, source, codec) in FILMS {
        let played = player::play(&media::silent(name, source, codec), 3);
        assert_eq!(played.errors, [""; 0], "{name}");
        let first = played.lap(0);
        assert_eq!(played.lap(1), first, "{name}");
        assert_eq!(played.lap(2), first, "{name}");
        assert_eq!(played.frames.len(), 3 * first.len(), "{name}");
        assert_eq!(played.formats.len(), 1, "{name}: a loop changes no format");
    }
}
