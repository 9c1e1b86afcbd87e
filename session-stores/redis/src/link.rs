//! One multiplexed connection that is made on demand, replaced when it breaks, and never waited for without bound.
//!
//! The driver's own `ConnectionManager` is not used: after a connection attempt that failed for another reason than I/O
//! (a server still loading its data, a password being rotated) it never tries again, and it keeps a connection that
//! swallows everything, since a timeout is no reason for it to reconnect.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, Client, Cmd, PushInfo, PushKind, RedisError, Value};
use session_core::store::{Loaded, StoreError};
use tokio::time::{Instant, timeout, timeout_at};

use crate::NAME;
use crate::cache::Cache;
use crate::codec::{self, Stored};
use crate::fault::{ends_connection, fault, is_unknown_script};
use crate::script::Script;
use crate::store::bytes;

/// The way to one server. Cheap to share; every call ends within the deadline.
pub(crate) struct Link {
    route: Route,
    deadline: Duration,
    /// How many sessions each connection may keep; `None` for no client-side cache.
    cached: Option<usize>,
    slot: Arc<Mutex<Slot>>,
    /// Held by the one call that is connecting; the others wait here, each until its own deadline.
    connecting: tokio::sync::Mutex<()>,
}

/// How to find the server to connect to.
pub(crate) enum Route {
    /// Always the same address.
    Direct(Box<Client>),
    /// Whoever the sentinels name as master at the time.
    #[cfg(feature = "sentinel")]
    Sentinel(Box<tokio::sync::Mutex<redis::sentinel::SentinelClient>>),
}

#[derive(Default)]
struct Slot {
    /// Counts connections, so that a late complaint about an old one does not end its successor.
    number: u64,
    open: Option<Open>,
}

#[derive(Clone)]
struct Open {
    number: u64,
    connection: MultiplexedConnection,
    cache: Option<Arc<Cache>>,
}

impl Link {
    pub(crate) fn new(route: Route, deadline: Duration, cached: Option<usize>) -> Self {
        Self { route, deadline, cached, slot: Arc::default(), connecting: tokio::sync::Mutex::new(()) }
    }

    /// Connects now, if it is not connected.
    pub(crate) async fn connect(&self) -> Result<(), StoreError> {
        self.within(async { self.connection().await.map(drop) }).await
    }

    /// Reads a session: from the cache if there is one and it knows, else from the server. A read changes nothing, so
    /// if the connection turns out to be broken it is sent once more on a new one.
    pub(crate) async fn load(&self, key: &[u8]) -> Result<Loaded, StoreError> {
        if let Some(known) = self.cache().and_then(|cache| cache.get(key)) {
            return Ok(known);
        }
        let mut get = redis::cmd("GET");
        get.arg(key);
        let read = async || {
            let open = self.connection().await?;
            let ticket = open.cache.as_ref().map(|cache| (cache, cache.expect(key)));
            let loaded = decode(self.send(&open, &get).await?);
            match (&loaded, ticket) {
                (Ok(loaded), Some((cache, ticket))) => cache.keep(key, ticket, loaded),
                (Err(_), Some((cache, _))) => cache.forget(key),
                (_, None) => {}
            }
            Ok(loaded)
        };
        let twice = async {
            match read().await {
                Err(error) if broke(&error) => read().await,
                reply => reply,
            }
        };
        self.within(twice).await?
    }

