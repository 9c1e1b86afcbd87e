//! The policy of an application's sessions: lifetimes, placement, and when they are written.

use std::time::Duration;

use super::decide::{Placement, Trigger};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// The rules of one kind of session. Defaults: idle 2 hours, absolute 24 hours (OWASP's ranges for ordinary web
/// applications), kept in a store, lazy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// The idle timeout.
    pub age: Duration,
    /// The absolute lifetime; `None` for no limit.
    pub absolute: Option<Duration>,
    /// Where records are kept.
    pub placement: Placement,
    /// Open every visit, write every new session, set the cookie on every response.
    pub eager: bool,
    /// Write data changes even if the response is a 5xx.
    pub commit_on_error: bool,
    /// Whether there is a list of revocations, so that a session in a cookie can be ended.
    pub revocable: bool,
    /// Whether a cross-site request from which `SameSite` withheld the cookie may begin a session by writing. It
    /// replaces a session that the visitor may have. Off by default.
    pub unseen_begins: bool,
    /// Whether the cookie outlives the browser, unless a session decides for itself.
    pub persistent: bool,
    /// How long a tombstone is kept: at least as long as the longest request.
    pub tombstone: Duration,
    /// How long the record of an emptied session is kept.
    pub lapse: Duration,
    /// How long a commit retries when other requests write the same session.
    pub contention: Duration,
    /// The size limit of a record in bytes.
    pub max_record: usize,
    /// How many sessions a user may have; a further sign-in ends the oldest one. `usize::MAX` for any number.
    pub most_sessions: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            age: Duration::from_secs(2 * 60 * 60),
            absolute: Some(Duration::from_secs(24 * 60 * 60)),
            placement: Placement::Store,
            eager: false,
            commit_on_error: false,
            revocable: false,
            unseen_begins: false,
            persistent: false,
            tombstone: Duration::from_secs(60),
            lapse: Duration::from_secs(60),
            contention: Duration::from_secs(2),
            max_record: 64 * 1024,
            most_sessions: 1_000,
        }
    }
}

impl Policy {
    /// Checks that the rules agree with each other.
    ///
    /// # Errors
    /// [`PolicyError`] naming the rule.
    ///
    /// ```
    /// use session_core::Policy;
    /// use std::time::Duration;
    ///
    /// let mut policy = Policy::default();
    /// assert!(policy.check().is_ok());
    /// policy.age = Duration::from_secs(48 * 60 * 60);
    /// assert_eq!(
    ///     policy.check().unwrap_err().to_string(),
    ///     "the idle age (172800 s) is longer than the absolute lifetime (86400 s)"
    /// );
    /// ```
    pub fn check(&self) -> Result<(), PolicyError> {
        check_lifetimes(self.age, self.absolute)
    }

    /// Returns whether the idle deadline of a session with this idle timeout should be moved now: if 10 % of the
    /// timeout, but at least a minute and at most half of the timeout, has passed since it was set.
    ///
    /// ```
    /// use session_core::{Policy, Timestamp};
    /// use std::time::Duration;
    ///
    /// let (set, age) = (Timestamp::from_millis(0), Duration::from_secs(7_200));
    /// let due = |after| Policy::refresh_due(set.plus(age), age, set.plus(Duration::from_secs(after)));
    /// assert!(!due(719) && due(720));
    /// ```
    #[must_use]
    pub fn refresh_due(idle_deadline: Timestamp, age: Duration, now: Timestamp) -> bool {
        idle_deadline.minus(age).plus(refresh_interval(age)) <= now
    }

    /// Returns the trigger for a response with this status: a 5xx drops the changes, unless
    /// [`commit_on_error`](Self::commit_on_error) is set.
    #[must_use]
    pub fn trigger(&self, status: u16) -> Trigger {
        if status >= 500 && !self.commit_on_error { Trigger::FailedResponse } else { Trigger::Response }
    }

    /// Returns when a tombstone that is written now may be removed.
    #[must_use]
    pub fn tombstone_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.tombstone)
    }
}

/// The limits of lifetimes, of all sessions and of a single one: each lasts at least a second, and no idle timeout is
/// promised beyond the absolute lifetime.
pub(crate) fn check_lifetimes(age: Duration, absolute: Option<Duration>) -> Result<(), PolicyError> {
    const SHORTEST: Duration = Duration::from_secs(1);
    match absolute {
        _ if age < SHORTEST => Err(PolicyError::AgeTooShort),
        Some(absolute) if absolute < SHORTEST => Err(PolicyError::AbsoluteTooShort),
        Some(absolute) if age > absolute => {
            Err(PolicyError::AgeBeyondAbsolute { age: age.as_secs(), absolute: absolute.as_secs() })
        }
        _ => Ok(()),
    }
}

/// Returns how long a visit waits before it moves the idle deadline again.
///
/// ```
/// # use std::time::Duration;
/// # use session_core::machine::refresh_interval;
/// let seconds = |age| refresh_interval(Duration::from_secs(age)).as_secs();
/// assert_eq!((seconds(7_200), seconds(300), seconds(60)), (720, 60, 30));
/// ```
#[must_use]
pub fn refresh_interval(age: Duration) -> Duration {
    (age / 10).max(Duration::from_secs(60)).min(age / 2)
}

/// Returns when the session was last used, with the precision of its deadline's moves.
pub(crate) fn last_seen(record: &Record, age: Duration) -> Timestamp {
    record.idle_deadline.minus(age).max(record.created)
}

/// Returned when two rules contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The idle timeout is under a second.
    #[error("the idle age is shorter than one second")]
    AgeTooShort,
    /// The absolute lifetime is under a second.
    #[error("the absolute lifetime is shorter than one second")]
    AbsoluteTooShort,
    /// The idle timeout is longer than the absolute lifetime.
    #[error("the idle age ({age} s) is longer than the absolute lifetime ({absolute} s)")]
    AgeBeyondAbsolute {
        /// Seconds.
        age: u64,
        /// Seconds.
        absolute: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_two_hours_idle_and_a_day_in_all() {
        let policy = Policy::default();
        assert_eq!(policy.age.as_secs(), 7_200);
        assert_eq!(policy.absolute.unwrap().as_secs(), 86_400);
        policy.check().unwrap();
    }

    #[test]
    fn a_refresh_never_waits_for_more_than_half_of_the_age() {
        for age in [1, 2, 10, 59, 60, 119, 120, 599, 600, 601, 86_400] {
            let age = Duration::from_secs(age);
            assert!(refresh_interval(age) <= age / 2, "{age:?}");
        }
    }
}
