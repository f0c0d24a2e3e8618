//! A queue between two threads. Nobody waits here: each side is woken by its own bell.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::offer::{FlowPolicy, FlowSignal, Offer};
use crate::logic::flow::{ItemMeta, Level, Limits};
use crate::pipeline::queue::{Queue, QueueStats};
use crate::seam::wait::Wake;

struct State<T> {
    queue: Queue<T>,
    closed: bool,
    consumer: Option<Arc<dyn Wake>>,
    producer: Option<Arc<dyn Wake>>,
}

/// One queue, shared: clones are handles to the same. Every offer that is taken wakes the consumer, every take wakes the
/// producer; both outside the lock. An item's `Drop` must not come back to the link it was in.
pub struct Link<T> {
    state: Arc<Mutex<State<T>>>,
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<T> std::fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("Link").field("queue", &state.queue).field("closed", &state.closed).finish_non_exhaustive()
    }
}

impl<T> Link<T> {
    /// An empty, open link.
    pub fn new(policy: FlowPolicy, limits: Limits) -> Self {
        let state = State { queue: Queue::new(policy, limits), closed: false, consumer: None, producer: None };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Who is woken when something comes.
    pub fn set_consumer(&self, wake: Arc<dyn Wake>) {
        self.lock().consumer = Some(wake);
    }

    /// Who is woken when something was taken.
    pub fn set_producer(&self, wake: Arc<dyn Wake>) {
        self.lock().producer = Some(wake);
    }

    /// Offers an item. The signal says how the queue is afterwards. A closed link refuses everything and says `Eos`.
    pub fn offer(&self, item: T, meta: ItemMeta) -> (Offer<T>, FlowSignal) {
        self.offer_with(item, meta, Queue::offer)
    }

    /// `Queue::offer_over_limit`: for badly interleaved files.
    pub fn offer_over_limit(&self, item: T, meta: ItemMeta) -> (Offer<T>, FlowSignal) {
        self.offer_with(item, meta, Queue::offer_over_limit)
    }

    /// The oldest item. What was offered before `close` is still there to take.
    pub fn take(&self) -> Option<T> {
        let (item, producer) = {
            let mut state = self.lock();
            let item = state.queue.take()?;
            (item, state.producer.clone())
        };
        wake(producer);
        Some(item)
    }

    /// Looks at the queue. Keep it short: the other side waits meanwhile.
    pub fn with_queue<R>(&self, look: impl FnOnce(&Queue<T>) -> R) -> R {
        look(&self.lock().queue)
    }

    /// How full it is, without events.
    pub fn level(&self) -> Level {
        self.lock().queue.level()
    }

    /// What the source should know now.
    pub fn signal(&self) -> FlowSignal {
        let state = self.lock();
        if state.closed { FlowSignal::Eos } else { state.queue.signal() }
    }

    /// What became of the items so far.
    pub fn stats(&self) -> QueueStats {
        self.lock().queue.stats()
    }

    /// Neither items nor events.
    pub fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// Flushes what is queued and wakes the producer. Open or closed, it stays so.
    pub fn clear(&self) {
        let producer = {
            let mut state = self.lock();
            state.queue.clear();
            state.producer.clone()
        };
        wake(producer);
    }

    /// Nothing more will be taken. Wakes both sides.
    pub fn close(&self) {
        let (consumer, producer) = {
            let mut state = self.lock();
            state.closed = true;
            (state.consumer.clone(), state.producer.clone())
        };
        wake(consumer);
        wake(producer);
    }

    /// Whether `close` was called. Items may still be queued.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn offer_with(
        &self,
        item: T,
        meta: ItemMeta,
        how: impl FnOnce(&mut Queue<T>, T, ItemMeta) -> Offer<T>,
    ) -> (Offer<T>, FlowSignal) {
        let (offer, signal, consumer) = {
            let mut state = self.lock();
            if state.closed {
                return (Offer::Refused(item), FlowSignal::Eos);
            }
            let offer = how(&mut state.queue, item, meta);
            let consumer = if offer_is_taken(&offer) { state.consumer.clone() } else { None };
            (offer, state.queue.signal(), consumer)
        };
        wake(consumer);
        (offer, signal)
    }

    /// A panic elsewhere leaves the queue whole: it is changed by single steps that do not panic.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn offer_is_taken<T>(offer: &Offer<T>) -> bool {
    matches!(offer, Offer::Taken)
}

fn wake(who: Option<Arc<dyn Wake>>) {
    if let Some(who) = who {
        who.wake();
    }
}

#[cfg(test)]
mod tests;
