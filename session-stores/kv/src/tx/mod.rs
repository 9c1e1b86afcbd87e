//! The face for engines with transactions: four operations on ordered byte keys, all in one transaction.

mod census;
mod owners;
mod store;
mod sweep;
mod tables;

use std::fmt;

use session_core::store::StoreError;

pub use store::TxStore;

/// An ordered key-value engine with serializable transactions. [`TxStore`] makes a session store of it.
///
/// Its calls may block: the store makes them on threads where blocking is allowed. The store keeps its records, its
/// index by owner and its queue of what is due under byte keys of its own, the first byte of which tells them apart,
/// so an engine needs one table.
pub trait TxEngine: fmt::Debug + Send + Sync + 'static {
    /// The store's name in errors and events: one short lower-case word.
    fn name(&self) -> &'static str;

    /// Runs `work` over one consistent state.
    fn read<T>(&self, work: impl Fn(&dyn TxRead) -> Result<T, StoreError>) -> Result<T, StoreError>;

    /// Runs `work` in one serializable transaction: it sees the state that every acknowledged transaction left, and
    /// its own writes. [`Ending::Commit`] applies all its writes durably; [`Ending::Abandon`] and an error apply none.
    ///
    /// An engine that detects conflicts when it commits runs `work` again.
    fn write<T>(
        &self,
        work: impl Fn(&mut dyn TxWrite) -> Result<Ending<T>, StoreError>,
    ) -> Result<T, StoreError>;
}

/// What a transaction may read.
pub trait TxRead {
    /// Reads the bytes under a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Reads up to `most` of the first bytes under a key, for lists that need no more. Copies all of them unless
    /// implemented.
    fn get_start(&self, key: &[u8], most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(key)?.map(|mut bytes| {
            bytes.truncate(most);
            bytes
        }))
    }

    /// Lists up to `most` keys in `from..until`, in order.
    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Result<Vec<Vec<u8>>, StoreError>;
}

/// What a transaction may read and write.
pub trait TxWrite: TxRead {
    /// Stores the bytes under a key, whatever is there.
    fn put(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), StoreError>;

    /// Removes a key if it is there.
    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError>;
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending<T> {
    /// Its writes are applied, then this is the result.
    Commit(T),
    /// It wrote nothing, so there is nothing to apply; this is the result.
    Abandon(T),
}

impl<T> Ending<T> {
    /// The result, and whether the writes are to be applied.
    #[must_use]
    pub fn into_parts(self) -> (T, bool) {
        match self {
            Self::Commit(result) => (result, true),
            Self::Abandon(result) => (result, false),
        }
    }
}
