//! Sessions for Rocket: a fairing, guards, and the error of handlers.
//!
//! Rocket calls a fairing before a handler and after it: no future can be wrapped around the handler, so the guard of the visit
//! waits in the request's local cache. The second hook runs after error catchers, on their response.
//!
//! What Rocket 0.5 does not let an adapter do:
//! - A header with bytes that are not UTF-8 is dropped, and with it the session's cookie in the same line.
//! - A fairing cannot answer a request. The endpoints of sessions bound to devices are not served, and with `eager` the handler
//!   runs even if the session could not be opened; its response is replaced then.
//! - A panic is a 500 like every other: what was ordered (`regenerate`, `destroy`) happens, and its cookie is sent.
//! - A handler whose client is gone runs to its end, and its session is written.

use std::sync::{Mutex, PoisonError};

use rocket::data::{self, ByteUnit, Data, FromData};
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Status;
use rocket::request::{self, FromRequest, Request};
use rocket::response::{self, Responder, Response};
use rocket::{async_trait, outcome};
use session_core::Sessions;
use session_core::adapter::{
    self, BareResponse, BoxFuture, Closing, Failure, Middleware, RequestHead, VisitGuard,
};
use session_web::{Form, InputLimit, Rejection, find_visit, find_visit_for_input};
use tokio_util::io::ReaderStream;

/// Adds sessions to all requests: `rocket::build().attach(SessionFairing::new(sessions))`.
pub struct SessionFairing {
    middleware: Middleware<()>,
    outside: &'static [&'static str],
}

impl SessionFairing {
    /// A fairing with these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self { middleware: Middleware::new(sessions, &BACKGROUND, |_, _| ()), outside: &[] }
    }

    /// Leaves out the requests for these paths: a fairing is around all routes.
    pub fn outside(self, paths: &'static [&'static str]) -> Self {
        Self { outside: paths, ..self }
    }
}

/// What the two hooks and the guards of one request share.
#[derive(Default)]
struct Kept {
    visit: Option<adapter::Visit>,
    guard: Mutex<Option<VisitGuard>>,
    refused: Option<Failure>,
}

#[async_trait]
impl Fairing for SessionFairing {
    fn info(&self) -> Info {
        Info { name: "sessions", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if self.outside.contains(&request.uri().path().as_str()) {
            return;
        }
        let url = request.uri().to_string();
        let guard = self.middleware.begin(request.headers().get("cookie"), &head(request, &url)).into_guard();
        let visit = guard.visit().clone();
        let refused = match visit.is_eager() {
            true => visit.session().await.err().map(|error| error.failure()),
            false => None,
        };
        request.local_cache(|| Kept { visit: Some(visit), guard: Mutex::new(Some(guard)), refused });
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let kept = request.local_cache(Kept::default);
        let guard = kept.guard.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(guard) = guard else { return };
        let report = match guard.close(response.status().code) {
            Closing::Ready(report) => report,
            Closing::Pending(writing) => writing.await,
        };
        if let Some(failure) = report.failure().or(kept.refused) {
            // The whole response: the handler's says that something was saved.
            *response = bare(failure.into());
        }
        let headers = response.headers();
        let changes = report.headers(|name| headers.get(name).map(str::as_bytes));
        for change in changes.into_iter().flatten() {
            let (name, value) = (change.name(), change.value().to_owned());
            match change.replaces() {
                true => drop(response.set_raw_header(name, value)),
                false => response.adjoin_raw_header(name, value),
            }
        }
    }
}

/// The visitor's session.
pub struct Session(pub session_core::Session);

#[async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionRejection> {
        let session = async { Ok(Self(find_visit(visit_of(request))?.session().await?)) };
        outcome(session.await)
    }
}

/// The visit of the request: for `read_only`, `destroy`, and to open the session later.
pub struct Visit(pub adapter::Visit);

#[async_trait]
impl<'r> FromRequest<'r> for Visit {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionRejection> {
        outcome(find_visit(visit_of(request)).map(Self).map_err(SessionRejection))
    }
}

/// The form of the request, which the session keeps for `old` and `flash_all`.
pub struct Input(pub Form);

#[async_trait]
impl<'r> FromData<'r> for Input {
    type Error = SessionRejection;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let url = request.uri().to_string();
        // `of_request` has a limit, and reads no further.
        let chunks = ReaderStream::new(data.open(ByteUnit::max_value()));
        let form = async {
            let visit = find_visit_for_input(visit_of(request))?;
            Ok(Self(Form::of_request(visit, &head(request, &url), InputLimit::default(), chunks).await?))
        };
        outcome(form.await)
    }
}

/// The error of a handler, and of the guards: a catcher makes the response of those. `?` converts every error of the library.
#[derive(Debug)]
pub struct SessionRejection(pub Rejection);

impl<E: Into<Rejection>> From<E> for SessionRejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<'r> Responder<'r, 'static> for SessionRejection {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(bare(self.0.response()))
    }
}

fn outcome<T, F>(result: Result<T, SessionRejection>) -> outcome::Outcome<T, (Status, SessionRejection), F> {
    match result {
        Ok(value) => outcome::Outcome::Success(value),
        Err(error) => outcome::Outcome::Error((Status::new(error.0.response().status()), error)),
    }
}

fn visit_of<'r>(request: &'r Request<'_>) -> Option<&'r adapter::Visit> {
    request.local_cache(Kept::default).visit.as_ref()
}

fn head<'r>(
    request: &'r Request<'_>,
    url: &'r str,
) -> RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>> {
    let header = |name| request.headers().get_one(name).map(str::as_bytes);
    RequestHead { method: request.method().as_str(), url, authority: None, header }
}

fn bare(answer: BareResponse) -> Response<'static> {
    let mut response = Response::build().status(Status::new(answer.status())).finalize();
    if let Some((name, value)) = answer.header() {
        response.set_raw_header(name, value.to_owned());
    }
    response
}

static BACKGROUND: fn(BoxFuture<()>) = |future| {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
    }
};
