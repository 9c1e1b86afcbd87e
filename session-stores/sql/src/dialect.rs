//! What a database says or does in its own way: its words, its error codes, and the verbs that it must do otherwise.

use std::sync::Arc;

use async_trait::async_trait;
use session_core::store::{Loaded, Record, StoreError, StoreErrorKind, Written};
use sqlx::Database;
use sqlx::error::DatabaseError;

use crate::capabilities::{Pass, end_all};
use crate::failure::{Failure, Verdict};
use crate::row::{Cells, FORMAT, read, read_etag, read_number};
use crate::statement::{Asked, OwnerAs, Places, Statement};
use crate::statements::{Statements, Verbs};
use crate::store::SqlStore;
use crate::table::TableName;
use crate::talk::Talk;

/// A database that sessions are kept in. The verbs that have a body here are right for one with `ON CONFLICT` and
/// `RETURNING`.
#[async_trait]
pub trait Dialect: Database<Row: Cells, Connection: Talk<Self>> {
    /// The store's name in errors.
    const STORE: &'static str;
    /// What stands around a name.
    const QUOTE: &'static str;
    const PLACES: Places;
    const OWNER: OwnerAs;
    const TEXTS: Verbs<&'static str>;
    /// The SQL that makes a table called `sessions`, and the one that brings a table of version 1 up to date.
    const SCHEMA: &'static str;
    const UPGRADE: &'static str;
    /// Whether it is a server at the other end of a network, which goes on without us when we stop waiting.
    const REMOTE: bool;

    /// The words of the common statements that differ from one database to the next.
    fn word(name: &str) -> Option<&'static str>;

    /// Reads the database's own error code.
    fn judge(error: &dyn DatabaseError) -> Verdict;

    /// How many rows a statement changed.
    fn affected(done: &Self::QueryResult) -> u64;

    async fn create(
        connection: &mut Self::Connection,
        verbs: &Statements,
        asked: &Asked<'_>,
        _: &Record,
    ) -> Result<Written, Failure> {
        let done = changed::<Self>(connection, &verbs.create, asked).await?;
        Ok(if done == 0 { Written::Taken } else { Written::Applied })
    }

    async fn replace(
        connection: &mut Self::Connection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure> {
        let Some(row) = connection.row(&verbs.replace, asked).await? else { return Ok(Written::Gone) };
        if read_etag(&row)? == record.etag {
            return Ok(Written::Applied);
        }
        Ok(match read(&row)? {
            Loaded::Found(there) => Written::Conflict(there),
            Loaded::Ended { .. } | Loaded::Missing => Written::Gone,
        })
    }

    async fn touch(
        connection: &mut Self::Connection,
        verbs: &Statements,
        asked: &Asked<'_>,
    ) -> Result<Written, Failure> {
        match connection.row(&verbs.touch, asked).await?.map(|row| row.small(0)).transpose()? {
            Some(format) if format > Some(FORMAT) => Err(Failure::Found(StoreErrorKind::Newer)),
            Some(_) => Ok(Written::Applied),
            None => Ok(Written::Gone),
        }
    }

    async fn rotate(
        connection: &mut Self::Connection,
        verbs: &Statements,
        asked: &Asked<'_>,
        record: &Record,
    ) -> Result<Written, Failure>;

    async fn sweep(
        connection: &mut Self::Connection,
        store: &SqlStore<Self>,
        asked: &Asked<'_>,
    ) -> Result<usize, Failure> {
        Ok(count(changed::<Self>(connection, &store.statements.sweep, asked).await?))
    }

    async fn end_all(store: &SqlStore<Self>, asked: &Asked<'_>) -> Result<Pass, StoreError> {
        end_all(store, asked).await
    }

    /// Makes what is not there yet. `version` is that of the tables that were found.
    async fn migrate(
        connection: &mut Self::Connection,
        store: &SqlStore<Self>,
        version: Option<i32>,
    ) -> Result<(), Failure>;

    /// Whether this error says that there is no such table.
    fn is_missing_table(error: &dyn DatabaseError) -> bool;
}

/// How many rows the statement changed.
pub(crate) async fn changed<DB: Dialect>(
    connection: &mut DB::Connection,
    statement: &Statement,
    asked: &Asked<'_>,
) -> Result<u64, sqlx::Error> {
    Ok(DB::affected(&connection.run(statement, asked).await?))
}

/// What stands under the key.
pub(crate) async fn there<DB: Dialect>(
    connection: &mut DB::Connection,
    verbs: &Statements,
    asked: &Asked<'_>,
) -> Result<Loaded, Failure> {
    let row = connection.row(&verbs.load, asked).await?;
    row.as_ref().map_or(Ok(Loaded::Missing), read)
}

/// The number that the statement answers with.
pub(crate) async fn number<DB: Dialect>(
    connection: &mut DB::Connection,
    statement: &Statement,
    asked: &Asked<'_>,
) -> Result<usize, Failure> {
    connection.row(statement, asked).await?.as_ref().map_or(Ok(0), read_number)
}

/// The version of the tables, where there are any.
pub(crate) async fn version<DB: Dialect>(
    connection: &mut DB::Connection,
    verbs: &Statements,
) -> Result<Option<i32>, Failure> {
    match connection.row(&verbs.version, &Asked::default()).await {
        Ok(row) => Ok(row.map(|row| row.small(0)).transpose()?.flatten()),
        Err(sqlx::Error::Database(error)) if DB::is_missing_table(&*error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The text with another table's name in it than `sessions`.
pub(crate) fn renamed<DB: Dialect>(text: &str, table: &TableName) -> Arc<str> {
    text.replace(&format!("{}sessions", DB::QUOTE), &format!("{}{}", DB::QUOTE, table.as_str())).into()
}

/// A number of rows as the traits count them.
pub(crate) fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
