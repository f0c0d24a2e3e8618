//! Pixels against an f64 reference computed from the codes: every format, matrix and range, and everything that may
//! stand between a picture and a screen. A test that fails leaves got, want and difference as PNGs and names them.
#![allow(clippy::unwrap_used, reason = "a test that cannot get its input has failed")]
#[path = "support/difference.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod difference;
#[path = "support/pictures.rs"]
mod pictures;
#[path = "support/reference.rs"]
mod reference;
#[path = "support/stage.rs"]
mod stage;

use std::rc::Rc;
use std::sync::Arc;

use lucarne::backend::software::upload::{SoftwareUpload, WideTexels};
use lucarne::base::color::{ChromaSiting, Color, ColorTags, Luminance, Matrix, Primaries, Range, Transfer};
use lucarne::base::format::{PixelFormat, Ratio, Rect, Size};
use lucarne::base::frame::VideoFormat;
use lucarne::base::geometry::{Fit, Rotation};
use lucarne::base::time::MediaTime;
use lucarne::seam::interop::VideoInterop;
use lucarne::sys::gl::Api;

use difference::{EXACT, SCALED, Within, compare};
use pictures::{Channel, Picture, SDR, Texel, hard, soft};
use stage::{Stage, keep_evidence};

/// Tone mapped. 3 is what we promise; half of it leaves room for a GPU's own `pow` and still notices a wrong exponent.
const HDR: Within = Within::Max(1.5);

/// How to show a picture. The default is as it is, on a screen of its size.
#[derive(Debug, Clone, Copy)]
struct Shot {
    wide: WideTexels,
    fit: Fit,
    rotation: Rotation,
    screen: Option<Size>,
    top_down: bool,
    padding: usize,
}

const PLAIN: Shot = Shot {
    wide: WideTexels::Auto,
    fit: Fit::Contain,
    rotation: Rotation::None,
    screen: None,
    top_down: true,
    padding: 0,
};

#[track_caller]
fn check(stage: &mut Stage, name: &str, picture: &Picture, shot: Shot, within: Within) {
    let screen = shot.screen.unwrap_or(picture.format.visible.size());
    let got = shoot(stage, picture, Shot { screen: Some(screen), ..shot });
    let want = reference::render(picture, shot.fit, shot.rotation, screen);
    let difference = compare(&got, &want);
    assert!(
        within.allows(&difference),
        "{name}: {difference:?}, not {within:?}: {}",
        keep_evidence(name, &got, &want, screen)
    );
}

/// Uploads the picture, draws it and reads the screen: RGBA, top row first.
fn shoot(stage: &mut Stage, picture: &Picture, shot: Shot) -> Vec<u8> {
    let screen = shot.screen.unwrap_or(picture.format.visible.size());
    let mut upload = SoftwareUpload::new(Rc::clone(&stage.gl), shot.wide);
    upload.init(&picture.format).unwrap();
    let planes = Arc::new(picture.planes(shot.padding));
    upload.submit_decoded_frame(picture.frame_of(planes, MediaTime::ZERO)).unwrap();
    let renderable = upload.acquire_renderable_frame().unwrap().unwrap();
    let pixels = stage.draw(&renderable, shot.fit, shot.rotation, screen, shot.top_down);
    upload.release_frame(renderable);
    pixels
}

