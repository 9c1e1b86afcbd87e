//! A background task that removes dead sessions from stores without native expiry, and survives whatever happens to it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use session_core::{Clock, Entropy, SessionStore, StoreError, SystemClock, SystemEntropy};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

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

/// The settings of a [`Sweeper`]. Made by [`Sweeper::of`].
///
/// ```
/// # use session_stores::{MemoryStore, Sweeper};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let store = std::sync::Arc::new(MemoryStore::new());
/// use std::time::Duration;
///
/// let sweeper = Sweeper::of(store)
///     .expect("memory is swept")
///     .every(Duration::from_secs(60))
///     .batch(1_000)
///     .spawn();
/// # sweeper.stop().await;
/// # }
/// ```
#[must_use = "it does nothing until `spawn`"]
pub struct SweeperBuilder {
    store: Arc<dyn SessionStore>,
    every: Duration,
    batch: usize,
    pause: Duration,
    most_batches: usize,
    clock: Arc<dyn Clock>,
    report: Arc<dyn Fn(Round) + Send + Sync>,
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
        Some(SweeperBuilder {
            store,
            every: Duration::from_secs(10 * 60),
            batch: 500,
            pause: Duration::from_millis(50),
            most_batches: 1_000,
            clock: Arc::new(SystemClock),
            report: Arc::new(|_| {}),
        })
    }

    /// Sweeps now and waits for the end of that round: for tests and operators. Nothing happens once it has stopped.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
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
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
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

impl SweeperBuilder {
    /// The time between two rounds, give or take a tenth; 10 minutes unless set, at least a second.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// let builder = Sweeper::of(store).expect("memory is swept").every(std::time::Duration::from_secs(60));
    /// # builder.spawn().stop().await;
    /// # }
    /// ```
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.clamp(Duration::from_secs(1), Duration::from_secs(365 * 24 * 60 * 60));
        self
    }

    /// The most that one call of the store removes; 500 unless set, at least 1.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// let builder = Sweeper::of(store).expect("memory is swept").batch(2_000);
    /// # builder.spawn().stop().await;
    /// # }
    /// ```
    pub fn batch(mut self, most: usize) -> Self {
        self.batch = most.max(1);
        self
    }

    /// The pause after each full batch; 50 ms unless set.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// let builder = Sweeper::of(store).expect("memory is swept").pause(std::time::Duration::from_millis(10));
    /// # builder.spawn().stop().await;
    /// # }
    /// ```
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The most batches of one round; 1,000 unless set, at least 1.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// // At most 100 × 500 in one round; the rest waits for the next.
    /// let builder = Sweeper::of(store).expect("memory is swept").most_batches(100);
    /// # builder.spawn().stop().await;
    /// # }
    /// ```
    pub fn most_batches(mut self, most: usize) -> Self {
        self.most_batches = most.max(1);
        self
    }

    /// Another clock than the machine's, for tests.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// use session_testkit::ManualClock;
    ///
    /// let clock = ManualClock::default();
    /// let sweeper = Sweeper::of(store).expect("memory is swept").clock(clock.clone()).spawn();
    /// clock.advance(std::time::Duration::from_secs(86_400));
    /// // For the sweeper a day has gone by.
    /// sweeper.sweep_now().await;
    /// # }
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Hears what came of each round, besides the `tracing` event that each one is.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// let builder = Sweeper::of(store).expect("memory is swept").report(|round| println!("{round:?}"));
    /// # builder.spawn().stop().await;
    /// # }
    /// ```
    pub fn report(mut self, report: impl Fn(Round) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// Starts it. The first round comes within the first interval, at a random moment.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// ```
    /// # use session_stores::{MemoryStore, Sweeper};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = std::sync::Arc::new(MemoryStore::new());
    /// let sweeper = Sweeper::of(store).expect("memory is swept").spawn();
    /// drop(sweeper); // stopped
    /// # }
    /// ```
    #[must_use = "dropping it stops it"]
    pub fn spawn(self) -> Sweeper {
        let (orders, inbox) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        Sweeper { task: tokio::spawn(self.run(inbox, stopped)), orders, stop }
    }

    async fn run(self, mut inbox: mpsc::Receiver<oneshot::Sender<()>>, mut stopped: watch::Receiver<bool>) {
        let mut next = Instant::now() + self.every.mul_f64(chance());
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stopped) => return,
                order = inbox.recv() => {
                    let Some(done) = order else { return };
                    self.round(&stopped).await;
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                () = sleep_until(next) => {
                    self.round(&stopped).await;
                    next = Instant::now() + self.every.mul_f64(0.9 + chance() / 5.0);
                }
            }
        }
    }

    async fn round(&self, stopped: &watch::Receiver<bool>) {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let (batch, pause, most_batches) = (self.batch, self.pause, self.most_batches);
        // A task of its own: a panic of the store ends the round and not the sweeper.
        let round = sweep(store, clock, batch, pause, most_batches, stopped.clone());
        let mut task = Abort(tokio::spawn(round));
        let round = (&mut task.0).await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => Round::Panicked(message(&*panic)),
            Err(_) => Round::Panicked("the runtime is shutting down".to_owned()),
        });
        let store = self.store.name();
        match &round {
            Round::Done { removed, batches } => {
                tracing::debug!(target: "session", store, removed, batches, "swept");
            }
            Round::Failed { removed, error } => {
                tracing::warn!(target: "session", store, removed, kind = ?error.kind(), "a sweep failed");
            }
            Round::Panicked(_) => tracing::error!(target: "session", store, "a sweep panicked"),
        }
        let report = Arc::clone(&self.report);
        // The listener is the application's: its panic is caught with a task of its own, too.
        let _ = tokio::spawn(async move { report(round) }).await;
    }
}

async fn sweep(
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    batch: usize,
    pause: Duration,
    most_batches: usize,
    mut stopped: watch::Receiver<bool>,
) -> Round {
    let (mut removed, mut batches) = (0, 0);
    let Some(sweeper) = store.sweeper() else { return Round::Done { removed, batches } };
    while batches < most_batches {
        match sweeper.sweep(clock.now().minus(SLACK), batch).await {
            Ok(swept) => {
                removed += swept.removed;
                batches += 1;
                if !swept.more {
                    break;
                }
            }
            Err(error) => return Round::Failed { removed, error },
        }
        if tokio::time::timeout(pause, told_to_stop(&mut stopped)).await.is_ok() {
            break;
        }
    }
    Round::Done { removed, batches }
}

/// Waits for the order to stop. A sweeper that was dropped gives none and stops as well.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Ends the task when the one who waits for it is dropped.
struct Abort<T>(JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// What a request has loaded just before its deadline is still there when it commits.
const SLACK: Duration = Duration::from_secs(60);

/// A number from 0 up to 1. Without random bytes, the middle: a sweep that is not jittered is still a sweep.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    SystemEntropy
        .fill(&mut bytes)
        .map_or(0.5, |()| f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0))
}

impl fmt::Debug for SweeperBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweeperBuilder")
            .field("store", &self.store)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
