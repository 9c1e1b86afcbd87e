//! A gRPC service with sessions: the layer is axum's, and the token of a session travels in metadata instead of a cookie.

use session_axum::session_core::Session;
use session_axum::{Rejection, SessionLayer, Sessions, Visit};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Extensions, Request, Response, Status};
use visits_server::{Visits, VisitsServer};

include!(concat!(env!("OUT_DIR"), "/shop.Visits.rs"));

/// The user who signs in.
#[derive(Clone, PartialEq, prost::Message)]
pub struct User {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A message without fields.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Done {}

/// How often this visitor has counted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Hits {
    /// The name of the user, if somebody is signed in.
    #[prost(string, optional, tag = "1")]
    pub user: Option<String>,
    /// The number.
    #[prost(uint64, tag = "2")]
    pub hits: u64,
}

/// Serves with these sessions, whose token is in a header ([`TokenFrom::Header`](session_axum::TokenFrom)).
///
/// # Errors
/// When a connection cannot be accepted.
pub async fn serve(listener: TcpListener, sessions: Sessions) -> Result<(), tonic::transport::Error> {
    // A session that could not be written is an error of gRPC, too.
    let layer = SessionLayer::new(sessions).on_failure(|failure, _| status(failure.status()).into_http());
    let server = Server::builder().layer(layer).add_service(VisitsServer::new(Shop));
    server.serve_with_incoming(TcpIncoming::from(listener)).await
}

struct Shop;

#[tonic::async_trait]
impl Visits for Shop {
    async fn sign_in(&self, request: Request<User>) -> Result<Response<Done>, Status> {
        let session = session(request.extensions()).await?;
        // After verifying the password:
        let name = request.into_inner().name;
        session.tag(&name).map_err(refused)?;
        session.put("name", name).map_err(refused)?;
        Ok(Response::new(Done {}))
    }

    async fn count(&self, request: Request<Done>) -> Result<Response<Hits>, Status> {
        let session = session(request.extensions()).await?;
        session.increment("hits").map_err(refused)?;
        let hits = session.get_or("hits", 0).map_err(refused)?;
        Ok(Response::new(Hits { user: session.get("name").map_err(refused)?, hits }))
    }

    /// An error of gRPC is a response with the HTTP status 200, so what was changed before it is written.
    async fn refuse(&self, request: Request<Done>) -> Result<Response<Done>, Status> {
        session(request.extensions()).await?.increment("hits").map_err(refused)?;
        Err(Status::failed_precondition("not today"))
    }

    async fn sign_out(&self, request: Request<Done>) -> Result<Response<Done>, Status> {
        visit(request.extensions())?.destroy().await.map_err(refused)?;
        Ok(Response::new(Done {}))
    }
}

fn visit(extensions: &Extensions) -> Result<Visit, Status> {
    extensions.get::<Visit>().cloned().ok_or_else(|| refused(Rejection::NoLayer))
}

/// Its future owns the visit: a gRPC request cannot be borrowed while it waits.
fn session(extensions: &Extensions) -> impl Future<Output = Result<Session, Status>> + use<> {
    let visit = visit(extensions);
    async { visit?.session().await.map_err(refused) }
}

/// Every error of the library as a status; the reason goes to the log.
fn refused(error: impl Into<Rejection>) -> Status {
    status(error.into().response().status())
}

fn status(http: u16) -> Status {
    match http {
        401 => Status::unauthenticated("nobody is signed in"),
        503 => Status::unavailable("the session is not available"),
        _ => Status::internal("the session cannot be used"),
    }
}
