//! Forms, redirects and CSRF protection under actix-web: the testkit's claims.

use std::str::FromStr;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{
    App, FromRequest as _, HttpRequest, HttpResponse, Responder, ResponseError, test, web as http,
};
use bytes::Bytes;
use session_actix::stores::MemoryStore;
use session_actix::{
    Csrf, CsrfRules, Handle, Input, InputLimit, ReadOnlySession, Recent, Redirect, RedirectKind, Redirects,
    SameOrigin, Session, SessionMiddleware, SessionRejection, SignOut, SignedIn, UserSessionsError, Visit,
};
use session_conformance::web::{self, Count, Handlers, PLEASE, Setting, TRUSTED, WebApp, is_signed};

struct Application<S> {
    service: S,
    setting: Setting,
}

impl<S, B> WebApp for Application<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    async fn send(&self, request: ::http::Request<Bytes>) -> ::http::Response<Bytes> {
        let (parts, body) = request.into_parts();
        let method = Method::from_str(parts.method.as_str()).unwrap();
        let mut request =
            test::TestRequest::with_uri(&parts.uri.to_string()).method(method).set_payload(body);
        for (name, value) in &parts.headers {
            let name = HeaderName::from_str(name.as_str()).unwrap();
            request = request.insert_header((name, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        }
        let answer = self.service.call(request.to_request()).await.unwrap();
        let mut response = ::http::Response::builder().status(answer.status().as_u16());
        for (name, value) in answer.headers() {
            response = response.header(name.as_str(), value.as_bytes());
        }
        response.body(test::read_body(answer).await).unwrap()
    }

    fn setting(&self) -> &Setting {
        &self.setting
    }
}

type Answer<T> = Result<T, SessionRejection>;

async fn page(session: Session) -> Answer<HttpResponse> {
    Ok(HttpResponse::Ok().content_type("text/html").body(web::page(&session)?))
}

async fn api(session: Session) -> Answer<HttpResponse> {
    Ok(HttpResponse::Ok().content_type("application/json").body(web::page(&session)?))
}

/// Session first, form second, as under the other frameworks: as extractors, they would be asked at once.
async fn act(
    session: Session,
    handlers: http::Data<Handlers>,
    request: HttpRequest,
    body: http::Payload,
) -> Answer<HttpResponse> {
    Input::from_request(&request, &mut body.into_inner()).await?;
    handlers.run(session.into_inner()).await;
    Ok(HttpResponse::NoContent().finish())
}

async fn echo(input: Input) -> impl Responder {
    HttpResponse::Ok().body(serde_json::to_string(input.as_map()).unwrap())
}

async fn count(input: Input) -> Answer<String> {
    let Count { count, .. } = input.to()?;
    Ok(count.to_string())
}

/// `Input` is read before the handler's body asks for the session.
async fn flash(visit: http::ReqData<Visit>, request: HttpRequest, _: Input) -> Answer<HttpResponse> {
    let session = visit.session().await?;
    web::flash(&session, request.query_string())?;
    Ok(HttpResponse::NoContent().finish())
}

async fn flash_late(session: Session, request: HttpRequest, _: Input) -> Answer<HttpResponse> {
    web::flash(&session, request.query_string())?;
    Ok(HttpResponse::NoContent().finish())
}

async fn to(redirects: Redirects, input: Input) -> Redirect {
    redirects.to(input.text("to").unwrap_or_default())
}

async fn back(redirects: Redirects, _: Input) -> Redirect {
    redirects.back("/fallback").with("status", "Saved").with_errors([("email", "is taken")]).with_input()
}

async fn intend(session: Session, input: Input) -> HttpResponse {
    HttpResponse::new(match session.urls().set_intended(input.text("to").unwrap_or_default()) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::BAD_REQUEST,
    })
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

impl std::fmt::Display for PageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(rejection) => rejection.fmt(f),
            Self::SoldOut => f.write_str("sold out"),
        }
    }
}

impl ResponseError for PageError {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Session(rejection) => rejection.error_response(),
            Self::SoldOut => HttpResponse::Gone().finish(),
        }
    }
}

async fn fail(session: Session, redirects: Redirects, input: Input) -> Result<HttpResponse, PageError> {
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
    Ok(HttpResponse::NoContent().finish())
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

async fn device(handle: http::Path<Handle>) -> String {
    handle.to_string()
}

async fn socket(_: SameOrigin) -> &'static str {
    "plain"
}

