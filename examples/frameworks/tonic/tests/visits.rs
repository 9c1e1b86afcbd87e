//! The service over a socket: a sign-in, a counter, a sign-out, and what errors of gRPC do to a session.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::net::SocketAddr;

use session_axum::{SecretKey, Sessions, TokenFrom};
use session_store_memory::MemoryStore;
use session_testkit::{Fault, FaultyStore};
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_sessions::visits_client::VisitsClient;
use tonic_sessions::{Done, Hits, User, serve};

/// A client that keeps its token.
struct Caller {
    client: VisitsClient<Channel>,
    token: String,
}

impl Caller {
    async fn of(address: SocketAddr) -> Self {
        let client = VisitsClient::connect(format!("http://{address}")).await.unwrap();
        Self { client, token: String::new() }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if !self.token.is_empty() {
            request.metadata_mut().insert("x-session", self.token.parse().unwrap());
        }
        request
    }

    /// Keeps the token of a response; an empty one says to forget it.
    fn hear<T>(&mut self, response: Result<Response<T>, Status>) -> Result<T, Status> {
        let metadata = match &response {
            Ok(response) => response.metadata(),
            Err(status) => status.metadata(),
        };
        if let Some(token) = metadata.get("x-session") {
            self.token = token.to_str().unwrap().to_owned();
        }
        response.map(Response::into_inner)
    }

    async fn sign_in(&mut self, name: &str) -> Result<Done, Status> {
        let response = self.client.sign_in(self.request(User { name: name.to_owned() })).await;
        self.hear(response)
    }

    async fn count(&mut self) -> Result<Hits, Status> {
        let response = self.client.count(self.request(Done {})).await;
        self.hear(response)
    }

    async fn refuse(&mut self) -> Result<Done, Status> {
        let response = self.client.refuse(self.request(Done {})).await;
        self.hear(response)
    }

    async fn sign_out(&mut self) -> Result<Done, Status> {
        let response = self.client.sign_out(self.request(Done {})).await;
        self.hear(response)
    }
}

async fn start() -> (SocketAddr, FaultyStore<MemoryStore>) {
    let store = FaultyStore::new(MemoryStore::new());
    let sessions = Sessions::builder().store(store.clone()).key(SecretKey::generate().unwrap());
    let sessions = sessions.token_from(TokenFrom::Header("x-session")).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, sessions));
    (address, store)
}

fn hits(user: Option<&str>, hits: u64) -> Hits {
    Hits { user: user.map(str::to_owned), hits }
}

#[tokio::test]
async fn a_caller_is_known_from_sign_in_to_sign_out() {
    let (address, _) = start().await;
    let mut ada = Caller::of(address).await;
    assert_eq!(ada.count().await.unwrap(), hits(None, 1));
    let before = ada.token.clone();
    ada.sign_in("ada").await.unwrap();
    assert!(!ada.token.is_empty() && ada.token != before, "a sign-in changes the token");
    assert_eq!(ada.count().await.unwrap(), hits(Some("ada"), 2));
    let copied = ada.token.clone();
    ada.sign_out().await.unwrap();
    assert_eq!(ada.token, "");
    ada.token = copied;
    assert_eq!(ada.count().await.unwrap(), hits(None, 1));
}

#[tokio::test]
async fn what_a_refused_call_changed_is_written() {
    let (address, _) = start().await;
    let mut ada = Caller::of(address).await;
    assert_eq!(ada.count().await.unwrap().hits, 1);
    assert_eq!(ada.refuse().await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(ada.count().await.unwrap().hits, 3);
}

#[tokio::test]
async fn a_store_that_fails_is_unavailable() {
    let (address, store) = start().await;
    let (mut ada, mut eve) = (Caller::of(address).await, Caller::of(address).await);
    ada.count().await.unwrap();
    store.fail(Fault::every());
    assert_eq!(ada.count().await.unwrap_err().code(), Code::Unavailable, "a session cannot be opened");
    assert_eq!(eve.count().await.unwrap_err().code(), Code::Unavailable, "a session cannot be written");
    assert_eq!(eve.token, "");
    store.heal();
    assert_eq!(ada.count().await.unwrap().hits, 2);
}
