//! Waits for the writes in flight, so that a program ends only after the last of them.

use std::future::poll_fn;

use super::sessions::Sessions;

impl Sessions {
    /// Waits until no write of a session is in flight: the last thing a server does before it ends.
    ///
    /// A write that has begun goes on when its request is dropped, and so does a `destroy` or `regenerate` whose handler
    /// never returned; a program that ends at once would end them, too. So first stop serving, gracefully, then await
    /// this, then end the runtime. Every call of a store has a deadline, so it takes a few seconds at the most.
    ///
    /// It may be awaited at any time and as often as wanted; writes that begin meanwhile are waited for as well.
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

    /// How many writes have begun and not ended.
    #[must_use]
    pub fn writes_in_flight(&self) -> usize {
        self.engine.flights.count()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

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
        assert!(!sessions.engine.flights.is_awaited(), "no waker is kept");
    }
}
