//! A clock that moves only on demand.

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
    /// Creates a clock that shows this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_millis())))
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.change(|now| now.plus(by));
    }

    /// Moves the clock backwards, as a correction by NTP does.
    pub fn rewind(&self, by: Duration) {
        self.change(|now| now.minus(by));
    }

    /// Sets the time.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), SeqCst);
    }

    fn change(&self, change: impl Fn(Timestamp) -> Timestamp) {
        let millis = |now| Some(change(Timestamp::from_millis(now)).as_millis());
        self.0.fetch_update(SeqCst, SeqCst, millis).expect("every time has a next one");
    }
}

/// The morning of the 1st of January 2030: an arbitrary time, which is no default of anything.
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
