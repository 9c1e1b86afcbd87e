//! The adapter suite on Rocket, HTTP/1.1, with sessions in memory and in cookies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io::Cursor;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use rocket::config::{Config, LogLevel, Shutdown};
use rocket::data::{Data, ToByteUnit as _};
use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::request::Request;
use rocket::response::stream::ByteStream;
use rocket::response::{self, Responder, Response};
use rocket::{State, catch, catchers, get, post, routes};
use rocket_sessions::{Input, Session, SessionFairing, SessionRejection, Visit};
use session_conformance::adapter::{self, Place};
use session_conformance::probe::{self, Answer, Application, Stats};
use session_conformance::script::{NotAScript, Script};
use tokio::sync::oneshot;

struct Reply(Answer);

impl<'r> Responder<'r, 'static> for Reply {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let Answer { status, content_type, body, .. } = self.0;
        let mut response = Response::build().status(Status::new(status)).finalize();
        response.set_header(Header::new("content-type", content_type));
        response.set_sized_body(body.len(), Cursor::new(body));
        Ok(response)
    }
}

type Answered = Result<Reply, SessionRejection>;

#[get("/none")]
fn none() -> Reply {
    Reply(Answer::text("ok"))
}

#[get("/healthz")]
fn healthz() -> Reply {
    Reply(Answer::text("ok"))
}

#[get("/stats")]
fn shown(stats: &State<Stats>) -> Reply {
    Reply(Answer::json(stats.to_json()))
}

#[post("/run", data = "<body>")]
async fn run(session: Session, body: Data<'_>) -> Reply {
    let body = body.open(2.mebibytes()).into_bytes().await.unwrap().into_inner();
    run_script(&session.0, Script::parse(&body)).await
}

#[post("/form", data = "<_input>")]
async fn form(session: Session, script: Query, _input: Input) -> Reply {
    run_script(&session.0, probe::script(script.0.as_deref())).await
}

#[get("/readonly")]
async fn read_only(visit: Visit, script: Query) -> Answered {
    let session = visit.0.read_only().await?;
    Ok(run_script(&session, probe::script(script.0.as_deref())).await)
}

#[get("/stream")]
fn stream(session: Session, script: Query) -> Result<(Status, ByteStream<BoxStream<'static, Bytes>>), Reply> {
    let script = probe::script(script.0.as_deref()).map_err(|error| Reply(probe::unreadable(&error)))?;
    let status = Status::new(script.status());
    let chunks = probe::stream(session.0, script).map(|chunk| chunk.unwrap_or_else(|never| match never {}));
    Ok((status, ByteStream(chunks.boxed())))
}

#[get("/late")]
async fn late(visit: Visit, query: Query) -> Answered {
    let done = probe::late(&visit.0, query.0.as_deref()).await?;
    Ok(Reply(done.unwrap_or_else(|error| probe::failed(&error))))
}

#[get("/<load>")]
async fn load(load: &str, session: Session, query: Query) -> Option<Reply> {
    let done = match load {
        "read" => probe::read(&session.0),
        "hits" => probe::hits(&session.0),
        "write" => probe::write(&session.0),
        "login" => probe::login(&session.0),
        "logout" => probe::logout(&session.0),
        "rotate" => probe::rotate(&session.0),
        "slow" => probe::slow(&session.0, query.0.as_deref()).await,
        _ => return None,
    };
    Some(Reply(done.unwrap_or_else(|error| probe::failed(&error))))
}

/// The responses of the library have no body; so have those of the catcher.
#[catch(default)]
fn without_body(status: Status, _: &Request<'_>) -> (Status, &'static str) {
    (status, "")
}

async fn run_script(session: &session_core::Session, script: Result<Script, NotAScript>) -> Reply {
    Reply(match script {
        Ok(script) => probe::run(session, &script).await,
        Err(error) => probe::unreadable(&error),
    })
}

/// The query of the request, as it was sent.
struct Query(Option<String>);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Query {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, Self::Error> {
        let query = request.uri().query().map(|query| query.to_string());
        rocket::request::Outcome::Success(Self(query))
    }
}

async fn start(application: Application) -> adapter::Server {
    let shutdown = Shutdown { ctrlc: false, ..Shutdown::default() };
    let config = Config { port: 0, log_level: LogLevel::Off, shutdown, ..Config::debug_default() };
    let (tell, told) = oneshot::channel();
    let liftoff = AdHoc::on_liftoff("port", |rocket| {
        let _ = tell.send((rocket.config().address, rocket.config().port).into());
        Box::pin(async {})
    });
    let rocket = rocket::custom(config)
        .attach(SessionFairing::new(application.sessions.unwrap()).outside(&["/healthz", "/stats"]))
        .attach(liftoff)
        .manage(application.stats)
        .register("/", catchers![without_body])
        .mount("/", routes![none, healthz, shown, run, form, read_only, stream, late, load]);
    let rocket = rocket.ignite().await.unwrap();
    let stop = Stop(rocket.shutdown());
    tokio::spawn(rocket.launch());
    adapter::Server::new(told.await.unwrap(), stop)
        .with_answered_panics()
        .cannot("a_sibling_of_any_bytes_hides_nothing", "Rocket drops a header line that is not UTF-8")
}

/// Stops the server with the scenario.
struct Stop(rocket::Shutdown);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.clone().notify();
    }
}

mod in_memory {
    async fn place() -> super::Place {
        super::Place::store(session_store_memory::MemoryStore::new(), ())
    }

    session_conformance::adapter_core_suite!(super::start, place);
    session_conformance::adapter_forms_suite!(super::start, place);
}

mod in_cookies {
    async fn place() -> super::Place {
        super::Place::cookie()
    }

    session_conformance::adapter_core_suite!(super::start, place);
    session_conformance::adapter_forms_suite!(super::start, place);
}
