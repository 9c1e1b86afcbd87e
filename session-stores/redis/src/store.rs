//! The six verbs on a single Redis server: one command each, decided by a script in the server.

use async_trait::async_trait;
use redis::Value;
use session_core::{
    Timestamp,
    store::{Census, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Written},
};
use session_store_kv::codec::{self, Entry, Successor};

use crate::NAME;
use crate::builder::Builder;
use crate::fault::strange_reply;
use crate::link::{Link, Ran};
use crate::script::{CREATE, DESTROY, REPLACE, ROTATE, Script, TOUCH};

/// Sessions in a single Redis or Valkey server, or in the master of a Sentinel deployment.
///
/// Every verb is one command and one round trip. A script in the server checks the condition and writes atomically.
/// Every key is stored with a time-to-live: the record's deadline plus a minute. No call waits longer than
/// [`Builder::timeout`].
///
/// # Failures
///
/// A call that ends in [`Unavailable`](session_core::store::StoreErrorKind::Unavailable) or
/// [`Timeout`](session_core::store::StoreErrorKind::Timeout) may or may not have been applied. Repeat it with the same
/// etag: if the first one was applied, the second answers `Applied` and changes nothing.
///
/// # Clocks
///
/// The library decides expiry by the application's clock. Redis removes keys by its own clock, a minute after the
/// deadline; if the clocks differ by more than that, sessions are lost early.
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
    /// Returns a builder for the server at this URL: `redis://[user:password@]host[:port][/db]`,
    /// `redis+unix:///path`, or `rediss://…` with the feature `tls`. The URL is checked by [`Builder::connect`] or
    /// [`Builder::open`].
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    /// Returns a builder with a client of the application, with its own certificates or socket options.
    ///
    /// A client that uses RESP2 works as well; it detects the end of an idle connection only on the next call.
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

    /// Returns a builder for the master named by sentinels, which are asked for each new connection:
    /// `redis-sentinel://[user:password@]host:port,host:port/service[/db]`. After a fail-over the first calls fail,
    /// then the store reconnects to the new master. The README describes what a fail-over can lose.
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

    /// Runs the script of a verb on these keys; `record` is what it writes under the last of them.
    async fn write(
        &self,
        script: &Script,
        session: &StoreKey,
        keys: &[&[u8]],
        rest: &[&[u8]],
        record: Option<&Record>,
    ) -> Result<Written, StoreError> {
        let mut arguments = vec![self.owners.as_bytes()];
        arguments.extend(rest);
        let Ran { reply, change } = self.link.run(script, keys, &arguments).await?;
        let is_repeated = is_repeated(&reply);
        let written = written(session, reply)?;
        match (&written, record, keys) {
            (Written::Applied, Some(record), [.., key]) if !is_repeated => {
                change.keep(key, || Loaded::Found(record.clone()));
            }
            (Written::Conflict(current), _, [key, ..]) => change.keep(key, || Loaded::Found(current.clone())),
            _ => {}
        }
        Ok(written)
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
        self.link.load(key, &self.key(key)).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let rest = [&codec::encode_record(key, record)[..], &codec::encode_moment(now)];
        self.write(&CREATE, key, &[&self.key(key)], &rest, Some(record)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let rest = [
            &codec::encode_record(key, record)[..],
            &codec::encode_moment(now),
            &codec::encode_etag(expected),
        ];
        self.write(&REPLACE, key, &[&self.key(key)], &rest, Some(record)).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let rest = [&codec::encode_idle_deadline(key, idle_deadline)[..], &codec::encode_moment(now)];
        self.write(&TOUCH, key, &[&self.key(key)], &rest, None).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        let tombstone = codec::encode_tombstone(key, tombstone_until, None);
        self.write(&DESTROY, key, &[&self.key(key)], &[&tombstone], None).await.map(ended)
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
        let successor = Successor { key: *new, etag: record.etag };
        let rest = [
            &codec::encode_record(new, record)[..],
            &codec::encode_moment(now),
            &codec::encode_etag(expected),
            &codec::encode_tombstone(old, tombstone_until, Some(&successor)),
        ];
        self.write(&ROTATE, old, &[&self.key(old), &self.key(new)], &rest, Some(record)).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }

    fn census(&self) -> Option<&dyn Census> {
        Some(self)
    }
}

/// Decodes the reply of a `GET`.
pub(crate) fn bytes(reply: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match reply {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        _ => Err(strange_reply()),
    }
}

/// Decodes the value under a session's key.
pub(crate) fn entry(key: &StoreKey, value: &[u8]) -> Result<Entry, StoreError> {
    Entry::decode(key, value).map_err(|unreadable| unreadable.in_store(NAME))
}

/// Converts the result of a script about this session.
pub(crate) fn written(key: &StoreKey, reply: Value) -> Result<Written, StoreError> {
    let Value::Array(parts) = reply else { return Err(strange_reply()) };
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (Some(Value::Int(7)), Some(Value::BulkString(successor))) => moved(&successor, parts.next()),
        (Some(Value::Int(0)), None) => Ok(Written::Gone),
        (Some(Value::Int(1 | REPEATED)), None) => Ok(Written::Applied),
        (Some(Value::Int(2)), Some(Value::BulkString(current))) => match entry(key, &current)? {
            Entry::Record(record) => Ok(Written::Conflict(record)),
            Entry::Tombstone { .. } | Entry::Pending { .. } => Err(strange_reply()),
        },
        (Some(Value::Int(3)), None) => Ok(Written::Taken),
        (Some(Value::Int(4)), Some(Value::BulkString(current))) => {
            Err(entry(key, &current).err().unwrap_or_else(strange_reply))
        }
        (Some(Value::Int(5)), Some(Value::BulkString(_))) => Ok(Written::Gone),
        _ => Err(strange_reply()),
    }
}

/// Whether the write had been applied before, by an earlier call: it may have been touched since.
fn is_repeated(reply: &Value) -> bool {
    matches!(reply, Value::Array(parts) if matches!(parts[..], [Value::Int(REPEATED)]))
}

/// The result of a destroy, after which nothing is there in any case, except under another key.
pub(crate) fn ended(written: Written) -> Written {
    match written {
        moved @ Written::Moved { .. } => moved,
        Written::Applied | Written::Conflict(_) | Written::Gone | Written::Taken => Written::Applied,
    }
}

/// The record of a rotated session, unless it is damaged or has a newer format.
fn moved(successor: &[u8], value: Option<Value>) -> Result<Written, StoreError> {
    let (Ok(successor), Some(Value::BulkString(value))) = (successor.try_into(), value) else {
        return Err(strange_reply());
    };
    let key = StoreKey::from_bytes(successor);
    Ok(match Entry::decode(&key, &value) {
        Ok(Entry::Record(record)) => Written::Moved { key, record },
        Ok(Entry::Tombstone { .. } | Entry::Pending { .. }) | Err(_) => Written::Gone,
    })
}

/// The answer of a script whose write has been applied before.
const REPEATED: i64 = 8;
