//! Everything except the six verbs: migration, the owner index and the sweep.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{
        Cursor, OwnerIndex, Page, Record, SessionHead, StoreError, StoreErrorKind, StoreKey, Sweep, Swept,
    },
};

use crate::call::{MIGRATION_DEADLINE, call};
use crate::dialect::{Dialect, changed, count, number, version};
use crate::failure::Failure;
use crate::row::{SCHEMA_VERSION, read_head, read_list};
use crate::statement::Asked;
use crate::store::SqlStore;
use crate::talk::Talk;

impl<DB: Dialect> SqlStore<DB> {
    /// The SQL with which [`migrate`](Self::migrate) creates a table called `sessions`, for use with other migration
    /// tools.
    pub const SCHEMA: &str = DB::SCHEMA;

    /// The SQL that upgrades a table `sessions` created by an earlier version of this library (version 1 in the table
    /// `sessions_schema`).
    pub const UPGRADE: &str = DB::UPGRADE;

    /// Returns the SQL with which [`migrate`](Self::migrate) creates the table, with this store's table name.
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

    /// Creates the table and its indexes, or upgrades older ones. Idempotent; several processes may call it at the
    /// same time. The deadline is 30 seconds.
    ///
    /// # Errors
    /// `Refused` if the tables do not exist and this user may not create them (or the file cannot be written);
    /// `Newer` if a newer version of this library has upgraded the tables.
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
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let (after, most) = (from.and_then(Cursor::key), most.max(1));
        let asked = Asked { owner, after: after.as_ref(), most, now, ..Asked::default() };
        let records = call!(self.reader, again, |connection| {
            read_list(&connection.rows(&self.statements.list, &asked).await?)
        })?;
        let next = records.last().filter(|_| records.len() >= most).map(|(key, _)| Cursor::after(key));
        Ok(Page::new(records, next))
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (after, most) = (from.and_then(Cursor::key), most.max(1));
        let asked = Asked { owner, after: after.as_ref(), most, now, ..Asked::default() };
        let heads = call!(self.reader, again, |connection| {
            let rows = connection.rows(&self.statements.heads, &asked).await?;
            rows.iter().map(read_head).collect::<Result<Vec<_>, _>>()
        })?;
        let next = heads.last().filter(|_| heads.len() >= most).map(|head| Cursor::after(&head.key));
        Ok(Page::new(heads, next))
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
        let asked = Asked { owner, except, now, until: tombstone_until, most: BATCH, ..Asked::default() };
        let (mut ended, mut left) = (0, MOST_PASSES);
        while left > 0 {
            let pass = DB::end_all(self, &asked).await?;
            ended += pass.ended;
            match pass.seen {
                0 => break,
                // There may be more, not only those that were regenerated meanwhile.
                BATCH.. => {}
                _ => left -= 1,
            }
        }
        Ok(ended)
    }
}

/// The result of one pass over an owner's sessions.
pub struct Pass {
    /// The number of sessions at the start, live or expired; at most [`BATCH`].
    pub(crate) seen: usize,
    /// The number of live sessions that were ended.
    pub(crate) ended: usize,
}

/// Runs a pass in separate statements, so that none holds row locks while it waits for others: counts the sessions,
/// ends the live ones, then the others.
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
    if ended < BATCH {
        end(&verbs.bury_all).await?;
    }
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

/// How many sessions a statement ends: few enough that nobody waits long for its locks.
pub(crate) const BATCH: usize = 250;

/// A session that is regenerated during a pass is found in the next one. No user regenerates or signs in this often.
const MOST_PASSES: usize = 16;

/// In MySQL, the statement names each row that it deletes and may have at most 65,535 parameters; besides, a batch
/// must end within the deadline.
const LARGEST_BATCH: usize = 10_000;
