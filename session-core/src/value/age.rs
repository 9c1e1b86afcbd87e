//! A duration as written in configuration: `2h`, `30 min`, `7d`, or a bare number of seconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A duration of whole seconds, from one second to a hundred years.
///
/// It parses from one or more numbers with a unit each (`2h`, `30 min`, `1h 30m`, `7 days`), or from a bare number of
/// seconds: `3600` is an hour. Units range from seconds to weeks; `m` is minutes. Months and years have no fixed length
/// and milliseconds are not whole seconds, so these are errors, as are signs, fractions, zero and the empty string.
///
/// ```
/// use session_core::{Age, error::NotAnAge};
///
/// assert_eq!("2h".parse::<Age>()?.as_secs(), 7_200);
/// assert_eq!("3600".parse::<Age>()?.as_secs(), 3_600);
/// assert_eq!("500ms".parse::<Age>(), Err(NotAnAge));
/// assert_eq!("1mo".parse::<Age>(), Err(NotAnAge));
/// # Ok::<(), NotAnAge>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(u64);

impl Age {
    /// Makes an age of this many seconds.
    ///
    /// # Errors
    /// [`NotAnAge`] for zero, and for more than a hundred years.
    pub const fn from_secs(seconds: u64) -> Result<Self, NotAnAge> {
        if seconds == 0 || seconds > MOST_SECONDS { Err(NotAnAge) } else { Ok(Self(seconds)) }
    }

    /// Returns the seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns the age as a [`Duration`].
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl FromStr for Age {
    type Err = NotAnAge;

    fn from_str(text: &str) -> Result<Self, NotAnAge> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::from_secs(text.parse().map_err(|_| NotAnAge)?);
        }
        if !has_plain_units(text) {
            return Err(NotAnAge);
        }
        let duration = humantime::parse_duration(text).map_err(|_| NotAnAge)?;
        Self::from_secs(duration.as_secs())
    }
}

impl From<Age> for Duration {
    fn from(age: Age) -> Self {
        age.as_duration()
    }
}

/// Formats in the form that parses: `2h`, `1h 30m`.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut space = "";
        for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
            if rest >= seconds {
                write!(f, "{space}{}{unit}", rest / seconds)?;
                rest %= seconds;
                space = " ";
            }
        }
        Ok(())
    }
}

impl serde::Serialize for Age {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reads)
    }
}

struct Reads;

impl Visitor<'_> for Reads {
    type Value = Age;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALLOWED)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Age, E> {
        text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Age, E> {
        Age::from_secs(seconds).map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(seconds), &self))
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Age, E> {
        let wrong = || E::invalid_value(serde::de::Unexpected::Signed(seconds), &self);
        u64::try_from(seconds).ok().and_then(|seconds| Age::from_secs(seconds).ok()).ok_or_else(wrong)
    }
}

/// Returned when a text or number is not an age. The message describes the accepted form.
///
/// ```
/// use session_core::{Age, error::NotAnAge};
///
/// let error = "1.5h".parse::<Age>().unwrap_err();
/// assert_eq!(error, NotAnAge);
/// assert!(error.to_string().contains("such as 90s, 30 min, 2h"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an age is {ALLOWED}")]
pub struct NotAnAge;

/// Numbers, each with one of our units behind it. `humantime` alone would also take months, years, and milliseconds.
fn has_plain_units(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
    let mut words =
        text.split(|c: char| c.is_ascii_digit() || c == ' ').filter(|word| !word.is_empty()).peekable();
    text.bytes().all(plain)
        && text.starts_with(|c: char| c.is_ascii_digit())
        && words.peek().is_some()
        && words.all(|word| UNITS.contains(&word))
}

const UNITS: [&str; 21] = [
    "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr", "hrs",
    "hour", "hours", "d", "day", "days", "w", "week", "weeks",
];

const ALLOWED: &str = "whole seconds from 1 up: a bare number of seconds, or numbers with units from seconds to weeks, \
     such as 90s, 30 min, 2h, 7d, 2 weeks";

const MOST_SECONDS: u64 = 100 * 366 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_read_as_people_write_it() {
        for (text, seconds) in [
            ("1", 1),
            ("3600", 3_600),
            ("007", 7),
            ("1s", 1),
            ("90 sec", 90),
            ("2m", 120),
            ("30 min", 1_800),
            ("2h", 7_200),
            ("2 hours", 7_200),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("7d", 604_800),
            ("7 days", 604_800),
            ("2w", 1_209_600),
            ("2 weeks", 1_209_600),
        ] {
            assert_eq!(text.parse::<Age>().map(Age::as_secs), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_of_seconds_from_one_up_is_refused() {
        for text in [
            "",
            " ",
            "0",
            "0s",
            "0h 0m",
            "500ms",
            "1500ms",
            "1s 500ms",
            "1us",
            "1ns",
            "-1",
            "-1h",
            "+5",
            "+1h",
            "abc",
            "h",
            "2 h x",
            "1mo",
            "1 month",
            "1M",
            "2 months",
            "1y",
            "1 year",
            "1.5h",
            "1,5h",
            "1e3",
            "0x10",
            "2H",
            "1h 30",
            "12 34",
            " 2h",
            "2h\n",
            "½h",
            "２h",
            "99999999999999999999",
            "99999999999999999999h",
            "18446744073709551615",
            "18446744073709551615w",
            "3162240001",
            "inf",
            "2h;",
            "never",
        ] {
            assert_eq!(text.parse::<Age>(), Err(NotAnAge), "{text:?}");
        }
    }

    #[test]
    fn peers_28_a_bare_number_is_seconds_and_not_milliseconds() {
        assert_eq!("3600".parse::<Age>().unwrap().as_duration(), Duration::from_secs(3_600));
    }

    #[test]
    fn what_is_written_reads_back() {
        for seconds in [1, 59, 60, 61, 3_600, 5_400, 86_400, 90_061, MOST_SECONDS] {
            let age = Age::from_secs(seconds).unwrap();
            assert_eq!(age.to_string().parse(), Ok(age), "{age}");
        }
    }

    #[test]
    fn json_takes_the_text_and_the_number_of_seconds() {
        assert_eq!(serde_json::from_str::<Age>("\"2h\"").unwrap().as_secs(), 7_200);
        assert_eq!(serde_json::from_str::<Age>("3600").unwrap().as_secs(), 3_600);
        for bad in ["0", "-1", "1.5", "true", "null", "\"500ms\"", "[1]"] {
            assert!(serde_json::from_str::<Age>(bad).is_err(), "{bad}");
        }
    }
}
