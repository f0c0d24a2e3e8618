//! A plain picture with a few words on it, for when there is nothing to show yet: never a black screen.
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use embedded_graphics::Drawable;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_10X20;
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::text::{Alignment, Text};

use crate::base::color::ColorTags;
use crate::base::format::{PixelFormat, Ratio, Rect, Size};
use crate::base::frame::{Memory, VecPlanes, VideoFormat, VideoFrame};
use crate::base::geometry::Rotation;
use crate::base::time::MediaTime;

/// The picture's size; any screen scales it.
const SIZE: Size = Size::new(1280, 720);
/// Letters are 10 by 20 pixels of this size, so that they can be read across a room.
const SCALE: u32 = 3;
/// Letters in a line, with a margin of one letter on either side.
const COLUMNS: usize = (SIZE.width / (10 * SCALE)) as usize - 2;
/// A dark grey: not black, so that it is seen that the screen works.
const BACKGROUND: [u8; 3] = [32, 34, 38];

struct Canvas {
    bytes: Vec<u8>,
}

impl OriginDimensions for Canvas {
    fn size(&self) -> embedded_graphics::geometry::Size {
        embedded_graphics::geometry::Size::new(SIZE.width / SCALE, SIZE.height / SCALE)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        let stride = SIZE.width as usize * 3;
        for Pixel(at, color) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) else { continue };
            let scale = SCALE as usize;
            for row in y * scale..(y + 1) * scale {
                for column in x * scale..(x + 1) * scale {
                    let at = row * stride + column * 3;
                    if column < SIZE.width as usize
                        && let Some(pixel) = self.bytes.get_mut(at..at + 3)
                    {
                        pixel.copy_from_slice(&[color.r(), color.g(), color.b()]);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Breaks words into lines of `COLUMNS` letters; what is longer than a line is cut.
fn wrap(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let word: String = word.chars().take(COLUMNS).collect();
            if !line.is_empty() && COLUMNS < line.chars().count() + 1 + word.chars().count() {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// A picture that says `text`, for as long as nothing else is shown.
pub fn draw(text: &str) -> VideoFrame {
    let mut canvas = Canvas { bytes: BACKGROUND.repeat((SIZE.width * SIZE.height) as usize) };
    let text = wrap(text);
    let lines = text.lines().count() as i32;
    let middle = Point::new((SIZE.width / SCALE / 2) as i32, (SIZE.height / SCALE / 2) as i32 - (lines - 1) * 10);
    let style = MonoTextStyle::new(&FONT_10X20, Rgb888::WHITE);
    // Drawing into memory cannot fail.
    let Ok(_end) = Text::with_alignment(&text, middle, style, Alignment::Center).draw(&mut canvas);
    VideoFrame {
        format: VideoFormat {
            pixel: PixelFormat::Rgb24,
            coded: SIZE,
            visible: Rect::of(SIZE),
            sar: Ratio::ONE,
            rotation: Rotation::None,
            color: ColorTags::default().resolve(SIZE, true),
        },
        pts: MediaTime::ZERO,
        duration: Duration::ZERO,
        corrupt: false,
        lap: 0,
        discontinuity: false,
        memory: Memory::Cpu(Arc::new(VecPlanes { planes: vec![(canvas.bytes, SIZE.width as usize * 3)] })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_letters_on_it_and_nothing_is_black() {
        let Memory::Cpu(planes) = draw("Waiting for /a/folder").memory else { panic!("in ordinary memory") };
        let plane = planes.plane(0).expect("one plane");
        let white = plane.bytes.chunks_exact(3).filter(|it| *it == [255; 3]).count();
        assert!(1000 < white, "{white} white pixels");
        assert!(plane.bytes.chunks_exact(3).all(|it| it != [0; 3]));
    }

    #[test]
    fn long_words_and_texts_stay_inside() {
        let _fits = draw(&"/a/very/long/path".repeat(40));
        assert!(wrap(&"word ".repeat(100)).lines().all(|it| it.chars().count() <= COLUMNS));
    }
}
