//! The name of the table, which is the only text of the application in a statement.

use std::fmt;
use std::str::FromStr;

/// A checked table name: a lower-case letter, then lower-case letters, digits and `_`; at most 40 bytes. On Postgres and
/// MySQL, a schema (there, a database) of the same kind may stand before it: `auth.sessions`.
///
/// The rules are strict because the name is part of every statement. It is quoted as well, so keywords such as
/// `order` are valid names. 40 bytes leave room for the names of indexes within the 63 bytes of Postgres.
///
/// ```
/// use session_store_sql::TableName;
///
/// assert!("app_sessions".parse::<TableName>().is_ok());
/// assert!("auth.sessions".parse::<TableName>().is_ok());
/// assert!("sessions; drop table users".parse::<TableName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    whole: String,
    /// Where the table's own name begins: behind the schema and its dot.
    start: usize,
}

impl TableName {
    /// Returns the name, unquoted, with its schema.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// Returns the name without the schema.
    pub(crate) fn own(&self) -> &str {
        &self.whole[self.start..]
    }

    /// Returns the schema.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.start.checked_sub(1).map(|dot| &self.whole[..dot])
    }

    /// Returns the name for a statement, with its schema, and with this suffix on the table's own name.
    pub(crate) fn quoted(&self, quote: &str, suffix: &str) -> String {
        let table = format!("{quote}{}{suffix}{quote}", self.own());
        match self.schema() {
            Some(schema) => format!("{quote}{schema}{quote}.{table}"),
            None => table,
        }
    }
}

/// The default name, `sessions`.
impl Default for TableName {
    fn default() -> Self {
        Self { whole: "sessions".into(), start: 0 }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}

impl FromStr for TableName {
    type Err = BadTableName;

    fn from_str(name: &str) -> Result<Self, BadTableName> {
        let (schema, own) = name.split_once('.').map_or((None, name), |(schema, own)| (Some(schema), own));
        if is_plain(own) && schema.is_none_or(is_plain) {
            Ok(Self { whole: name.into(), start: name.len() - own.len() })
        } else {
            Err(BadTableName)
        }
    }
}

fn is_plain(name: &str) -> bool {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let goes_on_well = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    starts_well && goes_on_well && name.len() <= LONGEST
}

/// Returned when a table name is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a session table's name is a lower-case letter, then lower-case letters, digits and _, at most 40 in all, \
     with a schema of the same kind and a dot before it where the database has schemas"
)]
pub struct BadTableName;

const LONGEST: usize = 40;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test's panic is its report")]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_plain_identifier_becomes_part_of_a_statement() {
        let long = "a".repeat(41);
        for bad in [
            "", "_a", "1a", "A", "a b", "a;b", "a\"b", "a`b", "a'b", "a-b", "ä", "a\0", &long, ".", "a.",
            ".b", "a.b.c", "a..b", "A.b", "a.\"b", "a.1", "a .b",
        ] {
            assert_eq!(bad.parse::<TableName>(), Err(BadTableName), "{bad:?}");
        }
        for good in ["a", "sessions", "app_sessions_2", "order", &"a".repeat(40)] {
            assert!(good.parse::<TableName>().is_ok(), "{good}");
        }
    }

    #[test]
    fn a_schema_is_quoted_apart_from_its_table() {
        let table: TableName = "auth.sessions".parse().unwrap();
        assert_eq!(
            (table.schema(), table.own(), table.as_str()),
            (Some("auth"), "sessions", "auth.sessions")
        );
        assert_eq!(table.quoted("\"", "_schema"), r#""auth"."sessions_schema""#);
        assert_eq!(TableName::default().quoted("`", ""), "`sessions`");
        assert_eq!(TableName::default().schema(), None);
    }
}
