//! What plays next, and what to do about what does not play.
//!
//! ```text
//!   peek_next(now) ──── Play(pick) ──> open it, decode its first frame; report a failure, peek again
//!        │                                   │ the present item ends
//!        │                       begin(pick), or advance(now): the pick is current
//!        ├── Wait{until, why} ──> ask again then, or after replace_items
//!        └── End
//! ```
//! An item that failed is stepped over for the rest of the lap, and tried again on a later one, but no sooner than
//! `RETRY_AFTER`. Items are known by their id (a path, a URL), not by their place: a folder may change while it plays.
use std::time::Duration;

use crate::base::time::MonoTime;

/// A failed item is not opened again sooner: with two items in the list a lap may take a second, and each try costs time
/// and a line in the log.
pub const RETRY_AFTER: Duration = Duration::from_secs(30);

/// How often the list is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looping {
    /// So many laps; 0 counts as 1.
    Times(u32),
    /// Until somebody stops it.
    Forever,
}

/// One play of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick<I> {
    /// The item.
    pub id: I,
    /// Its place in the list, when it was picked.
    pub index: usize,
    /// The lap, from 0.
    pub lap: u32,
}

/// Why nothing plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nothing {
    /// The list is empty.
    Empty,
    /// Every item failed on a whole lap.
    NothingPlayable,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<I> {
    /// This.
    Play(Pick<I>),
    /// Nothing yet: ask again at `until`, or when the items have changed.
    Wait {
        /// When a failed item may be tried again.
        until: Option<MonoTime>,
        /// For the status picture.
        why: Nothing,
    },
    /// Nothing, ever.
    End,
}

/// How a play ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something of it was shown.
    Played,
    /// It could not be opened, or showed nothing.
    Failed,
}

#[derive(Debug, Clone)]
struct Entry<I> {
    id: I,
    /// The last failure: its lap, and when. Cleared by a success.
    failed: Option<(u32, MonoTime)>,
}

/// A list of items and a place in it.
#[derive(Debug)]
pub struct Playlist<I> {
    entries: Vec<Entry<I>>,
    looping: Looping,
    current: Option<Pick<I>>,
    /// Where the search for the next item begins: behind the current one and those after it that failed already.
    next: usize,
    /// The lap of `next`.
    lap: u32,
    /// Some item was shown, ever.
    has_played: bool,
}

impl<I: Clone + PartialEq> Playlist<I> {
    /// A list that begins with its first item.
    pub fn new(items: Vec<I>, looping: Looping) -> Self {
        let entries = items.into_iter().map(|id| Entry { id, failed: None }).collect();
        Self { entries, looping, current: None, next: 0, lap: 0, has_played: false }
    }

    /// What will follow the current item if nothing changes: to open it beforehand.
    pub fn peek_next(&self, now: MonoTime) -> Next<I> {
        if self.entries.is_empty() {
            return self.nothing(None, Nothing::Empty);
        }
        let mut earliest: Option<MonoTime> = None;
        for (index, lap) in self.candidates() {
            let Some(entry) = self.entries.get(index) else { continue };
            match entry.retry_at(lap) {
                Retry::At(time) if now < time => {
                    earliest = Some(earliest.map_or(time, |it| it.min(time)));
                }
                Retry::NotThisLap => {}
                Retry::Now | Retry::At(_) => return Next::Play(Pick { id: entry.id.clone(), index, lap }),
            }
        }
        self.nothing(earliest, Nothing::NothingPlayable)
    }

    /// Goes on to what `peek_next` says.
    pub fn advance(&mut self, now: MonoTime) -> Next<I> {
        let next = self.peek_next(now);
        if let Next::Play(pick) = &next {
            self.make_current(pick.clone());
        }
        next
    }

    /// An item that was peeked begins. Not what `advance` would go on to by now: meanwhile a failed one may be due again,
    /// or the list has changed; one that is no longer in it leaves the place as it is.
    pub fn begin(&mut self, pick: &Pick<I>) {
        let is_there = self.entries.get(pick.index).is_some_and(|it| it.id == pick.id);
        let index = if is_there { Some(pick.index) } else { self.entries.iter().position(|it| it.id == pick.id) };
        match index {
            Some(index) => self.make_current(Pick { index, ..pick.clone() }),
            None => self.current = Some(pick.clone()),
        }
    }

    /// Goes back to the item before the current one, past those that failed lately. The first item is followed by itself,
    /// or when looping for ever by the last.
    pub fn previous(&mut self, now: MonoTime) -> Next<I> {
        let here = self.current.as_ref().map_or(self.next, |it| it.index).min(self.entries.len());
        let after = if self.looping == Looping::Forever { here..self.entries.len() } else { 0..0 };
        let playable = |index: &usize| self.entries.get(*index).is_some_and(|it| it.is_rested(now));
        let found = (0..here).rev().find(playable).or_else(|| after.rev().find(playable));
        // Nothing before it: the current item begins again, or what would come next anyway.
        let found = found.or_else(|| Some(here).filter(playable));
        match found.and_then(|index| self.entries.get(index).map(|entry| (index, entry.id.clone()))) {
            Some((index, id)) => {
                let pick = Pick { id, index, lap: self.lap };
                self.make_current(pick.clone());
                Next::Play(pick)
            }
            None => self.advance(now),
        }
    }

