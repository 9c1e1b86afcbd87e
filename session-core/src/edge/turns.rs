//! Requests of this process that want to write one session at once take turns, instead of all racing for it.
//!
//! Nobody queues for a first attempt: it costs nothing to be alone. Who has met a conflict waits here before trying again,
//! so that many writers cost about two calls each, and none starves. Other processes are met by compare-and-swap alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_lock::MutexGuardArc;

use crate::value::id::StoreKey;

type Queue = Arc<async_lock::Mutex<()>>;

/// A queue for each session that is fought over; none for the others.
#[derive(Debug)]
pub(crate) struct Turns {
    // A std mutex: nothing awaits while it is held.
    shards: [Mutex<HashMap<StoreKey, Queue>>; SHARDS],
}

impl Default for Turns {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

/// The caller's turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    key: StoreKey,
    guard: Option<MutexGuardArc<()>>,
}

impl Turns {
    /// Waits for the caller's turn at this session.
    pub(crate) async fn take(&self, key: StoreKey) -> Turn<'_> {
        let queue = self.with(&key, |queues| queues.entry(key).or_default().clone());
        // Made before waiting, so that a caller who stops waiting cleans up, too.
        let mut turn = Turn { turns: self, key, guard: None };
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
            // Whoever waits holds the queue as well; the last one takes it away.
            if queues.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
                queues.remove(&self.key);
            }
        });
    }
}

const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn held(turns: &Turns) -> usize {
        turns.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_behind() {
        let turns = Arc::new(Turns::default());
        let inside = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let tasks = (0..64).map(|_| {
            let (turns, inside) = (turns.clone(), inside.clone());
            tokio::spawn(async move {
                let _turn = turns.take(StoreKey::from_bytes([1; 32])).await;
                assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(held(&turns), 0);
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_no_queue() {
        let turns = Turns::default();
        let key = StoreKey::from_bytes([2; 32]);
        let first = turns.take(key).await;
        {
            let mut second = std::pin::pin!(turns.take(key));
            assert!(
                std::future::poll_fn(|context| std::task::Poll::Ready(
                    second.as_mut().poll(context).is_pending()
                ))
                .await
            );
        }
        assert_eq!(held(&turns), 1);
        drop(first);
        assert_eq!(held(&turns), 0);
    }
}
