//! What bad input gets: one error that says what, on what, why. Never a panic, never a hang.
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lucarne::backend::software::demuxer::FfmpegDemuxerFactory;
use lucarne::base::cancel::Cancel;
use lucarne::base::packet::{Packet, Track, VecData};
use lucarne::seam::demuxer::{DemuxError, Demuxed, DemuxerFactory, OpenOptions};

use crate::media;
use crate::player::{self, Played};

fn error_of(input: &str) -> DemuxError {
    match FfmpegDemuxerFactory.open(input, &player::options()) {
        Ok(it) => panic!("{input}: opened as {}", it.info().container),
        Err(it) => it,
    }
}

fn error_of_bytes(name: &str, bytes: &[u8]) -> DemuxError {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    error_of(path.to_str().expect("UTF-8"))
}

#[test]
fn what_is_no_media_is_not_played() {
    let noise: Vec<u8> = (0..100_000u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let text = "This is a shopping list.\n\x1b[31mEggs\x1b[0m, milk, ten metres of cable.\n".repeat(200);
    for (name, bytes) in [
        ("noise.mp4", noise.as_slice()),
        ("list.txt", text.as_bytes()),
        ("list.ans", text.as_bytes()),
        ("art.xb", b"XBIN\x1a\x50\x00\x19\x00\x10\x00".as_slice()),
        ("all.ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n".as_slice()),
        (
            "session.sdp",
            b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n".as_slice(),
        ),
        ("zeros.ts", &[0; 5000]),
    ] {
        let it = error_of_bytes(name, bytes);
        assert!(matches!(it, DemuxError::NotMedia { .. }), "{name}: {it:?}");
        assert!(it.to_string().contains(name), "{it}");
    }
}

#[test]
fn a_film_whose_index_is_missing_says_so() {
    let whole = std::fs::read(media::film("h264.mp4")).expect("read");
    let it = error_of_bytes("cut.mp4", &whole[..whole.len() / 2]);
    assert!(matches!(it, DemuxError::NotMedia { .. }), "{it:?}");
    assert!(it.to_string().contains("moov atom not found"), "{it}");
}

#[test]
fn a_film_that_breaks_off_plays_up_to_there() {
    for name in ["h264.mkv", "h264.ts", "mpeg2.avi", "vp9.webm"] {
        let whole = std::fs::read(media::film(name)).expect("read");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, &whole[..whole.len() * 2 / 3]).expect("written");
        let played = player::play(&path, 2);
        assert!(played.lap(0).len() >= 5, "{name}: {} frames", played.lap(0).len());
        assert_eq!(played.lap(1).len(), played.lap(0).len(), "{name}");
    }
}

