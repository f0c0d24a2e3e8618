//! Runs a decoder as the pipeline does: frames are held a little while, and let go of when they are wanted back.
use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use lucarne::backend::headless::display_clock::RealClock;
use lucarne::backend::v4l2::{Buffers, V4l2DecoderFactory};
use lucarne::base::dmabuf::{BufferId, Import};
use lucarne::base::frame::{Memory, VideoFormat, VideoFrame};
use lucarne::base::offer::Offer;
use lucarne::base::packet::Packet;
use lucarne::seam::decoder::{DecodeError, DecodeEvent, Decoder};
use lucarne::seam::wait::Waitable;

/// Frames held at once: a queue of three, one on the screen, one on its way there.
const HELD: usize = 5;

pub fn factory(buffers: Buffers) -> V4l2DecoderFactory {
    V4l2DecoderFactory::new(Arc::new(RealClock), buffers)
}

/// Waits, but not for ever: a decoder that has something to say says it, or gives up, before this.
pub fn wait(on: Waitable<'_>) {
    let Waitable::Fd(fd) = on else { panic!("it is waited for by its descriptor") };
    let n = poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], PollTimeout::from(5000u16)).expect("poll");
    assert!(n > 0, "nothing for five seconds");
}

/// One picture: when it is due, what it is, and the checksum of its visible pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub pts: i64,
    pub lap: u32,
    pub size: (u32, u32),
    pub crc: u32,
}

pub fn shown(frame: &VideoFrame) -> Shown {
    let visible = frame.format.visible;
    let crc = crc32fast::hash(&planar(frame).concat());
    Shown { pts: frame.pts.nanos(), lap: frame.lap, size: (visible.width, visible.height), crc }
}

/// The visible pixels as Y, Cb and Cr, without gaps, however they lie in memory.
pub fn planar(frame: &VideoFrame) -> [Vec<u8>; 3] {
    let VideoFormat { pixel, visible, .. } = frame.format;
    let mut all: [Vec<u8>; 3] = Default::default();
    let read = frame.memory.read(&mut |planes| {
        for (index, layout) in pixel.planes().iter().enumerate() {
            let plane = planes.plane(index).expect("a plane for each of the format's");
            let texel = layout.texel_bytes();
            let (left, top) = (visible.x / u32::from(layout.sub_x), visible.y / u32::from(layout.sub_y));
            let extent = layout.size(visible.size());
            for row in plane.bytes.chunks(plane.stride).skip(top as usize).take(extent.height as usize) {
                let row = &row[left as usize * texel..][..extent.width as usize * texel];
                if texel == 2 {
                    // Cb and Cr in turn, or the other way round.
                    let first = if pixel.name() == "nv21" { 2 } else { 1 };
                    all[first].extend(row.iter().step_by(2));
                    all[3 - first].extend(row.iter().skip(1).step_by(2));
                } else {
                    all[index].extend(row);
                }
            }
        }
    });
    read.expect("it can be read");
    all
}

/// A consumer.
pub struct Screen<'a> {
    held: VecDeque<VideoFrame>,
    /// Sees each frame once.
    look: &'a mut dyn FnMut(&VideoFrame),
    pub retired: u32,
    pub formats: u32,
    /// Descriptors of its own of each buffer, as a screen's framebuffers and a GPU's images are; `None`: it makes none.
    pub imports: Option<HashMap<BufferId, (OwnedFd, Import)>>,
}

impl<'a> Screen<'a> {
    pub fn new(look: &'a mut dyn FnMut(&VideoFrame)) -> Self {
        Self { held: VecDeque::with_capacity(HELD + 1), look, retired: 0, formats: 0, imports: None }
    }

    /// Takes what there is; whether the drain is over.
    pub fn take(&mut self, decoder: &mut dyn Decoder) -> Result<bool, DecodeError> {
        loop {
            match decoder.poll()? {
                Some(DecodeEvent::Frame(it)) => {
                    (self.look)(&it);
                    self.import(&it);
                    self.held.push_back(it);
                    if HELD < self.held.len() {
                        self.held.pop_front();
                    }
                }
                Some(DecodeEvent::FormatChanged(_)) => self.formats += 1,
                Some(DecodeEvent::Retiring) => {
                    self.retired += 1;
                    self.let_go();
                }
                Some(DecodeEvent::Drained) => return Ok(true),
                None => return Ok(false),
            }
        }
    }

    fn import(&mut self, frame: &VideoFrame) {
        let (Some(imports), Memory::Dmabuf(lease)) = (&mut self.imports, &frame.memory) else { return };
        imports.entry(lease.id()).or_insert_with(|| {
            let fd = lease.picture().plane(0).unwrap().fd.try_clone_to_owned().unwrap();
            (fd, Import::new(lease))
        });
    }

    /// Lets go of every frame and import.
    pub fn let_go(&mut self) {
        self.held.clear();
        if let Some(it) = &mut self.imports {
            it.clear();
        }
    }

    /// Gives the decoder packets.
    pub fn feed(
        &mut self,
        decoder: &mut dyn Decoder,
        packets: impl IntoIterator<Item = Packet>,
    ) -> Result<(), DecodeError> {
        for mut packet in packets {
            while let Offer::Refused(it) = decoder.submit(packet)? {
                packet = it;
                self.take(decoder)?;
                if let Offer::Refused(it) = decoder.submit(packet)? {
                    packet = it;
                    wait(decoder.waitable());
                } else {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Drains the decoder.
    pub fn finish(&mut self, decoder: &mut dyn Decoder) -> Result<(), DecodeError> {
        decoder.drain()?;
        while !self.take(decoder)? {
            wait(decoder.waitable());
        }
        Ok(())
    }
}

/// All pictures of these packets.
pub fn all(decoder: &mut dyn Decoder, packets: impl IntoIterator<Item = Packet>) -> Vec<Shown> {
    let mut pictures = Vec::new();
    let mut look = |it: &VideoFrame| pictures.push(shown(it));
    let mut screen = Screen::new(&mut look);
    screen.feed(decoder, packets).unwrap_or_else(|it| panic!("{it}"));
    screen.finish(decoder).unwrap_or_else(|it| panic!("{it}"));
    pictures
}

/// This process's open descriptors.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc").count()
}