    /// Runs a script on these keys. A broken connection is an error: whether the script ran is for the caller to find
    /// out by etag.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Value, StoreError> {
        let forget = |cache: &Arc<Cache>| keys.iter().for_each(|key| cache.forget(key));
        self.within(async {
            let open = self.connection().await?;
            open.cache.iter().for_each(forget);
            let reply = match self.send(&open, &script.by_hash(keys, arguments)).await {
                Err(error) if is_unknown_script(&error) => {
                    self.send(&open, &script.by_text(keys, arguments)).await
                }
                reply => reply,
            };
            // After the answer too, and in the cache of today's connection, which may be another one by now.
            open.cache.iter().chain(self.cache().iter()).for_each(forget);
            reply
        })
        .await
    }

    /// Forgets what is cached, after a script that changed sessions it was not told the keys of.
    pub(crate) fn forget_all(&self) {
        if let Some(cache) = self.cache() {
            cache.forget_all();
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
        match timeout(self.deadline, work).await {
            Ok(done) => done.map_err(fault),
            Err(_elapsed) => Err(StoreError::timeout(NAME)),
        }
    }

    async fn send(&self, open: &Open, command: &Cmd) -> Result<Value, RedisError> {
        let (number, mut connection) = (open.number, open.connection.clone());
        let mut reply = std::pin::pin!(connection.send_packed_command(command));
        // Half a deadline of silence may be a slow server or a dead line. This call keeps waiting; later ones had
        // better try a new connection.
        let early = timeout_at(Instant::now() + self.deadline / 2, &mut reply).await;
        let reply = match early {
            Ok(reply) => reply,
            Err(_elapsed) => {
                give_up(&self.slot, number);
                reply.await
            }
        };
        let reply = reply.and_then(Value::extract_error);
        if reply.as_ref().is_err_and(ends_connection) {
            give_up(&self.slot, number);
        } else if let Some(cache) = &open.cache {
            cache.heard();
        }
        reply
    }

    async fn connection(&self) -> Result<Open, RedisError> {
        if let Some(open) = self.open_one() {
            return Ok(open);
        }
        let _only_one = self.connecting.lock().await;
        if let Some(open) = self.open_one() {
            return Ok(open);
        }
        let number = {
            let mut slot = lock(&self.slot);
            slot.number += 1;
            slot.number
        };
        // Shorter than the deadline, so that an attempt that began while the server was away does not use up the time
        // in which the next one would have succeeded.
        let patience = self.deadline / 3;
        let cache = self.cached.map(|most| Arc::new(Cache::new(most)));
        let attempt = async {
            let client = self.route.client().await?;
            let settings = self.settings(&client, number, cache.clone());
            let mut connection = client.get_multiplexed_async_connection_with_config(&settings).await?;
            if cache.is_some() {
                let track = redis::cmd("CLIENT").arg("TRACKING").arg("ON").to_owned();
                connection.send_packed_command(&track).await?.extract_error()?;
            }
            Ok::<_, RedisError>(connection)
        };
        let Ok(connection) = timeout(patience, attempt).await else {
            tracing::debug!(store = NAME, "no connection in time");
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        };
        let open = Open { number, connection: connection?, cache };
        lock(&self.slot).open = Some(open.clone());
        tracing::debug!(store = NAME, number, "connected");
        Ok(open)
    }

    fn open_one(&self) -> Option<Open> {
        lock(&self.slot).open.clone()
    }

    fn cache(&self) -> Option<Arc<Cache>> {
        lock(&self.slot).open.as_ref()?.cache.clone()
    }

    fn settings(&self, client: &Client, number: u64, cache: Option<Arc<Cache>>) -> AsyncConnectionConfig {
        // The deadline is kept here and nowhere else, so the driver's own timers are off.
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        if client.get_connection_info().redis_settings().protocol() == redis::ProtocolVersion::RESP2 {
            return settings;
        }
        let slot: Weak<Mutex<Slot>> = Arc::downgrade(&self.slot);
        settings.set_push_sender(move |push: PushInfo| -> Result<(), SendError> {
            if let Some(cache) = &cache {
                cache.pushed(&push);
            }
            // The driver reports the end of the stream at once: the next call then begins with a new connection
            // instead of failing on the old one.
            if push.kind == PushKind::Disconnection
                && let Some(slot) = slot.upgrade()
            {
                give_up(&slot, number);
            }
            Ok(())
        })
    }
}

impl Route {
    async fn client(&self) -> Result<Client, RedisError> {
        match self {
            Self::Direct(client) => Ok(Client::clone(client)),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(sentinel) => sentinel.lock().await.async_get_client().await,
        }
    }
}

/// Shows no address: it may hold a password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = lock(&self.slot).open.is_some();
        f.debug_struct("Link").field("deadline", &self.deadline).field("connected", &connected).finish()
    }
}

/// Forgets the connection of that number; calls still waiting on it keep their own handle.
fn give_up(slot: &Mutex<Slot>, number: u64) {
    let mut slot = lock(slot);
    if slot.number == number && slot.open.take().is_some() {
        tracing::debug!(store = NAME, number, "connection given up");
    }
}

/// What a `GET` brought.
fn decode(reply: Value) -> Result<Loaded, StoreError> {
    match codec::decode(bytes(reply)?)? {
        Stored::Settled(loaded) => Ok(loaded),
        // Written by a cluster and moved here by hand: it was never committed.
        Stored::Pending(_) => Ok(Loaded::Missing),
    }
}

/// Whether the connection ended before the answer was whole.
fn broke(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.kind() == redis::ErrorKind::Parse
}

/// A std mutex: nothing awaits while it is held.
fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Commands that may queue for the socket before callers wait for room (within their deadline).
const QUEUE: usize = 1024;