/// A copy kept by the GPU is the picture, crop, turn and tone mapping included; so is that copy in ordinary memory.
#[test]
fn a_kept_copy_looks_like_the_picture() {
    let mut stage = Stage::new(Api::Gles3);
    let size = Size::new(48, 32);
    for rotation in [Rotation::None, Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270] {
        for pixel in [PixelFormat::Nv12, PixelFormat::Yuv420p10, PixelFormat::Rgba] {
            let mut format = Picture::new(pixel, size, SDR, hard(pixel.bit_depth())).format;
            (format.rotation, format.visible) = (rotation, Rect { x: 2, y: 4, width: 44, height: 26 });
            format.sar = Ratio { num: 4, den: 3 };
            if pixel == PixelFormat::Yuv420p10 {
                format.color.transfer = Transfer::Pq;
            }
            let picture = Picture::of_format(format, hard(pixel.bit_depth()));
            let screen = if rotation.swaps_axes() { Size::new(26, 44) } else { Size::new(44, 26) };
            let mut upload = SoftwareUpload::new(Rc::clone(&stage.gl), WideTexels::Auto);
            upload.init(&format).unwrap();
            upload.submit_decoded_frame(picture.frame_of(Arc::new(picture.planes(0)), MediaTime::ZERO)).unwrap();
            let renderable = upload.acquire_renderable_frame().unwrap().unwrap();
            let want = stage.draw(&renderable, Fit::Stretch, Rotation::None, screen, true);
            let kept = stage.compositor.keep(&renderable).unwrap();
            upload.release_frame(renderable);
            let got = stage.draw(&kept.renderable(), Fit::Stretch, Rotation::None, screen, true);
            assert_eq!(got, want, "{pixel:?} {rotation:?}");
            let read = stage.compositor.read_kept(&kept).unwrap();
            let mut bytes = Vec::new();
            read.memory.read(&mut |planes| bytes = planes.plane(0).unwrap().bytes.to_vec()).unwrap();
            assert_eq!(bytes, want, "{pixel:?} {rotation:?}");
            let shape = |it: &VideoFormat, turned: bool| {
                let (width, height) = (f64::from(it.visible.width) * it.sar.to_f64(), f64::from(it.visible.height));
                if turned { height / width } else { width / height }
            };
            assert_eq!(shape(&read.format, false), shape(&format, rotation.swaps_axes()), "{rotation:?}");
        }
    }
}

/// The ways a format gets into textures.
fn paths(pixel: PixelFormat) -> &'static [WideTexels] {
    if pixel.bit_depth() > 8 { &[WideTexels::Auto, WideTexels::Split] } else { &[WideTexels::Auto] }
}

#[test]
fn every_format_matrix_and_range_is_exact() {
    let mut stage = Stage::new(Api::Gles3);
    for pixel in PixelFormat::ALL {
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            for range in [Range::Limited, Range::Full] {
                for &wide in paths(pixel) {
                    let color = Color { matrix, range, ..SDR };
                    let picture = Picture::new(pixel, Size::new(96, 54), color, hard(pixel.bit_depth()));
                    let name = format!("{} {matrix:?} {range:?} {wide:?}", pixel.name());
                    check(&mut stage, &name, &picture, Shot { wide, ..PLAIN }, Within::pixel_by_pixel(pixel));
                }
            }
        }
    }
}

#[test]
fn chroma_at_its_own_positions_is_exact() {
    let mut stage = Stage::new(Api::Gles3);
    // The corners of the colour space, its middle, and one of no importance.
    let colours = [(0.05, 0.05), (0.05, 0.95), (0.95, 0.05), (0.95, 0.95), (0.5, 0.5), (0.4, 0.7)];
    for pixel in PixelFormat::ALL.into_iter().filter(|it| !it.is_rgb()) {
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            for range in [Range::Limited, Range::Full] {
                for (cb, cr) in colours {
                    for &wide in paths(pixel) {
                        let (bits, top) = (pixel.bit_depth(), f64::from((1u32 << pixel.bit_depth()) - 1));
                        let pattern = hard(bits);
                        // The same chroma everywhere: between texels is as good as on them.
                        let picture = Picture::new(pixel, Size::new(32, 24), Color { matrix, range, ..SDR }, |it| {
                            match it.channel {
                                Channel::Cb => (cb * top) as u16,
                                Channel::Cr => (cr * top) as u16,
                                _ => pattern(it),
                            }
                        });
                        let name = format!("{} {matrix:?} {range:?} {wide:?} {cb} {cr}", pixel.name());
                        check(&mut stage, &name, &picture, Shot { wide, ..PLAIN }, EXACT);
                    }
                }
            }
        }
    }
}

