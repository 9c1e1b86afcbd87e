//! One suite on three frameworks: the exchanges with a client are the same, byte for byte.

#[path = "../src/actix.rs"]
mod actix;
#[path = "../src/axum.rs"]
mod axum;
#[path = "../src/hyper.rs"]
mod hyper;

use std::net::SocketAddr;
#[cfg(feature = "redis")]
use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};
use std::time::Duration;

use session_conformance::adapter::{Place, Server, transcript};
use session_conformance::probe::Application;
#[cfg(feature = "redis")]
use session_stores::StoreConfig;
use session_stores::{FileStore, MemoryStore};
#[cfg(feature = "redis")]
use session_test_servers::{Kind, Shared, shared};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

#[test]
fn the_three_adapters_say_the_same_with_sessions_in_memory() {
    say_the_same(async || Place::store(MemoryStore::new(), ()));
}

#[test]
fn the_three_adapters_say_the_same_with_sessions_in_cookies() {
    say_the_same(async || Place::cookie());
}

#[test]
fn the_three_adapters_say_the_same_with_sessions_in_files() {
    say_the_same(async || {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let store = FileStore::builder(folder.path()).timeout(Duration::from_secs(20));
        let store = store.open().expect("a store in it");
        Place::store(store, folder).with_crowd(8)
    });
}

#[test]
#[cfg(feature = "redis")]
fn the_three_adapters_say_the_same_with_sessions_in_redis() {
    static SERVER: OnceLock<Shared> = OnceLock::new();
    static PLACES: AtomicU32 = AtomicU32::new(0);
    say_the_same(async || {
        let server = SERVER.get_or_init(|| shared(Kind::Redis));
        let mut config = StoreConfig::from_url(server.url()).expect("the server's own URL");
        let nth = PLACES.fetch_add(1, Ordering::Relaxed);
        config.prefix = format!("transcripts-{}-{nth}", std::process::id());
        let store = session_stores::open(&config).await.expect("the server is there");
        Place::store(store, ()).with_crowd(8)
    });
}

/// Over HTTP/1.1: actix-web has no HTTP/2 without TLS. Each adapter's own suite is played over both.
fn say_the_same<P>(place: impl Fn() -> P + Copy + 'static)
where
    P: Future<Output = Place> + 'static,
{
    let axum = transcript(on_axum, place);
    compare("hyper", axum.as_str(), transcript(on_hyper, place).as_str());
    compare("actix", axum.as_str(), transcript(on_actix, place).as_str());
}

fn compare(other: &str, axum: &str, said: &str) {
    let (mut scenario, pairs) = ("", axum.lines().zip(said.lines()));
    for (expected, line) in pairs {
        if expected.starts_with("# ") {
            scenario = expected;
        }
        assert_eq!(expected, line, "axum (left) and {other} differ in {scenario}");
    }
    assert_eq!(axum.lines().count(), said.lines().count(), "one of axum and {other} says more");
}

async fn on_axum(application: Application) -> Server {
    let (listener, address) = listen().await;
    let (guard, over) = oneshot::channel::<()>();
    tokio::spawn(axum::serve(listener, application, async move { drop(over.await) }));
    Server::new(address, guard)
}

async fn on_hyper(application: Application) -> Server {
    let (listener, address) = listen().await;
    let (guard, over) = oneshot::channel::<()>();
    tokio::spawn(hyper::serve(listener, application, async move { drop(over.await) }));
    Server::new(address, guard)
}

async fn on_actix(application: Application) -> Server {
    let (listener, address) = listen().await;
    let (guard, over) = oneshot::channel::<()>();
    tokio::spawn(actix::serve(listener, application, Some(2), async move { drop(over.await) }));
    Server::new(address, guard)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its number");
    (listener, address)
}