    /// How the play of an item ended, or that a peeked one could not be opened.
    pub fn report(&mut self, pick: &Pick<I>, outcome: Outcome, now: MonoTime) {
        self.has_played |= outcome == Outcome::Played;
        let index = match self.entries.get(pick.index) {
            Some(entry) if entry.id == pick.id => Some(pick.index),
            // The list has changed since.
            _ => self.entries.iter().position(|it| it.id == pick.id),
        };
        let Some((index, entry)) = index.and_then(|index| Some((index, self.entries.get_mut(index)?))) else { return };
        entry.failed = (outcome == Outcome::Failed).then_some((pick.lap, now));
        // One that failed before its turn is stepped over now, so that no lap begins twice.
        if outcome == Outcome::Failed && (pick.lap, index) >= (self.lap, self.next) {
            (self.lap, self.next) = (pick.lap, index + 1);
        }
    }

    /// The item itself has changed (a file was written anew): whatever failed before, it may be tried at once.
    pub fn forgive(&mut self, id: &I) {
        self.entries.iter_mut().filter(|it| it.id == *id).for_each(|it| it.failed = None);
    }

    /// The list has changed. What is current stays so; what follows is what follows it in the new list, or where it is
    /// gone, the first of the items after it that is still there.
    pub fn replace_items(&mut self, items: Vec<I>) {
        let next = self.place_in(&items);
        if let Some(current) = &self.current
            && let Some(index) = self.occurrence(&items, &current.id, current.index)
        {
            self.current = Some(Pick { index, ..current.clone() });
        }
        let mut old = std::mem::take(&mut self.entries);
        self.entries = items
            .into_iter()
            .map(|id| {
                // Each old entry is used once, so that an item that is listed twice keeps both its memories.
                let known = old.iter().position(|it| it.id == id);
                known.map(|index| old.remove(index)).unwrap_or(Entry { id, failed: None })
            })
            .collect();
        self.next = next;
    }

    /// What plays, or played last.
    pub fn current(&self) -> Option<&Pick<I>> {
        self.current.as_ref()
    }

    /// Items in the list.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing in the list.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether anything was ever shown: what the exit code depends on.
    pub fn has_played(&self) -> bool {
        self.has_played
    }

    /// The rest of this lap, then a whole one, as far as laps are left.
    fn candidates(&self) -> impl Iterator<Item = (usize, u32)> {
        let (len, lap) = (self.entries.len(), self.lap);
        let following = lap.saturating_add(1);
        let has_following = match self.looping {
            Looping::Forever => true,
            Looping::Times(laps) => following < laps.max(1),
        };
        let rest = (self.next.min(len)..len).map(move |index| (index, lap));
        rest.chain((0..if has_following { len } else { 0 }).map(move |index| (index, following)))
    }

    fn make_current(&mut self, pick: Pick<I>) {
        self.next = pick.index + 1;
        self.lap = pick.lap;
        self.current = Some(pick);
    }

    /// Waiting makes sense only for those who have for ever.
    fn nothing(&self, until: Option<MonoTime>, why: Nothing) -> Next<I> {
        match self.looping {
            Looping::Forever => Next::Wait { until, why },
            Looping::Times(_) => Next::End,
        }
    }

    /// Where `next` is in a new list.
    fn place_in(&self, items: &[I]) -> usize {
        if self.current.is_none() && self.next == 0 {
            return 0;
        }
        // Behind the same item as before, if that is still there.
        let last = self.next.checked_sub(1).and_then(|index| Some((index, self.entries.get(index)?)));
        if let Some(place) = last.and_then(|(index, it)| self.occurrence(items, &it.id, index)) {
            return place + 1;
        }
        let mut following = self.entries.iter().enumerate().skip(self.next);
        following.find_map(|(index, it)| self.occurrence(items, &it.id, index)).unwrap_or(items.len())
    }

    /// Where in `items` the entry at `index` is: the second of two equal ids stays the second.
    fn occurrence(&self, items: &[I], id: &I, index: usize) -> Option<usize> {
        let before = self.entries.iter().take(index).filter(|it| it.id == *id).count();
        let mut places = items.iter().enumerate().filter(|it| it.1 == id).map(|it| it.0);
        let first = places.next()?;
        Some(places.take(before).last().unwrap_or(first))
    }
}

/// Whether an item that may have failed is tried.
enum Retry {
    Now,
    At(MonoTime),
    NotThisLap,
}

impl<I> Entry<I> {
    fn retry_at(&self, lap: u32) -> Retry {
        match self.failed {
            None => Retry::Now,
            Some((failed_lap, _)) if lap <= failed_lap => Retry::NotThisLap,
            Some((_, at)) => Retry::At(at + RETRY_AFTER),
        }
    }
    /// Has not failed lately.
    fn is_rested(&self, now: MonoTime) -> bool {
        self.failed.is_none_or(|(_, at)| now >= at + RETRY_AFTER)
    }
}

#[cfg(test)]
mod tests;
