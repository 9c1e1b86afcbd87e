//! Why a server did not start.

use std::io;
use std::path::PathBuf;

use crate::Kind;

/// A server could not be started, or stopped answering.
///
/// ```
/// use session_test_servers::{Kind, ServerError};
///
/// let error = ServerError::Missing { kind: Kind::Redis, binary: "redis-server" };
/// assert!(error.to_string().contains("redis-server, which is not installed"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The server's program is not on this machine.
    #[error("the {kind} server needs {binary}, which is not installed: install {}", kind.package())]
    Missing {
        /// Which server.
        kind: Kind,
        /// The program looked for.
        binary: &'static str,
    },
    /// A tool of the system that starts and stops servers is not there.
    #[error("{binary} is not installed: install the package {package}")]
    MissingTool {
        /// The program looked for.
        binary: &'static str,
        /// The Debian package it comes in.
        package: &'static str,
    },
    /// The operating system refused something.
    #[error("cannot {doing} for the {kind} server")]
    Os {
        /// Which server.
        kind: Kind,
        /// What was tried, as a verb phrase.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A step of preparing the data directory failed.
    #[error("{program} failed while the {kind} server was prepared; it said:\n{said}")]
    Prepare {
        /// Which server.
        kind: Kind,
        /// The program that failed.
        program: &'static str,
        /// The end of what it printed.
        said: String,
    },
    /// The process ended before it answered.
    #[error("the {kind} server ended before it was ready; the end of its log:\n{log}")]
    Ended {
        /// Which server.
        kind: Kind,
        /// The end of its log.
        log: String,
    },
    /// It runs, but did not answer in time.
    #[error("the {kind} server was not ready within {seconds} s; the end of its log:\n{log}")]
    NotReady {
        /// Which server.
        kind: Kind,
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// No port below the range that outgoing connections use was free.
    #[error("no free loopback port was found")]
    NoPort,
    /// The directory in which ports are claimed cannot be used.
    #[error("cannot claim a port in {}", directory.display())]
    Claim {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Wraps what the system said, for `map_err`.
pub(crate) fn os(kind: Kind, doing: &'static str) -> impl FnOnce(io::Error) -> ServerError {
    move |source| ServerError::Os { kind, doing, source }
}
