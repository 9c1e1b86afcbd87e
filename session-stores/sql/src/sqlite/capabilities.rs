//! Beside the six verbs: making the table, the owner index, the sweep.

use async_trait::async_trait;
use session_core::{OwnerIndex, Record, StoreError, StoreErrorKind, StoreKey, Sweep, Swept, Timestamp};
use sqlx::{Connection, Row};

use super::SqliteStore;
use crate::call::{MIGRATION_DEADLINE, call};
use crate::failure::Failure;
use crate::row::{SCHEMA_VERSION, hour, listed, query};

impl SqliteStore {
    /// The SQL that [`migrate`](Self::migrate) runs, with this store's table name in it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, SqliteStore};
    ///
    /// let store = SqliteStore::open("/var/lib/shop/sessions.db", &SqlConfig::new().table("carts")?)?;
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
    /// `Refused` when the file cannot be written, `Newer` when a newer version of this library has been here.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sessions.db");
    /// # use session_store_sql::{SqlConfig, SqliteStore};
    /// let store = SqliteStore::open(path, &SqlConfig::new())?;
    /// store.migrate().await?;
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let at_leisure = self.writer.patient(self.writer.deadline().max(MIGRATION_DEADLINE));
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
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("1") => {}
                Err(error) => return Err(error.into()),
            }
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let schema = sqlx::AssertSqlSafe(std::sync::Arc::clone(&self.statements.schema));
            sqlx::raw_sql(schema).execute(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        })
    }
}

#[async_trait]
impl OwnerIndex for SqliteStore {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        call!(self.reader, |connection| {
            let rows = query(&self.statements.list)
                .bind(owner.to_owned())
                .bind(now.as_millis())
                .fetch_all(connection)
                .await?;
            listed(&rows)
        })
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        call!(self.reader, |connection| {
            let row = query(&self.statements.count)
                .bind(owner.to_owned())
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
        let except = except.map(|key| key.as_bytes().to_vec());
        let end = async |statement| {
            call!(self.writer, |connection| {
                let done = query(statement)
                    .bind(owner.to_owned())
                    .bind(except.clone())
                    .bind(now.as_millis())
                    .bind(tombstone_until.as_millis())
                    .bind(hour(tombstone_until))
                    .execute(connection)
                    .await?;
                Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
            })
        };
        let ended = end(&self.statements.destroy_all).await?;
        end(&self.statements.bury_all).await?;
        Ok(ended)
    }
}

#[async_trait]
impl Sweep for SqliteStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        call!(self.writer, |connection| {
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
