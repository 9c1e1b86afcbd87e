//! Lets one through at a time, and the others wait without blocking a thread; who is alone pays for a lock and nothing else.
//!
//! Within a visit there is hardly ever a second one, so whoever leaves wakes all who wait, and they sort it out. For
//! sessions that many requests fight over there are [turns](super::turns).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A door with room for one.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    // A std mutex: nothing awaits while it is held.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Goes in if nobody is inside. Whoever is told `true` calls [`leave`](Self::leave) once.
    #[must_use]
    pub(crate) fn try_enter(&self) -> bool {
        !std::mem::replace(&mut self.state().taken, true)
    }

    /// Waits until nobody is inside and goes in, until what it gives is dropped. Who stops waiting was never there.
    pub(crate) async fn enter(&self) -> Inside<'_> {
        self.wait().await;
        Inside(self)
    }

    /// Waits until nobody is inside and goes in. Whoever it lets in calls [`leave`](Self::leave) once.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        Waiting(self)
    }

    /// Lets the next one in.
    pub(crate) fn leave(&self) {
        let waiting = {
            let mut state = self.state();
            state.taken = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Inside, until it is dropped.
#[derive(Debug)]
pub(crate) struct Inside<'g>(&'g Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Waits for the door to be free; ready once it is the caller who is inside.
pub(crate) struct Waiting<'g>(&'g Gate);

impl Future for Waiting<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.state();
        if !std::mem::replace(&mut state.taken, true) {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_at_a_time_and_everybody_once() {
        let (gate, inside, served) =
            (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..64).map(|_| {
            let (gate, inside, served) = (gate.clone(), inside.clone(), served.clone());
            tokio::spawn(async move {
                let _inside = gate.enter().await;
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, SeqCst);
                served.fetch_add(1, SeqCst);
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(served.load(SeqCst), 64);
        assert!(gate.try_enter(), "nobody is left inside");
    }

    #[tokio::test]
    async fn who_stops_waiting_keeps_nobody_out() {
        let gate = Gate::default();
        assert!(gate.try_enter());
        {
            let mut second = std::pin::pin!(gate.enter());
            let polled =
                std::future::poll_fn(|context| Poll::Ready(second.as_mut().poll(context).is_pending()));
            assert!(polled.await);
        }
        gate.leave();
        drop(gate.enter().await);
        assert!(gate.try_enter());
    }
}
