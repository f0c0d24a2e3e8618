//! The rig's codec itself, tried by the kernel's own client: what the cases of the player rely on.
use std::fs;
use std::path::PathBuf;

use crate::case::{Bench, Case};
use crate::media::h264::{self, FILMS, Film};
use crate::rig::{Ability, Codec};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "codec::the_films_are_what_they_are_said_to_be", needs: &[], run: the_films },
    Case { name: "codec::every_frame_is_right", needs: &[Ability::Codec], run: every_frame_is_right },
    Case {
        name: "codec::strict_it_keeps_to_the_specification",
        needs: &[Ability::CodecCharacter],
        run: strict_it_keeps_to_the_specification,
    },
    Case {
        name: "codec::it_fails_when_it_is_told_to",
        needs: &[Ability::CodecCharacter],
        run: it_fails_when_it_is_told_to,
    },
    Case {
        name: "codec::it_is_there_when_asked_for",
        needs: &[Ability::CodecCharacter],
        run: it_is_there_when_asked_for,
    },
    Case { name: "codec::vicodec_has_one_plane_or_several", needs: &[Ability::Vicodec], run: vicodec_planes },
];

/// The client's lines: it decodes `NAME.hdr` and prints the MD5 of all frames. It is killed if it hangs, for it waits
/// without end. It sets no size, because it waits for a source change, which only then is sure to come.
fn decode(film: &Film) -> String {
    let name = film.name;
    format!(
        "timeout -s KILL 60 v4l2-ctl -d /dev/video10 -x pixelformat=H264,sizeimage=2097152 -v pixelformat=YU12 \
         --stream-mmap=8 --stream-out-mmap=4 --stream-from-hdr {name}.hdr --stream-to /tmp/frames >{name}.log 2>&1 \
         || echo ended with $? >>{name}.log; md5sum /tmp/frames; rm /tmp/frames"
    )
}

/// The film as v4l2-ctl reads it: each access unit behind its mark and its length.
fn client_file(bench: &Bench<'_>, film: &Film) -> PathBuf {
    let units = film.access_units();
    assert_eq!(units.len() as u32, film.n_frames, "{}: access units", film.name);
    let head = |it: &Vec<u8>| [b"rdhV".as_slice(), &(it.len() as u32).to_be_bytes()].concat();
    let path = bench.path(&format!("{}.hdr", film.name));
    fs::write(&path, units.iter().flat_map(|it| [head(it), it.clone()].concat()).collect::<Vec<u8>>()).unwrap();
    path
}

/// Decodes films with a codec of this character and compares all frames with what ffmpeg decodes on this machine.
fn compare(bench: &Bench<'_>, codec: Codec, films: &[Film]) {
    let mut job = bench.job().codec(codec);
    for film in films {
        job = job.push(&client_file(bench, film), &format!("{}.hdr", film.name)).shell(&decode(film));
    }
    let end = bench.run(job).done();
    let got: Vec<&str> = end.stdout.lines().filter_map(|it| it.split(' ').next()).collect();
    assert_eq!(got.len(), films.len(), "{}", end.said());
    for (film, got) in films.iter().zip(got) {
        let log = end.text(&format!("{}.log", film.name));
        assert_eq!(got, h264::md5_of_frames(&film.path()), "{codec}, {}: {log}", film.name);
    }
}

/// What is special about each film is in it, whatever ffmpeg made it.
fn the_films(_bench: &Bench<'_>) {
    let film = |name: &str| FILMS.iter().find(|it| it.name == name).unwrap().path();
    let stream = |name: &str, entries: &str| h264::probed(&film(name), &format!("stream={entries}"))[0].clone();
    for it in FILMS {
        let (width, height) = it.size;
        assert_eq!(stream(it.name, "width,height"), format!("{width},{height}"), "{}", it.name);
        assert_eq!(h264::probed(&it.path(), "packet=pts").len() as u32, it.n_frames, "{}", it.name);
    }
    assert_eq!(stream("baseline", "profile"), "Constrained Baseline");
    assert_eq!(stream("interlaced", "field_order"), "tt");
    assert_eq!(stream("sample-aspect", "sample_aspect_ratio"), "16:11");
    assert_eq!(stream("bt709", "color_range,color_space"), "tv,bt709");
    assert_eq!(stream("full-range-bt601", "color_range,color_space"), "pc,smpte170m");
    assert_eq!(stream("b-pyramid", "has_b_frames"), "2");
    let pictures = h264::probed(&film("open-gop"), "frame=key_frame,pict_type");
    let second_key = pictures.iter().skip(1).position(|it| it.starts_with("1,")).unwrap();
    assert!(pictures[second_key].ends_with('B'), "nothing is shown before its key frame: {pictures:?}");
    let packets = h264::probed(&film("large-frames"), "packet=size,flags");
    let keys: Vec<&String> = packets.iter().filter(|it| it.contains('K')).collect();
    let size = |it: &str| it.split(',').next().and_then(|it| it.parse::<usize>().ok()).unwrap();
    assert!(keys.len() > 1 && keys.iter().all(|it| size(it) > 768 << 10), "{packets:?}");
    let (n_frames, _) = h264::SIZE_CHANGES;
    for changes in h264::size_changes() {
        let sizes = h264::probed(&changes, "frame=width,height");
        let mut parts = sizes.clone();
        parts.dedup();
        assert_eq!((sizes.len() as u32, parts.len()), (n_frames, 4), "{}: {parts:?}", changes.display());
    }
    assert_eq!(h264::probed(&h264::with_sound(2), "packet=pts").len(), 120);
}

