//! Runs statements on a connection of any database.

use std::pin::Pin;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, Database, Encode, Executor, IntoArguments, Type};

use crate::statement::{Asked, Statement};

/// A future of a result of the driver.
pub(crate) type Soon<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// Runs statements on a connection.
///
/// A single implementation covers all drivers. As a bound of [`Dialect`](crate::dialect::Dialect), the trait avoids
/// repeating its bounds on every verb.
pub trait Talk<DB: Database> {
    /// Returns all rows.
    fn rows<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, Vec<DB::Row>>;
    /// Returns the first row.
    fn row<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, Option<DB::Row>>;
    /// Runs a statement.
    fn run<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, DB::QueryResult>;
    /// Runs several statements without values.
    fn script<'c>(&'c mut self, text: &Arc<str>) -> Soon<'c, DB::QueryResult>;
}

impl<DB, C> Talk<DB> for C
where
    DB: Database<Connection = C>,
    DB::Arguments: IntoArguments<DB>,
    C: Connection<Database = DB>,
    for<'c> &'c mut C: Executor<'c, Database = DB>,
    Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
    for<'q> Option<&'q [u8]>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
{
    fn rows<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, Vec<DB::Row>> {
        self.fetch_all(statement.query(asked))
    }

    fn row<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, Option<DB::Row>> {
        // Not `fetch_optional`: with SQLite, it stops at the row, before the commit. An error of the commit, such as
        // a full disk, would be lost together with the write.
        let rows = self.fetch_all(statement.query(asked));
        Box::pin(async { Ok(rows.await?.into_iter().next()) })
    }

    fn run<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, DB::QueryResult> {
        self.execute(statement.query(asked))
    }

    fn script<'c>(&'c mut self, text: &Arc<str>) -> Soon<'c, DB::QueryResult> {
        self.execute(sqlx::raw_sql(AssertSqlSafe(Arc::clone(text))))
    }
}
