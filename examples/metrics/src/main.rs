//! A page that counts its visits, and `/metrics` with the metrics of sessions for Prometheus.

use std::error::Error;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use opentelemetry::trace::noop::NoopTracerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use session_axum::stores::MemoryStore;
use session_axum::{
    Cookie, SecretKey, Session, SessionLayer, SessionRejection, Sessions, SessionsBuilder, SignOut,
};
use session_opentelemetry::Telemetry;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = app(Sessions::builder().key(SecretKey::generate()?))?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn app(sessions: SessionsBuilder) -> Result<Router, Box<dyn Error>> {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let meters = SdkMeterProvider::builder().with_reader(exporter).build();
    // Metrics alone. For spans, pass the provider that has the exporter of your traces.
    let telemetry = Telemetry::new(&NoopTracerProvider::new(), &meters);
    let sessions = sessions.store(MemoryStore::default()).cookie(Cookie::insecure_http("sid"));
    let sessions = telemetry.instrument(sessions).build()?;
    // The provider moves into the handler: it exports for as long as it lives.
    let export = get(async move || export(&registry, &meters));
    Ok(Router::new()
        .route("/", get(visits))
        .route("/sign-out", post(sign_out))
        .layer(SessionLayer::new(sessions))
        .route("/metrics", export))
}

fn export(registry: &Registry, _: &SdkMeterProvider) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            eprintln!("the metrics cannot be exported: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
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
        for (name, label, value) in [
            ("web_session_created_total", "", "1"),
            ("web_session_committed_total", "", "1"),
            ("web_session_ended_total", "web_session_reason=\"destroyed\"", "1"),
            ("web_session_opened_total", "web_session_fresh=\"true\"", "1"),
            ("web_session_opened_total", "web_session_fresh=\"false\"", "1"),
            ("web_session_cookie_rejected_total", "web_session_reason=\"length\"", "1"),
            ("db_client_operation_duration_seconds_count", "db_operation_name=\"session.load\"", "1"),
        ] {
            let mut lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
            let line = lines.next().unwrap_or_else(|| panic!("{name} {label} is not in\n{metrics}"));
            assert_eq!(line.rsplit(' ').next(), Some(value), "{line}");
        }
        assert!(!metrics.contains(&cookie[4..20]) && !metrics.contains("forged"));
    }
}
