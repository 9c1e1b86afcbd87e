//! The verbs that write, as values: one can be run now, again, or together with others.

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreError, StoreKey, Written},
};
use tokio::time::Instant;

use crate::call::{Caller, call};
use crate::dialect::{Dialect, changed, moved};
use crate::failure::Failure;
use crate::statement::Asked;
use crate::statements::Statements;

/// A verb that writes, with its arguments.
pub(crate) enum Write {
    Create { key: StoreKey, record: Record },
    Replace { key: StoreKey, expected: Etag, record: Record, now: Timestamp },
    Touch { key: StoreKey, until: Timestamp, now: Timestamp },
    Destroy { key: StoreKey, until: Timestamp },
    Rotate { old: StoreKey, expected: Etag, new: StoreKey, record: Record, now: Timestamp, until: Timestamp },
}

impl Write {
    /// Whether a retry after a broken connection has the same result. If a replace was applied and then replaced by
    /// another writer, a retry would be a conflict, and its caller would replay changes that are already applied.
    fn is_idempotent(&self) -> bool {
        !matches!(self, Self::Replace { .. })
    }

    fn asked(&self) -> Asked<'_> {
        match self {
            Self::Create { key, record } => Asked { key, record: Some(record), ..Asked::default() },
            &Self::Replace { ref key, expected, ref record, now } => {
                Asked { key, expected, record: Some(record), now, ..Asked::default() }
            }
            &Self::Touch { ref key, until, now } => Asked { key, until, now, ..Asked::default() },
            &Self::Destroy { ref key, until } => Asked { key, until, ..Asked::default() },
            &Self::Rotate { ref old, expected, ref new, ref record, now, until } => {
                Asked { key: old, new, expected, record: Some(record), now, until, ..Asked::default() }
            }
        }
    }

    /// Runs the statements of the verb on a connection.
    pub(crate) async fn run<DB: Dialect>(
        &self,
        connection: &mut DB::Connection,
        verbs: &Statements,
    ) -> Result<Written, Failure> {
        let asked = self.asked();
        match self {
            Self::Create { record, .. } => DB::create(connection, verbs, &asked, record).await,
            Self::Replace { record, .. } => DB::replace(connection, verbs, &asked, record).await,
            Self::Touch { .. } => DB::touch(connection, verbs, &asked).await,
            Self::Rotate { record, .. } => DB::rotate(connection, verbs, &asked, record).await,
            Self::Destroy { .. } => {
                if changed::<DB>(connection, &verbs.destroy, &asked).await? > 0 {
                    return Ok(Written::Applied);
                }
                let moved = moved::<DB>(connection, verbs, &asked, None).await?;
                Ok(moved.unwrap_or(Written::Applied))
            }
        }
    }

    /// Runs the verb by itself, with the attempts and the deadline of a call that started at `begun`.
    pub(crate) async fn alone<DB: Dialect>(
        &self,
        writer: &Caller<DB>,
        verbs: &Statements,
        begun: Instant,
    ) -> Result<Written, StoreError> {
        if self.is_idempotent() {
            call!(writer, again, since begun, |connection| self.run::<DB>(connection, verbs).await)
        } else {
            call!(writer, once, since begun, |connection| self.run::<DB>(connection, verbs).await)
        }
    }
}