fn every_frame_is_right(bench: &Bench<'_>) {
    compare(bench, Codec::PI, FILMS);
    for codec in Codec::ALL {
        compare(bench, codec, &FILMS[..1]);
    }
}

fn strict_it_keeps_to_the_specification(bench: &Bench<'_>) {
    compare(bench, Codec::Strict, FILMS);
    let job = bench.job().codec(Codec::Strict).shell("v4l2-compliance -d /dev/video10 >compliance || true");
    let end = bench.run(job).done();
    let said = end.text("compliance");
    let failed: Vec<&str> = said.lines().filter(|it| it.trim_end().ends_with(": FAIL")).collect();
    assert!(said.contains("Total for bcm2835-codec device /dev/video10"), "{said}");
    // The kernel's own vicodec fails this one too.
    assert!(failed.iter().all(|it| it.contains("VIDIOC_REQBUFS/CREATE_BUFS/QUERYBUF")), "{said}");
}

fn it_fails_when_it_is_told_to(bench: &Bench<'_>) {
    let film = &FILMS[0];
    let file = client_file(bench, film);
    let tried = |parameter: &str, value| {
        let job = bench.job().codec(Codec::PI).codec_parameter(parameter, value);
        let end = bench.run(job.push(&file, &format!("{}.hdr", film.name)).shell(&decode(film))).done();
        end.text(&format!("{}.log", film.name))
    };
    let log = tried("error_after", 20);
    assert!(log.contains("Input/output error"), "it did not fail: {log}");
    let log = tried("stall_after", 20);
    assert!(log.contains("STOP DECODER") && !log.contains("EOS EVENT"), "it did not stall: {log}");
    let log = tried("stall_after", 0);
    assert!(log.contains("EOS EVENT"), "it stalls without being told to: {log}");
}

fn it_is_there_when_asked_for(bench: &Bench<'_>) {
    let names = "cat /sys/class/video4linux/video1[01]/name";
    let nodes = "ls /sys/class/video4linux";
    let without = bench.run(bench.job().shell(&format!("{nodes}; ls /dev/codec-firmware || echo none"))).done();
    assert!(without.stdout.contains("none"), "{}", without.stdout);
    let driver = "/sys/bus/platform/drivers/bcm2835-codec";
    let job = bench
        .job()
        .codec(Codec::PI)
        .shell(&format!("{names}; {nodes} >nodes"))
        .shell(&format!("echo bcm2835-codec >{driver}/unbind; {names} 2>/dev/null || echo gone"))
        .shell(&format!("echo bcm2835-codec >{driver}/bind; {names}"));
    let end = bench.run(job).done();
    let seen: Vec<&str> = end.stdout.lines().collect();
    let [decode, encode] = ["bcm2835-codec-decode", "bcm2835-codec-encode"];
    assert_eq!(seen, [decode, encode, "gone", decode, encode]);
    // The other nodes are where they are without it.
    let with = end.text("nodes");
    let others: Vec<&str> = with.lines().filter(|it| !["video10", "video11"].contains(it)).collect();
    let before: Vec<&str> = without.stdout.lines().filter(|it| *it != "none").collect();
    assert_eq!(others, before);
}

fn vicodec_planes(bench: &Bench<'_>) {
    let look = "cd /sys/class/video4linux; for it in *; do case $(cat $it/name) in stateful-decoder*) \
                v4l2-ctl -d /dev/$it -D | grep 'Video Memory-to-Memory' | head -n 1;; esac; done";
    let several = bench.run(bench.job().shell(look)).done().stdout;
    assert_eq!(several.trim(), "Video Memory-to-Memory Multiplanar");
    let one = bench.run(bench.job().single_planar().shell(look)).done().stdout;
    assert_eq!(one.trim(), "Video Memory-to-Memory");
}
