//! Requests under hyper, dropped at every await.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use hyper::service::{Service as _, service_fn};
use session_hyper::stores::MemoryStore;
use session_hyper::{RequestSession as _, SessionService};
use session_testkit::cancel::every_request_may_be_dropped_at_any_await;

#[tokio::test]
async fn a_dropped_request_leaves_nothing_half_done() {
    every_request_may_be_dropped_at_any_await(
        || Arc::new(MemoryStore::new()),
        |sessions, cookie, handler| {
            let inner = service_fn(move |request: Request<String>| {
                let handler = handler.clone();
                async move {
                    handler(request.session().await.unwrap()).await;
                    Ok::<_, Infallible>(Response::new(String::new()))
                }
            });
            let service = SessionService::new(sessions, inner);
            let mut request = Request::new(String::new());
            if let Some(cookie) = cookie {
                request.headers_mut().insert("cookie", HeaderValue::from_str(&cookie).unwrap());
            }
            Box::pin(async move {
                let response = service.call(request).await.unwrap();
                assert_eq!(response.status(), 200);
                response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned())
            })
        },
    )
    .await;
}
