//! Forms, redirects and CSRF protection under axum: the testkit's claims.

use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery};
use axum::http::{Request, Response, StatusCode};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use session_axum::stores::MemoryStore;
use session_axum::{
    CsrfLayer, CsrfRules, Handle, Input, InputLimit, ReadOnlySession, Recent, Redirect, RedirectKind,
    Redirects, SameOrigin, Session, SessionLayer, SessionRejection, SignOut, SignedIn, UserSessionsError,
};
use session_conformance::web::{self, Count, Handlers, PLEASE, Setting, TRUSTED, WebApp, is_signed};
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

async fn count(input: Input) -> Answer<String> {
    let Count { count, .. } = input.to()?;
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

/// An application's own error type: one `From` takes every error of the library.
#[derive(Debug)]
enum PageError {
    Session(SessionRejection),
    SoldOut,
}

impl<E: Into<SessionRejection>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Session(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::Session(rejection) => rejection.into_response(),
            Self::SoldOut => StatusCode::GONE.into_response(),
        }
    }
}

async fn fail(session: Session, redirects: Redirects, input: Input) -> Result<StatusCode, PageError> {
    match input.text("how").unwrap_or_default() {
        "a value of another type" => session.get::<u32>("user").map(drop)?,
        "a value of another type, in a copy" => session.all().to::<Vec<u8>>().map(drop)?,
        "a commit" => {
            session.put("a", 1)?;
            session.commit().await?;
        }
        "devices" => session.sessions().of("ada").list().await.map(drop)?,
        "too many sessions" => Err(UserSessionsError::TooMany { most: 1 })?,
        "a form that does not fit" => input.to::<Count>().map(drop)?,
        "a redirect" => return Err(redirects.to("/sign-in").into()),
        "sold out" => return Err(PageError::SoldOut),
        _ => {}
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn order(redirects: Redirects, input: Input) -> Answer<String> {
    let Count { count, .. } = redirects.or_back(input.to(), "/order")?;
    Ok(count.to_string())
}

async fn optional(session: Option<Session>) -> Answer<String> {
    Ok(web::whose(session.as_deref())?)
}

async fn optional_read_only(session: Option<ReadOnlySession>) -> Answer<String> {
    Ok(web::whose(session.as_deref())?)
}

async fn account(user: SignedIn) -> String {
    user.into_name()
}

async fn secret(user: Recent<15>) -> String {
    user.into_name()
}

async fn device(Path(handle): Path<Handle>) -> String {
    handle.to_string()
}

async fn socket(_: SameOrigin) -> &'static str {
    "plain"
}

async fn sign_out(sign_out: SignOut, redirects: Redirects, RawQuery(how): RawQuery) -> Answer<Redirect> {
    let sign_out = if how.as_deref() == Some("clear") { sign_out.clear_site_data() } else { sign_out };
    sign_out.now().await?;
    Ok(redirects.to("/page").with("more", "Soon"))
}

async fn farewell(sign_out: SignOut, redirects: Redirects) -> Answer<Redirect> {
    sign_out.with("status", "Bye").await?;
    Ok(redirects.to("/page").with("more", "Soon"))
}

async fn login(session: Session) -> Answer<StatusCode> {
    session.regenerate()?;
    Ok(StatusCode::NO_CONTENT)
}

fn routes(setting: &Setting) -> Router {
    let guarded = Router::new()
        .route("/guarded/echo", get("plain").post(echo).put(echo).patch(echo).delete(echo))
        .route("/guarded/raw", post(async |body: bytes::Bytes| body))
        .route("/guarded/hooks/x", post("plain"))
        .route("/guarded/signed", post("plain").put("plain"))
        .fallback(StatusCode::NOT_FOUND)
        .layer(CsrfLayer::new().exempt("/guarded/hooks").unwrap().exempt_when(is_signed));
    let strict = CsrfRules::default().always_token().trust_forwarded_host().trust_origin(TRUSTED).unwrap();
    let strict = Router::new()
        .route("/strict/echo", post("plain"))
        .route("/socket", get(socket))
        .layer(CsrfLayer::new().rules(strict));
    let polite = Router::new()
        .route("/polite/echo", post("plain"))
        .layer(CsrfLayer::new().on_refused(|_| (StatusCode::FORBIDDEN, PLEASE).into_response()));
    Router::new()
        .route("/page", get(page))
        .route("/other", get(page))
        .route("/api", get(api))
        .route("/plain", get(Html("plain")))
        .route("/do", post(act).layer(Extension(setting.handlers.clone())))
        .route("/echo", get(echo).post(echo))
        .route("/small", post(echo).layer(Extension(InputLimit::default().bytes(64))))
        .route("/many", post(echo).layer(Extension(InputLimit::default().fields(1_500))))
        .route("/count", post(count))
        .route("/flash", post(flash))
        .route("/flash-late", post(flash_late))
        .route("/to", post(to))
        .route("/back", post(back))
        .route("/intend", post(intend))
        .route("/intended", post(intended))
        .route("/login", post(login))
        .route("/optional", get(optional))
        .route("/optional-read-only", get(optional_read_only))
        .route("/device/{handle}", get(device))
        .route("/account", get(account).post(account))
        .nest("/area", Router::new().route("/account", get(account)))
        .route("/secret", get(secret))
        .route("/order", post(order))
        .route("/fail", post(fail))
        .route("/sign-out", post(sign_out))
        .route("/farewell", post(farewell))
        .merge(guarded)
        .merge(polite)
        .merge(strict)
}

/// What no session layer stands around.
fn bare(router: Router) -> Router {
    router.route("/bare/optional", get(optional)).route("/misplaced", post("plain").layer(CsrfLayer::new()))
}

fn sessions(setting: &Setting) -> SessionLayer {
    SessionLayer::new(setting.sessions.clone()).track_pages(true).sign_in_page("/sign-in")
}

async fn app(setting: Setting) -> App {
    App { router: bare(routes(&setting).layer(sessions(&setting))), setting }
}

session_conformance::adapter_exports!(session_axum);
session_conformance::web_claims!(app, MemoryStore::default());

/// Every claim holds with other middleware inside of the session layer, outside of it, and in either form of stacking.
mod other_layers {
    use std::time::Duration;

    use axum::http::StatusCode;
    use session_axum::stores::MemoryStore;
    use session_conformance::web::Setting;
    use tower::ServiceBuilder;
    use tower_http::compression::CompressionLayer;
    use tower_http::limit::RequestBodyLimitLayer;
    use tower_http::timeout::TimeoutLayer;
    use tower_http::trace::TraceLayer;

    use super::{App, bare, routes, sessions};

    fn timeout() -> TimeoutLayer {
        TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(30))
    }

    fn limit() -> RequestBodyLimitLayer {
        RequestBodyLimitLayer::new(4 * 1024 * 1024)
    }

    async fn outermost(setting: Setting) -> App {
        let layers = ServiceBuilder::new()
            .layer(sessions(&setting))
            .layer(limit())
            .layer(TraceLayer::new_for_http())
            .layer(CompressionLayer::new())
            .layer(timeout());
        App { router: bare(routes(&setting).layer(layers)), setting }
    }

    async fn innermost(setting: Setting) -> App {
        let layers = ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(CompressionLayer::new())
            .layer(limit())
            .layer(timeout())
            .layer(sessions(&setting));
        App { router: bare(routes(&setting).layer(layers)), setting }
    }

    async fn one_by_one(setting: Setting) -> App {
        let router = routes(&setting)
            .layer(timeout())
            .layer(sessions(&setting))
            .layer(TraceLayer::new_for_http())
            .layer(CompressionLayer::new());
        App { router: bare(router), setting }
    }

    mod session_layer_outermost {
        session_conformance::web_claims!(super::outermost, super::MemoryStore::default());
    }

    mod session_layer_innermost {
        session_conformance::web_claims!(super::innermost, super::MemoryStore::default());
    }

    mod on_the_router {
        session_conformance::web_claims!(super::one_by_one, super::MemoryStore::default());
    }
}
