//! Requests under actix-web, dropped at every await.

use std::sync::Arc;

use actix_web::dev::Service as _;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use session_actix::stores::MemoryStore;
use session_actix::{Session, SessionMiddleware};
use session_testkit::cancel::every_request_may_be_dropped_at_any_await;

#[actix_web::test]
async fn a_dropped_request_leaves_nothing_half_done() {
    every_request_may_be_dropped_at_any_await(
        || Arc::new(MemoryStore::new()),
        |sessions, cookie, handler| {
            Box::pin(async move {
                let route = web::get().to(move |session: Session| {
                    let handling = handler(session.into_inner());
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
        },
    )
    .await;
}