#[test]
fn desktop_gl_draws_the_same() {
    let mut stage = Stage::new(Api::Core41);
    for pixel in PixelFormat::ALL {
        for &wide in paths(pixel) {
            let picture = Picture::new(pixel, Size::new(96, 54), SDR, hard(pixel.bit_depth()));
            let name = format!("core {} {wide:?}", pixel.name());
            check(&mut stage, &name, &picture, Shot { wide, ..PLAIN }, Within::pixel_by_pixel(pixel));
        }
    }
}

#[test]
fn chroma_lies_where_the_stream_says() {
    let mut stage = Stage::new(Api::Gles3);
    for siting in [ChromaSiting::Left, ChromaSiting::Center, ChromaSiting::TopLeft] {
        for pixel in
            [PixelFormat::Nv12, PixelFormat::Yuv420p, PixelFormat::Yuv422p, PixelFormat::Yuv444p, PixelFormat::P010]
        {
            for &wide in paths(pixel) {
                let color = Color { siting, ..SDR };
                let name = format!("{} {siting:?} {wide:?}", pixel.name());
                let picture = Picture::new(pixel, Size::new(64, 48), color, hard(pixel.bit_depth()));
                check(&mut stage, &name, &picture, Shot { wide, ..PLAIN }, Within::pixel_by_pixel(pixel));
                let picture = Picture::new(pixel, Size::new(64, 48), color, soft(pixel.bit_depth()));
                let shot = Shot { wide, screen: Some(Size::new(200, 150)), ..PLAIN };
                check(&mut stage, &format!("{name} scaled"), &picture, shot, SCALED);
            }
        }
    }
}

#[test]
fn odd_sizes_and_any_stride_are_exact() {
    let mut stage = Stage::new(Api::Gles3);
    for (width, height) in [(1, 1), (5, 3), (7, 64), (321, 179)] {
        for pixel in PixelFormat::ALL {
            for padding in [0, 1, 3, 13, 64] {
                for &wide in paths(pixel) {
                    let picture = Picture::new(pixel, Size::new(width, height), SDR, hard(pixel.bit_depth()));
                    let name = format!("{} {width}x{height} stride+{padding} {wide:?}", pixel.name());
                    check(&mut stage, &name, &picture, Shot { wide, padding, ..PLAIN }, Within::pixel_by_pixel(pixel));
                }
            }
        }
    }
}

#[test]
fn nothing_bleeds_in_from_outside_the_crop() {
    let mut stage = Stage::new(Api::Gles3);
    for (x, y, width, height) in [(0, 0, 62, 45), (2, 2, 60, 44), (1, 3, 62, 45), (64 - 5, 48 - 3, 5, 3)] {
        for pixel in PixelFormat::ALL {
            for &wide in paths(pixel) {
                let visible = Rect { x, y, width, height };
                let coded = Size::new(64, 48);
                let format =
                    VideoFormat { pixel, coded, visible, sar: Ratio::ONE, rotation: Rotation::None, color: SDR };
                let outside = outside_of(visible);
                let bits = pixel.bit_depth();
                let sharp = Picture::of_format(format, outside(Box::new(hard(bits)), bits));
                let name = format!("{} crop {x},{y} {width}x{height} {wide:?}", pixel.name());
                check(&mut stage, &name, &sharp, Shot { wide, ..PLAIN }, Within::pixel_by_pixel(pixel));
                let smooth = Picture::of_format(format, outside(Box::new(soft(bits)), bits));
                let shot =
                    Shot { wide, screen: Some(Size::new(width * 3 + 1, height * 3 - 1)), fit: Fit::Stretch, ..PLAIN };
                check(&mut stage, &format!("{name} scaled"), &smooth, shot, SCALED);
            }
        }
    }
}

