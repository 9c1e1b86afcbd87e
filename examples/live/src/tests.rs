//! Tests over real sockets on each adapter: messages, the end of sessions, and the cost of an open socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use session_axum::stores::MemoryStore;
use session_axum::{Cookie, SecretKey, Sessions};
use session_testkit::{ManualClock, OpLog, Verb};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Adapter;
use crate::room::Room;

/// Defines each test once per adapter.
macro_rules! on_each_adapter {
    ($($claim:ident),* $(,)?) => { $(
        mod $claim {
            use crate::{Adapter, tests::Server};

            #[tokio::test]
            async fn on_axum() {
                super::$claim(Server::start(Adapter::Axum)).await;
            }

            #[tokio::test]
            async fn on_actix() {
                super::$claim(Server::start(Adapter::Actix)).await;
            }
        }
    )* };
}

on_each_adapter![
    a_socket_knows_its_user_and_counts_lines_in_the_session,
    a_stranger_gets_no_socket_and_no_stream,
    at_9_a_page_of_another_origin_gets_no_socket,
    signing_out_elsewhere_ends_whatever_is_held_at_the_next_beat,
    who_signed_out_elsewhere_is_not_heard_any_more,
    signing_in_anew_ends_the_socket_of_the_old_id,
    sockets_and_streams_that_are_open_for_ten_minutes_write_nothing,
    holding_a_socket_does_not_keep_a_session_alive,
];

async fn a_socket_knows_its_user_and_counts_lines_in_the_session(server: Server) {
    let (ada, bob) = (server.sign_in("ada").await, server.sign_in("bob").await);
    let (mut chat, mut watch) =
        (server.open("/chat", &ada).await.unwrap(), server.open("/watch", &bob).await.unwrap());
    let mut events = server.events(&bob).await;
    for line in ["hello", "is this\nheard?"] {
        chat.send(Message::text(line)).await.unwrap();
    }
    assert_eq!(next(&mut chat).await.as_deref(), Some("ada: hello"));
    assert_eq!(next(&mut watch).await.as_deref(), Some("ada: hello"));
    assert_eq!(events.next().await.as_deref(), Some("ada: hello"));
    assert_eq!(events.next().await.as_deref(), Some("ada: is this heard?"));
    assert_eq!(server.store.count_of(Verb::Replace), 2, "each line is one write of the detached session");
}

async fn a_stranger_gets_no_socket_and_no_stream(server: Server) {
    for path in ["/chat", "/watch"] {
        let Err(Error::Http(response)) = server.open(path, "sid=forged").await else {
            panic!("{path} is open")
        };
        assert_eq!(response.status(), 401, "{path}");
    }
    assert!(server.send("GET", "/events", "", "").await.starts_with("HTTP/1.1 401"));
}

async fn at_9_a_page_of_another_origin_gets_no_socket(server: Server) {
    let cookie = server.sign_in("ada").await;
    let own = format!("http://{}", server.address);
    for path in ["/chat", "/watch"] {
        assert!(server.open_from(&own, path, &cookie).await.is_ok(), "{path}");
        for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
            let Err(Error::Http(response)) = server.open_from(origin, path, &cookie).await else {
                panic!("{path} is open to {origin}")
            };
            assert_eq!(response.status(), 403, "{path} from {origin}");
        }
    }
}

async fn signing_out_elsewhere_ends_whatever_is_held_at_the_next_beat(server: Server) {
    let cookie = server.sign_in("ada").await;
    let (mut chat, mut watch) =
        (server.open("/chat", &cookie).await.unwrap(), server.open("/watch", &cookie).await.unwrap());
    let mut events = server.events(&cookie).await;
    server.send("POST", "/sign-out", &cookie, "").await;
    server.room.look_again();
    assert_eq!(next(&mut chat).await, None);
    assert_eq!(next(&mut watch).await, None);
    assert_eq!(events.next().await, None);
}

async fn who_signed_out_elsewhere_is_not_heard_any_more(server: Server) {
    let (ada, bob) = (server.sign_in("ada").await, server.sign_in("bob").await);
    let (mut chat, mut other) =
        (server.open("/chat", &ada).await.unwrap(), server.open("/chat", &bob).await.unwrap());
    server.send("POST", "/sign-out", &ada, "").await;
    // Without a tick: the commit detects it.
    chat.send(Message::text("still here?")).await.unwrap();
    assert_eq!(next(&mut chat).await, None);
    other.send(Message::text("anyone?")).await.unwrap();
    assert_eq!(next(&mut other).await.as_deref(), Some("bob: anyone?"));
}

async fn signing_in_anew_ends_the_socket_of_the_old_id(server: Server) {
    let cookie = server.sign_in("ada").await;
    let mut chat = server.open("/chat", &cookie).await.unwrap();
    server.send("POST", "/sign-in", &cookie, "name=ada").await;
    server.room.look_again();
    assert_eq!(next(&mut chat).await, None);
}

