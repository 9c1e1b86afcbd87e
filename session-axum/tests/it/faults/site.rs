//! The site under test, whose store is opened by URL as in an application, and its visitors.

use std::any::Any;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use session_axum::stores::{StoreConfig, open};
use session_axum::{SecretKey, Sessions};
use session_conformance::probe::{Application, Stats};
use session_test_servers::{Kind, shared};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Where sessions live, and what must stay for as long as they do.
pub(crate) struct Place {
    pub(crate) url: String,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Place {
    pub(crate) fn server(kind: Kind) -> Self {
        let server = shared(kind);
        Self { url: server.url().to_owned(), _guard: Box::new(server) }
    }

    pub(crate) fn files() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("file:{}", folder.path().display()), _guard: Box::new(folder) }
    }

    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.db");
        Self { url: format!("sqlite:{}", path.display()), _guard: Box::new(folder) }
    }
}

/// A running site; it ends when dropped.
pub(crate) struct Site {
    address: SocketAddr,
    _guard: oneshot::Sender<()>,
}

impl Site {
    /// Opens the store at this URL, with this much time for each of its calls, and serves the probe's routes.
    pub(crate) async fn open(url: &str, timeout: Duration) -> Self {
        let mut config = StoreConfig::from_url(url).unwrap();
        config.timeout = timeout;
        let begun = Instant::now();
        let store = loop {
            match open(&config).await {
                Ok(store) => break store,
                // A deadline made for faults is short for a machine that is only busy.
                Err(error) => assert!(begun.elapsed() < SOON, "{error}"),
            }
        };
        let sessions = Sessions::builder()
            .shared_store(store)
            .key(SecretKey::generate().unwrap())
            .contention(Duration::from_secs(60))
            .build()
            .unwrap();
        let application = Application { sessions: Some(sessions), stats: Stats::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (guard, over) = oneshot::channel::<()>();
        tokio::spawn(crate::probe::serve(listener, application, async move { drop(over.await) }));
        Self { address, _guard: guard }
    }

    pub(crate) fn stranger(&self) -> Visitor {
        Visitor { address: self.address, cookie: None }
    }

    /// A visitor who has signed in.
    pub(crate) async fn ada(&self) -> Visitor {
        let mut ada = self.stranger();
        let reply = ada.get_soon("/login").await;
        let cookie = reply.set_cookies[0].split(';').next().unwrap();
        ada.cookie = Some(cookie.to_owned());
        ada
    }
}

/// Somebody with a cookie or without. It stays as it is, whatever comes back.
#[derive(Clone)]
pub(crate) struct Visitor {
    address: SocketAddr,
    cookie: Option<String>,
}

/// What came back, and how long it took.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

impl Visitor {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let asked = Instant::now();
        let stream = TcpStream::connect(self.address).await.unwrap();
        // Thousands of connections that linger for a minute would use up the ports of the machine.
        stream.set_zero_linger().unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut request = Request::get(path).header(header::HOST, "shop.example");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        connection.abort();
        let cookies = head.headers.get_all(header::SET_COOKIE).iter();
        let set_cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
        Reply { status: head.status.as_u16(), set_cookies, text, took: asked.elapsed() }
    }

    /// The answer with 200, which has to come soon.
    pub(crate) async fn get_soon(&self, path: &str) -> Reply {
        let begun = Instant::now();
        loop {
            let reply = self.get(path).await;
            if reply.status == 200 {
                assert!(begun.elapsed() < SOON, "{path} works after {:?}", begun.elapsed());
                return reply;
            }
            assert!(begun.elapsed() < SOON, "{path} is still answered with {reply:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How often the session was written to.
    pub(crate) async fn hits(&self) -> u64 {
        self.get_soon("/hits").await.text.parse().unwrap()
    }
}

/// Within a second on an idle machine; other tests may keep this one busy.
pub(crate) const SOON: Duration = Duration::from_secs(30);
