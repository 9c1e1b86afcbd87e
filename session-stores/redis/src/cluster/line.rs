//! The connections to a cluster's nodes, and which failures prove that a command did not run.
//!
//! The driver would repeat a command whose connection broke, and so could turn an increment that arrived into a conflict
//! that is then replayed. Here its own retries are off; only what a node refused to run is sent again.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::SingleNodeRoutingInfo;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use session_core::StoreError;
use tokio::time::{Instant, timeout};

use crate::NAME;
use crate::fault::{fault, is_unknown_script};
use crate::script::Script;

/// The way to a cluster. Every call ends within the deadline.
pub(crate) struct Line {
    client: ClusterClient,
    deadline: Duration,
    slot: Mutex<Slot>,
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Slot {
    number: u64,
    open: Option<ClusterConnection>,
    /// When the connection to all nodes was last made anew, so that one dead node does not make that a habit.
    since: Option<Instant>,
}

impl Line {
    pub(crate) fn new(client: ClusterClient, deadline: Duration) -> Self {
        Self { client, deadline, slot: Mutex::default(), connecting: tokio::sync::Mutex::new(()) }
    }

    pub(crate) async fn connect(&self) -> Result<(), StoreError> {
        self.within(async { self.connection().await.map(drop) }).await
    }

    /// Sends a command that does no harm when it is run twice; if a connection breaks, it is.
    pub(crate) async fn read(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.within(async {
            match self.send(command).await {
                Err(error) if error.is_io_error() || error.kind() == ErrorKind::Parse => {
                    self.send(command).await
                }
                reply => reply,
            }
        })
        .await
    }

    /// Runs a script on the node that has the key.
    pub(crate) async fn run(
        &self,
        script: &Script,
        key: &[u8],
        arguments: &[&[u8]],
    ) -> Result<Value, StoreError> {
        self.within(async {
            match self.send(&script.by_hash(&[key], arguments)).await {
                Err(error) if is_unknown_script(&error) => {
                    self.send(&script.by_text(&[key], arguments)).await
                }
                reply => reply,
            }
        })
        .await
    }

    /// One deadline for several trips.
    pub(crate) async fn all_within<T>(
        &self,
        trips: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        timeout(self.deadline, trips).await.unwrap_or_else(|_elapsed| Err(StoreError::timeout(NAME)))
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
        self.all_within(async { work.await.map_err(fault) }).await
    }

    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        // Stops a little before the deadline, so that the answer says what is wrong and not only that time is up.
        let last_try = Instant::now() + self.deadline * 3 / 4;
        let mut asked: Option<(String, u16)> = None;
        let mut sent_elsewhere = 0;
        loop {
            let (number, mut connection) = self.connection().await?;
            let request = async {
                match asked.take() {
                    None => connection.req_packed_command(command).await.and_then(Value::extract_error),
                    Some((host, port)) => ask(&mut connection, command, host, port).await,
                }
            };
            let reply = self.patiently(number, request).await;
            let Err(error) = reply else { return reply };
            if matches!(error.kind(), ErrorKind::Io | ErrorKind::ClusterConnectionNotFound | ErrorKind::Parse)
            {
                self.give_up(number);
            }
            if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) {
                // The driver learns the new place by itself, if the nodes it asks know; if not, ask all again.
                sent_elsewhere += 1;
                if sent_elsewhere > 2 {
                    self.give_up(number);
                }
            }
            if !did_not_run(&error) || Instant::now() > last_try {
                return Err(error);
            }
            if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) {
                asked = error.redirect_node().and_then(|(node, _slot)| address(node));
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Half a deadline of silence may be a slow node or a dead line. This call keeps waiting; later ones had better try
    /// new connections.
    async fn patiently<T>(&self, number: u64, request: impl Future<Output = T>) -> T {
        let mut request = std::pin::pin!(request);
        match timeout(self.deadline / 2, &mut request).await {
            Ok(reply) => reply,
            Err(_elapsed) => {
                self.give_up(number);
                request.await
            }
        }
    }

    async fn connection(&self) -> Result<(u64, ClusterConnection), RedisError> {
        if let Some(open) = self.open_one() {
            return Ok(open);
        }
        let _only_one = self.connecting.lock().await;
        if let Some(open) = self.open_one() {
            return Ok(open);
        }
        // Shorter than the deadline, so that an attempt that began while the nodes were away does not use up the time in
        // which the next one would have succeeded; and longer than what one dead node costs.
        let patience = self.deadline * 2 / 5;
        let Ok(made) = timeout(patience, self.client.get_async_connection()).await else {
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        };
        let connection = made?;
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.number += 1;
        slot.open = Some(connection.clone());
        slot.since = Some(Instant::now());
        tracing::debug!(store = NAME, number = slot.number, "connected to the cluster");
        Ok((slot.number, connection))
    }

    fn open_one(&self) -> Option<(u64, ClusterConnection)> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.open.clone().map(|open| (slot.number, open))
    }

    /// Learns the cluster's shape anew, at most a few times a second.
    fn give_up(&self, number: u64) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.number == number && slot.since.is_none_or(|since| since.elapsed() > AT_MOST_EVERY) {
            slot.open = None;
        }
    }
}

/// Shows no address: it may hold a password.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Follows a slot on its way to another node: `ASKING`, then the command, there.
async fn ask(
    connection: &mut ClusterConnection,
    command: &Cmd,
    host: String,
    port: u16,
) -> Result<Value, RedisError> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("ASKING").ignore().add_command(command.clone());
    let there = SingleNodeRoutingInfo::ByAddress { host, port };
    let mut replies = connection.route_pipeline(pipeline, 1, 1, there).await?;
    replies.pop().unwrap_or(Value::Nil).extract_error()
}

fn address(node: &str) -> Option<(String, u16)> {
    let (host, port) = node.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// Whether this answer proves that the command changed nothing, so that it may be sent again whatever it does.
fn did_not_run(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::BusyLoading
                | ServerErrorKind::ReadOnly
        ),
        ErrorKind::ClusterConnectionNotFound => true,
        _ => error.is_connection_refusal(),
    }
}

const PAUSE: Duration = Duration::from_millis(25);
const AT_MOST_EVERY: Duration = Duration::from_millis(300);
