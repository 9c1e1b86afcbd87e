//! Forms, redirects and CSRF protection under hyper: the testkit's claims.

use std::convert::Infallible;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::{Service, service_fn};
use session_conformance::web::{self, Count, Handlers, PLEASE, Setting, TRUSTED, WebApp, is_signed};
use session_hyper::stores::MemoryStore;
use session_hyper::{
    CheckedBody, CsrfRules, CsrfService, Handle, Input, InputLimit, RedirectKind, RequestSession, Session,
    SessionError, SessionRejection, SessionService, UserSessionsError, redirects, respond, same_origin,
};

struct App(Setting);

impl WebApp for App {
    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let handlers = self.0.handlers.clone();
        let routes = service_fn(|request| {
            let answering = answer(request, handlers.clone());
            async { Ok::<_, Infallible>(answering.await) }
        });
        let request = request.map(Full::new);
        if let "/bare/optional" | "/misplaced" = request.uri().path() {
            let (parts, body) = answer(request, self.0.handlers.clone()).await.into_parts();
            return Response::from_parts(parts, body.collect().await.unwrap().to_bytes());
        }
        let service =
            SessionService::new(self.0.sessions.clone(), routes).track_pages(true).sign_in_page("/sign-in");
        let (parts, body) = service.call(request).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    fn setting(&self) -> &Setting {
        &self.0
    }
}

type Answer = Result<Response<Full<Bytes>>, SessionRejection>;

async fn answer(request: Request<Full<Bytes>>, handlers: Handlers) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let is_guarded = |start| path.starts_with(start);
    if ["/guarded/", "/polite/", "/strict/", "/socket", "/misplaced"].into_iter().any(is_guarded) {
        let is_polite = path.starts_with("/polite/");
        let is_strict = path.starts_with("/strict/") || path == "/socket";
        let routes = service_fn(|request| {
            let answering = Box::pin(guarded(request));
            async { Ok::<_, Infallible>(answering.await.unwrap_or_else(SessionRejection::into_response)) }
        });
        let guarded = CsrfService::new(routes);
        let guarded = if is_polite {
            guarded.on_refused(|_| with_status(StatusCode::FORBIDDEN, typed("text/plain", PLEASE.to_owned())))
        } else if is_strict {
            guarded.rules(
                CsrfRules::default().always_token().trust_forwarded_host().trust_origin(TRUSTED).unwrap(),
            )
        } else {
            guarded.exempt("/guarded/hooks").unwrap().exempt_when(is_signed)
        };
        return guarded.call(request).await.unwrap();
    }
    route(request, handlers).await.unwrap_or_else(SessionRejection::into_response)
}

