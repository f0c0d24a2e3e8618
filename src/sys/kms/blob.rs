//! Property blobs.
use std::io;
use std::rc::Rc;

use drm::control::{Device as _, Mode, property};

use super::card::Card;

/// A blob of our own (a mode line, most often); the kernel keeps its own reference for as long as it is in use.
#[derive(Debug)]
pub struct PropertyBlob {
    card: Rc<Card>,
    id: u64,
}

impl PropertyBlob {
    /// A mode, for a CRTC's MODE_ID.
    pub fn of_mode(card: &Rc<Card>, mode: &Mode) -> io::Result<Self> {
        Self::of(card, mode)
    }

    /// Bytes that were read from another blob.
    pub fn of_bytes(card: &Rc<Card>, bytes: &[u8]) -> io::Result<Self> {
        Self::of(card, bytes)
    }

    fn of<T: ?Sized>(card: &Rc<Card>, data: &T) -> io::Result<Self> {
        match card.create_property_blob(data)? {
            property::Value::Blob(id) => Ok(Self { card: Rc::clone(card), id }),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// What a property takes.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for PropertyBlob {
    fn drop(&mut self) {
        if let Err(error) = self.card.destroy_property_blob(self.id) {
            log::debug!("{}: destroying a property blob: {error}", self.card.path().display());
        }
    }
}
