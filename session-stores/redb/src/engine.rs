//! The engine: one table of byte keys, and one transaction for all writers that wait at the same time.

use std::fmt;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use redb::backends::FileBackend;
use redb::{Database, Error, ReadableDatabase as _, ReadableTable, Table, TableDefinition, WriteTransaction};
use session_core::store::{StoreError, StoreErrorKind};
use session_store_kv::{Ending, TxEngine, TxRead, TxWrite};

use crate::NAME;

/// A database file that this process has open.
pub(crate) struct Engine {
    path: PathBuf,
    cache: usize,
    /// `None` after a failed read or write of the file, until the next call opens it again.
    database: Mutex<Option<Arc<Database>>>,
    /// The number of writers that wait for their turn. The next one continues the open batch.
    waiting: AtomicUsize,
    /// The turn to write, and the batch that the previous writer left open.
    turn: Mutex<Option<Batch>>,
}

/// Writes of several callers that are committed together. Dropped before it is committed, it fails for all of them.
struct Batch {
    transaction: Option<WriteTransaction>,
    writers: usize,
    has_writes: bool,
    outcome: Arc<OnceLock<Result<(), StoreError>>>,
}

impl Engine {
    pub(crate) fn open(path: PathBuf, cache: usize) -> Result<Self, Error> {
        let (database, waiting, turn) = Default::default();
        let engine = Self { path, cache, database, waiting, turn };
        *lock(&engine.database) = Some(Arc::new(engine.open_file()?));
        Ok(engine)
    }

    /// Opens the file, readable for its owner alone if it is new, and recovers it if the last process was killed.
    fn open_file(&self) -> Result<Database, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let backend = FileBackend::new(options.open(&self.path)?)?;
        let database = Database::builder().set_cache_size(self.cache).create_with_backend(backend)?;
        let transaction = database.begin_write()?;
        drop(transaction.open_table(TABLE)?);
        transaction.commit()?;
        Ok(database)
    }

    fn database(&self) -> Result<Arc<Database>, StoreError> {
        let mut open = lock(&self.database);
        if let Some(database) = &*open {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(self.open_file().map_err(failure)?);
        Ok(Arc::clone(open.insert(database)))
    }

    /// After a failed read or write, such as on a full disk, redb wants the file to be opened again.
    fn check<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result
            && error.kind() == StoreErrorKind::Unavailable
        {
            *lock(&self.database) = None;
        }
        result
    }

    /// Writes in a batch, and commits it unless another writer is there to go on with it.
    fn write_in_batch<T>(
        &self,
        work: impl Fn(&mut dyn TxWrite) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.waiting.fetch_add(1, SeqCst);
        let mut turn = lock(&self.turn);
        self.waiting.fetch_sub(1, SeqCst);
        let mut batch = match turn.take() {
            Some(batch) => batch,
            None => Batch::begin(&*self.database()?).map_err(failure)?,
        };
        let outcome = Arc::clone(&batch.outcome);
        let result = batch.run(work)?;
        if self.waiting.load(SeqCst) > 0 && batch.writers < MOST_WRITERS {
            *turn = Some(batch);
        } else {
            batch.commit();
        }
        drop(turn);
        // The result may rest on what the others wrote.
        outcome.wait().clone()?;
        result
    }
}

impl Batch {
    fn begin(database: &Database) -> Result<Self, Error> {
        let transaction = Some(database.begin_write()?);
        Ok(Self { transaction, writers: 0, has_writes: false, outcome: Arc::default() })
    }

    /// Runs one writer's work. The outer error ends the batch, the inner one leaves it as it was.
    fn run<T>(
        &mut self,
        work: impl Fn(&mut dyn TxWrite) -> Result<Ending<T>, StoreError>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        let transaction =
            self.transaction.as_ref().expect("it is taken by commit alone, which consumes the batch");
        let table = transaction.open_table(TABLE).map_err(failure)?;
        let mut writing = View { table, wrote: false };
        let result = work(&mut writing);
        let wrote = writing.wrote;
        if let Err(error) = result.as_ref().map(|_| ())
            && wrote
        {
            return Err(error.clone());
        }
        drop(writing);
        self.writers += 1;
        self.has_writes |= wrote;
        Ok(result.map(|ending| ending.into_parts().0))
    }

    fn commit(mut self) {
        let committed = match self.transaction.take() {
            Some(transaction) if self.has_writes => transaction.commit().map_err(failure),
            _ => Ok(()),
        };
        // Set once, since only this writer commits the batch.
        let _first = self.outcome.set(committed);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _committed_before = self.outcome.set(Err(StoreError::new(StoreErrorKind::Unavailable, NAME)));
    }
}

impl TxEngine for Engine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<T>(&self, work: impl Fn(&dyn TxRead) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let database = self.database()?;
        let view = || Ok::<_, Error>(View { table: database.begin_read()?.open_table(TABLE)?, wrote: false });
        self.check(view().map_err(failure).and_then(|view| work(&view)))
    }

    fn write<T>(
        &self,
        work: impl Fn(&mut dyn TxWrite) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError> {
        self.check(self.write_in_batch(work))
    }
}

/// The table in a transaction, and whether the transaction wrote.
struct View<T> {
    table: T,
    wrote: bool,
}

impl<T: ReadableTable<Bytes, Bytes>> TxRead for View<T> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.table.get(key).map_err(failure)?.map(|found| found.value().to_vec()))
    }

    fn get_start(&self, key: &[u8], most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.table.get(key).map_err(failure)?;
        Ok(found.map(|found| found.value().iter().take(most).copied().collect()))
    }

    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        // redb panics on a range that ends before it begins.
        let found = self.table.range(from..until.max(from)).map_err(failure)?.take(most);
        found.map(|entry| Ok(entry.map_err(failure)?.0.value().to_vec())).collect()
    }
}

impl TxWrite for View<Table<'_, Bytes, Bytes>> {
    fn put(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        self.wrote = true;
        self.table.insert(key, bytes).map(drop).map_err(failure)
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.wrote = true;
        self.table.remove(key).map(drop).map_err(failure)
    }
}

fn failure(error: impl Into<Error>) -> StoreError {
    let error = error.into();
    let kind = match error {
        Error::Corrupted(_) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::new(kind, NAME).because(error)
}

/// A panic elsewhere leaves nothing half done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("path", &self.path).field("cache", &self.cache).finish_non_exhaustive()
    }
}

type Bytes = &'static [u8];

/// The version of the layout is in its name.
const TABLE: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("sessions-1");
/// A batch is committed after so many writers, even if more are waiting.
const MOST_WRITERS: usize = 64;
