//! Pictures from the wire that were asked for and have not come yet.
use std::collections::VecDeque;

use crate::base::format::Size;
use crate::seam::presenter::{Presenter, SubmissionId};

/// So many may be on their way; a controller answers within a few refreshes, and what is older never comes.
const MOST: usize = 4;

/// See the module's text. Never allocates but for the first picture.
#[derive(Debug)]
pub(super) struct Captures {
    expected: VecDeque<(SubmissionId, u64)>,
    pixels: Vec<u8>,
}

impl Default for Captures {
    fn default() -> Self {
        Self { expected: VecDeque::with_capacity(MOST), pixels: Vec::new() }
    }
}

impl Captures {
    /// The frame with this index was shown by this submission, and its picture is to come.
    pub(super) fn announce(&mut self, id: SubmissionId, index: u64) {
        if self.expected.len() == MOST {
            self.expected.pop_front();
        }
        self.expected.push_back((id, index));
    }

    /// The screen has a picture of this submission: takes it, and says which frame that is; a picture nobody asked for is
    /// thrown away.
    pub(super) fn take(&mut self, id: SubmissionId, presenter: &mut dyn Presenter) -> Option<(u64, Size)> {
        let size = presenter.take_capture(&mut self.pixels)?;
        let place = self.expected.iter().position(|it| it.0 == id)?;
        // They come in order: what is older never comes.
        self.expected.drain(..place);
        self.expected.pop_front().map(|(_, index)| (index, size))
    }

    /// The picture taken last.
    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// None is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.expected.is_empty()
    }

    /// None of them will come.
    pub(super) fn clear(&mut self) {
        self.expected.clear();
    }
}