type Pattern = Box<dyn Fn(Texel) -> u16>;

/// A pattern with the brightest code everywhere that must not be seen.
fn outside_of(visible: Rect) -> impl Fn(Pattern, u32) -> Pattern {
    move |pattern, bits| {
        Box::new(move |it| {
            // The plane's own subsampling, from its size: the coded picture is 64 across, 48 down.
            let (sub_x, sub_y) = (64 / it.size.width, 48 / it.size.height);
            let seen_x = visible.x / sub_x..(visible.x + visible.width).div_ceil(sub_x);
            let seen_y = visible.y / sub_y..(visible.y + visible.height).div_ceil(sub_y);
            if seen_x.contains(&it.x) && seen_y.contains(&it.y) { pattern(it) } else { (1u16 << bits) - 1 }
        })
    }
}

#[test]
fn turned_and_fitted_pictures_are_where_they_belong() {
    let mut stage = Stage::new(Api::Gles3);
    let turns = [Rotation::None, Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270];
    for stream in turns {
        for user in turns {
            for fit in [Fit::Contain, Fit::Cover, Fit::Stretch] {
                for (sar, top_down) in [(Ratio::ONE, true), (Ratio { num: 16, den: 11 }, false)] {
                    let mut picture = Picture::new(PixelFormat::Yuv420p, Size::new(90, 50), SDR, soft(8));
                    (picture.format.rotation, picture.format.sar) = (stream, sar);
                    let screen = Some(Size::new(160, 120));
                    let shot = Shot { fit, rotation: user, screen, top_down, ..PLAIN };
                    let name = format!("turned {} then {} {fit:?} sar {}", stream.degrees(), user.degrees(), sar.num);
                    check(&mut stage, &name, &picture, shot, SCALED);
                }
            }
        }
    }
}

#[test]
fn turned_pictures_of_the_screens_size_are_exact() {
    let mut stage = Stage::new(Api::Gles3);
    for rotation in [Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270] {
        for pixel in [PixelFormat::Nv12, PixelFormat::Rgba] {
            for top_down in [true, false] {
                let picture = Picture::new(pixel, Size::new(62, 38), SDR, hard(8));
                let turned = rotation.swaps_axes();
                let screen = Some(if turned { Size::new(38, 62) } else { Size::new(62, 38) });
                let name = format!("{} turned {} top_down {top_down}", pixel.name(), rotation.degrees());
                check(
                    &mut stage,
                    &name,
                    &picture,
                    Shot { rotation, screen, top_down, ..PLAIN },
                    Within::pixel_by_pixel(pixel),
                );
            }
        }
    }
}

#[test]
fn bars_are_black_to_the_last_bit() {
    let mut stage = Stage::new(Api::Gles3);
    for (width, height, screen) in [(40, 40, Size::new(120, 60)), (80, 20, Size::new(100, 99))] {
        let picture = Picture::new(PixelFormat::Rgb24, Size::new(width, height), SDR, |_| 255);
        let got = shoot(&mut stage, &picture, Shot { screen: Some(screen), ..PLAIN });
        let want = reference::render(&picture, Fit::Contain, Rotation::None, screen);
        for (got, want) in got.chunks(4).zip(&want) {
            let bar = want == &[0.0; 3];
            assert_eq!(got, if bar { [0, 0, 0, 255] } else { [255, 255, 255, 255] });
        }
        assert!(want.contains(&[0.0; 3]), "there must be bars");
    }
}

/// PQ or HLG as HDR streams have it.
fn hdr(transfer: Transfer, peak: Option<f32>) -> Color {
    Color {
        matrix: Matrix::Bt2020,
        transfer,
        primaries: Primaries::Bt2020,
        siting: ChromaSiting::TopLeft,
        luminance: Luminance { max_cll: peak, mastering_peak: None },
        ..SDR
    }
}

