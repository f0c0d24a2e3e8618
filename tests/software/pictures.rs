//! What a file says about its pictures, and that they come out so.
use std::path::Path;

use lucarne::base::color::{Matrix, Primaries, Range, Transfer};
use lucarne::base::format::{PixelFormat, Ratio, Rect, Size};
use lucarne::base::geometry::Rotation;
use lucarne::base::stream::MediaInfo;

use crate::{media, player};

fn info(path: &Path) -> MediaInfo {
    player::open(path).info().clone()
}

#[test]
fn a_film_is_described() {
    let it = info(&media::film("h264.mp4"));
    assert_eq!(it.container, "mov,mp4,m4a,3gp,3g2,mj2");
    assert_eq!(it.duration.map(|it| it.as_millis()), Some(1200));
    assert!(it.seekable && !it.still && !it.live && it.audio.is_none());
    let video = it.video.expect("pictures");
    assert_eq!((video.parameters.codec.as_str(), video.size), ("h264", Size::new(320, 180)));
    assert_eq!(video.parameters.profile.as_deref(), Some("High"));
    assert_eq!(video.pixel_format.as_deref(), Some("yuv420p"));
    assert_eq!((video.frame_rate, video.frames), (Ratio::new(25, 1), Some(30)));
    assert_eq!((video.sar, video.rotation, video.interlaced), (Ratio::ONE, Rotation::None, false));
    assert!(!video.parameters.extra.is_empty());
}

#[test]
fn the_real_film_gives_all_of_its_frames() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/bigbuckbunny.mp4");
    let played = player::play(&path, 2);
    assert_eq!(played.lap(0).len(), 132);
    assert_eq!(played.lap(1), played.lap(0));
    assert_eq!(info(&path).audio.map(|it| it.format.channels), Some(6));
}

#[test]
fn interlaced_pictures_are_rebuilt_one_for_one() {
    let path = media::interlaced();
    assert!(info(&path).video.expect("pictures").interlaced);
    let played = player::play(&path, 3);
    assert_eq!(played.errors, [""; 0]);
    let first = played.lap(0);
    assert_eq!(first.len() as u64, media::frames_by_ffprobe(&path));
    assert_eq!(played.stats.deinterlaced, played.frames.len() as u64);
    assert!(first.windows(2).all(|it| it[1].pts - it[0].pts == 40_000_000));
    assert_eq!(played.lap(1), first);
    assert_eq!(played.lap(2), first);
}

#[test]
fn a_picture_s_coded_and_visible_sizes_are_told_apart() {
    let played = player::play(&media::cropped(), 1);
    let format = played.formats[0];
    assert_eq!(format.coded, Size::new(320, 192));
    assert_eq!(format.visible, Rect { x: 0, y: 0, width: 314, height: 180 });
}

#[test]
fn rotation_aspect_and_start_come_from_the_file() {
    assert_eq!(player::play(&media::rotated(), 1).formats[0].rotation, Rotation::Clockwise90);
    assert_eq!(player::play(&media::wide_pixels(), 1).formats[0].sar, Ratio { num: 4, den: 3 });
    let it = player::play(&media::start_offset(), 1);
    assert_eq!((it.frames.len(), it.frames[0].pts), (30, 10_000_000_000));
    assert_eq!(info(&media::start_offset()).start.map(|it| it.nanos()), Some(10_000_000_000));
}

#[test]
fn hdr_tags_arrive_with_the_pictures() {
    let path = media::hdr();
    let tags = info(&path).video.expect("pictures").color;
    assert_eq!(
        (tags.transfer, tags.primaries, tags.matrix),
        (Some(Transfer::Pq), Some(Primaries::Bt2020), Some(Matrix::Bt2020))
    );
    let format = player::play(&path, 1).formats[0];
    assert_eq!(format.pixel, PixelFormat::Yuv420p10);
    let color = format.color;
    assert_eq!((color.transfer, color.range), (Transfer::Pq, Range::Limited));
    assert_eq!((color.luminance.max_cll, color.luminance.mastering_peak), (Some(700.0), Some(1000.0)));
}

#[test]
fn variable_rates_keep_their_times() {
    let path = media::variable_rate();
    let played = player::play(&path, 2);
    let first = played.lap(0);
    assert_eq!(first.len() as u64, media::frames_by_ffprobe(&path));
    let gaps: Vec<_> = first.windows(2).map(|it| (it[1].pts - it[0].pts) / 1_000_000).collect();
    assert!(gaps.contains(&200) && gaps.contains(&40), "{gaps:?}");
    assert_eq!(played.lap(1), first);
}

#[test]
fn what_an_edit_list_cuts_is_not_shown() {
    let path = media::edit_list();
    let mut demuxer = player::open(&path);
    assert!(player::packets(demuxer.as_mut()).iter().any(|it| it.4), "packets to be decoded and not shown");
    let played = player::play(&path, 3);
    let first = played.lap(0);
    assert_eq!(first.len() as u64, media::frames_by_ffprobe(&path));
    assert!(first.len() < 30 && first[0].pts >= 0);
    assert_eq!(played.lap(1), first);
    assert_eq!(played.lap(2), first);
}

#[test]
fn every_pixel_format_comes_out_as_one_of_the_house_s() {
    for (format, codec, want, is_converted) in [
        ("yuv422p", "libx264", PixelFormat::Yuv422p, false),
        ("yuv444p", "libx264", PixelFormat::Yuv444p, false),
        ("yuv420p10le", "libx264", PixelFormat::Yuv420p10, false),
        ("yuv422p10le", "libx264", PixelFormat::Yuv420p10, true),
        ("gray", "ffv1", PixelFormat::Gray8, false),
        ("yuv411p", "rawvideo", PixelFormat::Yuv422p, true),
        ("yuv410p", "rawvideo", PixelFormat::Yuv420p, true),
        ("yuv440p", "ffv1", PixelFormat::Yuv444p, true),
        ("bgr0", "ffv1", PixelFormat::Rgb24, true),
        ("nv12", "rawvideo", PixelFormat::Nv12, false),
        ("yuva420p", "ffv1", PixelFormat::Rgba, true),
        ("gbrp", "ffv1", PixelFormat::Rgb24, true),
        ("gray10le", "ffv1", PixelFormat::Gray8, true),
    ] {
        let source = "testsrc2=size=62x34:rate=25:duration=0.2";
        let path = media::silent(&format!("{format}-{codec}.nut"), source, &[codec, "-pix_fmt", format]);
        let played = player::play(&path, 1);
        assert_eq!(played.errors, [""; 0], "{format}");
        assert_eq!(played.formats.iter().map(|it| it.pixel).collect::<Vec<_>>(), [want], "{format}");
        assert_eq!(played.frames.len(), 5, "{format}");
        assert_eq!(played.stats.converted, if is_converted { 5 } else { 0 }, "{format}");
    }
}
