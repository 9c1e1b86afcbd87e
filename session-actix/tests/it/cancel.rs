//! Requests under actix-web, dropped at every await, and a server that stops while they write.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpServer, web};
use session_actix::stores::{FileStore, MemoryStore};
use session_actix::{Session, SessionMiddleware, Sessions, Visit};
use session_conformance::cancel::{Handler, Place, Responding, every_request_may_be_dropped_at_any_await};
use session_conformance::shutdown::a_shutdown_loses_no_commit;

#[actix_web::test]
async fn a_dropped_request_leaves_nothing_half_done_in_memory() {
    let place = || Place::Store(Arc::new(MemoryStore::new()));
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[actix_web::test]
async fn a_dropped_request_leaves_nothing_half_done_in_the_cookie() {
    let place = || Place::Cookie(Arc::new(MemoryStore::new()));
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[actix_web::test]
async fn a_dropped_request_leaves_nothing_half_done_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::builder(folder.path()).timeout(Duration::from_secs(60)).open().unwrap();
    let place = || Place::Store(Arc::new(store.clone()));
    every_request_may_be_dropped_at_any_await(place, serve).await;
}

#[actix_web::test]
async fn a_shutdown_loses_no_commit_under_actix() {
    a_shutdown_loses_no_commit(
        || Arc::new(MemoryStore::new()),
        async |listener, sessions, stopped| {
            let hits = async |session: Session| session.increment("hits").unwrap().to_string();
            let app = move || {
                App::new().wrap(SessionMiddleware::new(sessions.clone())).route("/", web::get().to(hits))
            };
            // A client that closes its side has gone; else actix runs the handler to its end.
            let server = HttpServer::new(app).h1_allow_half_closed(false).workers(1).disable_signals();
            let server = server.listen(listener.into_std().unwrap()).unwrap().run();
            let handle = server.handle();
            let stop = async {
                stopped.await;
                handle.stop(true).await;
            };
            let (ended, ()) = tokio::join!(server, stop);
            ended.unwrap();
        },
    )
    .await;
}

fn serve(sessions: Sessions, cookie: Option<String>, handler: Handler) -> Responding {
    Box::pin(async move {
        let route = web::get().to(move |visit: web::ReqData<Visit>| {
            let handling = handler(visit.into_inner());
            async move {
                handling.await;
                ""
            }
        });
        let app = App::new().wrap(SessionMiddleware::new(sessions)).route("/", route);
        let app = init_service(app).await;
        let mut request = TestRequest::get();
        if let Some(cookie) = cookie {
            request = request.insert_header(("cookie", cookie));
        }
        let response = app.call(request.to_request()).await.unwrap();
        assert_eq!(response.status(), 200);
        response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned())
    })
}
