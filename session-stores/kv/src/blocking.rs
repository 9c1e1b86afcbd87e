//! Blocking calls on bounded threads, each within a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use session_core::store::StoreError;
use tokio::sync::Semaphore;

/// Runs blocking work of one store on Tokio's blocking threads: at most so many at once, each within a deadline.
///
/// Work that has begun ends by itself even if its caller stops waiting, and holds its place until then. Work whose turn
/// has not come by the deadline is never begun. In an engine of a [`CasStore`](crate::CasStore), the deadline is that of
/// the verb, if it is earlier.
///
/// ```
/// use session_store_kv::Blocking;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_core::store::StoreError> {
/// let threads = Blocking::new("example", 8, Duration::from_secs(2));
/// let four = threads.run(|_deadline| Ok(2 + 2)).await?;
/// assert_eq!(four, 4);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Blocking {
    name: &'static str,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

impl Blocking {
    /// Creates a helper for the store with this name. `most` is at least one; a timeout is at most a year.
    #[must_use]
    pub fn new(name: &'static str, most: usize, timeout: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Self { name, permits, timeout: timeout.min(LONGEST_TIMEOUT) }
    }

    pub(crate) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// How long a call may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Runs `work` on a blocking thread once one of the places is free. `work` is given the deadline, for waits of its
    /// own.
    ///
    /// # Errors
    /// [`Timeout`](session_core::store::StoreErrorKind::Timeout) at the deadline; what `work` answers before.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop work that has begun.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Instant) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_after(std::future::ready(()), |(), deadline| work(deadline)).await
    }

    /// The same, after an asynchronous wait within the same deadline, such as for a lock. What `first` returns is moved
    /// into `work` and so is held until the work is done.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_after<G: Send + 'static, T: Send + 'static>(
        &self,
        first: impl Future<Output = G>,
        work: impl FnOnce(G, Instant) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (name, own) = (self.name, Instant::now() + self.timeout);
        let deadline = DEADLINE.try_with(|verb| own.min(*verb)).unwrap_or(own);
        let done = async {
            let held = first.await;
            let permit = Arc::clone(&self.permits).acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            let task = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                if Instant::now() >= deadline {
                    return Err(StoreError::timeout(name));
                }
                work(held, deadline)
            });
            task.await.map_err(|error| StoreError::unavailable(name, error))?
        };
        tokio::time::timeout_at(deadline.into(), done)
            .await
            .unwrap_or_else(|_| Err(StoreError::timeout(name)))
    }
}

/// Runs a verb: blocking calls in it know when it ends.
pub(crate) async fn until<T>(deadline: Instant, verb: impl Future<Output = T>) -> T {
    DEADLINE.scope(deadline, verb).await
}

tokio::task_local! {
    static DEADLINE: Instant;
}

pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
