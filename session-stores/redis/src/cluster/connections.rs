//! The connection to all nodes of a cluster, and how it is made anew: beside the old one where that may still serve, so
//! that a node that is silent keeps nobody from the others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisError;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use tokio::time::{Instant, timeout};

use crate::NAME;

/// One connection at a time, numbered, for everybody.
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    client: ClusterClient,
    /// How long an attempt to connect may take.
    patience: Duration,
    slot: Mutex<Slot>,
    /// Held by the one who connects.
    connecting: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Slot {
    number: u64,
    open: Option<ClusterConnection>,
    /// When the connection was last made anew, so that one dead node does not make that a habit.
    since: Option<Instant>,
}

impl Connections {
    /// An attempt to connect may take three quarters of the deadline: a node that is silent costs twice the driver's
    /// `connection_timeout`, which is a quarter, and those that answer next to nothing.
    pub(crate) fn new(client: ClusterClient, deadline: Duration) -> Self {
        let patience = deadline * 3 / 4;
        Self(Arc::new(Inner { client, patience, slot: Mutex::default(), connecting: Arc::default() }))
    }

    /// The connection, made now if there is none, and its number.
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

    /// It is broken: whoever comes next makes another, at most a few times a second.
    pub(crate) fn give_up(&self, number: u64) {
        let mut slot = self.0.slot();
        if slot.is_due(number) {
            slot.open = None;
        }
    }

    /// A node did not answer: it may be slow, the line may be dead, or the node has been replaced by one that this
    /// connection does not know. Another is made in the background, and this one serves meanwhile. If none can be made,
    /// no node answers, and this one is of no use either.
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
    /// Whether it is this very connection that is to go, and not one that was made a moment ago.
    fn is_due(&self, number: u64) -> bool {
        self.number == number && self.since.is_none_or(|since| since.elapsed() > AT_MOST_EVERY)
    }
}

const AT_MOST_EVERY: Duration = Duration::from_millis(300);
