//! Forms, redirects and CSRF protection under axum: the testkit's claims.

#![allow(clippy::unwrap_used, reason = "a test, where a panic is the report")]

use axum::body::Body;
use axum::extract::{Extension, RawQuery};
use axum::http::{Request, Response, StatusCode};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use session_axum::stores::MemoryStore;
use session_axum::{
    CsrfLayer, Input, InputLimit, InputRejection, Redirect, Redirects, Session, SessionLayer,
    SessionRejection,
};
use session_core::adapter::RedirectKind;
use session_testkit::web::{self, Count, Handlers, PLEASE, Setting, WebApp, is_signed};
use tower_service::Service;

struct App {
    router: Router,
    setting: Setting,
}

impl WebApp for App {
    async fn send(&self, request: Request<bytes::Bytes>) -> Response<bytes::Bytes> {
        let answer = self.router.clone().call(request.map(Body::from)).await;
        let (parts, body) = answer.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    fn setting(&self) -> &Setting {
        &self.setting
    }
}

type Answer<T> = Result<T, SessionRejection>;

async fn page(session: Session) -> Answer<Html<String>> {
    Ok(Html(web::page(&session)?))
}

async fn api(session: Session) -> Answer<impl IntoResponse> {
    Ok(([("content-type", "application/json")], web::page(&session)?))
}

async fn act(session: Session, Extension(handlers): Extension<Handlers>, _: Input) -> StatusCode {
    handlers.run(session.into_inner()).await;
    StatusCode::NO_CONTENT
}

async fn echo(input: Input) -> impl IntoResponse {
    Json(input.as_map().clone())
}

async fn count(input: Input) -> Result<String, InputRejection> {
    let Count { count } = input.to()?;
    Ok(count.to_string())
}

/// `Input` is read before the handler's body asks for the session.
async fn flash(
    visit: Extension<session_axum::Visit>,
    RawQuery(how): RawQuery,
    _: Input,
) -> Answer<StatusCode> {
    let session = visit.session().await?;
    web::flash(&session, &how.unwrap_or_default())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn flash_late(session: Session, RawQuery(how): RawQuery, _: Input) -> Answer<StatusCode> {
    web::flash(&session, &how.unwrap_or_default())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn to(redirects: Redirects, input: Input) -> Redirect {
    redirects.to(input.text("to").unwrap_or_default())
}

async fn back(redirects: Redirects, _: Input) -> Redirect {
    redirects.back("/fallback").with("status", "Saved").with_errors([("email", "is taken")]).with_input()
}

async fn intend(session: Session, input: Input) -> StatusCode {
    match session.urls().set_intended(input.text("to").unwrap_or_default()) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn intended(redirects: Redirects) -> Redirect {
    redirects.intended("/fallback").of_kind(RedirectKind::Found)
}

async fn login(session: Session) -> Answer<StatusCode> {
    session.regenerate()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn app(setting: Setting) -> App {
    let guarded = Router::new()
        .route("/guarded/echo", get("plain").post(echo).put(echo).patch(echo).delete(echo))
        .route("/guarded/raw", post(async |body: bytes::Bytes| body))
        .route("/guarded/hooks/x", post("plain"))
        .route("/guarded/signed", post("plain").put("plain"))
        .fallback(StatusCode::NOT_FOUND)
        .layer(CsrfLayer::new().exempt("/guarded/hooks").exempt_when(is_signed));
    let polite = Router::new()
        .route("/polite/echo", post("plain"))
        .layer(CsrfLayer::new().on_refused(|_| (StatusCode::FORBIDDEN, PLEASE).into_response()));
    let router = Router::new()
        .route("/page", get(page))
        .route("/other", get(page))
        .route("/api", get(api))
        .route("/plain", get(Html("plain")))
        .route("/do", post(act).layer(Extension(setting.handlers.clone())))
        .route("/echo", get(echo).post(echo))
        .route("/small", post(echo).layer(Extension(InputLimit(64))))
        .route("/count", post(count))
        .route("/flash", post(flash))
        .route("/flash-late", post(flash_late))
        .route("/to", post(to))
        .route("/back", post(back))
        .route("/intend", post(intend))
        .route("/intended", post(intended))
        .route("/login", post(login))
        .merge(guarded)
        .merge(polite)
        .layer(SessionLayer::new(setting.sessions.clone()).track_pages(true));
    App { router, setting }
}

session_testkit::web_claims!(app, MemoryStore::default());
