//! A running server of one or more processes, and the one that tests share.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::error::os;
use crate::launch;
use crate::node::{Node, wait_for};
use crate::process::{self, Watch};
use crate::{Kind, ServerError};

/// Starts a private server and waits until it answers: 0.1 s for Redis, 2 to 4 s for the others.
///
/// # Errors
/// [`ServerError::Missing`] names the package if the server is not installed; the others carry the end of its log.
///
/// ```no_run
/// use session_test_servers::{Kind, start};
///
/// let server = start(Kind::Postgres)?;
/// assert!(server.url().starts_with("postgres://postgres@127.0.0.1:"));
/// # Ok::<(), session_test_servers::ServerError>(())
/// ```
pub fn start(kind: Kind) -> Result<Server, ServerError> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        match Server::start(kind) {
            // Another program took the port between the check and the start.
            Err(ServerError::Ended { log, .. }) if left > 0 && log.contains("in use") => {}
            answer => return answer,
        }
    }
}

/// Returns the server whose URL is in the environment ([`Kind::variable`]), or a private one that runs as long as the
/// value exists.
///
/// # Panics
/// If there is no URL and the server is not installed; the message names its package. A test that cannot run fails, and
/// is never skipped.
///
/// ```no_run
/// use session_test_servers::{Kind, shared};
///
/// let redis = shared(Kind::Redis);
/// println!("{}", redis.url());
/// ```
#[must_use]
pub fn shared(kind: Kind) -> Shared {
    match std::env::var(kind.variable()) {
        Ok(url) if !url.is_empty() => Shared { url, own: None },
        _ => match start(kind) {
            Ok(server) => Shared { url: server.url(), own: Some(server) },
            Err(error) => panic!("{error}{}", cause(&error)),
        },
    }
}

/// Returns the sources of an error as text, for a single message.
fn cause(error: &ServerError) -> String {
    std::error::Error::source(error).map_or(String::new(), |source| format!(": {source}"))
}

/// A server that other tests may use as well: it can be used, but not killed.
#[derive(Debug)]
pub struct Shared {
    url: String,
    own: Option<Server>,
}

impl Shared {
    /// Returns the URL, in the form of [`Kind::url`] or from the environment.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, shared};
    /// assert!(shared(Kind::Redis).url().starts_with("redis://"));
    /// ```
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns whether the server is private, so that it ends with this value.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, shared};
    /// println!("{}", shared(Kind::Redis).is_private());
    /// ```
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.own.is_some()
    }
}

/// A running server. Dropping it kills its processes and removes its directory.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    nodes: Vec<Node>,
    directory: TempDir,
    // Last, so that the watch is still there if this process is killed while the directory is removed.
    _watch: Watch,
}

impl Server {
    fn start(kind: Kind) -> Result<Self, ServerError> {
        let directory = tempfile::Builder::new()
            .prefix("session-test-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .map_err(os(kind, "create a temporary directory"))?;
        let watch = Watch::over(directory.path()).map_err(os(kind, "start a watch"))?;
        let nodes = (0..launch::nodes(kind))
            .map(|number| Node::new(kind, directory.path(), number))
            .collect::<Result<Vec<_>, _>>()?;
        let server = Self { kind, nodes, directory, _watch: watch };
        for node in &server.nodes {
            launch::prepare(kind, &node.place())?;
            node.launch(kind)?;
        }
        for node in &server.nodes {
            node.wait_until_ready(kind)?;
        }
        launch::unite(kind, &server.ports())?;
        server.wait_until_united()?;
        Ok(server)
    }

    /// Returns the URL, in the form of [`Kind::url`].
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let server = start(Kind::MariaDb)?;
    /// assert_eq!(server.url(), format!("mysql://root@127.0.0.1:{}/test", server.port()));
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        self.kind.url(&self.ports())
    }

