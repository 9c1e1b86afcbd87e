//! A date and time that is ISO 8601 text in the session.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// An [`OffsetDateTime`] stored as ISO 8601 text (RFC 3339: `2026-11-20T09:30:00Z`).
///
/// `time`'s own form is an array of numbers that no other program reads. Inside of a struct, a field of type
/// `OffsetDateTime` says `#[serde(with = "time::serde::rfc3339")]` to the same effect. Nanoseconds and offset are kept; a
/// year outside of 0 to 9999 has no such text and is refused with [`NotJson`](crate::ValueError::NotJson).
///
/// ```
/// use session_core::{Date, machine::Values};
/// use time::OffsetDateTime;
///
/// let mut values = Values::default();
/// values.put("seen", Date(OffsetDateTime::UNIX_EPOCH))?;
/// assert_eq!(values.get::<String>("seen")?.as_deref(), Some("1970-01-01T00:00:00Z"));
/// assert_eq!(values.get::<Date>("seen")?.map(|seen| seen.year()), Some(1970));
/// # Ok::<(), session_core::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(#[serde(with = "time::serde::rfc3339")] pub OffsetDateTime);

impl Deref for Date {
    type Target = OffsetDateTime;

    fn deref(&self) -> &OffsetDateTime {
        &self.0
    }
}

impl From<OffsetDateTime> for Date {
    fn from(moment: OffsetDateTime) -> Self {
        Self(moment)
    }
}

impl From<Date> for OffsetDateTime {
    fn from(date: Date) -> Self {
        date.0
    }
}
