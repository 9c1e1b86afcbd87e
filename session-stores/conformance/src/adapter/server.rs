//! The server of the adapter under test: its address, what it speaks, and what its framework cannot do.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;

/// A server that an adapter's author has started. It is dropped at the end of a scenario, and must stop then.
///
/// ```
/// use session_conformance::adapter::Server;
/// use tokio::net::TcpListener;
///
/// # #[tokio::main] async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// // The guard owns what must end with the scenario; here, the listener itself.
/// let server = Server::new(address, listener);
/// # drop(server);
/// # Ok(())
/// # }
/// ```
pub struct Server {
    pub(super) address: SocketAddr,
    pub(super) http2: bool,
    pub(super) answers_panics: bool,
    pub(super) cannot: Vec<(&'static str, &'static str)>,
    _guard: Box<dyn Any>,
}

impl Server {
    /// A server that listens here for HTTP/1.1 and stops when the guard is dropped.
    #[must_use]
    pub fn new(address: SocketAddr, guard: impl Any) -> Self {
        Self { address, http2: false, answers_panics: false, cannot: Vec::new(), _guard: Box::new(guard) }
    }

    /// It speaks HTTP/2 with prior knowledge on the same port, too: every scenario is played over both.
    #[must_use]
    pub fn with_http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// The framework turns a panic into a 500 before the adapter ends the visit. The response is then one like every 5xx,
    /// and carries the cookie of a `regenerate` or `destroy` that the handler ordered.
    #[must_use]
    pub fn with_answered_panics(mut self) -> Self {
        self.answers_panics = true;
        self
    }

    /// The framework prevents what this scenario claims. The scenario is played all the same: its test fails once the
    /// claim holds.
    ///
    /// ```
    /// # fn server() -> session_conformance::adapter::Server {
    /// #     session_conformance::adapter::Server::new(([127, 0, 0, 1], 1).into(), ())
    /// # }
    /// let server = server().cannot("a_sibling_of_any_bytes_hides_nothing", "a header that is not UTF-8 is dropped");
    /// # drop(server);
    /// ```
    ///
    /// # Panics
    /// If there is no scenario of this name.
    #[must_use]
    pub fn cannot(mut self, scenario: &'static str, why: &'static str) -> Self {
        let is_known = super::scenarios().iter().any(|known| known.name() == scenario);
        assert!(is_known, "{scenario} is a scenario of the suite");
        self.cannot.push((scenario, why));
        self
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
