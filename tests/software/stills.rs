//! Files of one picture.
use lucarne::base::color::Range;
use lucarne::base::format::PixelFormat;

use crate::{media, player};

#[test]
fn a_picture_file_is_still_and_gives_one_frame() {
    for (name, format, want) in [
        ("rgb.png", "rgb24", PixelFormat::Rgb24),
        ("rgba.png", "rgba", PixelFormat::Rgba),
        ("pal.png", "pal8", PixelFormat::Rgba),
        ("gray.png", "gray", PixelFormat::Gray8),
        ("deep.png", "rgb48be", PixelFormat::Rgb24),
        ("photo.jpg", "yuvj420p", PixelFormat::Yuv420p),
        ("photo.jpeg", "yuvj444p", PixelFormat::Yuv444p),
        ("lossy.webp", "yuv420p", PixelFormat::Yuv420p),
        ("flat.bmp", "bgr24", PixelFormat::Rgb24),
        ("flat.tiff", "rgb24", PixelFormat::Rgb24),
        ("one.gif", "rgb8", PixelFormat::Rgba),
    ] {
        let path = media::still(name, format);
        let demuxer = player::open(&path);
        assert!(demuxer.info().still, "{name}");
        let played = player::play(&path, 3);
        assert_eq!(played.errors, [""; 0], "{name}");
        assert_eq!(played.frames.len(), 3, "{name}");
        assert_eq!(played.lap(1), played.lap(0), "{name}");
        assert_eq!(played.formats[0].pixel, want, "{name}");
        let is_limited = name.ends_with(".webp");
        let range = if is_limited { Range::Limited } else { Range::Full };
        assert_eq!(played.formats[0].color.range, range, "{name}");
    }
}

#[test]
fn an_animation_is_a_film() {
    let path = media::made("moving.gif", &["-f", "lavfi", "-i", media::SMALL_PICTURE]);
    assert!(!player::open(&path).info().still);
    let played = player::play(&path, 2);
    assert_eq!(played.lap(0).len() as u64, media::frames_by_ffprobe(&path));
    assert_eq!(played.lap(1), played.lap(0));
}

#[test]
fn a_percent_sign_in_a_name_is_a_percent_sign() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (media::still("rgb.png", "rgb24"), media::still("gray.png", "gray"));
    let named = folder.path().join("a%03d.png");
    std::fs::copy(first, &named).expect("copied");
    std::fs::copy(second, folder.path().join("a001.png")).expect("copied");
    let played = player::play(&named, 1);
    assert_eq!((played.frames.len(), played.formats[0].pixel), (1, PixelFormat::Rgb24));
}
