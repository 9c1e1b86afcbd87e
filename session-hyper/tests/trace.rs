//! No secret in any log: makes many requests under hyper and searches the log of all crates at TRACE.
//!
//! A separate program, because it captures the log of the whole process, which has one subscriber.

#[path = "../../examples/probe/src/hyper.rs"]
mod probe;

use session_conformance::adapter::{Place, Server};
use session_conformance::probe::Application;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

async fn start(application: Application) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its number");
    // Dropped with the server's guard, the sender says that it is over.
    let (guard, over) = oneshot::channel::<()>();
    tokio::spawn(probe::serve(listener, application, async move { drop(over.await) }));
    Server::new(address, guard).with_http2()
}

async fn memory() -> Place {
    Place::store(session_hyper::stores::MemoryStore::new(), ())
}

#[test]
fn id_8_peers_18_no_log_of_any_crate_shows_a_secret() {
    session_conformance::adapter::canary::play(start, memory);
}
