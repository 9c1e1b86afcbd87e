//! A background task that removes dead sessions from stores without native expiry, and survives whatever happens to it.

mod builder;
mod work;

use std::sync::Arc;

use session_core::store::{SessionStore, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use builder::SweeperBuilder;

/// A running sweeper.
///
/// Every so often it asks the store to remove what has been dead for a minute, in bounded batches with a pause after
/// each, so that visitors go first. Its moments are jittered: processes that start together do not sweep together.
/// However many sweep one store, it lets one of them work at a time. A round that fails or panics is reported, and the
/// next one comes.
///
/// [`stop`](Self::stop) lets the batch at work end, and what the round has removed be reported. Dropping the sweeper
/// gives the batch up at once; the store carries it out or does not, but never by halves.
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

/// What came of one round.
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
    /// All that was dead is removed, or as much as one round may, or as much as it came to before it was stopped.
    Done {
        /// Records and tombstones removed.
        removed: usize,
        /// In so many batches.
        batches: usize,
    },
    /// The store failed.
    Failed {
        /// Removed before it did.
        removed: usize,
        /// How.
        error: StoreError,
    },
    /// The store panicked; the message.
    Panicked(String),
}

impl Sweeper {
    /// Begins a sweeper for this store; `None` where the store expires sessions by itself, as Redis and DynamoDB do.
    ///
    /// ```
    /// use session_stores::{MemoryStore, Sweeper};
    /// use std::sync::Arc;
    ///
    /// assert!(Sweeper::of(Arc::new(MemoryStore::new())).is_some());
    /// ```
    pub fn of(store: Arc<dyn SessionStore>) -> Option<SweeperBuilder> {
        store.sweeper()?;
        Some(SweeperBuilder::new(store))
    }

    /// Sweeps now and waits for the end of that round: for tests and operators. Nothing happens once it has stopped.
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
            // An error means that it stopped meanwhile.
            let _ = wait.await;
        }
    }

    /// Stops it, and waits for the batch at work, if there is one: at most for the store's timeout.
    ///
    /// ```
    #[doc = include_str!("../given/a_store.in")]
    /// let sweeper = Sweeper::of(store).expect("memory is swept").spawn();
    /// // … until the server shuts down:
    /// sweeper.stop().await;
    /// # }
    /// ```
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // It fails only if the task has panicked, which ends it as well.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}
