//! The shop on axum: two layers, two extractors, two static files. All the rest is the same under any framework.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use session_axum::{CsrfLayer, Input, Redirects, SessionLayer};
use tokio::net::TcpListener;

use crate::ask::Ask;
use crate::shop::{Answer, SECURITY, Shop, asset};

pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    axum::serve(listener, router(shop)).await
}

/// The routes, with sessions around them. The static files never ask for one, so they cost none.
fn router(shop: Arc<Shop>) -> Router {
    let (sessions, refuse) = (shop.sessions.clone(), shop.clone());
    Router::new()
        .route("/style.css", get(file))
        .route("/favicon.svg", get(file))
        .fallback(page)
        .with_state(shop)
        .layer(CsrfLayer::new().on_refused(move |refusal| respond(refuse.refuse(refusal))))
        .layer(SessionLayer::new(sessions))
}

async fn page(
    State(shop): State<Arc<Shop>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    redirects: Redirects,
    input: Input,
) -> Response {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let ask = Ask::new(redirects.into_inner(), input.into_form(), agent);
    respond(shop.answer(method.as_str(), uri.path(), &ask).await)
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
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, SECURITY, axum::response::Html(answer.html)).into_response();
    if let Some(Ok(location)) = answer.location.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
