//! The adapter suite on actix-web: the black-box suite that every adapter passes, with sessions in memory, cookies and files.

use crate::probe;
use std::time::Duration;

use session_conformance::adapter::{Place, Server};
use session_conformance::probe::Application;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

async fn start(application: Application) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its number");
    // Dropped with the server's guard, the sender says that it is over.
    let (guard, over) = oneshot::channel::<()>();
    tokio::spawn(probe::serve(listener, application, Some(2), async move { drop(over.await) }));
    Server::new(address, guard)
}

mod in_memory {
    async fn place() -> super::Place {
        super::Place::store(session_actix::stores::MemoryStore::new(), ())
    }

    session_conformance::adapter_suite!(super::start, place);
}

mod in_cookies {
    async fn place() -> super::Place {
        super::Place::cookie()
    }

    session_conformance::adapter_suite!(super::start, place);
}

mod in_files {
    use super::Duration;

    async fn place() -> super::Place {
        // In memory, where the system has such a place, and with patience: a busy disk is no finding here.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory");
        let store = session_actix::stores::FileStore::builder(folder.path()).timeout(Duration::from_secs(20));
        let store = store.open().expect("a store in it");
        super::Place::store(store, folder).with_crowd(8)
    }

    session_conformance::adapter_suite!(super::start, place);
}
