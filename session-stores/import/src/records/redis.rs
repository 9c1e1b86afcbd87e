//! Records in Redis: one value under each id, with a prefix if there was one.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use session_core::store::StoreError;

use super::{ConnectError, DEADLINE, OldRecord, Records, in_time};

/// Records in Redis.
#[derive(Clone)]
pub struct RedisRecords {
    connection: ConnectionManager,
    prefix: String,
    timeout: Duration,
}

impl RedisRecords {
    /// Connects to the server at this URL, such as `redis://localhost:6379/0`.
    ///
    /// # Errors
    /// [`ConnectError`] if the URL cannot be read or the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let failed = |error| ConnectError::new(STORE, error);
        let client = redis::Client::open(url).map_err(failed)?;
        // Calls have a deadline of their own.
        let patient = ConnectionManagerConfig::new().set_response_timeout(None);
        let connection = client.get_connection_manager_with_config(patient).await.map_err(failed)?;
        Ok(Self { connection, prefix: String::new(), timeout: DEADLINE })
    }

    /// Sets what stands before each id: what `cache_keygen` of actix-session or `with_prefix` of a pool adds, `keyPrefix` of
    /// AdonisJS, or the prefixes of Laravel's Redis connection and its cache store, one after the other. The default is nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long a call may take; the default is 2 seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }
}

#[async_trait]
impl Records for RedisRecords {
    async fn load(&self, id: &str) -> Result<Option<OldRecord>, StoreError> {
        let mut connection = self.connection.clone();
        let key = self.key(id);
        let found: Option<Vec<u8>> =
            in_time(STORE, self.timeout, redis::cmd("GET").arg(key).query_async(&mut connection)).await?;
        Ok(found.map(OldRecord::new))
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let mut connection = self.connection.clone();
        let removed: u64 =
            in_time(STORE, self.timeout, redis::cmd("DEL").arg(self.key(id)).query_async(&mut connection))
                .await?;
        _ = removed;
        Ok(())
    }
}

/// Leaves out the server's address, which may hold a password.
impl fmt::Debug for RedisRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRecords").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

const STORE: &str = "redis";
