//! The chat over real sockets: two people in a room, and a sign-out elsewhere.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

#[tokio::test]
async fn a_socket_knows_who_speaks() {
    let server = start().await;
    let (ada, bob) = (sign_in(server, "ada").await, sign_in(server, "bob").await);
    let (mut ada, mut bob) = (join(server, &ada).await.unwrap(), join(server, &bob).await.unwrap());
    ada.send(Message::text("hello")).await.unwrap();
    assert_eq!(next(&mut bob).await.as_deref(), Some("ada: hello"));
    bob.send(Message::text("hi")).await.unwrap();
    assert_eq!(next(&mut bob).await.as_deref(), Some("bob: hi"));
}

#[tokio::test]
async fn a_stranger_gets_no_socket() {
    let server = start().await;
    let Err(Error::Http(response)) = join(server, "sid=forged").await else { panic!("a stranger came in") };
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn signing_out_elsewhere_ends_a_silent_socket() {
    let server = start().await;
    let cookie = sign_in(server, "ada").await;
    let mut socket = join(server, &cookie).await.unwrap();
    post(server, "/sign-out", &cookie, "").await;
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test]
async fn who_signed_out_elsewhere_is_not_heard_any_more() {
    let server = start().await;
    let cookie = sign_in(server, "ada").await;
    let (mut ada, bob) = (join(server, &cookie).await.unwrap(), sign_in(server, "bob").await);
    let mut bob = join(server, &bob).await.unwrap();
    post(server, "/sign-out", &cookie, "").await;
    ada.send(Message::text("still here?")).await.unwrap();
    assert_eq!(next(&mut ada).await, None);
    bob.send(Message::text("anyone?")).await.unwrap();
    assert_eq!(next(&mut bob).await.as_deref(), Some("bob: anyone?"));
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = crate::app().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn sign_in(server: SocketAddr, name: &str) -> String {
    let response = post(server, "/sign-in", "", &format!("name={name}")).await;
    let (_, cookie) = response.split_once("set-cookie: ").expect("signing in sets a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

async fn post(server: SocketAddr, path: &str, cookie: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncookie: {cookie}\r\n");
    let body = format!(
        "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

async fn join(server: SocketAddr, cookie: &str) -> Result<Socket, Error> {
    let mut request = format!("ws://{server}/chat").into_client_request()?;
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    Ok(connect_async(request).await?.0)
}

/// The next line; `None` when the server ends the socket.
async fn next(socket: &mut Socket) -> Option<String> {
    let next = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("something comes");
    match next {
        Some(Ok(Message::Text(line))) => Some(line.as_str().to_owned()),
        _ => None,
    }
}
