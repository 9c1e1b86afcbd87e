//! The builder of a sweeper: interval, batch size, pauses and reporting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use session_core::{
    adapter::{Clock, SystemClock},
    store::SessionStore,
};
use tokio::sync::{mpsc, watch};

use super::{Round, Sweeper};

/// The settings of a [`Sweeper`], created by [`Sweeper::of`].
///
/// ```
#[doc = include_str!("../given/a_store.in")]
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
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) every: Duration,
    pub(super) batch: usize,
    pub(super) pause: Duration,
    pub(super) most_batches: usize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) report: Arc<dyn Fn(Round) + Send + Sync>,
}

impl SweeperBuilder {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            every: Duration::from_secs(10 * 60),
            batch: 500,
            pause: Duration::from_millis(50),
            most_batches: 1_000,
            clock: Arc::new(SystemClock),
            report: Arc::new(|_| {}),
        }
    }

    /// Sets the interval between rounds, which is jittered by a tenth. The default is 10 minutes, the minimum one
    /// second.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.clamp(Duration::from_secs(1), Duration::from_secs(365 * 24 * 60 * 60));
        self
    }

    /// Sets the maximum number of records that one store call removes. The default is 500, the minimum 1.
    pub fn batch(mut self, most: usize) -> Self {
        self.batch = most.max(1);
        self
    }

    /// Sets the pause after each full batch. The default is 50 ms.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Sets the maximum number of batches per round. The default is 1,000, the minimum 1.
    ///
    /// ```
    #[doc = include_str!("../given/a_store.in")]
    /// // At most 100 × 500 in one round; the rest waits for the next.
    /// let builder = Sweeper::of(store).expect("memory is swept").most_batches(100);
    /// # builder.spawn().stop().await;
    /// # }
    /// ```
    pub fn most_batches(mut self, most: usize) -> Self {
        self.most_batches = most.max(1);
        self
    }

    /// Replaces the system clock, for tests.
    ///
    /// ```
    #[doc = include_str!("../given/a_store.in")]
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

    /// Calls a function with the result of each round. Each round is also a `tracing` event.
    pub fn report(mut self, report: impl Fn(Round) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// Starts the sweeper. The first round starts at a random time within the first interval.
    ///
    /// # Panics
    /// If called outside a Tokio runtime.
    #[must_use = "dropping it stops it"]
    pub fn spawn(self) -> Sweeper {
        let (orders, inbox) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        Sweeper { task: tokio::spawn(self.run(inbox, stopped)), orders, stop }
    }
}

impl fmt::Debug for SweeperBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweeperBuilder")
            .field("store", &self.store)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
