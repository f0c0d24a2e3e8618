//! Dumb buffers: memory that both the display controller and the CPU can use, on every driver.
use std::io;
use std::rc::Rc;

use drm::buffer::{Buffer, DrmFourcc};
use drm::control::Device as _;
use drm::control::dumbbuffer::DumbBuffer;

use super::card::Card;
use super::framebuffer::Framebuffer;
use crate::base::format::Size;

/// Bits of a pixel.
const BITS: u32 = 32;
/// Bits of one in a buffer of bytes.
const BYTE_BITS: u32 = 8;

/// An XRGB8888 picture the CPU can read, or a blank one of another format, with a framebuffer on it.
#[derive(Debug)]
pub struct DumbPicture {
    /// Removed before its memory goes.
    framebuffer: Framebuffer,
    card: Rc<Card>,
    buffer: DumbBuffer,
    size: Size,
}

impl DumbPicture {
    /// Black, of `size` pixels.
    pub fn new(card: &Rc<Card>, size: Size) -> io::Result<Self> {
        let buffer = card.create_dumb_buffer((size.width, size.height), DrmFourcc::Xrgb8888, BITS)?;
        match Framebuffer::of_dumb(card, &buffer) {
            Ok(framebuffer) => Ok(Self { framebuffer, card: Rc::clone(card), buffer, size }),
            Err(error) => {
                let _ = card.destroy_dumb_buffer(buffer);
                Err(error)
            }
        }
    }

    /// A picture of `size` pixels that says nothing, to ask the display controller whether it takes such: `rows` of each
    /// plane of `fourcc`, of `row` bytes at most.
    pub fn blank(
        card: &Rc<Card>,
        size: Size,
        fourcc: DrmFourcc,
        row: u32,
        rows: impl Iterator<Item = u32>,
    ) -> io::Result<Self> {
        let mut starts = [None; 4];
        let mut height: u32 = 0;
        for (start, rows) in starts.iter_mut().zip(rows) {
            *start = Some(height);
            height = height.checked_add(rows).ok_or(io::ErrorKind::InvalidInput)?;
        }
        let buffer = card.create_dumb_buffer((row, height), DrmFourcc::R8, BYTE_BITS)?;
        match Framebuffer::of_rows(card, &buffer, size, fourcc, starts) {
            Ok(framebuffer) => Ok(Self { framebuffer, card: Rc::clone(card), buffer, size }),
            Err(error) => {
                let _ = card.destroy_dumb_buffer(buffer);
                Err(error)
            }
        }
    }

    /// What the display controller reads or writes.
    pub fn framebuffer(&self) -> &Framebuffer {
        &self.framebuffer
    }

    /// Pixels across and down.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Hands each row of an XRGB8888 picture, top one first, to `row`: B, G, R, X bytes without padding.
    pub fn read_rows(&mut self, mut row: impl FnMut(&[u8])) -> io::Result<()> {
        let (pitch, width) = (self.buffer.pitch() as usize, self.size.width as usize * 4);
        let mapping = self.card.map_dumb_buffer(&mut self.buffer)?;
        for line in mapping.chunks_exact(pitch.max(1)).take(self.size.height as usize) {
            row(line.get(..width).unwrap_or(line));
        }
        Ok(())
    }
}

impl Drop for DumbPicture {
    fn drop(&mut self) {
        // The framebuffer holds its own reference to the memory, so the order does not matter to the kernel.
        if let Err(error) = self.card.destroy_dumb_buffer(self.buffer) {
            log::debug!("{}: destroying a dumb buffer: {error}", self.card.path().display());
        }
    }
}
