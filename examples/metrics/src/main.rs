//! A page that counts its visits, and `/metrics` with counters of session events.

mod metrics;

use std::error::Error;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use session_axum::stores::MemoryStore;
use session_axum::{Cookie, SecretKey, Session, SessionLayer, SessionRejection, Sessions, SignOut};

use metrics::Metrics;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = app(Sessions::builder().key(SecretKey::generate()?))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn app(sessions: session_axum::SessionsBuilder) -> Result<Router, Box<dyn Error>> {
    let metrics = Metrics::default();
    let sessions = sessions
        .store(MemoryStore::default())
        .cookie(Cookie::insecure_http("sid"))
        .observer(metrics.clone())
        .build()?;
    let export = get(async move || ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.to_text()));
    Ok(Router::new()
        .route("/", get(visits))
        .route("/sign-out", post(sign_out))
        .layer(SessionLayer::new(sessions))
        .route("/metrics", export))
}

async fn visits(session: Session) -> Result<String, SessionRejection> {
    Ok(format!("visit {}\n", session.increment("visits")?))
}

async fn sign_out(sign_out: SignOut) -> Result<&'static str, SessionRejection> {
    sign_out.now().await?;
    Ok("bye\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, Response};
    use http_body_util::BodyExt;
    use tower_service::Service;

    async fn send(app: &Router, method: &str, path: &str, cookie: &str) -> Response<Body> {
        let request = Request::builder().method(method).uri(path).header("cookie", cookie);
        app.clone().call(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn features_8_events_are_counted_and_say_nothing_about_anybody() {
        let app = app(Sessions::builder().key(SecretKey::generate().unwrap())).unwrap();
        let first = send(&app, "GET", "/", "sid=forged").await;
        let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        send(&app, "GET", "/", &cookie).await;
        send(&app, "POST", "/sign-out", &cookie).await;
        let metrics = send(&app, "GET", "/metrics", "").await.into_body().collect().await.unwrap().to_bytes();
        let metrics = std::str::from_utf8(&metrics).unwrap();
        for line in [
            "session_events_total{event=\"created\"} 1",
            "session_events_total{event=\"committed\"} 1",
            "session_events_total{event=\"destroyed\"} 1",
            "session_events_total{event=\"initiated\"} 2",
            "session_rejected_cookies_total{reason=",
        ] {
            assert!(metrics.contains(line), "{line} is not in\n{metrics}");
        }
        assert!(!metrics.contains(&cookie[4..20]) && !metrics.contains("forged"));
    }
}
