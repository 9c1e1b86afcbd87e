//! A clock that stands still until it is told to move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use session_core::{Timestamp, adapter::Clock};

/// A clock for tests. Clones share the time.
///
/// ```
/// use session_core::{Timestamp, adapter::Clock};
/// use session_testkit::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::at(Timestamp::from_millis(1_000));
/// let shared = clock.clone();
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(shared.now().as_millis(), 3_000);
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows this time.
    ///
    /// ```
    /// # use session_core::{Timestamp, adapter::Clock as _};
    /// # use session_testkit::ManualClock;
    /// assert_eq!(ManualClock::at(Timestamp::from_millis(7)).now().as_millis(), 7);
    /// ```
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_millis())))
    }

    /// Moves it forwards.
    ///
    /// ```
    /// # use session_core::adapter::Clock as _;
    /// # use session_testkit::ManualClock;
    /// let clock = ManualClock::default();
    /// let before = clock.now();
    /// clock.advance(std::time::Duration::from_secs(60));
    /// assert_eq!(before.until(clock.now()).as_secs(), 60);
    /// ```
    pub fn advance(&self, by: Duration) {
        self.change(|now| now.plus(by));
    }

    /// Moves it backwards, as a corrected clock does.
    ///
    /// ```
    /// # use session_core::adapter::Clock as _;
    /// # use session_testkit::ManualClock;
    /// let clock = ManualClock::default();
    /// let before = clock.now();
    /// clock.rewind(std::time::Duration::from_secs(60));
    /// assert!(clock.now() < before);
    /// ```
    pub fn rewind(&self, by: Duration) {
        self.change(|now| now.minus(by));
    }

    /// Sets it.
    ///
    /// ```
    /// # use session_core::{Timestamp, adapter::Clock as _};
    /// # use session_testkit::ManualClock;
    /// let clock = ManualClock::default();
    /// clock.set(Timestamp::from_millis(7));
    /// assert_eq!(clock.now().as_millis(), 7);
    /// ```
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), SeqCst);
    }

    fn change(&self, change: impl Fn(Timestamp) -> Timestamp) {
        let millis = |now| Some(change(Timestamp::from_millis(now)).as_millis());
        self.0.fetch_update(SeqCst, SeqCst, millis).expect("every time has a next one");
    }
}

/// The morning of the 1st of January 2030: an arbitrary time that is nobody's default.
impl Default for ManualClock {
    fn default() -> Self {
        Self::at(Timestamp::from_millis(1_893_484_800_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(SeqCst))
    }
}
