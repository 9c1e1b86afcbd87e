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
use session_core::StoreError;
use tokio::time::{Instant, timeout, timeout_at};

use crate::NAME;
use crate::fault::{ends_connection, fault, is_unknown_script};
use crate::script::Script;

/// The way to one server. Cheap to share; every call ends within the deadline.
pub(crate) struct Link {
    route: Route,
    deadline: Duration,
    slot: Arc<Mutex<Slot>>,
    /// Held by the one call that is connecting; the others wait here, each until its own deadline.
    connecting: tokio::sync::Mutex<()>,
}

/// How to find the server to connect to.
pub(crate) enum Route {
    /// Always the same address.
    Direct(Client),
    /// Whoever the sentinels name as master at the time.
    #[cfg(feature = "sentinel")]
    Sentinel(Box<tokio::sync::Mutex<redis::sentinel::SentinelClient>>),
}

#[derive(Default)]
struct Slot {
    /// Counts connections, so that a late complaint about an old one does not end its successor.
    number: u64,
    open: Option<MultiplexedConnection>,
}

impl Link {
    pub(crate) fn new(route: Route, deadline: Duration) -> Self {
        Self { route, deadline, slot: Arc::default(), connecting: tokio::sync::Mutex::new(()) }
    }

    /// Connects now, if it is not connected.
    pub(crate) async fn connect(&self) -> Result<(), StoreError> {
        self.within(async { self.connection().await.map(drop) }).await
    }

    /// Sends a command that changes nothing; if the connection turns out to be broken, once more on a new one.
    pub(crate) async fn read(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.within(async {
            match self.send(command).await {
                Err(error) if broke(&error) => self.send(command).await,
                reply => reply,
            }
        })
        .await
    }

    /// Runs a script. A broken connection is an error: whether the script ran is for the caller to find out by etag.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Value, StoreError> {
        self.within(async {
            match self.send(&script.by_hash(keys, arguments)).await {
                Err(error) if is_unknown_script(&error) => self.send(&script.by_text(keys, arguments)).await,
                reply => reply,
            }
        })
        .await
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
        match timeout(self.deadline, work).await {
            Ok(done) => done.map_err(fault),
            Err(_elapsed) => Err(StoreError::timeout(NAME)),
        }
    }

    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        let (number, mut connection) = self.connection().await?;
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
        }
        reply
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
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
        let attempt = async {
            let client = self.route.client().await?;
            client.get_multiplexed_async_connection_with_config(&self.settings(&client, number)).await
        };
        let Ok(connection) = timeout(patience, attempt).await else {
            tracing::debug!(store = NAME, "no connection in time");
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        };
        let connection = connection?;
        lock(&self.slot).open = Some(connection.clone());
        tracing::debug!(store = NAME, number, "connected");
        Ok((number, connection))
    }

    fn open_one(&self) -> Option<(u64, MultiplexedConnection)> {
        let slot = lock(&self.slot);
        slot.open.clone().map(|open| (slot.number, open))
    }

    fn settings(&self, client: &Client, number: u64) -> AsyncConnectionConfig {
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
            Self::Direct(client) => Ok(client.clone()),
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
