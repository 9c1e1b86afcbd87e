//! Counts the writes in flight, so that a program can wait for them before it exits.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::sessions::Sessions;

/// The writes in flight of one [`Sessions`].
#[derive(Default)]
pub(crate) struct Flights {
    count: AtomicUsize,
    // A std mutex: nothing awaits while it is held. Waiters are woken when the count reaches zero.
    waiting: Mutex<Vec<Waker>>,
}

/// One write in flight, until it is dropped.
pub(crate) struct Flight(Arc<Flights>);

impl Flights {
    pub(crate) fn begin(self: &Arc<Self>) -> Flight {
        self.count.fetch_add(1, SeqCst);
        Flight(self.clone())
    }

    fn poll_none(&self, context: &Context<'_>) -> Poll<()> {
        // Asked again with the lock held: a write that ends in between finds either this waker or a zero that is seen.
        let mut waiting = self.lock();
        if self.count.load(SeqCst) == 0 {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
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

impl Sessions {
    /// Waits until no write of a session is in flight. Call it before the server exits.
    ///
    /// Writes continue in the background when their request is dropped, and would be lost if the program exited
    /// immediately. Stop serving gracefully, await this method, then shut down the runtime. Every store call has a
    /// deadline, so it takes a few seconds at most.
    ///
    /// It may be called at any time and repeatedly. Writes that begin meanwhile are awaited, too.
    ///
    /// ```
    /// # async fn serve_until_stopped(_: &session_core::Sessions) {}
    /// use session_core::Sessions;
    ///
    /// async fn run(sessions: Sessions) {
    ///     serve_until_stopped(&sessions).await;
    ///     sessions.drain().await;
    /// }
    /// ```
    pub async fn drain(&self) {
        poll_fn(|context| self.engine.flights.poll_none(context)).await;
    }

    /// Returns the number of writes in flight.
    #[must_use]
    pub fn writes_in_flight(&self) -> usize {
        self.engine.flights.count.load(SeqCst)
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Flights").field(&self.count.load(SeqCst)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;

    use super::*;
    use crate::value::cookie::key::SecretKey;

    fn sessions() -> Sessions {
        Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap()
    }

    #[test]
    fn draining_ends_with_the_last_write_and_not_before() {
        let sessions = sessions();
        let (first, second) = (sessions.engine.flights.begin(), sessions.engine.flights.begin());
        let mut context = Context::from_waker(Waker::noop());
        let mut drain = pin!(sessions.drain());
        assert!(drain.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(drain.as_mut().poll(&mut context).is_pending());
        drop(second);
        assert!(drain.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn who_drains_is_woken_whatever_thread_the_last_write_ends_on() {
        let sessions = sessions();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for _ in 0..200 {
            let flight = sessions.engine.flights.begin();
            let ending = std::thread::spawn(move || drop(flight));
            runtime.block_on(sessions.drain());
            ending.join().unwrap();
        }
        assert!(sessions.engine.flights.lock().is_empty(), "no waker is kept");
    }
}
