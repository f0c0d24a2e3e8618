//! Slots that are filled again once nobody else holds them.
use std::sync::Arc;

use super::error::AvError;

/// Slots made at once, at least: more than the ten or so pictures that are out at once between a decoder and a screen,
/// so that one more, some hours later, is no allocation.
const GROWTH: usize = 16;
/// ...and this share of the slots there are: how many packets two seconds hold varies with their number.
const GROWTH_SHARE: usize = 4;

/// What a slot can hold.
pub trait Recycle: Sized {
    /// An empty one.
    fn empty() -> Result<Self, AvError>;
    /// Lets go of what it refers to, keeping the struct.
    fn clear(&mut self);
}

/// A pool of shared slots. It keeps one `Arc` of each; a slot whose only `Arc` that is, is free. Handing something out
/// allocates only while the pool grows to what the pipeline holds at once, and a little more.
#[derive(Debug)]
pub struct Pool<T> {
    slots: Vec<Arc<T>>,
    cursor: usize,
    limit: usize,
}

impl<T: Recycle> Pool<T> {
    /// A pool that remembers at most `limit` slots; what is handed out beyond that is freed by its last holder.
    pub fn new(limit: usize) -> Self {
        Self { slots: Vec::new(), cursor: 0, limit }
    }

    /// Shares what is in `value`. `value` gets the content of the slot that was used: something nobody needs any more,
    /// whose memory may serve again.
    pub fn share(&mut self, value: &mut T) -> Result<Arc<T>, AvError> {
        // Slots are usually freed in the order they were handed out, so the oldest is looked at first.
        for step in 0..self.slots.len() {
            let index = (self.cursor + step) % self.slots.len();
            if let Some(slot) = Arc::get_mut(&mut self.slots[index]) {
                std::mem::swap(slot, value);
                self.cursor = index + 1;
                return Ok(Arc::clone(&self.slots[index]));
            }
        }
        let shared = Arc::new(std::mem::replace(value, T::empty()?));
        let (known, room) = (self.slots.len(), self.limit.saturating_sub(self.slots.len()));
        let more = GROWTH.max(known / GROWTH_SHARE).min(room);
        if 0 < more {
            self.slots.reserve(more);
            self.slots.push(Arc::clone(&shared));
            for _ in 1..more {
                self.slots.push(Arc::new(T::empty()?));
            }
            self.cursor = known + 1;
        }
        Ok(shared)
    }

    /// Clears every free slot, so that what it referred to can be used again elsewhere.
    pub fn trim(&mut self) {
        for slot in &mut self.slots {
            if let Some(slot) = Arc::get_mut(slot) {
                slot.clear();
            }
        }
    }

    /// Slots it knows.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether it has handed out nothing yet.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Recycle for u32 {
        fn empty() -> Result<Self, AvError> {
            Ok(0)
        }
        fn clear(&mut self) {
            *self = 0;
        }
    }

    #[test]
    fn a_pool_grows_to_a_little_more_than_is_held_at_once() {
        for (at_once, slots) in [(1, GROWTH), (GROWTH, GROWTH), (GROWTH + 1, 2 * GROWTH), (64, 64), (80, 80), (81, 100)]
        {
            let mut pool = Pool::new(1000);
            let mut held = std::collections::VecDeque::new();
            for number in 1..=200 {
                if held.len() == at_once {
                    held.pop_front();
                }
                held.push_back(pool.share(&mut { number }).expect("share"));
                assert_eq!(held.back().map(|it| **it), Some(number));
            }
            assert_eq!(pool.len(), slots, "{at_once} held");
        }
    }

    #[test]
    fn what_is_held_beyond_the_limit_is_still_handed_out() {
        let mut pool = Pool::new(2);
        let held: Vec<_> = (1..=5).map(|it: u32| pool.share(&mut { it }).expect("share")).collect();
        assert_eq!(held.iter().map(|it| **it).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(pool.len(), 2);
    }

    #[test]
    fn trimming_clears_only_what_nobody_holds() {
        let mut pool = Pool::new(2);
        let held = pool.share(&mut 7u32).expect("share");
        drop(pool.share(&mut 8).expect("share"));
        pool.trim();
        assert_eq!(*held, 7);
        let mut next = 9;
        let _held = pool.share(&mut next).expect("share");
        assert_eq!(next, 0);
    }
}
