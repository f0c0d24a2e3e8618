//! Pictures from the wire, and checksums of them, that were asked for and have not come yet.
use std::collections::VecDeque;

use crate::base::format::Size;
use crate::seam::presenter::{Presenter, SubmissionId};

/// So many may be on their way; a controller answers within a few refreshes, and what is older never comes.
const MOST: usize = 4;

/// See the module's text. Never allocates but for the first picture.
#[derive(Debug)]
pub(super) struct Captures {
    expected: VecDeque<(SubmissionId, u64)>,
    /// The same for checksums.
    checks: VecDeque<(SubmissionId, u64)>,
    pixels: Vec<u8>,
}

impl Default for Captures {
    fn default() -> Self {
        let room = || VecDeque::with_capacity(MOST);
        Self { expected: room(), checks: room(), pixels: Vec::new() }
    }
}

impl Captures {
    /// The frame with this index was shown by this submission, and its picture is to come.
    pub(super) fn announce(&mut self, id: SubmissionId, index: u64) {
        push(&mut self.expected, (id, index));
    }

    /// The frame with this index was shown by this submission, and its checksum is to come.
    pub(super) fn announce_check(&mut self, id: SubmissionId, index: u64) {
        push(&mut self.checks, (id, index));
    }

    /// The screen has a picture of this submission: takes it, and says which frame that is; a picture nobody asked for is
    /// thrown away.
    pub(super) fn take(&mut self, id: SubmissionId, presenter: &mut dyn Presenter) -> Option<(u64, Size)> {
        let size = presenter.take_capture(&mut self.pixels)?;
        pop(&mut self.expected, id).map(|index| (index, size))
    }

    /// The screen has the checksum of this submission: says which frame that is.
    pub(super) fn checked(&mut self, id: SubmissionId) -> Option<u64> {
        pop(&mut self.checks, id)
    }

    /// The picture taken last.
    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// None is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.expected.is_empty() && self.checks.is_empty()
    }

    /// None of them will come.
    pub(super) fn clear(&mut self) {
        self.expected.clear();
        self.checks.clear();
    }
}

fn push(expected: &mut VecDeque<(SubmissionId, u64)>, it: (SubmissionId, u64)) {
    if expected.len() == MOST {
        expected.pop_front();
    }
    expected.push_back(it);
}

/// The frame of a submission. They come in order: what is older never comes.
fn pop(expected: &mut VecDeque<(SubmissionId, u64)>, id: SubmissionId) -> Option<u64> {
    let place = expected.iter().position(|it| it.0 == id)?;
    expected.drain(..place);
    expected.pop_front().map(|(_, index)| index)
}
