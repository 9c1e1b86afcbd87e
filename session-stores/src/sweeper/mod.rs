//! A background task that removes expired sessions from stores without native expiry, and continues after errors and
//! panics.

mod builder;
mod work;

use std::sync::Arc;

use session_core::store::{SessionStore, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use builder::SweeperBuilder;

/// A running sweeper.
///
/// At each interval it removes records that expired at least a minute ago, in bounded batches with a pause after
/// each, so that requests are not delayed. Intervals are jittered, so processes that start together do not sweep at
/// the same time. Several sweepers may use one store, which lets one of them work at a time. A round that fails or
/// panics is reported and does not stop the sweeper.
///
/// [`stop`](Self::stop) waits for the current batch and reports what the round has removed. Dropping the sweeper
/// cancels the current batch immediately; the store applies a batch completely or not at all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use session_stores::{MemoryStore, Sweeper};
/// use std::sync::Arc;
///
/// let sweeper = Sweeper::of(Arc::new(MemoryStore::new())).expect("memory is swept").spawn();
/// // … the application runs …
/// sweeper.stop().await;
/// # }
/// ```
#[derive(Debug)]
pub struct Sweeper {
    task: JoinHandle<()>,
    orders: mpsc::Sender<oneshot::Sender<()>>,
    stop: watch::Sender<bool>,
}

/// The result of one round.
///
/// ```
/// use session_stores::Round;
///
/// /// What an operator reads.
/// fn line(round: &Round) -> String {
///     match round {
///         Round::Done { removed, .. } => format!("swept {removed}"),
///         Round::Failed { error, .. } => format!("the sweep failed: {error}"),
///         Round::Panicked(message) => format!("the store has a bug: {message}"),
///         _ => "news of a later version".to_owned(),
///     }
/// }
/// assert_eq!(line(&Round::Done { removed: 3, batches: 1 }), "swept 3");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Round {
    /// The round ended: everything expired was removed, the limit of a round was reached, or the sweeper was stopped.
    Done {
        /// The number of records and tombstones removed.
        removed: usize,
        /// The number of batches.
        batches: usize,
    },
    /// The store failed.
    Failed {
        /// The number of records removed before the failure.
        removed: usize,
        /// The error.
        error: StoreError,
    },
    /// The store panicked, with this message.
    Panicked(String),
}

impl Sweeper {
    /// Creates the builder of a sweeper for this store. Returns `None` if the store expires sessions by itself, as
    /// Redis and DynamoDB do.
    pub fn of(store: Arc<dyn SessionStore>) -> Option<SweeperBuilder> {
        store.sweeper()?;
        Some(SweeperBuilder::new(store))
    }

    /// Sweeps immediately and waits until the round ends, for tests and operators. Has no effect after the sweeper
    /// has stopped.
    ///
    /// ```
    #[doc = include_str!("../given/a_store.in")]
    /// use session_stores::Round;
    ///
    /// let (report, mut rounds) = tokio::sync::mpsc::unbounded_channel();
    /// let sweeper = Sweeper::of(store)
    ///     .expect("memory is swept")
    ///     .report(move |round| report.send(round).unwrap_or(()))
    ///     .spawn();
    /// sweeper.sweep_now().await;
    /// assert!(matches!(rounds.recv().await, Some(Round::Done { .. })));
    /// # }
    /// ```
    pub async fn sweep_now(&self) {
        let (done, wait) = oneshot::channel();
        if self.orders.send(done).await.is_ok() {
            // An error means that the sweeper has stopped.
            let _ = wait.await;
        }
    }

    /// Stops the sweeper and waits for the current batch, at most for the store's deadline.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // Fails only if the task has panicked, which has stopped it as well.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}
