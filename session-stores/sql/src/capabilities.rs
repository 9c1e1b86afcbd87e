//! Beside the six verbs: making the table, the owner index, the sweep.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{OwnerIndex, Record, StoreError, StoreErrorKind, StoreKey, Sweep, Swept},
};

use crate::call::{MIGRATION_DEADLINE, call};
use crate::dialect::{Dialect, changed, count, number, version};
use crate::failure::Failure;
use crate::row::{SCHEMA_VERSION, read_list};
use crate::statement::Asked;
use crate::store::SqlStore;
use crate::talk::Talk;

impl<DB: Dialect> SqlStore<DB> {
    /// The SQL that [`migrate`](Self::migrate) runs where there is nothing yet, for a table called `sessions`; for
    /// people's own tools.
    pub const SCHEMA: &str = DB::SCHEMA;

    /// The SQL that brings the table `sessions` up to date where an earlier version of this library made it
    /// (its version is 1 in the table `sessions_schema`).
    pub const UPGRADE: &str = DB::UPGRADE;

    /// The SQL that [`migrate`](Self::migrate) runs where there is nothing yet, with this store's table name in it.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_store_sql::{SqlConfig, SqliteStore};
    ///
    /// let store = SqliteStore::open("/var/lib/shop/sessions.db", &SqlConfig::new().table("carts")?)?;
    /// assert!(store.schema().contains(r#"CREATE TABLE IF NOT EXISTS "carts""#));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Makes the table and its indexes, or brings older ones up to date. Does nothing where all is there already, and
    /// any number of processes may do it at once. Takes up to half a minute before it gives up.
    ///
    /// # Errors
    /// `Refused` when the tables are not there and this user may not make them (or the file cannot be written),
    /// `Newer` when a newer version of this library has been here.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
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
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let at_leisure = self.writer.patient(self.writer.deadline().max(MIGRATION_DEADLINE));
        call!(at_leisure, once, |connection| {
            match version::<DB>(connection, &self.statements).await? {
                Some(SCHEMA_VERSION) => Ok(()),
                Some(other) if other > SCHEMA_VERSION => Err(Failure::Found(StoreErrorKind::Newer)),
                older => DB::migrate(connection, self, older).await,
            }
        })
    }
}

#[async_trait]
impl<DB: Dialect> OwnerIndex for SqlStore<DB> {
    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let asked = Asked { owner, now, ..Asked::default() };
        call!(self.reader, again, |connection| {
            read_list(&connection.rows(&self.statements.list, &asked).await?)
        })
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let asked = Asked { owner, now, ..Asked::default() };
        call!(self.reader, again, |connection| {
            number::<DB>(connection, &self.statements.count, &asked).await
        })
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let asked = Asked { owner, except, now, until: tombstone_until, ..Asked::default() };
        let mut ended = 0;
        for _ in 0..MOST_PASSES {
            let pass = DB::end_all(self, &asked).await?;
            ended += pass.ended;
            if pass.seen == 0 {
                break;
            }
        }
        Ok(ended)
    }
}

/// What one pass over an owner's sessions met.
pub struct Pass {
    /// How many there were when it began, live or not.
    pub(crate) seen: usize,
    /// How many live ones it ended.
    pub(crate) ended: usize,
}

/// A pass in statements of their own, so that none waits for two rows while it holds others' attention: what is there,
/// then the live ones, then the rest.
pub(crate) async fn end_all<DB: Dialect>(
    store: &SqlStore<DB>,
    asked: &Asked<'_>,
) -> Result<Pass, StoreError> {
    let verbs = &store.statements;
    let end = async |statement| {
        call!(store.writer, once, |connection| Ok(changed::<DB>(connection, statement, asked).await?))
    };
    let seen = call!(store.writer, again, |connection| number::<DB>(connection, &verbs.seen, asked).await)?;
    if seen == 0 {
        return Ok(Pass { seen, ended: 0 });
    }
    let ended = count(end(&verbs.destroy_all).await?);
    end(&verbs.bury_all).await?;
    Ok(Pass { seen, ended })
}

#[async_trait]
impl<DB: Dialect> Sweep for SqlStore<DB> {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let most = most.min(LARGEST_BATCH);
        let asked = Asked { now: before, most, ..Asked::default() };
        let removed = call!(self.writer, once, |connection| DB::sweep(connection, self, &asked).await)?;
        Ok(Swept { removed, more: removed > 0 && removed >= most })
    }
}

/// A session that is regenerated just then is met in the next pass. Nobody regenerates or signs in this often.
const MOST_PASSES: usize = 16;

/// MySQL's statement names each row it deletes, and may have 65,535 parameters; and a batch must end in time anyway.
const LARGEST_BATCH: usize = 10_000;