async fn route(request: Request<Full<Bytes>>, handlers: Handlers) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    Ok(match (method, path.as_str()) {
        (Method::GET, "/page" | "/other") => page(&request, "text/html").await?,
        (Method::GET, "/api") => page(&request, "application/json").await?,
        (Method::GET, "/plain") => typed("text/html", "plain".to_owned()),
        (_, "/do") => {
            let session = request.session().await?;
            Input::read(request).await?;
            handlers.run(session).await;
            status(StatusCode::NO_CONTENT)
        }
        (_, "/echo") => echo(&Input::read(request).await?),
        (_, "/small") => echo(&Input::read_within(InputLimit::default().bytes(64), request).await?),
        (_, "/many") => echo(&Input::read_within(InputLimit::default().fields(1_500), request).await?),
        (_, "/count") => {
            let Count { count, .. } = Input::read(request).await?.to()?;
            typed("text/plain", count.to_string())
        }
        (_, "/flash") => {
            let visit = request.visit()?;
            Input::read(request).await?;
            let session = visit.session().await?;
            done(web::flash(&session, &query))?
        }
        (_, "/flash-late") => {
            let session = request.session().await?;
            Input::read(request).await?;
            done(web::flash(&session, &query))?
        }
        (_, "/to") => {
            let redirects = redirects(&request).await?;
            let input = Input::read(request).await?;
            respond(redirects.to(input.text("to").unwrap_or_default()))
        }
        (_, "/back") => {
            let redirects = redirects(&request).await?;
            Input::read(request).await?;
            let back = redirects.back("/fallback").with("status", "Saved");
            respond(back.with_errors([("email", "is taken")]).with_input())
        }
        (_, "/intend") => {
            let session = request.session().await?;
            let input = Input::read(request).await?;
            match session.urls().set_intended(input.text("to").unwrap_or_default()) {
                Ok(()) => status(StatusCode::NO_CONTENT),
                Err(_) => status(StatusCode::BAD_REQUEST),
            }
        }
        (_, "/intended") => {
            respond(redirects(&request).await?.intended("/fallback").of_kind(RedirectKind::Found))
        }
        (_, "/optional" | "/bare/optional") => whose(request.optional_session().await?.as_ref())?,
        (_, "/optional-read-only") => whose(request.optional_read_only_session().await?.as_ref())?,
        (_, "/account" | "/area/account") => typed("text/plain", request.signed_in().await?),
        (_, "/secret") => typed("text/plain", request.signed_in_within(Duration::from_secs(15 * 60)).await?),
        (_, "/order") => {
            let redirects = redirects(&request).await?;
            let Count { count, .. } = redirects.or_back(Input::read(request).await?.to(), "/order")?;
            typed("text/plain", count.to_string())
        }
        (_, "/fail") => match fail(request).await {
            Ok(status) => with_status(status, Response::default()),
            Err(PageError::Session(rejection)) => rejection.into_response(),
            Err(PageError::SoldOut) => status(StatusCode::GONE),
        },
        (_, "/sign-out") => {
            if query == "clear" {
                request.visit()?.clear_site_data();
            }
            request.sign_out().await?;
            respond(redirects(&request).await?.to("/page").with("more", "Soon"))
        }
        (_, "/farewell") => {
            request.sign_out_with("status", "Bye").await?;
            respond(redirects(&request).await?.to("/page").with("more", "Soon"))
        }
        (_, path) if path.starts_with("/device/") => device(path),
        (_, "/login") => done(request.session().await?.regenerate())?,
        _ => status(StatusCode::NOT_FOUND),
    })
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

async fn fail(request: Request<Full<Bytes>>) -> Result<StatusCode, PageError> {
    let session = request.session().await?;
    let redirects = redirects(&request).await?;
    let input = Input::read(request).await?;
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

fn whose(session: Option<&Session>) -> Answer {
    Ok(typed("text/plain", web::whose(session)?))
}

fn device(path: &str) -> Response<Full<Bytes>> {
    let handle: Result<Handle, session_hyper::error::NotHex> = path.trim_start_matches("/device/").parse();
    handle.map_or_else(|_| status(StatusCode::NOT_FOUND), |handle| typed("text/plain", handle.to_string()))
}

async fn guarded(request: Request<CheckedBody<Full<Bytes>>>) -> Answer {
    Ok(match (request.method(), request.uri().path()) {
        (_, "/socket") => {
            same_origin(&request)?;
            typed("text/plain", "plain".to_owned())
        }
        (&Method::GET, _)
        | (_, "/strict/echo")
        | (_, "/guarded/hooks/x" | "/guarded/signed" | "/polite/echo" | "/misplaced") => {
            typed("text/plain", "plain".to_owned())
        }
        (_, "/guarded/raw") => Response::new(Full::new(request.collect().await.unwrap().to_bytes())),
        _ => echo(&Input::read(request).await?),
    })
}

async fn page(request: &Request<Full<Bytes>>, content_type: &str) -> Answer {
    let session = request.session().await?;
    Ok(typed(content_type, web::page(&session)?))
}

fn echo(input: &Input) -> Response<Full<Bytes>> {
    typed("application/json", serde_json::to_string(input.as_map()).unwrap())
}

fn done(result: Result<(), SessionError>) -> Answer {
    result?;
    Ok(status(StatusCode::NO_CONTENT))
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    with_status(status, Response::default())
}

fn with_status(status: StatusCode, mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    *response.status_mut() = status;
    response
}

fn typed(content_type: &str, body: String) -> Response<Full<Bytes>> {
    Response::builder().header("content-type", content_type).body(Full::from(body)).unwrap()
}

async fn app(setting: Setting) -> App {
    App(setting)
}

session_conformance::adapter_exports!(session_hyper);
session_conformance::web_claims!(app, MemoryStore::default());