async fn sockets_and_streams_that_are_open_for_ten_minutes_write_nothing(server: Server) {
    let cookie = server.sign_in("ada").await;
    let (mut chat, mut watch) =
        (server.open("/chat", &cookie).await.unwrap(), server.open("/watch", &cookie).await.unwrap());
    let mut events = server.events(&cookie).await;
    // Wait until each of the three has reloaded once, so that only the following ticks are counted.
    server.beat(3).await;
    server.store.take();
    for _ in 0..BEATS {
        server.clock.advance(Duration::from_secs(6));
        server.beat(3).await;
    }
    let verbs = server.store.verbs();
    assert!(verbs.iter().all(|verb| *verb == Verb::Load), "only looked: {verbs:?}");

    // All three are still open.
    chat.send(Message::text("good morning")).await.unwrap();
    for heard in [next(&mut chat).await, next(&mut watch).await, events.next().await] {
        assert_eq!(heard.as_deref(), Some("ada: good morning"));
    }
}

async fn holding_a_socket_does_not_keep_a_session_alive(server: Server) {
    let cookie = server.sign_in("ada").await;
    let mut chat = server.open("/chat", &cookie).await.unwrap();
    server.clock.advance(AGE);
    server.room.look_again();
    assert_eq!(next(&mut chat).await, None);
}

/// The chat on one of the adapters, with a manual clock and manual ticks.
struct Server {
    address: SocketAddr,
    room: Room,
    clock: ManualClock,
    store: Arc<OpLog<MemoryStore>>,
}

impl Server {
    fn start(adapter: Adapter) -> Self {
        let (clock, store) = (ManualClock::default(), Arc::new(OpLog::new(MemoryStore::new())));
        let sessions = Sessions::builder()
            .shared_store(store.clone())
            .key(SecretKey::generate().unwrap())
            .cookie(Cookie::insecure_http("sid"))
            .age(AGE)
            .clock(clock.clone())
            .build()
            .unwrap();
        let room = Room::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = room.clone();
        // A separate thread, which ends with the test process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(crate::serve(adapter, listener, sessions, served)).unwrap();
        });
        Self { address, room, clock, store }
    }

    /// Triggers a tick and waits until this many listeners have reloaded.
    async fn beat(&self, listeners: usize) {
        let looked = self.store.count_of(Verb::Load) + listeners;
        self.room.look_again();
        let begun = Instant::now();
        while self.store.count_of(Verb::Load) < looked {
            assert!(begun.elapsed() < PATIENCE, "not everybody has looked again");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn sign_in(&self, name: &str) -> String {
        let response = self.send("POST", "/sign-in", "", &format!("name={name}")).await;
        let (_, cookie) = response.split_once("set-cookie: ").expect("signing in sets a cookie");
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn send(&self, method: &str, path: &str, cookie: &str, form: &str) -> String {
        let mut stream = self.request(method, path, cookie, form).await;
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    async fn open(&self, path: &str, cookie: &str) -> Result<Socket, Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request()?;
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        Ok(connect_async(request).await?.0)
    }

    /// Opens a socket as a browser does, which says whose page it is.
    async fn open_from(&self, origin: &str, path: &str, cookie: &str) -> Result<Socket, Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request()?;
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        Ok(connect_async(request).await?.0)
    }

    /// Opens an event stream and reads the response head.
    async fn events(&self, cookie: &str) -> Events {
        let mut events = Events(BufReader::new(self.request("GET", "/events", cookie, "").await));
        assert_eq!(events.line().await.as_deref(), Some("HTTP/1.1 200 OK"));
        while events.line().await.is_some_and(|line| !line.is_empty()) {}
        events
    }

    async fn request(&self, method: &str, path: &str, cookie: &str, form: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncookie: {cookie}\r\n");
        let body = format!(
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        stream
    }
}

struct Events(BufReader<TcpStream>);

impl Events {
    /// Returns the data of the next event, or `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            // Lines with the sizes of chunks are skipped.
            if let Some(data) = self.line().await?.strip_prefix("data: ") {
                return Some(data.to_owned());
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read =
            tokio::time::timeout(PATIENCE, self.0.read_line(&mut line)).await.expect("something comes");
        (read.unwrap() > 0).then(|| line.trim_end().to_owned())
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Returns the next message, or `None` when the server closes the socket.
async fn next(socket: &mut Socket) -> Option<String> {
    let next = tokio::time::timeout(PATIENCE, socket.next()).await.expect("something comes");
    match next {
        Some(Ok(Message::Text(line))) => Some(line.as_str().to_owned()),
        _ => None,
    }
}

/// Short enough that a visit after three minutes would extend the deadline.
const AGE: Duration = Duration::from_secs(30 * 60);

/// 100 ticks of six seconds are ten minutes.
const BEATS: usize = 100;

const PATIENCE: Duration = Duration::from_secs(60);
