//! What can go wrong underneath, and which kind of store error it is.

use std::fmt;

use session_core::{StoreError, StoreErrorKind};
use sqlx::error::DatabaseError;

/// Why an attempt at a verb failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The driver or the database said so.
    Sql(sqlx::Error),
    /// We saw something in a row.
    Found(StoreErrorKind),
    /// Somebody was in the way, nothing was changed, and another attempt may well succeed.
    Again,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// What a database means by an error it answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It will not do this.
    Refused,
    /// It gave up waiting.
    Timeout,
    /// It is going away or not there yet.
    Unavailable,
    /// It undid this attempt in favour of another client's.
    Again,
}

/// What the code that is common to the three databases must know about each.
pub(crate) trait Backend: sqlx::Database {
    /// The store's name in errors.
    const STORE: &'static str;

    /// Reads the database's own error code.
    fn judge(error: &dyn DatabaseError) -> Verdict;
}

impl Failure {
    /// Whether the attempt changed nothing and is worth repeating.
    pub(crate) fn worth_repeating<DB: Backend>(&self) -> bool {
        match self {
            Self::Again => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) == Verdict::Again,
            Self::Sql(_) | Self::Found(_) => false,
        }
    }

    /// Whether the connection can be used again after this: the database answered, so it is in step with us.
    pub(crate) fn leaves_connection_usable<DB: Backend>(&self) -> bool {
        match self {
            Self::Again | Self::Found(_) => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) != Verdict::Unavailable,
            Self::Sql(error) => is_decoding(error),
        }
    }

    /// The error a caller sees.
    pub(crate) fn into_store_error<DB: Backend>(self) -> StoreError {
        let error = match self {
            Self::Found(kind) => return StoreError::new(kind, DB::STORE),
            Self::Again => return StoreError::timeout(DB::STORE),
            Self::Sql(error) => error,
        };
        let kind = match &error {
            sqlx::Error::Database(answer) => match DB::judge(&**answer) {
                Verdict::Refused => StoreErrorKind::Refused,
                Verdict::Timeout | Verdict::Again => StoreErrorKind::Timeout,
                Verdict::Unavailable => StoreErrorKind::Unavailable,
            },
            sqlx::Error::PoolTimedOut => StoreErrorKind::Timeout,
            error if is_decoding(error) => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Unavailable,
        };
        StoreError::new(kind, DB::STORE).because(Cause::from(error))
    }
}

fn is_decoding(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
}

/// The driver's error without what it may quote of a row: a server's detail ("failing row contains …") shows data.
struct Cause {
    code: Option<String>,
    message: String,
}

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(answer) => {
                Self { code: answer.code().map(Into::into), message: answer.message().to_owned() }
            }
            other => Self { code: None, message: other.to_string() },
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} (code {code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cause({self})")
    }
}

impl std::error::Error for Cause {}
