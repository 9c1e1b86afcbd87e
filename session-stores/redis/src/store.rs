//! The six verbs on one Redis server: one command each, decided inside the server by a script.

use async_trait::async_trait;
use redis::Value;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Written},
};

use crate::NAME;
use crate::builder::Builder;
use crate::codec::{self, Stored};
use crate::fault::strange_reply;
use crate::link::Link;
use crate::script::{CREATE, DESTROY, REPLACE, ROTATE, Script, TOUCH};

/// Sessions in one Redis (or Valkey) server, or in the master that Sentinel names.
///
/// Every verb is one command and one round trip, decided inside the server by a script, so that nothing happens
/// between a condition and its write. Every key has a time-to-live from its first byte: the record's deadline and a
/// minute. Nothing waits longer than [`Builder::timeout`].
///
/// # What holds when something breaks
///
/// A call that ends in [`Unavailable`](session_core::store::StoreErrorKind::Unavailable) or
/// [`Timeout`](session_core::store::StoreErrorKind::Timeout) may or may not have taken effect. Repeating it with the same
/// etag tells: if the first one arrived, the second answers `Applied` and changes nothing.
///
/// # Clocks
///
/// The library judges expiry by the application's clock. Redis forgets keys by its own clock, a minute after the
/// deadline; servers whose clocks differ by more than that lose sessions early.
///
/// ```no_run
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// use session_store_redis::RedisStore;
/// use std::time::Duration;
///
/// let store = RedisStore::builder("redis://app:secret@10.0.0.5:6379/0")
///     .prefix("shop:")
///     .timeout(Duration::from_secs(1))
///     .connect()
///     .await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedisStore {
    pub(crate) link: Link,
    pub(crate) sessions: String,
    pub(crate) owners: String,
    pub(crate) max_record: usize,
}

impl RedisStore {
    /// Begins a store at this URL: `redis://[user:password@]host[:port][/db]`, `redis+unix:///path`, or with the
    /// feature `tls` `rediss://…`. Nothing is contacted and nothing is judged before [`Builder::connect`] or
    /// [`Builder::open`].
    ///
    /// ```
    /// use session_store_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1:6379").prefix("shop:").open()?;
    /// # Ok::<(), session_store_redis::BuildError>(())
    /// ```
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    /// Begins a store on a client that the application made itself, with certificates or socket options of its own.
    ///
    /// A client that speaks RESP2 works too; the end of an idle connection is then noticed by the next call only.
    ///
    /// ```
    /// use session_store_redis::{RedisStore, redis};
    ///
    /// let client = redis::Client::open("redis://127.0.0.1:6379")?;
    /// let store = RedisStore::from_client(client).prefix("shop:").open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_client(client: redis::Client) -> Builder {
        Builder::with_client(client)
    }

    /// Begins a store at the master that sentinels name, asked anew for each connection:
    /// `redis-sentinel://[user:password@]host:port,host:port/service[/db]`. After a fail-over the first calls fail; then
    /// the connection leads to the new master. See the README for what a fail-over can lose.
    ///
    /// ```
    /// use session_store_redis::RedisStore;
    ///
    /// let store = RedisStore::sentinel("redis-sentinel://10.0.0.1:26379,10.0.0.2:26379/main").prefix("shop:").open()?;
    /// # Ok::<(), session_store_redis::BuildError>(())
    /// ```
    #[cfg(feature = "sentinel")]
    pub fn sentinel(url: impl Into<String>) -> Builder {
        Builder::with_sentinel(url.into())
    }

    pub(crate) fn key(&self, key: &StoreKey) -> Vec<u8> {
        format!("{}{key}", self.sessions).into_bytes()
    }

    async fn write(&self, script: &Script, keys: &[&[u8]], rest: &[&[u8]]) -> Result<Written, StoreError> {
        let mut arguments = vec![self.owners.as_bytes()];
        arguments.extend(rest);
        written(self.link.run(script, keys, &arguments).await?)
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.link.load(&self.key(key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        self.write(&CREATE, &[&self.key(key)], &[&codec::record(record), &codec::moment(now)]).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let rest = [&codec::record(record)[..], &codec::moment(now), &codec::etag(expected)];
        self.write(&REPLACE, &[&self.key(key)], &rest).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let rest = [&codec::moment(idle_deadline)[..], &codec::moment(now)];
        self.write(&TOUCH, &[&self.key(key)], &rest).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<(), StoreError> {
        self.write(&DESTROY, &[&self.key(key)], &[&codec::tombstone(tombstone_until)]).await.map(drop)
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let rest = [
            &codec::record(record)[..],
            &codec::moment(now),
            &codec::etag(expected),
            &codec::tombstone(tombstone_until),
        ];
        self.write(&ROTATE, &[&self.key(old), &self.key(new)], &rest).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }
}

/// What a `GET` brought.
pub(crate) fn bytes(reply: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match reply {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        _ => Err(strange_reply()),
    }
}

/// What a script's verdict means.
pub(crate) fn written(reply: Value) -> Result<Written, StoreError> {
    let Value::Array(parts) = reply else { return Err(strange_reply()) };
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (Some(Value::Int(0)), None) => Ok(Written::Gone),
        (Some(Value::Int(1)), None) => Ok(Written::Applied),
        (Some(Value::Int(2)), Some(Value::BulkString(current))) => match codec::decode(Some(current))? {
            Stored::Settled(Loaded::Found(record)) => Ok(Written::Conflict(record)),
            Stored::Settled(_) | Stored::Pending(_) => Err(strange_reply()),
        },
        (Some(Value::Int(3)), None) => Ok(Written::Taken),
        (Some(Value::Int(4)), Some(Value::BulkString(current))) => Err(codec::unreadable(&current)),
        (Some(Value::Int(5)), Some(Value::BulkString(_))) => Ok(Written::Gone),
        _ => Err(strange_reply()),
    }
}