    /// Returns the kind of server.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// assert_eq!(start(Kind::Redis)?.kind(), Kind::Redis);
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the port of its first process, which never changes.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// std::net::TcpStream::connect(("127.0.0.1", start(Kind::Redis)?.port()))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn port(&self) -> u16 {
        self.nodes.first().map_or(0, |node| node.port.number)
    }

    /// Returns the ports of all its processes: six for a cluster, one for the others.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// assert_eq!(start(Kind::RedisCluster)?.ports().len(), 6);
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port.number).collect()
    }

    /// Returns the pid of its first process, or `None` after [`kill9`](Self::kill9).
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// assert!(start(Kind::Redis)?.pid().is_some());
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.nodes.first().and_then(Node::pid)
    }

    /// Returns the pids of all its processes that run, with the processes that these have started.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let postgres = start(Kind::Postgres)?;
    /// assert!(postgres.pids().len() > 1, "it starts a process for each connection, and others");
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(Node::pid).flat_map(process::family).collect()
    }

    /// Returns its directory, which has one folder per process, with its data and its log in `log`.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// println!("{}", start(Kind::Redis)?.dir().display());
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the environment variables with which [`shared`] finds this server.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let redis = start(Kind::Redis)?;
    /// assert_eq!(redis.env(), [("SESSION_TEST_REDIS_URL".to_owned(), redis.url())]);
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        vec![(self.kind.variable().to_owned(), self.url())]
    }

    /// Kills every process at once, children included, and waits until they are gone. The data directory stays.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let redis = start(Kind::Redis)?;
    /// redis.kill9();
    /// assert!(std::net::TcpStream::connect(("127.0.0.1", redis.port())).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kill9(&self) {
        self.nodes.iter().for_each(Node::kill9);
    }

    /// Starts the server again after [`kill9`](Self::kill9), or stops and starts it, with the same port and data.
    ///
    /// # Errors
    /// Those of [`start`].
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let postgres = start(Kind::Postgres)?;
    /// let port = postgres.port();
    /// postgres.restart()?;
    /// assert_eq!(postgres.port(), port);
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    pub fn restart(&self) -> Result<(), ServerError> {
        for node in &self.nodes {
            node.stop(self.kind);
            node.launch(self.kind)?;
        }
        for node in &self.nodes {
            node.wait_until_ready(self.kind)?;
        }
        self.wait_until_united()
    }

    /// Stops every process (`SIGSTOP`): connections stay open, and once this returns, the server does not answer.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let redis = start(Kind::Redis)?;
    /// redis.pause();
    /// redis.resume();
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    pub fn pause(&self) {
        self.nodes.iter().for_each(Node::pause);
        self.nodes.iter().for_each(Node::wait_until_still);
    }

    /// Continues every process after [`pause`](Self::pause).
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// # let redis = start(Kind::Redis)?;
    /// redis.resume();
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    pub fn resume(&self) {
        self.nodes.iter().for_each(Node::resume);
    }

    /// Stops one process of a cluster (`SIGSTOP`): the one that listens on this port.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let cluster = start(Kind::RedisCluster)?;
    /// cluster.pause_node(cluster.ports()[0]);
    /// cluster.resume();
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    pub fn pause_node(&self, port: u16) {
        let node = || self.nodes.iter().filter(|node| node.port.number == port);
        node().for_each(Node::pause);
        node().for_each(Node::wait_until_still);
    }

    /// Kills one process of a cluster: the one that listens on this port. Does nothing for another port.
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// let cluster = start(Kind::RedisCluster)?;
    /// cluster.kill9_node(cluster.ports()[0]);
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    pub fn kill9_node(&self, port: u16) {
        self.nodes.iter().filter(|node| node.port.number == port).for_each(Node::kill9);
    }

    /// Restarts the process of a cluster that listens on this port. Does not wait for the others.
    ///
    /// # Errors
    /// Those of [`start`].
    ///
    /// ```no_run
    /// # use session_test_servers::{Kind, start};
    /// # let cluster = start(Kind::RedisCluster)?;
    /// let first = cluster.ports()[0];
    /// cluster.kill9_node(first);
    /// cluster.restart_node(first)?;
    /// # Ok::<(), session_test_servers::ServerError>(())
    /// ```
    pub fn restart_node(&self, port: u16) -> Result<(), ServerError> {
        for node in self.nodes.iter().filter(|node| node.port.number == port) {
            node.stop(self.kind);
            node.launch(self.kind)?;
            node.wait_until_ready(self.kind)?;
        }
        Ok(())
    }

    fn wait_until_united(&self) -> Result<(), ServerError> {
        let ports = self.ports();
        let log = || self.nodes.first().map_or(String::new(), |node| launch::tail(&node.log()));
        wait_for(self.kind, || launch::united(self.kind, &ports), || false, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An orderly stop where that is fast, so that Postgres releases its shared memory.
        self.nodes.iter().for_each(|node| node.stop(self.kind));
    }
}

const ATTEMPTS: usize = 3;