#[test]
fn hdr_colours_are_tone_mapped_as_the_standards_say() {
    let mut stage = Stage::new(Api::Gles3);
    for (transfer, peak) in [
        (Transfer::Pq, None),
        (Transfer::Pq, Some(600.0)),
        (Transfer::Pq, Some(4000.0)),
        (Transfer::Pq, Some(10_000.0)),
        // No brighter than the screen: nothing to map.
        (Transfer::Pq, Some(120.0)),
        (Transfer::Hlg, None),
    ] {
        for pixel in [PixelFormat::P010, PixelFormat::Yuv420p10] {
            for &wide in paths(pixel) {
                // Patches of 4 by 4: two by two chroma texels of the same colour, so that no filter matters.
                let patch = |it: Texel| {
                    let cell = 4 * it.size.width / 96;
                    let (column, row) = (it.x / cell, it.y / cell);
                    let spread = |salt: u32, span: u32| pictures::noise(column, row, salt) % span;
                    let code = match it.channel {
                        Channel::Luma => 64 + spread(1, 877),
                        Channel::Cb => 512 + spread(2, 300) - 150,
                        _ => 512 + spread(3, 300) - 150,
                    };
                    u16::try_from(code).unwrap()
                };
                let picture = Picture::new(pixel, Size::new(96, 96), hdr(transfer, peak), patch);
                let name = format!("{transfer:?} {peak:?} {} {wide:?}", pixel.name());
                check(&mut stage, &name, &picture, Shot { wide, ..PLAIN }, HDR);
            }
        }
    }
}

#[test]
fn wide_sdr_is_brought_into_the_screens_primaries() {
    let mut stage = Stage::new(Api::Gles3);
    let picture = Picture::new(PixelFormat::Yuv444p, Size::new(96, 54), hdr(Transfer::Sdr, None), hard(8));
    check(&mut stage, "wide sdr", &picture, PLAIN, HDR);
}

#[test]
fn an_hdr_grey_ramp_is_monotone_and_neutral() {
    let mut stage = Stage::new(Api::Gles3);
    for transfer in [Transfer::Pq, Transfer::Hlg] {
        for range in [Range::Limited, Range::Full] {
            for wide in [WideTexels::Auto, WideTexels::Split] {
                // All 1024 codes, in reading order.
                let grey = |it: Texel| if it.channel == Channel::Luma { (it.y * 32 + it.x) as u16 } else { 512 };
                let color = Color { range, ..hdr(transfer, None) };
                let picture = Picture::new(PixelFormat::Yuv420p10, Size::new(32, 32), color, grey);
                let name = format!("ramp {transfer:?} {range:?} {wide:?}");
                check(&mut stage, &name, &picture, Shot { wide, ..PLAIN }, HDR);
                let got = shoot(&mut stage, &picture, Shot { wide, ..PLAIN });
                for (code, pair) in got.chunks(4).collect::<Vec<_>>().windows(2).enumerate() {
                    assert!(pair[0][0] <= pair[1][0], "{name}: darker after code {code}: {pair:?}");
                    assert!(
                        pair[1][0] == pair[1][1] && pair[1][1] == pair[1][2],
                        "{name}: {code} is coloured: {pair:?}"
                    );
                }
                assert_eq!(got[..4], [0, 0, 0, 255], "{name}: black is black");
            }
        }
    }
}

#[test]
fn untagged_pictures_are_never_tone_mapped() {
    let mut stage = Stage::new(Api::Gles3);
    // Ten bits and the size of a cinema make nothing HDR: only the tag does.
    let color = ColorTags::default().resolve(Size::new(3840, 2160), false);
    let picture = Picture::new(PixelFormat::P010, Size::new(96, 54), color, hard(10));
    let plain = Color { transfer: Transfer::Sdr, primaries: Primaries::Bt709, ..color };
    assert_eq!(color, plain);
    check(&mut stage, "untagged", &picture, PLAIN, EXACT);
}
