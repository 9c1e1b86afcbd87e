//! The differences between databases: SQL fragments, error codes, and verbs that need different statements.

use std::sync::Arc;

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Loaded, Record, StoreError, StoreErrorKind, Written},
};
use sqlx::Database;
use sqlx::error::DatabaseError;

use crate::capabilities::{Pass, end_all};
use crate::failure::{Failure, Verdict};
use crate::row::{Cells, FORMAT, Trail, read, read_etag, read_number};
use crate::statement::{Asked, OwnerAs, Places, Statement};
use crate::statements::{Statements, Verbs};
use crate::store::SqlStore;
use crate::table::TableName;
use crate::talk::Talk;

/// A database for sessions. The provided methods work for databases with `ON CONFLICT` and `RETURNING`.
#[async_trait]
pub trait Dialect: Database<Row: Cells, Connection: Talk<Self>> {
    /// The name of the store in errors.
    const STORE: &'static str;
    /// The quote character for identifiers.
    const QUOTE: &'static str;
    const PLACES: Places;
    const OWNER: OwnerAs;
    const TEXTS: Verbs<&'static str>;
    /// The SQL that creates a table called `sessions`, and the SQL that upgrades a table of version 1.
    const SCHEMA: &'static str;
    const UPGRADE: &'static str;
    /// Whether the database is a remote server, which continues a statement after the client has stopped waiting.
    const REMOTE: bool;

    /// Returns the SQL fragment of this database for a placeholder in the common statements.
    fn word(name: &str) -> Option<&'static str>;

    /// Classifies an error by the database's error code.
    fn judge(error: &dyn DatabaseError) -> Verdict;

    /// Returns the number of rows that a statement changed.
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
        let Some(row) = connection.row(&verbs.replace, asked).await? else {
            return Ok(moved::<Self>(connection, verbs, asked, Some(asked.now))
                .await?
                .unwrap_or(Written::Gone));
        };
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

    /// Creates or upgrades the tables. `version` is the version of the existing tables, if any.
    async fn migrate(
        connection: &mut Self::Connection,
        store: &SqlStore<Self>,
        version: Option<i32>,
    ) -> Result<(), Failure>;

    /// Whether the error means that the table does not exist.
    fn is_missing_table(error: &dyn DatabaseError) -> bool;
}

/// Runs a statement and returns the number of rows that it changed.
pub(crate) async fn changed<DB: Dialect>(
    connection: &mut DB::Connection,
    statement: &Statement,
    asked: &Asked<'_>,
) -> Result<u64, sqlx::Error> {
    Ok(DB::affected(&connection.run(statement, asked).await?))
}

/// Reads the row under the store key.
pub(crate) async fn there<DB: Dialect>(
    connection: &mut DB::Connection,
    verbs: &Statements,
    asked: &Asked<'_>,
) -> Result<Loaded, Failure> {
    let row = connection.row(&verbs.load, asked).await?;
    row.as_ref().map_or(Ok(Loaded::Missing), read)
}

/// Returns where the session under the store key has moved, if the row there is the tombstone of a rotation.
pub(crate) async fn moved<DB: Dialect>(
    connection: &mut DB::Connection,
    verbs: &Statements,
    asked: &Asked<'_>,
    now: Option<Timestamp>,
) -> Result<Option<Written>, Failure> {
    let rows = connection.rows(&verbs.trail, asked).await?;
    Trail(&rows).moved(asked.key, now)
}

/// Runs a statement that returns a number.
pub(crate) async fn number<DB: Dialect>(
    connection: &mut DB::Connection,
    statement: &Statement,
    asked: &Asked<'_>,
) -> Result<usize, Failure> {
    connection.row(statement, asked).await?.as_ref().map_or(Ok(0), read_number)
}

/// Returns the version of the tables, if they exist.
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

/// Replaces the table name `sessions` in the text. The names of indexes have no schema: they are in that of their table.
pub(crate) fn renamed<DB: Dialect>(text: &str, table: &TableName) -> Arc<str> {
    let mark = format!("{}sessions", DB::QUOTE);
    let mut parts = text.split(&mark);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (suffix, rest) = part.split_once(DB::QUOTE).expect("the scripts' quotes are in pairs");
        match suffix {
            "" | "_schema" => renamed += &table.quoted(DB::QUOTE, suffix),
            index => renamed.extend([DB::QUOTE, table.own(), index, DB::QUOTE]),
        }
        renamed += rest;
    }
    renamed.into()
}

/// Converts a number of rows to `usize`.
pub(crate) fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
