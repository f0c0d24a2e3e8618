//! The frames the present thread has taken off the decks and not yet shown, in the order they are due.
use std::collections::VecDeque;

use crate::base::frame::VideoFrame;
use crate::base::time::MediaTime;

/// What the player looks at when it decides: enough to skip to the newest of several late frames, few enough that a
/// decoder with a small pool is not starved.
pub const AHEAD: usize = 3;

/// A frame with its place on the programme's timeline.
#[derive(Debug, Clone)]
pub struct Due {
    /// The picture.
    pub frame: VideoFrame,
    /// When it is due.
    pub pts: MediaTime,
    /// The deck it came from.
    pub deck: u64,
}

/// A short queue, oldest first. Never allocates once made.
#[derive(Debug)]
pub struct Ahead {
    frames: VecDeque<Due>,
    pts: [MediaTime; AHEAD],
}

impl Default for Ahead {
    fn default() -> Self {
        Self { frames: VecDeque::with_capacity(AHEAD + 1), pts: [MediaTime::ZERO; AHEAD] }
    }
}

impl Ahead {
    /// Room for one more.
    pub fn has_room(&self) -> bool {
        self.frames.len() < AHEAD
    }
    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
    /// Adds the newest.
    pub fn push(&mut self, it: Due) {
        self.frames.push_back(it);
    }
    /// Puts the oldest back.
    pub fn push_front(&mut self, it: Due) {
        self.frames.push_front(it);
    }
    /// Takes the oldest.
    pub fn pop(&mut self) -> Option<Due> {
        self.frames.pop_front()
    }
    /// Keeps the frames of these decks only.
    pub fn retain(&mut self, is_wanted: impl Fn(u64) -> bool) {
        self.frames.retain(|it| is_wanted(it.deck));
    }
    /// Forgets every frame.
    pub fn clear(&mut self) {
        self.frames.clear();
    }
    /// The frames, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Due> {
        self.frames.iter()
    }
    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Due> {
        self.frames.iter_mut()
    }
    /// When each is due, oldest first.
    pub fn due(&mut self) -> &[MediaTime] {
        for (slot, it) in self.pts.iter_mut().zip(&self.frames) {
            *slot = it.pts;
        }
        &self.pts[..self.frames.len().min(AHEAD)]
    }
}