#[test]
fn sound_alone_is_not_a_film() {
    let tone = media::made("tone.mp3", &["-f", "lavfi", "-i", media::TONE]);
    let it = error_of(tone.to_str().expect("UTF-8"));
    assert!(matches!(&it, DemuxError::NoVideo { found, .. } if found == "sound: mp3"), "{it:?}");
    let cover = media::still("cover.png", "rgb24");
    let (tone, cover) = (tone.to_str().expect("UTF-8"), cover.to_str().expect("UTF-8"));
    let with_cover = media::made(
        "cover.mp3",
        &["-i", tone, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic"],
    );
    let it = error_of(with_cover.to_str().expect("UTF-8"));
    assert!(matches!(&it, DemuxError::NoVideo { found, .. } if found.contains("cover picture")), "{it:?}");
}

/// A PNG that says it is `side` pixels square, and holds none of them.
fn png_bomb(side: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend_from_slice(&side.to_be_bytes());
    header.extend_from_slice(&side.to_be_bytes());
    header.extend_from_slice(&[8, 6, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d".to_vec();
    file.extend_from_slice(&header);
    file.extend_from_slice(&crc32fast::hash(&header).to_be_bytes());
    // A data chunk that claims to go on, so that the decoder gets as far as making room for the picture.
    let data = [b"IDAT".as_slice(), &[0x78, 0x9c, 0x63, 0x60, 0x00, 0x00]].concat();
    file.extend_from_slice(&6u32.to_be_bytes());
    file.extend_from_slice(&data);
    file.extend_from_slice(&crc32fast::hash(&data).to_be_bytes());
    file
}

#[test]
fn an_image_bomb_is_refused_before_it_is_unpacked() {
    for side in [20_000, 60_000] {
        let it = error_of_bytes("bomb.png", &png_bomb(side));
        assert!(matches!(it, DemuxError::OverLimit { .. }), "{side}: {it:?}");
        assert!(it.to_string().contains(&format!("{side}x{side}")), "{it}");
    }
    let it = error_of_bytes("wild.png", &png_bomb(0x7fff_ffff));
    assert!(matches!(it, DemuxError::OverLimit { .. } | DemuxError::NotMedia { .. }), "{it:?}");
}

#[test]
fn a_playlist_on_disk_leads_nowhere_but_to_disk() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be asked without waiting");
    let port = listener.local_addr().expect("it has one").port();
    let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n");
    let it = error_of_bytes("list.m3u8", list.as_bytes());
    assert!(matches!(it, DemuxError::NotMedia { .. } | DemuxError::NoVideo { .. }), "{it:?}");
    assert!(listener.accept().is_err(), "nobody may have called");
}

fn open_url(url: &str, timeout: Duration, cancel: Cancel) -> DemuxError {
    let options = OpenOptions { timeout, without_audio: false, cancel };
    FfmpegDemuxerFactory.open(url, &options).map(|_| ()).expect_err("nobody answers")
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    for scheme in ["http", "rtsp"] {
        let it = open_url(&format!("{scheme}://{address}/film"), Duration::from_millis(300), Cancel::new());
        assert!(matches!(it, DemuxError::TimedOut { .. }), "{scheme}: {it:?}");
    }
}

#[test]
fn a_cancelled_open_ends_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    let cancel = Cancel::new();
    let watcher = {
        let cancel = cancel.clone();
        std::thread::spawn(move || {
            // The player has asked: now it waits for an answer.
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut request = [0; 16];
            let _ = stream.read(&mut request);
            cancel.cancel();
            stream
        })
    };
    let it = open_url(&format!("http://{address}/film"), Duration::from_secs(60), cancel);
    assert!(matches!(it, DemuxError::Cancelled { .. }), "{it:?}");
    drop(watcher.join());
}

#[test]
fn a_server_s_refusal_is_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    let it = open_url(&format!("http://{address}/film"), Duration::from_secs(10), Cancel::new());
    assert!(matches!(&it, DemuxError::Unreachable { reason, .. } if reason.contains("404")), "{it:?}");
    server.join().expect("it answered");
}

#[test]
fn damaged_packets_cost_pictures_not_the_show() {
    for name in ["h264.mp4", "hevc.mkv", "vp9.webm", "av1.mp4", "mpeg2.ts", "mjpeg.avi"] {
        let mut demuxer = player::open(Path::new(&media::film(name)));
        let mut decoder = player::decoder_for(demuxer.as_ref());
        let mut played = Played::default();
        for lap in 0..8u32 {
            let mut number = 0u32;
            while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
                assert_eq!(it.track, Track::Video);
                let mut bytes = it.data.bytes().to_vec();
                number += 1;
                if lap < 7 && number % 3 == lap % 3 {
                    for (index, byte) in bytes.iter_mut().enumerate() {
                        let dice = (index as u32 + 1).wrapping_mul(2_654_435_761).wrapping_add(lap * 977 + number) >> 8;
                        if dice.is_multiple_of(40) {
                            *byte ^= (dice >> 8) as u8;
                        }
                    }
                }
                player::feed(decoder.as_mut(), Packet { data: Arc::new(VecData(bytes)), lap, ..it }, &mut played);
            }
            decoder.drain().expect("it drains");
            player::take(decoder.as_mut(), &mut played);
            decoder.flush().expect("it flushes");
            demuxer.rewind().expect("it can be rewound");
        }
        // Damage leaves no trace: an intact lap afterwards is whole.
        let want = player::play(&media::film(name), 1);
        let pixels = |it: Vec<player::Shown>| it.into_iter().map(|it| (it.pts, it.crc)).collect::<Vec<_>>();
        assert_eq!(pixels(played.lap(7)), pixels(want.lap(0)), "{name}");
    }
}
