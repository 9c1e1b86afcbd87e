//! The other library's records, wherever it keeps them.

#[cfg(any(feature = "adonisjs", feature = "laravel"))]
pub(crate) mod file;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) mod sql;

use std::fmt;
#[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
use std::time::Duration;

use async_trait::async_trait;
use session_core::Timestamp;
use session_core::store::StoreError;

/// The records of another library by their ids. Implement it for a store that is not listed here.
#[async_trait]
pub trait Records: fmt::Debug + Send + Sync + 'static {
    /// Reads a record, as the other library wrote it; `None` if there is none.
    async fn load(&self, id: &str) -> Result<Option<OldRecord>, StoreError>;

    /// Removes a record, whether or not it exists.
    async fn remove(&self, id: &str) -> Result<(), StoreError>;
}

/// A record of another library.
#[derive(Clone)]
#[non_exhaustive]
pub struct OldRecord {
    /// The session, as the other library wrote it.
    pub bytes: Vec<u8>,
    /// When it expires, if the store keeps that beside it.
    pub expires: Option<Timestamp>,
}

impl OldRecord {
    /// Makes a record whose store does not say when it expires.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, expires: None }
    }

    /// Sets when it expires.
    #[must_use]
    pub fn with_expiry(self, expires: Timestamp) -> Self {
        Self { expires: Some(expires), ..self }
    }
}

/// Leaves out the values.
impl fmt::Debug for OldRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OldRecord").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Returned when the other library's store cannot be reached, or its URL cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the other library's {store} store cannot be opened")]
pub struct ConnectError {
    store: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ConnectError {
    #[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
    pub(crate) fn new(
        store: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { store, source: source.into() }
    }
}

/// Bounds a call.
#[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
pub(crate) async fn in_time<T, E: std::error::Error + Send + Sync + 'static>(
    store: &'static str,
    timeout: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(answer) => answer.map_err(|error| StoreError::unavailable(store, error)),
        Err(_) => Err(StoreError::timeout(store)),
    }
}

/// The default deadline of a call, as in the library's own stores.
#[cfg(any(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite"))]
const DEADLINE: Duration = Duration::from_secs(2);
