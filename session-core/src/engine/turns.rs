//! Queues for requests of this process that write the same session concurrently, so that they take turns instead of
//! racing.
//!
//! An uncontended commit does not queue: it tries first, and waits here only after a conflict. While a queue exists,
//! later commits enter it before they try. Each commit gets the record that the previous one wrote, so that concurrent
//! writers cost one call for each write, and none starves. Other processes are handled by compare-and-swap alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_lock::MutexGuardArc;

use crate::value::id::StoreKey;
use crate::value::record::Record;

/// Those who wait, and the record that the last one whose turn it was has written.
type Queue = Arc<async_lock::Mutex<Option<Record>>>;

/// A queue for each session that is fought over; none for the others.
#[derive(Debug)]
pub(crate) struct Turns {
    // A std mutex: nothing awaits while it is held.
    shards: [Mutex<HashMap<StoreKey, Queue>>; SHARDS],
    /// How many there are, so that one who is alone looks at one number.
    queues: AtomicUsize,
}

impl Default for Turns {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), queues: AtomicUsize::new(0) }
    }
}

/// The guard of a turn, which ends on drop.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    key: StoreKey,
    guard: Option<MutexGuardArc<Option<Record>>>,
}

impl Turn<'_> {
    /// Returns what the previous turn wrote: the current record, unless another process or a commit that did not queue
    /// has written since.
    pub(crate) fn latest(&self) -> Option<&Record> {
        self.guard.as_ref()?.as_ref()
    }

    /// Stores what was written for the next turn.
    pub(crate) fn leave(&mut self, record: &Record) {
        if let Some(latest) = &mut self.guard {
            **latest = Some(record.clone());
        }
    }
}

impl Turns {
    /// Returns whether there is a queue for this session. A queue that begins concurrently may be missed; a conflict
    /// then reveals it.
    pub(crate) fn has_queue(&self, key: &StoreKey) -> bool {
        self.queues.load(Ordering::Relaxed) > 0 && self.with(key, |queues| queues.contains_key(key))
    }

    /// Waits for a turn at this session. Cancel safe.
    pub(crate) async fn take(&self, key: StoreKey) -> Turn<'_> {
        // Declared before `queue`, so dropped after it: a caller who stops waiting and is the last takes the queue away.
        let mut turn = Turn { turns: self, key, guard: None };
        let queue = self.with(&key, |queues| {
            let queue = queues.entry(key).or_insert_with(|| {
                self.queues.fetch_add(1, Ordering::Relaxed);
                Queue::default()
            });
            queue.clone()
        });
        turn.guard = Some(queue.lock_arc().await);
        turn
    }

    fn with<R>(&self, key: &StoreKey, look: impl FnOnce(&mut HashMap<StoreKey, Queue>) -> R) -> R {
        let shard = &self.shards[usize::from(key.as_bytes()[31]) % SHARDS];
        look(&mut shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        self.turns.with(&self.key, |queues| {
            // Waiters hold the queue as well; the last one removes it.
            if queues.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
                queues.remove(&self.key);
                self.turns.queues.fetch_sub(1, Ordering::Relaxed);
            }
        });
    }
}

const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    const KEY: StoreKey = StoreKey::from_bytes([2; 32]);

    /// How many queues there are; the number that is looked at first says the same.
    fn held(turns: &Turns) -> usize {
        let held = turns.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert_eq!(turns.queues.load(Ordering::Relaxed), held);
        held
    }

    async fn poll_once(future: &mut (impl Future + Unpin)) -> bool {
        std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_behind() {
        let turns = Arc::new(Turns::default());
        let inside = Arc::new(AtomicUsize::new(0));
        let tasks = (0..64).map(|_| {
            let (turns, inside) = (turns.clone(), inside.clone());
            tokio::spawn(async move {
                let _turn = turns.take(KEY).await;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(held(&turns), 0);
    }

    #[tokio::test]
    async fn there_is_a_queue_for_as_long_as_somebody_has_a_turn() {
        let turns = Turns::default();
        assert!(!turns.has_queue(&KEY));
        let turn = turns.take(KEY).await;
        assert!(turns.has_queue(&KEY) && !turns.has_queue(&StoreKey::from_bytes([3; 32])));
        drop(turn);
        assert!(!turns.has_queue(&KEY));
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_no_queue() {
        let turns = Turns::default();
        let first = turns.take(KEY).await;
        {
            let mut second = pin!(turns.take(KEY));
            assert!(!poll_once(&mut second).await);
        }
        assert_eq!(held(&turns), 1);
        drop(first);
        assert_eq!(held(&turns), 0);
    }

    #[tokio::test]
    async fn who_stops_waiting_when_the_turn_has_come_leaves_no_queue() {
        let turns = Turns::default();
        let first = turns.take(KEY).await;
        {
            let mut second = pin!(turns.take(KEY));
            assert!(!poll_once(&mut second).await);
            drop(first);
        }
        assert_eq!(held(&turns), 0);
    }
}
