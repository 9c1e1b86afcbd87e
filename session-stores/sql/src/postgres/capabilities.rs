//! Beside the six verbs: making the table, the owner index, the sweep.

use async_trait::async_trait;
use session_core::{OwnerIndex, Record, StoreError, StoreErrorKind, StoreKey, Sweep, Swept, Timestamp};
use sqlx::{Connection, Row};

use super::PostgresStore;
use super::statements::MIGRATION_LOCK;
use crate::call::{MIGRATION_DEADLINE, call};
use crate::failure::Failure;
use crate::row::{SCHEMA_VERSION, hour, listed, query};
use crate::table::TableName;

impl PostgresStore {
    /// The SQL that [`migrate`](Self::migrate) runs, with this store's table name in it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, PostgresStore};
    ///
    /// let store = PostgresStore::open("postgres://shop@db.internal/shop", &SqlConfig::new().table("carts")?)?;
    /// assert!(store.schema().contains(r#"CREATE TABLE IF NOT EXISTS "carts""#));
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
    /// # use session_store_sql::{PostgresStore, SqlConfig};
    /// let store = PostgresStore::open("postgres://shop@db.internal/shop", &SqlConfig::new())?;
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
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => {}
                Err(error) => return Err(error.into()),
            }
            let mut transaction = connection.begin().await?;
            sqlx::query(MIGRATION_LOCK).bind(lock_number(&self.table)).execute(&mut *transaction).await?;
            let schema = sqlx::AssertSqlSafe(std::sync::Arc::clone(&self.statements.schema));
            sqlx::raw_sql(schema).execute(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        })
    }
}

#[async_trait]
impl OwnerIndex for PostgresStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        call!(self.caller, |connection| {
            let rows = query(&self.statements.list)
                .bind(owner.as_bytes())
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
        let mut ended = 0;
        for _ in 0..MOST_PASSES {
            let (seen, live) = call!(self.caller, |connection| {
                let row = query(&self.statements.destroy_all)
                    .bind(owner.as_bytes())
                    .bind(except.map(|key| key.as_bytes().as_slice()))
                    .bind(now.as_millis())
                    .bind(tombstone_until.as_millis())
                    .bind(hour(tombstone_until))
                    .fetch_one(connection)
                    .await?;
                Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?))
            })?;
            ended += usize::try_from(live).unwrap_or(0);
            if seen == 0 {
                break;
            }
        }
        Ok(ended)
    }
}

#[async_trait]
impl Sweep for PostgresStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        call!(self.caller, |connection| {
            let done = query(&self.statements.sweep)
                .bind(before.as_millis())
                .bind(hour(before))
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .execute(connection)
                .await?;
            let removed = usize::try_from(done.rows_affected()).unwrap_or(usize::MAX);
            Ok(Swept { removed, more: removed > 0 && removed >= most })
        })
    }
}

/// The number of the advisory lock under which a table is made: FNV-1a of its name.
fn lock_number(table: &TableName) -> i64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    table.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, hash).cast_signed()
}

/// A session that is regenerated just then is met in the next pass. Nobody regenerates or signs in this often.
const MOST_PASSES: usize = 16;
