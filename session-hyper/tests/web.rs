//! Forms, redirects and CSRF protection under hyper: the testkit's claims.

#![allow(clippy::unwrap_used, reason = "a test, where a panic is the report")]

use std::convert::Infallible;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::{Service, service_fn};
use session_hyper::stores::MemoryStore;
use session_hyper::{
    CheckedBody, CsrfService, Input, InputRejection, RedirectKind, RequestSession, SessionError,
    SessionRejection, SessionService, redirects, respond,
};
use session_testkit::web::{self, Count, Handlers, PLEASE, Setting, WebApp, is_signed};

struct App(Setting);

impl WebApp for App {
    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let handlers = self.0.handlers.clone();
        let routes = service_fn(|request| {
            let answering = answer(request, handlers.clone());
            async { Ok::<_, Infallible>(answering.await) }
        });
        let service = SessionService::new(self.0.sessions.clone(), routes).track_pages(true);
        let (parts, body) = service.call(request.map(Full::new)).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    fn setting(&self) -> &Setting {
        &self.0
    }
}

type Answer = Result<Response<Full<Bytes>>, InputRejection>;

async fn answer(request: Request<Full<Bytes>>, handlers: Handlers) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if path.starts_with("/guarded/") || path.starts_with("/polite/") {
        let is_polite = path.starts_with("/polite/");
        let routes = service_fn(|request| {
            let answering = Box::pin(guarded(request));
            async { Ok::<_, Infallible>(answering.await.unwrap_or_else(InputRejection::into_response)) }
        });
        let guarded = CsrfService::new(routes);
        let guarded = if is_polite {
            guarded.on_refused(|_| with_status(StatusCode::FORBIDDEN, typed("text/plain", PLEASE.to_owned())))
        } else {
            guarded.exempt("/guarded/hooks").exempt_when(is_signed)
        };
        return guarded.call(request).await.unwrap();
    }
    route(request, handlers).await.unwrap_or_else(InputRejection::into_response)
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
        (_, "/small") => echo(&Input::read_up_to(64, request).await?),
        (_, "/count") => {
            let Count { count } = Input::read(request).await?.to()?;
            typed("text/plain", count.to_string())
        }
        (_, "/flash") => {
            let visit = request.visit()?;
            Input::read(request).await?;
            let session = visit.session().await.map_err(SessionRejection::from)?;
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
        (_, "/login") => done(request.session().await?.regenerate())?,
        _ => status(StatusCode::NOT_FOUND),
    })
}

async fn guarded(request: Request<CheckedBody<Full<Bytes>>>) -> Answer {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, _) | (_, "/guarded/hooks/x" | "/guarded/signed" | "/polite/echo") => {
            typed("text/plain", "plain".to_owned())
        }
        (_, "/guarded/raw") => Response::new(Full::new(request.collect().await.unwrap().to_bytes())),
        _ => echo(&Input::read(request).await?),
    })
}

async fn page(request: &Request<Full<Bytes>>, content_type: &str) -> Answer {
    let session = request.session().await?;
    Ok(typed(content_type, web::page(&session).map_err(SessionRejection::from)?))
}

fn echo(input: &Input) -> Response<Full<Bytes>> {
    typed("application/json", serde_json::to_string(input.as_map()).unwrap())
}

fn done(result: Result<(), SessionError>) -> Answer {
    result.map_err(SessionRejection::from)?;
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

session_testkit::web_claims!(app, MemoryStore::default());
