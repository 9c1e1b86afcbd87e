//! Counts the writes that have begun and not ended.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The writes in flight of one [`Sessions`](crate::Sessions).
#[derive(Default)]
pub(crate) struct Flights {
    count: AtomicUsize,
    // A std mutex: nothing awaits while it is held. The wakers are woken when the count becomes zero.
    waiting: Mutex<Vec<Waker>>,
}

/// One write in flight, until it is dropped.
pub(crate) struct Flight(Arc<Flights>);

impl Flights {
    pub(crate) fn begin(self: &Arc<Self>) -> Flight {
        self.count.fetch_add(1, SeqCst);
        Flight(self.clone())
    }

    /// How many writes have begun and not ended.
    pub(crate) fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// Ready when no write is in flight; wakes the task of `context` when that is so.
    pub(crate) fn poll_none(&self, context: &Context<'_>) -> Poll<()> {
        // Asked again with the lock held: a write that ends in between finds either this waker or a zero that is seen.
        let mut waiting = self.lock();
        if self.count() == 0 {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Whether a waker is kept.
    #[cfg(test)]
    pub(crate) fn is_awaited(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, SeqCst) == 1 {
            let woken = std::mem::take(&mut *self.0.lock());
            woken.into_iter().for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Flights").field(&self.count()).finish()
    }
}
