//! Multiplexed connections that are opened on demand and replaced when they break. All waiting is bounded.
//!
//! The driver's `ConnectionManager` is not used: it does not retry after an attempt that failed for a reason other
//! than I/O (a server that is still loading its data, a password that is being rotated), and it keeps a silent
//! connection, because it does not reconnect after a timeout.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::SendError;
use redis::{AsyncConnectionConfig, Client, Cmd, PushInfo, PushKind, RedisError, Value};
use session_core::store::{Loaded, StoreError, StoreKey};
use session_store_kv::codec::Entry;
use tokio::time::{Instant, timeout, timeout_at};

use crate::NAME;
use crate::cache::{Cache, Change};
use crate::fault::{ends_connection, fault, is_unknown_script};
use crate::lanes::{Lane, Lanes, Open};
use crate::script::Script;
use crate::store::{bytes, entry};

/// Access to one server. Cheap to clone; every call ends within the deadline.
pub(crate) struct Link {
    route: Route,
    deadline: Duration,
    /// The size of the near cache of each connection; `None` for no cache.
    cached: Option<usize>,
    lanes: Lanes,
}

/// How the server is found.
pub(crate) enum Route {
    /// A fixed address.
    Direct(Box<Client>),
    /// The current master according to the sentinels.
    #[cfg(feature = "sentinel")]
    Sentinel(Box<tokio::sync::Mutex<redis::sentinel::SentinelClient>>),
}

/// The reply of a script.
pub(crate) struct Ran {
    pub(crate) reply: Value,
    /// What the script changed.
    pub(crate) change: Change,
}

impl Link {
    pub(crate) fn new(route: Route, deadline: Duration, cached: Option<usize>) -> Self {
        Self { route, deadline, cached, lanes: Lanes::default() }
    }

    /// Connects this runtime, unless it is connected already.
    pub(crate) async fn connect(&self) -> Result<(), StoreError> {
        self.within(async { self.connection(&self.lanes.here()).await.map(drop) }).await
    }

