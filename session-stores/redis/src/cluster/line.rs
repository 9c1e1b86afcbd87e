//! Sends commands to the nodes of a cluster, and decides which failures prove that a command did not run.
//!
//! The driver would retry a command whose connection broke, which could turn a write that was applied into a conflict
//! that is then replayed. Its retries are therefore disabled; only commands that a node refused to run are retried.

use std::fmt;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::SingleNodeRoutingInfo;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use session_core::store::StoreError;
use tokio::time::{Instant, timeout};

use super::connections::Connections;
use crate::NAME;
use crate::fault::{fault, is_unknown_script};
use crate::script::Script;

/// Access to a cluster. Every call ends within the deadline.
pub(crate) struct Line {
    connections: Connections,
    deadline: Duration,
}

impl Line {
    pub(crate) fn new(client: ClusterClient, deadline: Duration) -> Self {
        Self { connections: Connections::new(client, deadline), deadline }
    }

    pub(crate) async fn connect(&self) -> Result<(), StoreError> {
        self.within(async { self.connections.get().await.map(drop) }).await
    }

    /// Sends an idempotent command, which is retried if a connection breaks.
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
            match self.send(&script.by_hash(false, &[key], arguments)).await {
                Err(error) if is_unknown_script(&error) => {
                    self.send(&script.by_text(false, &[key], arguments)).await
                }
                reply => reply,
            }
        })
        .await
    }

    /// Applies one deadline to several round trips.
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
        // Stops before the deadline, so that the error contains the cause instead of a timeout.
        let last_try = Instant::now() + self.deadline * 3 / 4;
        let mut asked: Option<(String, u16)> = None;
        let mut sent_elsewhere = 0;
        loop {
            let (number, mut connection) = self.connections.get().await?;
            let request = async {
                match asked.take() {
                    None => connection.req_packed_command(command).await.and_then(Value::extract_error),
                    Some((host, port)) => ask(&mut connection, command, host, port).await,
                }
            };
            let reply = self.patiently(number, request).await;
            let Err(error) = reply else { return reply };
            match error.kind() {
                // Calls to other nodes may still succeed.
                ErrorKind::ClusterConnectionNotFound => self.connections.renew(number),
                ErrorKind::Io if error.is_timeout() => self.connections.renew(number),
                ErrorKind::Io | ErrorKind::Parse => self.connections.give_up(number),
                _ => {}
            }
            if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) {
                // The driver learns the new node by itself if the nodes it asks know it; otherwise, reconnect to all
                // nodes.
                sent_elsewhere += 1;
                if sent_elsewhere > 2 {
                    self.connections.renew(number);
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

    /// After half a deadline without an answer, the node may be slow or the connection dead. This call keeps waiting,
    /// and a new connection is opened for later ones.
    async fn patiently<T>(&self, number: u64, request: impl Future<Output = T>) -> T {
        let mut request = std::pin::pin!(request);
        match timeout(self.deadline / 2, &mut request).await {
            Ok(reply) => reply,
            Err(_elapsed) => {
                self.connections.renew(number);
                request.await
            }
        }
    }
}

/// Does not show the address, which may contain a password.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Sends `ASKING` and the command to the node to which a slot is migrating.
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

/// Whether this error proves that the command changed nothing, so that it can be retried.
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
