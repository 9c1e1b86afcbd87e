//! What can go wrong underneath, and which kind of store error it is.

use std::fmt;

use session_core::store::{StoreError, StoreErrorKind};

use crate::dialect::Dialect;

/// Why an attempt at a verb failed.
#[derive(Debug)]
pub enum Failure {
    /// The driver or the database said so.
    Sql(sqlx::Error),
    /// We saw something in a row.
    Found(StoreErrorKind),
    /// Somebody was in the way, nothing was changed, and another attempt may well succeed.
    Again,
    /// There was no connection while it was still time to begin.
    Late,
    /// A connection of our own that asked why was refused.
    Unreachable(StoreErrorKind, Cause),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// What a database means by an error it answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It will not do this.
    Refused,
    /// It gave up waiting.
    Timeout,
    /// It is going away or not there yet.
    Unavailable,
    /// It undid this attempt in favour of another client's.
    Again,
}

impl Failure {
    /// Whether the attempt changed nothing and is worth repeating.
    pub(crate) fn worth_repeating<DB: Dialect>(&self) -> bool {
        match self {
            Self::Again => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) == Verdict::Again,
            Self::Sql(_) | Self::Found(_) | Self::Late | Self::Unreachable(..) => false,
        }
    }

    /// Whether the connection went away. What was asked may have been done or not.
    pub(crate) fn is_broken<DB: Dialect>(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Io(_)) => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) == Verdict::Unavailable,
            Self::Sql(_) | Self::Found(_) | Self::Again | Self::Late | Self::Unreachable(..) => false,
        }
    }

    /// Whether the connection can be used again after this: the database answered, so it is in step with us.
    pub(crate) fn leaves_connection_usable<DB: Dialect>(&self) -> bool {
        match self {
            Self::Again | Self::Found(_) | Self::Late | Self::Unreachable(..) => true,
            Self::Sql(sqlx::Error::Database(error)) => DB::judge(&**error) != Verdict::Unavailable,
            Self::Sql(error) => is_decoding(error),
        }
    }

    /// The error a caller sees.
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

/// Which kind of store error the driver's error is.
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

/// The driver's error without what it may quote of a row: a server's detail ("failing row contains …") shows data.
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
