//! A point in time in records and cookies: milliseconds since the Unix epoch.

use std::time::Duration;

use ::time::OffsetDateTime;

/// Milliseconds since the Unix epoch.
///
/// Arithmetic saturates, so that no input and no clock can cause a panic.
///
/// ```
/// use session_core::Timestamp;
/// use std::time::Duration;
///
/// let noon = Timestamp::from_millis(1_000);
/// assert_eq!(noon.plus(Duration::from_secs(2)).as_millis(), 3_000);
/// assert_eq!(noon.until(noon.plus(Duration::from_secs(2))), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes a timestamp from milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time that is later by this duration.
    #[must_use]
    pub fn plus(self, while_later: Duration) -> Self {
        Self(self.0.saturating_add(millis(while_later)))
    }

    /// Returns the time that is earlier by this duration.
    #[must_use]
    pub fn minus(self, while_earlier: Duration) -> Self {
        Self(self.0.saturating_sub(millis(while_earlier)))
    }

    /// Returns the duration until `later`, or zero if `later` is in the past.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Converts into the `time` crate's type. A time beyond its range becomes the first or last representable one.
    #[must_use]
    pub fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(if self.0 < 0 {
            ::time::PrimitiveDateTime::MIN.assume_utc()
        } else {
            ::time::PrimitiveDateTime::MAX.assume_utc()
        })
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        Self(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for end in [i64::MIN, i64::MAX] {
            let end = Timestamp::from_millis(end);
            let _ = (end.plus(Duration::MAX), end.minus(Duration::MAX), end.to_offset());
            let _ = (end.until(Timestamp::from_millis(0)), Timestamp::from_millis(0).until(end));
        }
    }

    #[test]
    fn to_the_time_crate_and_back() {
        let moment = Timestamp::from_millis(1_795_000_000_123);
        assert_eq!(Timestamp::from(moment.to_offset()), moment);
    }
}
