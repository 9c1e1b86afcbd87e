//! Waits for the writes in flight, so that a program ends only after the last of them.

use std::future::poll_fn;

use super::sessions::Sessions;

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
