//! What of a frame reaches a plane's properties.
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::base::color::{Color, ColorTags};
use crate::base::dmabuf::{DmabufPicture, DmabufPlane, PoolState, Slot};
use crate::base::format::Ratio;
use crate::base::frame::{CpuPlanes, VecPlanes, VideoFormat};
use crate::base::geometry::Fit;
use crate::base::time::MediaTime;

#[derive(Debug)]
struct Nowhere(Slot);

impl DmabufPicture for Nowhere {
    fn slot(&self) -> &Slot {
        &self.0
    }
    fn plane(&self, _index: usize) -> Option<DmabufPlane<'_>> {
        None
    }
    fn read(&self, _with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        Err("nowhere".into())
    }
}

/// 1920x1080 in 1920x1088, as H.264 has it.
fn frame(change: impl Fn(&mut VideoFormat)) -> VideoFrame {
    let coded = Size::new(1920, 1088);
    let mut format = VideoFormat {
        pixel: PixelFormat::Nv12,
        coded,
        visible: Rect { x: 0, y: 0, width: 1920, height: 1080 },
        sar: Ratio::ONE,
        rotation: Rotation::None,
        color: ColorTags::default().resolve(coded, false),
    };
    change(&mut format);
    let pool = PoolState::new(Box::new(|| {}));
    VideoFrame {
        format,
        pts: MediaTime::ZERO,
        duration: Duration::ZERO,
        corrupt: false,
        lap: 0,
        discontinuity: false,
        memory: Memory::Dmabuf(Lease::new(Arc::new(Nowhere(Slot::new(&pool, 0))))),
    }
}

fn place_on(width: u32, height: u32) -> Place {
    Place { fit: Fit::Contain, rotation: Rotation::None, screen: Size::new(width, height) }
}

fn why(change: impl Fn(&mut VideoFormat)) -> String {
    Config::of(&frame(change), &place_on(1920, 1080), false).unwrap_err()
}

#[test]
fn what_is_cut_off_is_no_source() {
    let it = Config::of(&frame(|_| {}), &place_on(1920, 1080), false).unwrap();
    assert_eq!(it.source, [0, 0, 1920 << 16, 1080 << 16]);
    assert_eq!((it.pixels.coded, it.target), (Size::new(1920, 1088), Rect::of(Size::new(1920, 1080))));
    assert!(it.need(None).covers && it.scaling().is_none());
}

#[test]
fn a_picture_of_another_shape_is_scaled_and_said_to_be() {
    let it = Config::of(&frame(|it| it.visible.width = 1440), &place_on(1280, 720), false).unwrap();
    assert_eq!(it.target, Rect { x: 160, y: 0, width: 960, height: 720 });
    assert!(!it.need(None).covers);
    assert_eq!(it.scaling().unwrap(), "1440x1080 scaled to 960x720");
    // Cut in the middle of a pixel.
    let cover = Place { fit: Fit::Cover, ..place_on(1919, 1080) };
    let it = Config::of(&frame(|_| {}), &cover, false).unwrap();
    assert_eq!(it.source, [1 << 15, 0, 1919 << 16, 1080 << 16]);
}

#[test]
fn what_needs_more_than_a_matrix_is_not_a_planes() {
    let color = |change: fn(&mut Color)| why(move |it| change(&mut it.color));
    assert_eq!(color(|it| it.transfer = Transfer::Pq), "a frame that needs tone mapping (Pq)");
    assert_eq!(color(|it| it.primaries = Primaries::Bt2020), "the primaries Bt2020");
    assert_eq!(why(|it| it.pixel = PixelFormat::Gray8), "gray");
    assert_eq!(why(|it| it.rotation = Rotation::Clockwise90), "a picture turned by 90 degrees");
    assert_eq!(why(|it| it.pixel = PixelFormat::Rgba), "RGB of limited range");
    let mut it = frame(|_| {});
    it.memory = Memory::Cpu(Arc::new(VecPlanes::default()));
    assert_eq!(Config::of(&it, &place_on(1920, 1080), false).unwrap_err(), "a frame in ordinary memory");
}

#[test]
fn only_a_driver_with_modifiers_is_told_of_rows() {
    let it = Config::of(&frame(|_| {}), &place_on(1920, 1080), false).unwrap();
    assert_eq!((it.pixels.modifier_for(true), it.pixels.modifier_for(false)), (Some(0), None));
}
