//! Graceful shutdown while sessions are written: no write that has begun is lost.

use std::sync::Arc;
use std::time::Duration;

use session_core::{
    Cookie, SecretKey, Sessions,
    adapter::{BoxFuture, Closing, CookieHeaders, Spawn},
    store::SessionStore,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use session_testkit::doubles::faulty::When;
use session_testkit::doubles::gate::{Gate, GateStore};
use session_testkit::doubles::wrap::Verb;

/// Runs the claim on one adapter: with clients that wait for their responses, and with clients that have disconnected,
/// whose writes the library completes in the background.
///
/// `serve` serves until its third argument is ready, then completes the requests in flight and returns. `GET /` opens the
/// session and increments `hits`. Afterwards the claim awaits [`Sessions::drain`], as an application does before it
/// exits. Call it on a Tokio runtime.
///
/// # Panics
/// If a write is lost.
///
/// ```
/// # use std::sync::Arc;
/// # use session_core::{Sessions, adapter::BoxFuture};
/// # use session_store_memory::MemoryStore;
/// # use session_conformance::shutdown::a_shutdown_loses_no_commit;
/// # use tokio::net::TcpListener;
/// async fn claim<S>(serve: S)
/// where
///     S: AsyncFn(TcpListener, Sessions, BoxFuture<()>),
/// {
///     // With axum: |listener, sessions, stopped| axum::serve(…).with_graceful_shutdown(stopped)
///     a_shutdown_loses_no_commit(|| Arc::new(MemoryStore::new()), serve).await;
/// }
/// ```
pub async fn a_shutdown_loses_no_commit(
    store: impl Fn() -> Arc<dyn SessionStore>,
    serve: impl AsyncFn(TcpListener, Sessions, BoxFuture<()>),
) {
    for clients in [Clients::Wait, Clients::HaveLeft] {
        round(clients, store(), &serve).await;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clients {
    Wait,
    HaveLeft,
}

async fn round(
    clients: Clients,
    store: Arc<dyn SessionStore>,
    serve: &impl AsyncFn(TcpListener, Sessions, BoxFuture<()>),
) {
    let store = GateStore::over(store);
    let sessions = Sessions::builder()
        .store(store.clone())
        .key(SecretKey::generate().expect("the system has random bytes"))
        .cookie(Cookie::insecure_http("sid"))
        .build()
        .expect("a store and a key are all it takes");
    let mut cookies = Vec::new();
    for _ in 0..CLIENTS {
        cookies.push(hit(&sessions, None).await.1.expect("the first hit sets a cookie"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel();
    // Dropping the client's end stops the server as well.
    let stopped: BoxFuture<()> = Box::pin(async move { drop(stopped.await) });

    let visitors = async {
        let mut gates: Vec<Gate> = cookies.iter().map(|_| store.hold(Verb::Replace, When::Before)).collect();
        let mut streams = Vec::new();
        for cookie in &cookies {
            let mut stream = TcpStream::connect(address).await.expect("the server listens");
            let request =
                format!("GET / HTTP/1.1\r\nhost: a\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("the server reads");
            streams.push(stream);
        }
        for gate in &mut gates {
            gate.arrived().await;
        }
        if clients == Clients::HaveLeft {
            streams.clear();
        }
        stop.send(()).expect("the server runs");
        (gates, streams)
    };
    let serving = serve(listener, sessions.clone(), stopped);
    let (finish, finished) = oneshot::channel::<()>();
    let serving = async {
        serving.await;
        drop(finish);
    };
    let writing = async {
        let (gates, streams) = visitors.await;
        if clients == Clients::HaveLeft {
            // A server that notices the disconnects ends now, before all the writes; another one waits for them. Its
            // threads get a moment to end, which makes the claim harder; it must hold however long they take.
            drop(tokio::time::timeout(PATIENCE, finished).await);
            tokio::time::sleep(LAST_MOMENT).await;
        }
        gates.into_iter().for_each(Gate::release);
        for mut stream in streams {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("the server answers");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    };
    tokio::join!(serving, writing);
    sessions.drain().await;

    for cookie in &cookies {
        let (hits, _) = hit(&sessions, Some(cookie)).await;
        assert_eq!(hits, 3, "{clients:?}: a write that had begun was lost");
    }
}

/// Makes one hit without a server. Returns the number of hits, and the cookie that was set.
async fn hit(sessions: &Sessions, cookie: Option<&str>) -> (i64, Option<String>) {
    let guard = sessions.visit(cookie.into_iter().collect::<CookieHeaders>(), &NOWHERE);
    let session = guard.visit().session().await.expect("the store answers");
    let hits = session.increment("hits").expect("the visit is open").to_string();
    let Closing::Pending(writing) = guard.close(200) else { panic!("a hit is written") };
    let report = writing.await;
    let pair = |cookie: String| cookie.split(';').next().map(str::to_owned);
    (hits.parse().expect("a number"), report.set_cookie.and_then(pair))
}

/// Every hit of this module is awaited to its end.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}

static NOWHERE: Nowhere = Nowhere;

const CLIENTS: usize = 6;
/// How long a server may take to notice that its clients have left; the claim holds either way.
const PATIENCE: Duration = Duration::from_secs(10);
const LAST_MOMENT: Duration = Duration::from_millis(300);
