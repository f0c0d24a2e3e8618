//! Where a picture goes on a screen: rotation, fit, sample aspect.
use crate::base::format::{Ratio, Rect, Size};

/// A clockwise turn of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Rotation {
    /// Upright.
    #[default]
    None,
    /// A quarter turn clockwise.
    Clockwise90,
    /// Upside down.
    Half,
    /// A quarter turn anticlockwise.
    Clockwise270,
}

impl Rotation {
    /// From degrees clockwise; `None` unless a multiple of 90.
    pub const fn from_degrees(degrees: i32) -> Option<Self> {
        match degrees.rem_euclid(360) {
            0 => Some(Rotation::None),
            90 => Some(Rotation::Clockwise90),
            180 => Some(Rotation::Half),
            270 => Some(Rotation::Clockwise270),
            _ => None,
        }
    }
    /// Degrees clockwise.
    pub const fn degrees(self) -> u32 {
        match self {
            Rotation::None => 0,
            Rotation::Clockwise90 => 90,
            Rotation::Half => 180,
            Rotation::Clockwise270 => 270,
        }
    }
    /// This turn, then another.
    pub const fn then(self, other: Rotation) -> Rotation {
        match (self.degrees() + other.degrees()) % 360 {
            90 => Rotation::Clockwise90,
            180 => Rotation::Half,
            270 => Rotation::Clockwise270,
            _ => Rotation::None,
        }
    }
    /// Whether width and height change places.
    pub const fn swaps_axes(self) -> bool {
        matches!(self, Rotation::Clockwise90 | Rotation::Clockwise270)
    }
}

/// What to do when the picture's shape is not the screen's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Fit {
    /// All of the picture, black bars beside it.
    #[default]
    Contain,
    /// All of the screen, the picture's edges cut off.
    Cover,
    /// All of both, the shape given up.
    Stretch,
}

/// Which part of the picture goes to which part of the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The sampled part in picture pixels, before rotation: left, top, width, height. Fractional when cut by `Cover`.
    pub source: [f64; 4],
    /// The part of the screen it fills, in whole pixels, origin top left.
    pub target: Rect,
}

/// Places the `visible` part of a picture with sample aspect `sar`, turned by `rotation`, on a screen.
pub fn place(visible: Rect, sar: Ratio, rotation: Rotation, fit: Fit, screen: Size) -> Placement {
    let whole = [f64::from(visible.x), f64::from(visible.y), f64::from(visible.width), f64::from(visible.height)];
    if visible.size().is_empty() || screen.is_empty() {
        return Placement { source: whole, target: Rect::of(screen) };
    }
    let (mut shape_w, mut shape_h) = (whole[2] * sar.to_f64(), whole[3]);
    if rotation.swaps_axes() {
        std::mem::swap(&mut shape_w, &mut shape_h);
    }
    let (screen_w, screen_h) = (f64::from(screen.width), f64::from(screen.height));
    match fit {
        Fit::Stretch => Placement { source: whole, target: Rect::of(screen) },
        Fit::Contain => {
            let scale = (screen_w / shape_w).min(screen_h / shape_h);
            let width = ((shape_w * scale).round() as u32).clamp(1, screen.width);
            let height = ((shape_h * scale).round() as u32).clamp(1, screen.height);
            let target = Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
            Placement { source: whole, target }
        }
        Fit::Cover => {
            let scale = (screen_w / shape_w).max(screen_h / shape_h);
            // The kept share of each screen axis, turned back into picture axes.
            let (mut keep_x, mut keep_y) = (screen_w / (shape_w * scale), screen_h / (shape_h * scale));
            if rotation.swaps_axes() {
                std::mem::swap(&mut keep_x, &mut keep_y);
            }
            let (width, height) = (whole[2] * keep_x, whole[3] * keep_y);
            let source = [whole[0] + (whole[2] - width) / 2.0, whole[1] + (whole[3] - height) / 2.0, width, height];
            Placement { source, target: Rect::of(screen) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        size: (u32, u32),
        sar: (u32, u32),
        rotation: Rotation,
        fit: Fit,
        screen: (u32, u32),
        want: (u32, u32, u32, u32),
    ) {
        let sar = Ratio::new(sar.0, sar.1).expect("positive");
        let got = place(Rect::of(Size::new(size.0, size.1)), sar, rotation, fit, Size::new(screen.0, screen.1));
        assert_eq!(got.target, Rect { x: want.0, y: want.1, width: want.2, height: want.3 });
    }

    #[test]
    fn contain_keeps_the_shape_and_centres() {
        check((1920, 1080), (1, 1), Rotation::None, Fit::Contain, (1280, 720), (0, 0, 1280, 720));
        check((640, 480), (1, 1), Rotation::None, Fit::Contain, (1280, 720), (160, 0, 960, 720));
        check((720, 576), (64, 45), Rotation::None, Fit::Contain, (1280, 720), (0, 0, 1280, 720));
        check((1920, 1080), (1, 1), Rotation::Clockwise90, Fit::Contain, (1280, 720), (437, 0, 405, 720));
    }

    #[test]
    fn cover_cuts_the_picture_not_the_screen() {
        let sar = Ratio::ONE;
        let it = place(Rect::of(Size::new(640, 480)), sar, Rotation::None, Fit::Cover, Size::new(1280, 720));
        assert_eq!(it.target, Rect::of(Size::new(1280, 720)));
        assert_eq!(it.source, [0.0, 60.0, 640.0, 360.0]);
        let it = place(Rect::of(Size::new(640, 480)), sar, Rotation::Clockwise90, Fit::Cover, Size::new(720, 1280));
        assert_eq!(it.source, [0.0, 60.0, 640.0, 360.0]);
    }

    #[test]
    fn turns_add_up() {
        assert_eq!(Rotation::Clockwise90.then(Rotation::Clockwise270), Rotation::None);
        assert_eq!(Rotation::from_degrees(-90), Some(Rotation::Clockwise270));
        assert_eq!(Rotation::from_degrees(45), None);
    }
}
