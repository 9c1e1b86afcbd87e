//! How a sweeper works: how often, how much at once, with which pauses, and who hears of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use session_core::{
    adapter::{Clock, SystemClock},
    store::SessionStore,
};
use tokio::sync::{mpsc, watch};

use super::{Round, Sweeper};

/// The settings of a [`Sweeper`]. Made by [`Sweeper::of`].
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

    /// The time between two rounds, give or take a tenth; 10 minutes unless set, at least a second.
    ///
    /// ```
    #[doc = include_str!("../given/a_store.in")]
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
    #[doc = include_str!("../given/a_store.in")]
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
    #[doc = include_str!("../given/a_store.in")]
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

    /// Another clock than the machine's, for tests.
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

    /// Hears what came of each round, besides the `tracing` event that each one is.
    ///
    /// ```
    #[doc = include_str!("../given/a_store.in")]
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
    #[doc = include_str!("../given/a_store.in")]
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
}

impl fmt::Debug for SweeperBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweeperBuilder")
            .field("store", &self.store)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
