//! Running statements on a connection, whatever the database.

use std::pin::Pin;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, Database, Encode, Executor, IntoArguments, Type};

use crate::statement::{Asked, Statement};

/// The driver's answer, soon.
pub(crate) type Soon<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// What a connection does with a statement.
///
/// One implementation serves every driver. The trait is there because its bounds, as a supertrait of
/// [`Dialect`](crate::dialect::Dialect), need not be said again wherever a verb is.
pub trait Talk<DB: Database> {
    /// Every row of the answer.
    fn rows<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, Vec<DB::Row>>;
    /// The first row of the answer.
    fn row<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, Option<DB::Row>>;
    /// What the statement did.
    fn run<'c>(&'c mut self, statement: &Statement, asked: &Asked<'_>) -> Soon<'c, DB::QueryResult>;
    /// What several statements without values did, all in one text of this crate's.
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
        // Not `fetch_optional`: with SQLite it stops at the row, and the commit comes after it. An error there, say a
        // full disk, would be lost together with the write.
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
