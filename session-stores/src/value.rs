//! A raw value of a setting, and its conversions to flags, ages, sizes and lists.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use session_core::Age;

use crate::error::Problem;

/// An untyped value. Values from the environment are always `Text`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Whole(i128),
    Flag(bool),
    List(Vec<Value>),
    /// A value that no setting accepts: a fraction, a null, a date.
    Other(String),
}

impl Value {
    pub(crate) fn is_empty_text(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    pub(crate) fn text(&self) -> Result<&str, Problem> {
        match self {
            Self::Text(text) if !text.chars().any(char::is_control) => Ok(text),
            _ => Err(Problem::Refused),
        }
    }

    pub(crate) fn parsed<T: FromStr>(&self) -> Result<T, Problem> {
        self.text()?.parse().map_err(|_| Problem::Refused)
    }

    pub(crate) fn flag(&self) -> Result<bool, Problem> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            Self::Text(text) => match text.as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(Problem::Refused),
            },
            Self::Whole(_) | Self::List(_) | Self::Other(_) => Err(Problem::Refused),
        }
    }

    pub(crate) fn age(&self) -> Result<Age, Problem> {
        match self {
            Self::Whole(seconds) => u64::try_from(*seconds)
                .ok()
                .and_then(|seconds| Age::from_secs(seconds).ok())
                .ok_or(Problem::Refused),
            _ => self.parsed(),
        }
    }

    /// Parses an age or `never`.
    pub(crate) fn age_or_never(&self) -> Result<Option<Age>, Problem> {
        match self {
            Self::Text(text) if text == "never" => Ok(None),
            _ => self.age().map(Some),
        }
    }

    /// Parses a short duration in milliseconds, seconds or minutes, from 1 ms to 5 minutes. A bare number is in
    /// seconds.
    pub(crate) fn patience(&self) -> Result<Duration, Problem> {
        let wait = match self {
            Self::Whole(seconds) => {
                Duration::from_secs(u64::try_from(*seconds).map_err(|_| Problem::Refused)?)
            }
            _ => {
                let text = self.text()?;
                let digits = text.bytes().take_while(u8::is_ascii_digit).count();
                let (number, unit) = text.split_at(digits);
                let number: u64 = number.parse().map_err(|_| Problem::Refused)?;
                match unit.trim_start_matches(' ') {
                    "ms" => Duration::from_millis(number),
                    "" if unit.is_empty() => Duration::from_secs(number),
                    "s" => Duration::from_secs(number),
                    "m" | "min" => Duration::from_secs(number.saturating_mul(60)),
                    _ => return Err(Problem::Refused),
                }
            }
        };
        if wait.is_zero() || wait > LONGEST_PATIENCE { Err(Problem::Refused) } else { Ok(wait) }
    }

    /// Parses a size in bytes, with an optional `KiB` or `MiB`.
    pub(crate) fn size(&self) -> Result<usize, Problem> {
        self.size_in(SMALLEST_RECORD, LARGEST_RECORD)
    }

    /// Parses a size in bytes within the given limits.
    pub(crate) fn size_in(&self, least: usize, most: usize) -> Result<usize, Problem> {
        let bytes = match self {
            Self::Whole(bytes) => usize::try_from(*bytes).ok(),
            _ => {
                let text = self.text()?;
                let digits = text.bytes().take_while(u8::is_ascii_digit).count();
                let (number, unit) = text.split_at(digits);
                let scale = match unit.trim_start_matches(' ') {
                    "" if unit.is_empty() => 1,
                    "KiB" => 1 << 10,
                    "MiB" => 1 << 20,
                    _ => return Err(Problem::Refused),
                };
                number.parse::<usize>().ok().and_then(|number| number.checked_mul(scale))
            }
        };
        bytes.filter(|bytes| (least..=most).contains(bytes)).ok_or(Problem::Refused)
    }

    /// Parses a number from 1 to `most`.
    pub(crate) fn count_of(&self, most: usize) -> Result<usize, Problem> {
        let number = match self {
            Self::Whole(number) => usize::try_from(*number).map_err(|_| Problem::Refused)?,
            Self::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => self.parsed()?,
            _ => return Err(Problem::Refused),
        };
        if (1..=most).contains(&number) { Ok(number) } else { Err(Problem::Refused) }
    }

    /// Parses a list of strings, or one string separated by commas. Surrounding blanks are trimmed; empty items are
    /// rejected.
    pub(crate) fn list(&self) -> Result<Vec<String>, Problem> {
        let texts = match self {
            Self::Text(text) => text.split(',').map(str::trim).collect(),
            Self::List(values) => values.iter().map(Self::text).collect::<Result<Vec<_>, _>>()?,
            Self::Whole(_) | Self::Flag(_) | Self::Other(_) => return Err(Problem::Refused),
        };
        let fit = |text: &&str| !text.is_empty() && !text.chars().any(char::is_control);
        if texts.iter().all(fit) {
            Ok(texts.into_iter().map(str::to_owned).collect())
        } else {
            Err(Problem::Refused)
        }
    }
}

/// Formats the value for errors: strings are quoted, and long ones truncated.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.chars().count() > MOST_SHOWN => {
                write!(f, "{:?}…", text.chars().take(MOST_SHOWN).collect::<String>())
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Other(shown) => f.write_str(shown),
        }
    }
}

const MOST_SHOWN: usize = 80;
const LONGEST_PATIENCE: Duration = Duration::from_secs(300);
const SMALLEST_RECORD: usize = 256;
const LARGEST_RECORD: usize = 16 << 20;
