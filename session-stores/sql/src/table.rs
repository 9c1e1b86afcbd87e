//! The name of the table, which is the only text of the application in a statement.

use std::fmt;
use std::str::FromStr;

/// A checked table name: a lower-case letter, then lower-case letters, digits and `_`; at most 40 bytes.
///
/// The rules are strict because the name is part of every statement. It is quoted as well, so keywords such as
/// `order` are valid names. 40 bytes leave room for the names of indexes within the 63 bytes of Postgres.
///
/// ```
/// use session_store_sql::TableName;
///
/// assert!("app_sessions".parse::<TableName>().is_ok());
/// assert!("sessions; drop table users".parse::<TableName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName(String);

impl TableName {
    /// Returns the name, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The default name, `sessions`.
impl Default for TableName {
    fn default() -> Self {
        Self("sessions".into())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TableName {
    type Err = BadTableName;

    fn from_str(name: &str) -> Result<Self, BadTableName> {
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
        let goes_on_well = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if starts_well && goes_on_well && name.len() <= LONGEST {
            Ok(Self(name.into()))
        } else {
            Err(BadTableName)
        }
    }
}

/// Returned when a table name is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a session table's name is a lower-case letter, then lower-case letters, digits and _, at most 40 in all"
)]
pub struct BadTableName;

const LONGEST: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_plain_identifier_becomes_part_of_a_statement() {
        let long = "a".repeat(41);
        for bad in ["", "_a", "1a", "A", "a b", "a;b", "a\"b", "a`b", "a'b", "a.b", "a-b", "ä", "a\0", &long]
        {
            assert_eq!(bad.parse::<TableName>(), Err(BadTableName), "{bad:?}");
        }
        for good in ["a", "sessions", "app_sessions_2", "order", &"a".repeat(40)] {
            assert!(good.parse::<TableName>().is_ok(), "{good}");
        }
    }
}
