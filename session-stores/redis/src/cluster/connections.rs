//! The connection to all nodes of a cluster, and its replacement. A new connection is opened while the old one stays
//! in use, so that a silent node does not block calls to the others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisError;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use tokio::time::{Instant, timeout};

use crate::NAME;

/// The current connection, numbered and shared by all calls.
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    client: ClusterClient,
    /// The deadline of an attempt to connect.
    patience: Duration,
    slot: Mutex<Slot>,
    /// Held while connecting.
    connecting: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Slot {
    number: u64,
    open: Option<ClusterConnection>,
    /// When the connection was last replaced, to limit the rate of replacements while a node is dead.
    since: Option<Instant>,
}

impl Connections {
    /// Creates the connections. An attempt to connect may take three quarters of the deadline: a silent node takes
    /// twice the driver's `connection_timeout`, which is a quarter, and nodes that answer take little.
    pub(crate) fn new(client: ClusterClient, deadline: Duration) -> Self {
        let patience = deadline * 3 / 4;
        Self(Arc::new(Inner { client, patience, slot: Mutex::default(), connecting: Arc::default() }))
    }

    /// Returns the connection and its number, and connects first if there is none.
    pub(crate) async fn get(&self) -> Result<(u64, ClusterConnection), RedisError> {
        if let Some(open) = self.0.open_one() {
            return Ok(open);
        }
        let _only_one = self.0.connecting.lock().await;
        match self.0.open_one() {
            Some(open) => Ok(open),
            None => self.0.connect().await,
        }
    }

    /// Drops a broken connection. The next call opens another one, at most a few times a second.
    pub(crate) fn give_up(&self, number: u64) {
        let mut slot = self.0.slot();
        if slot.is_due(number) {
            slot.open = None;
        }
    }

    /// Replaces the connection after a node did not answer: the node may be slow, the connection may be dead, or the
    /// node may have been replaced by one that this connection does not know. The new connection is opened in the
    /// background while this one stays in use. If that fails, no node answers, and this connection is dropped as
    /// well.
    pub(crate) fn renew(&self, number: u64) {
        let Ok(only_one) = self.0.connecting.clone().try_lock_owned() else { return };
        if !self.0.slot().is_due(number) {
            return;
        }
        let inner = self.0.clone();
        tokio::spawn(async move {
            let _only_one = only_one;
            if inner.connect().await.is_err() {
                inner.slot().open = None;
            }
        });
    }
}

impl Inner {
    async fn connect(&self) -> Result<(u64, ClusterConnection), RedisError> {
        let Ok(made) = timeout(self.patience, self.client.get_async_connection()).await else {
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        };
        let connection = made?;
        let mut slot = self.slot();
        slot.number += 1;
        slot.open = Some(connection.clone());
        slot.since = Some(Instant::now());
        tracing::debug!(store = NAME, number = slot.number, "connected to the cluster");
        Ok((slot.number, connection))
    }

    fn open_one(&self) -> Option<(u64, ClusterConnection)> {
        let slot = self.slot();
        slot.open.clone().map(|open| (slot.number, open))
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whether the connection of this number is still the current one and was not opened a moment ago.
    fn is_due(&self, number: u64) -> bool {
        self.number == number && self.since.is_none_or(|since| since.elapsed() > AT_MOST_EVERY)
    }
}

const AT_MOST_EVERY: Duration = Duration::from_millis(300);
