//! Several sessions in one application under axum: the testkit's claims, on layers around nested and merged routers.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use session_axum::stores::MemoryStore;
use session_axum::{Session, SessionLayer, SessionRejection};
use session_conformance::adapter::Server;
use session_conformance::adapter::several::{Sites, act};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

async fn start(sites: Sites) -> Server {
    let deep = area().layer(SessionLayer::new(sites.deep));
    let admin = area().nest("/deep", deep).layer(SessionLayer::new(sites.admin));
    let shop = area().nest("/admin", admin).layer(SessionLayer::new(sites.shop));
    let api = Router::new().nest("/api", area()).layer(SessionLayer::new(sites.api));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its number");
    let (guard, over) = oneshot::channel::<()>();
    let serving = axum::serve(listener, shop.merge(api));
    tokio::spawn(async move {
        tokio::select! {
            _ = serving => {}
            _ = over => {}
        }
    });
    Server::new(address, guard).with_http2()
}

fn area() -> Router {
    Router::new()
        .route("/none", get("ok"))
        .route(
            "/theme",
            get(async |session: Session| ([(header::SET_COOKIE, "theme=dark")], answer(&session, "theme"))),
        )
        .route("/{route}", get(async |session: Session, Path(route): Path<String>| answer(&session, &route)))
}

fn answer(session: &Session, route: &str) -> Response {
    match act(session, route) {
        Ok(answer) => (StatusCode::OK, answer.body).into_response(),
        Err(error) => SessionRejection::from(error).into_response(),
    }
}

session_conformance::several_suite!(start, MemoryStore::default());
