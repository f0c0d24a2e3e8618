//! Frames of the kernel's test codec on planes, as the codec left them in its memory.
use std::sync::Arc;

use lucarne::backend::headless::display_clock::RealClock;
use lucarne::backend::v4l2::{Buffers, V4l2DecoderFactory};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::frame::{Memory, VideoFrame};
use lucarne::seam::decoder::DecoderFactory;
use lucarne::seam::interop::VideoInterop;

use crate::cards::Surroundings;
use crate::cases::{Outcome, one};
use crate::frames::{PLACE, check, wire};
use crate::pictures::{Channel, Picture};
use crate::screen::request;
use crate::{fwht, play, reference};

const SCREEN: Size = Size::new(640, 480);
/// Pictures of each configuration.
const COUNT: usize = 10;

/// What was decoded, with the chroma of each pixel as a controller takes it that does not filter: vkms.
fn unfiltered(frame: &VideoFrame) -> Picture {
    let [luma, cb, cr] = play::planar(frame);
    let half = SCREEN.width / 2;
    Picture::new(PixelFormat::Yuv444p, SCREEN, frame.format.color, |it| {
        let (whole, halved) = ((it.y * SCREEN.width + it.x) as usize, (it.y / 2 * half + it.x / 2) as usize);
        u16::from(match it.channel {
            Channel::Cb => cb[halved],
            Channel::Cr => cr[halved],
            _ => luma[whole],
        })
    })
}

pub fn shown(_: &Surroundings) -> Outcome {
    let film = fwht::film(SCREEN, 0, COUNT).ok_or("there is no vicodec here")?;
    for buffers in [Buffers::Exported, Buffers::Imported] {
        let factory = V4l2DecoderFactory::new(Arc::new(RealClock), buffers);
        let mut decoder = factory.open(&film.stream).unwrap();
        let (mut display, mut tools) = one(&request(&[]));
        let mut interop = display.plane_interop();
        let mut shown = 0;
        let mut look = |frame: &VideoFrame| {
            assert!(matches!(frame.memory, Memory::Dmabuf(_)));
            interop.accepts(frame, &PLACE).unwrap_or_else(|error| panic!("{error}"));
            let pixels = wire(&mut display, &mut tools, frame, PLACE);
            let want = reference::render(&unfiltered(frame), PLACE.fit, PLACE.rotation, SCREEN);
            check(&pixels, &want, &format!("picture {shown} of {buffers:?}"), |_, _| false);
            shown += 1;
        };
        let mut screen = play::Screen::new(&mut look);
        screen.feed(decoder.as_mut(), film.packets.iter().cloned()).unwrap();
        screen.finish(decoder.as_mut()).unwrap();
        screen.let_go();
        assert_eq!(shown, COUNT);
    }
    Ok(())
}
