//! The shop on axum: a layer, an extractor, two static files. All the rest is the same under any framework.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use session_axum::{Session, SessionLayer};
use session_core::{Clock, SystemClock};
use tokio::net::TcpListener;

use crate::ask::Ask;
use crate::shop::{Answer, SECURITY, Shop, asset};

pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    axum::serve(listener, router(shop)).await
}

/// The routes, with sessions around them. The static files never ask for one, so they cost none.
fn router(shop: Arc<Shop>) -> Router {
    let sessions = shop.sessions.clone();
    Router::new()
        .route("/style.css", get(file))
        .route("/favicon.svg", get(file))
        .fallback(page)
        .with_state(shop)
        .layer(SessionLayer::new(sessions))
}

async fn page(
    State(shop): State<Arc<Shop>>,
    session: Session,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    match Ask::new(method.as_str(), uri.path(), header, body, SystemClock.now()).await {
        Ok(ask) => respond(shop.answer(&session, &ask).await),
        Err(problem) => status(problem.status()).into_response(),
    }
}

async fn file(uri: Uri) -> Response {
    match asset(uri.path()) {
        Some((kind, content)) => {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=60")], content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn respond(answer: Answer) -> Response {
    let mut response = (status(answer.status), answer.html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(location) = answer.location
        && let Ok(location) = HeaderValue::from_str(&location)
    {
        headers.insert(header::LOCATION, location);
    }
    response
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