    /// Reads a record from the near cache, or else from the server. A read is idempotent, so it is retried once on a
    /// new connection if the connection is broken.
    pub(crate) async fn load(&self, session: &StoreKey, key: &[u8]) -> Result<Loaded, StoreError> {
        let lane = self.lanes.here();
        if let Some(known) = lane.cache().and_then(|cache| cache.get(key)) {
            return Ok(known);
        }
        let mut get = redis::cmd("GET");
        get.arg(key);
        let read = async || {
            let open = self.connection(&lane).await?;
            let ticket = open.cache.as_ref().map(|cache| (cache, cache.expect(key)));
            let loaded = decode(session, self.send(&lane, &open, &get).await?);
            match (&loaded, ticket) {
                (Ok(loaded), Some((cache, ticket))) => _ = cache.keep(key, ticket, loaded),
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

    /// Runs a script on these keys. A broken connection is an error; the caller uses the etag to determine whether
    /// the script ran.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Ran, StoreError> {
        self.within(async {
            let lane = self.lanes.here();
            let open = self.connection(&lane).await?;
            let change = Change::begin(open.cache.as_ref(), keys);
            let tracked = open.cache.is_some();
            let reply = match self.send(&lane, &open, &script.by_hash(tracked, keys, arguments)).await {
                Err(error) if is_unknown_script(&error) => {
                    self.send(&lane, &open, &script.by_text(tracked, keys, arguments)).await
                }
                reply => reply,
            };
            if self.cached.is_some() {
                // To the other connections, the invalidation may still be on its way.
                let others = |cache: &Arc<Cache>| keys.iter().for_each(|key| cache.forget(key));
                self.lanes.each_cache(|cache| {
                    if !change.is_of(cache) {
                        others(cache)
                    }
                });
            }
            Ok(Ran { reply: reply?, change })
        })
        .await
    }

    /// Clears the near caches, after a script that changed sessions whose store keys are unknown to the caller.
    pub(crate) fn forget_all(&self) {
        self.lanes.each_cache(|cache| cache.forget_all());
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
        match timeout(self.deadline, work).await {
            Ok(done) => done.map_err(fault),
            Err(_elapsed) => Err(StoreError::timeout(NAME)),
        }
    }

    async fn send(&self, lane: &Lane, open: &Open, command: &Cmd) -> Result<Value, RedisError> {
        let (number, mut connection) = (open.number, open.connection.clone());
        let mut reply = std::pin::pin!(connection.send_packed_command(command));
        // After half a deadline without an answer, the server may be slow or the connection dead. This call keeps
        // waiting; later calls use a new connection.
        let early = timeout_at(Instant::now() + self.deadline / 2, &mut reply).await;
        let reply = match early {
            Ok(reply) => reply,
            Err(_elapsed) => {
                lane.give_up(number);
                reply.await
            }
        };
        let reply = reply.and_then(Value::extract_error);
        if reply.as_ref().is_err_and(ends_connection) {
            lane.give_up(number);
        } else if let Some(cache) = &open.cache {
            cache.heard();
        }
        reply
    }

    async fn connection(&self, lane: &Arc<Lane>) -> Result<Open, RedisError> {
        if let Some(open) = lane.open() {
            return Ok(open);
        }
        let _only_one = lane.connecting.lock().await;
        if let Some(open) = lane.open() {
            return Ok(open);
        }
        let number = lane.next_number();
        // Shorter than the deadline, so that after an attempt that started while the server was down there is time
        // for another one.
        let patience = self.deadline / 3;
        let cache = self.cached.map(|most| Arc::new(Cache::new(most)));
        let attempt = async {
            let client = self.route.client().await?;
            let settings = Self::settings(lane, &client, number, cache.clone());
            let mut connection = client.get_multiplexed_async_connection_with_config(&settings).await?;
            if cache.is_some() {
                let track = redis::cmd("CLIENT").arg("TRACKING").arg("ON").arg("NOLOOP").to_owned();
                connection.send_packed_command(&track).await?.extract_error()?;
            }
            Ok::<_, RedisError>(connection)
        };
        let Ok(connection) = timeout(patience, attempt).await else {
            tracing::debug!(store = NAME, "no connection in time");
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        };
        let open = Open { number, connection: connection?, cache };
        lane.put(open.clone());
        tracing::debug!(store = NAME, number, "connected");
        Ok(open)
    }

    fn settings(
        lane: &Arc<Lane>,
        client: &Client,
        number: u64,
        cache: Option<Arc<Cache>>,
    ) -> AsyncConnectionConfig {
        // The deadline is enforced here, so the driver's own timeouts are disabled.
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        if client.get_connection_info().redis_settings().protocol() == redis::ProtocolVersion::RESP2 {
            return settings;
        }
        let lane: Weak<Lane> = Arc::downgrade(lane);
        settings.set_push_sender(move |push: PushInfo| -> Result<(), SendError> {
            if let Some(cache) = &cache {
                cache.pushed(&push);
            }
            // The driver reports the end of the stream immediately, so that the next call uses a new connection
            // instead of failing on the old one.
            if push.kind == PushKind::Disconnection
                && let Some(lane) = lane.upgrade()
            {
                lane.give_up(number);
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

/// Does not show the address, which may contain a password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("deadline", &self.deadline).field("lanes", &self.lanes).finish()
    }
}

/// Decodes the reply to a `GET`. A pending record was written by a cluster and moved here by hand: it was never
/// committed.
fn decode(key: &StoreKey, reply: Value) -> Result<Loaded, StoreError> {
    let entry = bytes(reply)?.map(|bytes| entry(key, &bytes)).transpose()?;
    Ok(entry.map_or(Loaded::Missing, Entry::into_loaded))
}

/// Whether the connection ended before the answer was complete.
fn broke(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.kind() == redis::ErrorKind::Parse
}

/// The number of commands that may queue for the socket before further callers wait (within their deadlines).
const QUEUE: usize = 1024;
