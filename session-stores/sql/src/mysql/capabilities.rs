//! Beside the six verbs: making the table, the owner index, the sweep.

use async_trait::async_trait;
use session_core::{OwnerIndex, Record, StoreError, StoreErrorKind, StoreKey, Sweep, Swept, Timestamp};
use sqlx::mysql::{MySql, MySqlConnection};
use sqlx::{Connection, QueryBuilder, Row};

use super::MySqlStore;
use crate::call::{MIGRATION_DEADLINE, call};
use crate::failure::Failure;
use crate::row::{SCHEMA_VERSION, hour, listed, query, read_key};

impl MySqlStore {
    /// The SQL that [`migrate`](Self::migrate) runs, with this store's table name in it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, MySqlStore};
    ///
    /// let store = MySqlStore::open("mysql://shop@db.internal/shop", &SqlConfig::new().table("carts")?)?;
    /// assert!(store.schema().contains("CREATE TABLE IF NOT EXISTS `carts`"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.statements.schema
    }

    /// Makes the table and its indexes, or brings older ones up to date. Does nothing where all is there already, and
    /// any number of processes may do it at once. Takes up to half a minute before it gives up.
    ///
    /// # Errors
    /// `Refused` when the tables are not there and this user may not make them, `Newer` when a newer version of this library has been here.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_store_sql::{MySqlStore, SqlConfig};
    /// let store = MySqlStore::open("mysql://shop@db.internal/shop", &SqlConfig::new())?;
    /// store.migrate().await?;
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let at_leisure = self.caller.patient(self.caller.deadline().max(MIGRATION_DEADLINE));
        call!(at_leisure, |connection| {
            let found = query(&self.statements.version).fetch_one(&mut *connection).await;
            match found.map(|row| row.try_get::<Option<i32>, _>(0)) {
                Ok(version) => match version? {
                    Some(SCHEMA_VERSION) => return Ok(()),
                    Some(other) if other > SCHEMA_VERSION => {
                        return Err(Failure::Found(StoreErrorKind::Newer));
                    }
                    Some(_) | None => {}
                },
                // No such table: nobody has been here.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42S02") => {}
                Err(error) => return Err(error.into()),
            }
            // Each of these statements may run twice at once; MySQL cannot undo them anyway.
            let schema = sqlx::AssertSqlSafe(std::sync::Arc::clone(&self.statements.schema));
            sqlx::raw_sql(schema).execute(connection).await?;
            Ok(())
        })
    }
}

#[async_trait]
impl OwnerIndex for MySqlStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        call!(self.caller, |connection| {
            let rows = query(&self.statements.list)
                .bind(owner.as_bytes())
                .bind(now.as_millis())
                .bind(now.as_millis())
                .fetch_all(connection)
                .await?;
            listed(&rows)
        })
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        call!(self.caller, |connection| {
            let row = query(&self.statements.count)
                .bind(owner.as_bytes())
                .bind(now.as_millis())
                .bind(now.as_millis())
                .fetch_one(connection)
                .await?;
            Ok(usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
        })
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let end = async |statement| {
            call!(self.caller, |connection| {
                let done = query(statement)
                    .bind(tombstone_until.as_millis())
                    .bind(hour(tombstone_until))
                    .bind(owner.as_bytes())
                    .bind(except.map(|key| key.as_bytes().as_slice()))
                    .bind(now.as_millis())
                    .bind(now.as_millis())
                    .execute(connection)
                    .await?;
                Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
            })
        };
        let mut ended = 0;
        for _ in 0..MOST_PASSES {
            let seen = call!(self.caller, |connection| {
                let row = query(&self.statements.seen)
                    .bind(owner.as_bytes())
                    .bind(except.map(|key| key.as_bytes().as_slice()))
                    .fetch_one(connection)
                    .await?;
                Ok(row.try_get::<i64, _>(0)?)
            })?;
            if seen == 0 {
                break;
            }
            ended += end(&self.statements.destroy_all).await?;
            end(&self.statements.bury_all).await?;
        }
        Ok(ended)
    }
}

#[async_trait]
impl Sweep for MySqlStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let most = most.min(LARGEST_BATCH);
        call!(self.caller, |connection| {
            let turn = query(&self.statements.sweep_lock).fetch_one(&mut *connection).await?;
            if turn.try_get::<Option<i64>, _>(0)? != Some(1) {
                return Ok(Swept { removed: 0, more: false });
            }
            let removed = self.sweep_batch(&mut *connection, before, most).await;
            // Whatever came of it. If this very statement fails, the connection is closed, and with it the lock is gone.
            query(&self.statements.sweep_unlock).execute(connection).await?;
            let removed = removed?;
            Ok(Swept { removed, more: removed > 0 && removed >= most })
        })
    }
}

impl MySqlStore {
    async fn sweep_batch(
        &self,
        connection: &mut MySqlConnection,
        before: Timestamp,
        most: usize,
    ) -> Result<usize, Failure> {
        // Otherwise the gaps between the dead would be locked too, where tombstones of the same hour want to go.
        sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *connection).await?;
        let mut transaction = connection.begin().await?;
        let dead = query(&self.statements.dead)
            .bind(hour(before))
            .bind(before.as_millis())
            .bind(before.as_millis())
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&mut *transaction)
            .await?;
        if dead.is_empty() {
            transaction.rollback().await?;
            return Ok(0);
        }
        let table = self.table.as_str();
        let mut delete = QueryBuilder::<MySql>::new("DELETE FROM `");
        delete.push(table).push("` WHERE session_key IN (");
        let mut keys = delete.separated(", ");
        for row in &dead {
            keys.push_bind(read_key(row, 0)?.as_bytes().to_vec());
        }
        delete.push(")");
        let done = delete.build().persistent(false).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
    }
}

/// A session that is regenerated just then is met in the next pass. Nobody regenerates or signs in this often.
const MOST_PASSES: usize = 16;

/// A statement names each row it deletes, and MySQL allows 65,535 parameters.
const LARGEST_BATCH: usize = 10_000;
