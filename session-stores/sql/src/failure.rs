//! Failures of an attempt, and their mapping to store errors.

use std::fmt;

use session_core::store::{StoreError, StoreErrorKind};

use crate::dialect::Dialect;

/// The reason why an attempt failed.
#[derive(Debug)]
pub enum Failure {
    /// An error of the driver or the database.
    Sql(sqlx::Error),
    /// A row that cannot be used.
    Found(StoreErrorKind),
    /// A concurrent change interfered and nothing was changed; a retry may succeed.
    Again,
    /// No connection became available in time.
    Late,
    /// A connection opened to determine the cause was refused.
    Unreachable(StoreErrorKind, Cause),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// The meaning of a database error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The database refuses the statement.
    Refused,
    /// The database stopped waiting.
    Timeout,
    /// The database is starting or stopping.
    Unavailable,
    /// The database aborted the attempt in favour of another client.
    Again,
}

impl Failure {
    /// Whether the attempt changed nothing and can be retried.
    pub(crate) fn worth_repeating<DB: Dialect>(&self) -> bool {
        match self {
            Self::Again => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) == Verdict::Again,
            Self::Sql(_) | Self::Found(_) | Self::Late | Self::Unreachable(..) => false,
        }
    }

    /// Whether the connection broke. The statement may or may not have been applied.
    pub(crate) fn is_broken<DB: Dialect>(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Io(_)) => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) == Verdict::Unavailable,
            Self::Sql(_) | Self::Found(_) | Self::Again | Self::Late | Self::Unreachable(..) => false,
        }
    }

    /// Whether the connection can be reused: the database has answered, so no further answer is pending.
    pub(crate) fn leaves_connection_usable<DB: Dialect>(&self) -> bool {
        match self {
            Self::Again | Self::Found(_) | Self::Late | Self::Unreachable(..) => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) != Verdict::Unavailable,
            Self::Sql(error) => is_decoding(error),
        }
    }

    /// Converts to the error returned to callers.
    pub(crate) fn into_store_error<DB: Dialect>(self) -> StoreError {
        let error = match self {
            Self::Found(kind) => return StoreError::new(kind, DB::STORE),
            Self::Again | Self::Late => return StoreError::timeout(DB::STORE),
            Self::Unreachable(kind, cause) => return StoreError::new(kind, DB::STORE).because(cause),
            Self::Sql(error) => error,
        };
        StoreError::new(kind_of::<DB>(&error), DB::STORE).because(Cause::from(error))
    }
}

/// Returns the kind of store error for an error of the driver.
pub(crate) fn kind_of<DB: Dialect>(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::Database(answer) => match DB::judge(&**answer) {
            Verdict::Refused => StoreErrorKind::Refused,
            Verdict::Timeout | Verdict::Again => StoreErrorKind::Timeout,
            Verdict::Unavailable => StoreErrorKind::Unavailable,
        },
        sqlx::Error::PoolTimedOut => StoreErrorKind::Timeout,
        error if is_decoding(error) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}

fn is_decoding(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
}

/// The driver's error without the server's detail ("failing row contains …"), which may contain data of a row.
#[derive(Clone)]
pub struct Cause {
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
