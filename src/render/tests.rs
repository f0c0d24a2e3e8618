//! Every program variant compiles in both dialects; the numbers of positions and ranges.
use std::rc::Rc;

use super::geometry::{Addressing, Grid, Positions};
use super::*;
use crate::base::color::{ChromaSiting, ColorTags, Primaries, Transfer};
use crate::base::format::{PixelFormat, Ratio, Rect, Size};
use crate::base::frame::VideoFormat;
use crate::base::geometry::{Fit, Rotation};
use crate::seam::interop::Sampling;
use crate::sys::egl;
use crate::sys::gl::{Api, Context};

fn format(pixel: PixelFormat, visible: Rect, rotation: Rotation) -> VideoFormat {
    let color = ColorTags::default().resolve(visible.size(), pixel.is_rgb());
    let coded = Size::new(visible.x + visible.width, visible.y + visible.height);
    VideoFormat { pixel, coded, visible, sar: Ratio::ONE, rotation, color }
}

#[test]
fn every_variant_compiles_in_both_dialects() {
    for api in [Api::Gles3, Api::Core41] {
        let gl = Context::new(egl::Context::surfaceless(api).unwrap()).unwrap();
        let external = api == Api::Gles3 && gl.has_extension("GL_OES_EGL_image_external_essl3");
        let mut compositor = Compositor::new(Rc::clone(&gl)).unwrap();
        for pixel in PixelFormat::ALL {
            for transfer in [Transfer::Sdr, Transfer::Pq, Transfer::Hlg] {
                for primaries in [Primaries::Bt709, Primaries::Bt2020] {
                    for sampling in [Sampling::Planes, Sampling::SplitPlanes, Sampling::External] {
                        let possible = match sampling {
                            Sampling::Planes => true,
                            Sampling::SplitPlanes => pixel.bit_depth() > 8,
                            Sampling::External => external,
                            Sampling::Scanout => false,
                        };
                        if !possible {
                            continue;
                        }
                        let mut it = format(pixel, Rect::of(Size::new(16, 16)), Rotation::None);
                        (it.color.transfer, it.color.primaries) = (transfer, primaries);
                        compositor.prepare(&it, sampling).unwrap();
                    }
                }
            }
        }
    }
}

#[test]
fn a_turned_picture_of_the_screens_size_is_still_one_to_one() {
    let wide = Rect { x: 2, y: 4, width: 30, height: 20 };
    for (rotation, screen, first_pixel) in [
        (Rotation::None, (30, 20), (2.5, 4.5)),
        (Rotation::Clockwise90, (20, 30), (2.5, 23.5)),
        (Rotation::Half, (30, 20), (31.5, 23.5)),
        (Rotation::Clockwise270, (20, 30), (31.5, 4.5)),
    ] {
        for top_down in [true, false] {
            let screen = Size::new(screen.0, screen.1);
            let it = Positions::new(
                &format(PixelFormat::Rgba, wide, rotation),
                Fit::Contain,
                Rotation::None,
                screen,
                top_down,
            );
            assert!(it.one_to_one, "{rotation:?}");
            let y = if top_down { 0.5 } else { screen.height as f32 - 0.5 };
            let dot = |row: [f32; 3]| row[0] * 0.5 + row[1] * y + row[2];
            assert_eq!((dot(it.place_x), dot(it.place_y)), first_pixel, "{rotation:?}, top_down {top_down}");
        }
    }
}

#[test]
fn half_a_pixel_off_is_not_one_to_one() {
    let it = format(PixelFormat::Rgba, Rect::of(Size::new(31, 20)), Rotation::None);
    let positions = Positions::new(&it, Fit::Cover, Rotation::None, Size::new(30, 20), true);
    assert!(!positions.one_to_one);
}

#[test]
fn chroma_follows_its_siting_along_subsampled_axes_only() {
    for (pixel, siting, want) in [
        (PixelFormat::Yuv420p, ChromaSiting::Left, [0.5, 0.5, 0.25, 0.0]),
        (PixelFormat::Yuv420p, ChromaSiting::Center, [0.5, 0.5, 0.0, 0.0]),
        (PixelFormat::Yuv420p, ChromaSiting::TopLeft, [0.5, 0.5, 0.25, 0.25]),
        (PixelFormat::Yuv422p, ChromaSiting::TopLeft, [0.5, 1.0, 0.25, 0.0]),
        (PixelFormat::Yuv444p, ChromaSiting::TopLeft, [1.0, 1.0, 0.0, 0.0]),
    ] {
        let mut it = format(pixel, Rect::of(Size::new(8, 8)), Rotation::None);
        it.color.siting = siting;
        assert_eq!(Grid::new(&it, pixel.planes()[1], Addressing::Texels).grid, want, "{pixel:?} {siting:?}");
    }
}

#[test]
fn nothing_outside_the_crop_is_sampled() {
    // Coded 8x6.
    let it = format(PixelFormat::Yuv420p, Rect { x: 3, y: 2, width: 5, height: 4 }, Rotation::None);
    let bounds = |plane: usize, addressing| Grid::new(&it, it.pixel.planes()[plane], addressing).bounds;
    assert_eq!(bounds(0, Addressing::Texels), [3.5, 2.5, 7.5, 5.5]);
    assert_eq!(bounds(1, Addressing::Texels), [1.5, 1.5, 3.5, 2.5]);
    assert_eq!(bounds(1, Addressing::Normalised), [1.5 / 4.0, 1.5 / 3.0, 3.5 / 4.0, 2.5 / 3.0]);
}

#[test]
fn an_external_texture_is_not_sampled_where_chroma_mixes_with_what_is_cut_off() {
    // Coded 8x6: cut off to the left and at the top only.
    let it = format(PixelFormat::Nv12, Rect { x: 2, y: 2, width: 6, height: 4 }, Rotation::None);
    assert_eq!(Grid::external(&it).bounds, [3.0 / 8.0, 3.0 / 6.0, 7.5 / 8.0, 5.5 / 6.0]);
    // Nothing is cut off.
    let all = format(PixelFormat::Nv12, Rect::of(Size::new(8, 6)), Rotation::None);
    assert_eq!(Grid::external(&all), Grid::new(&all, all.pixel.planes()[0], Addressing::Normalised));
    // Chroma has all texels that luma has.
    let full = format(PixelFormat::Yuv444p, Rect { x: 2, y: 2, width: 6, height: 4 }, Rotation::None);
    assert_eq!(Grid::external(&full), Grid::new(&full, full.pixel.planes()[0], Addressing::Normalised));
}