async fn sign_out(sign_out: SignOut, redirects: Redirects, request: HttpRequest) -> Answer<Redirect> {
    let sign_out = if request.query_string() == "clear" { sign_out.clear_site_data() } else { sign_out };
    sign_out.now().await?;
    Ok(redirects.to("/page").with("more", "Soon"))
}

async fn farewell(sign_out: SignOut, redirects: Redirects) -> Answer<Redirect> {
    sign_out.with("status", "Bye").await?;
    Ok(redirects.to("/page").with("more", "Soon"))
}

async fn login(session: Session) -> Answer<HttpResponse> {
    session.regenerate()?;
    Ok(HttpResponse::NoContent().finish())
}

async fn plain() -> &'static str {
    "plain"
}

async fn raw(body: http::Bytes) -> http::Bytes {
    body
}

async fn app(setting: Setting) -> impl WebApp {
    let guarded = http::scope("/guarded")
        .wrap(Csrf::new().exempt("/guarded/hooks").unwrap().exempt_when(is_signed))
        .service(http::resource("/echo").route(http::get().to(plain)).route(http::route().to(echo)))
        .app_data(http::PayloadConfig::new(2 * 1024 * 1024))
        .route("/raw", http::post().to(raw))
        .route("/signed", http::route().to(plain))
        .route("/hooks/x", http::post().to(plain));
    let strict = CsrfRules::default().always_token().trust_forwarded_host().trust_origin(TRUSTED).unwrap();
    let strict =
        http::scope("/strict").wrap(Csrf::new().rules(strict)).route("/echo", http::post().to(plain));
    let sockets = CsrfRules::default().trust_forwarded_host().trust_origin(TRUSTED).unwrap();
    let sockets = http::resource("/socket").wrap(Csrf::new().rules(sockets)).route(http::get().to(socket));
    let polite = http::scope("/polite")
        .wrap(Csrf::new().on_refused(|_| HttpResponse::Forbidden().body(PLEASE)))
        .route("/echo", http::post().to(plain));
    let routes = http::scope("")
        .wrap(SessionMiddleware::new(setting.sessions.clone()).track_pages(true).sign_in_page("/sign-in"))
        .route("/page", http::get().to(page))
        .route("/page", http::head().to(page))
        .route("/other", http::get().to(page))
        .route("/api", http::get().to(api))
        .route("/plain", http::get().to(plain))
        .service(
            http::resource("/do")
                .app_data(http::Data::new(setting.handlers.clone()))
                .route(http::post().to(act)),
        )
        .route("/echo", http::get().to(echo))
        .route("/echo", http::post().to(echo))
        .service(
            http::resource("/small").app_data(InputLimit::default().bytes(64)).route(http::post().to(echo)),
        )
        .service(
            http::resource("/many")
                .app_data(InputLimit::default().fields(1_500))
                .route(http::post().to(echo)),
        )
        .route("/count", http::post().to(count))
        .route("/flash", http::post().to(flash))
        .route("/flash-late", http::post().to(flash_late))
        .route("/to", http::post().to(to))
        .route("/back", http::post().to(back))
        .route("/intend", http::post().to(intend))
        .route("/intended", http::post().to(intended))
        .route("/login", http::post().to(login))
        .route("/optional", http::get().to(optional))
        .route("/optional-read-only", http::get().to(optional_read_only))
        .route("/device/{handle}", http::get().to(device))
        .route("/account", http::get().to(account))
        .route("/account", http::head().to(account))
        .route("/account", http::post().to(account))
        .service(http::scope("/area").route("/account", http::get().to(account)))
        .route("/secret", http::get().to(secret))
        .route("/secret", http::head().to(secret))
        .route("/order", http::post().to(order))
        .route("/fail", http::post().to(fail))
        .route("/sign-out", http::post().to(sign_out))
        .route("/farewell", http::post().to(farewell))
        .service(guarded)
        .service(polite)
        .service(strict)
        .service(sockets);
    let misplaced = http::resource("/misplaced").wrap(Csrf::new()).route(http::post().to(plain));
    let app = App::new().route("/bare/optional", http::get().to(optional)).service(misplaced).service(routes);
    Application { service: test::init_service(app).await, setting }
}

session_conformance::adapter_exports!(session_actix);
session_conformance::web_claims!(app, MemoryStore::default());
