//! Where each buffer of a queue is.

/// The most buffers a queue can have (`VIDEO_MAX_FRAME`).
pub const MAX_BUFFERS: u32 = 32;

/// Where a buffer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// With us, free.
    Ours,
    /// With the driver.
    Device,
    /// With whoever shows its picture.
    Out,
    /// With us; the driver does not take it any more.
    Useless,
    /// There is no such buffer.
    Nowhere,
}

/// The buffers of one queue.
#[derive(Debug, Clone)]
pub(super) struct Places {
    of: [Place; MAX_BUFFERS as usize],
}

impl Places {
    /// `count` buffers, all with us; more than there can be are not there.
    pub(super) fn new(count: u32) -> Self {
        let mut of = [Place::Nowhere; MAX_BUFFERS as usize];
        of.iter_mut().take(count as usize).for_each(|it| *it = Place::Ours);
        Self { of }
    }

    pub(super) fn of(&self, index: u32) -> Place {
        self.of.get(index as usize).copied().unwrap_or(Place::Nowhere)
    }

    pub(super) fn set(&mut self, index: u32, place: Place) {
        if let Some(it) = self.of.get_mut(index as usize) {
            *it = place;
        }
    }

    pub(super) fn first(&self, place: Place) -> Option<u32> {
        self.of.iter().position(|it| *it == place).and_then(|it| u32::try_from(it).ok())
    }

    pub(super) fn count(&self, place: Place) -> usize {
        self.of.iter().filter(|it| **it == place).count()
    }

    /// The queue was stopped.
    pub(super) fn all_ours(&mut self) {
        self.of.iter_mut().filter(|it| **it != Place::Nowhere).for_each(|it| *it = Place::Ours);
    }
}
