//! The application server: routes that change a session, under the hyper adapter, over HTTP/1.
//!
//! A session has a name, which its sign-in gives it; a log of the writes that it has received, and their number; and
//! messages for the next page. Only `/show` answers with a page, so only `/show` takes messages.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use session_core::adapter::{Clock, Entropy as _};
use session_hyper::{
    RequestSession as _, SecretKey, Session, SessionError, SessionRejection, SessionService, Sessions,
    Timestamp,
};
use session_testkit::ScriptedEntropy;
use tokio::task::spawn_local;
use turmoil::net::TcpListener;

use crate::flaw::Flaw;
use crate::store_client::RemoteStore;

pub(crate) const APPLICATION_PORT: u16 = 80;
/// The header that says which session a response is about.
pub(crate) const NAME: &str = "x-name";

/// What `/show` answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) name: Option<String>,
    pub(crate) handle: Option<String>,
    pub(crate) count: u64,
    pub(crate) log: Vec<String>,
    pub(crate) messages: Vec<String>,
}

/// What one start of an application server begins with.
pub(crate) struct Start {
    /// How far its clock is ahead.
    pub(crate) ahead: Duration,
    /// Different for every start of every server.
    pub(crate) entropy: u32,
    /// What is wrong with its store client.
    pub(crate) flaw: Flaw,
}

/// The program of an application server's host.
pub(crate) async fn serve(start: Start) -> turmoil::Result {
    let sessions = Sessions::builder()
        .store(RemoteStore::new(start.flaw))
        .key(key()?)
        .age(AGE)
        .tombstone(TOMBSTONE)
        .clock(SimulatedClock { ahead: start.ahead })
        .entropy(ScriptedEntropy::seeded(start.entropy))
        .build()?;
    let listener = TcpListener::bind(("0.0.0.0", APPLICATION_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = SessionService::new(sessions.clone(), service_fn(answer));
        // The header `Date` would be the time of the machine. A connection ends with an error when its client goes away.
        let connection =
            http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service);
        spawn_local(connection);
    }
}

/// The key that all application servers share.
fn key() -> Result<SecretKey, Box<dyn std::error::Error>> {
    let mut bytes = [0; 32];
    ScriptedEntropy::new().fill(&mut bytes)?;
    Ok(SecretKey::from_bytes(&bytes)?)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(route(request).await.unwrap_or_else(SessionRejection::into_response))
}

async fn route(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, SessionRejection> {
    let session = request.session().await?;
    let name: Option<String> = session.get("name")?;
    let mut path = request.uri().path().split('/').skip(1);
    let (verb, word) = (path.next().unwrap_or_default(), path.next().unwrap_or_default().to_owned());
    let Some(name) = name else {
        return match verb {
            "show" => Ok(page(&Shown::default())),
            "browse" => {
                // The cookie may be that of a session that has ended.
                if session.status().ended() {
                    session.regenerate()?;
                }
                session.put("browsed", word)?;
                Ok(empty(StatusCode::NO_CONTENT, None))
            }
            "sign-in" => {
                // A sign-in that was repeated joins the session of the first one, which has a name.
                session.update("name", move |there: Option<String>| there.unwrap_or_else(|| word.clone()))?;
                session.tag(path.next().unwrap_or_default())?;
                session.commit().await?;
                Ok(empty(StatusCode::NO_CONTENT, session.get("name")?))
            }
            _ => Ok(empty(StatusCode::UNAUTHORIZED, None)),
        };
    };
    let status = match verb {
        "show" => return Ok(page(&shown(&session, name)?)),
        "write" => {
            session.increment("count")?;
            session.push("log", word)?;
            StatusCode::NO_CONTENT
        }
        "update" => {
            session.increment("count")?;
            session.update("log", move |log: Option<Vec<String>>| {
                let mut log = log.unwrap_or_default();
                log.push(word.clone());
                log
            })?;
            session.commit().await?;
            StatusCode::NO_CONTENT
        }
        "flash" => {
            session.flash_push("messages", word)?;
            StatusCode::NO_CONTENT
        }
        "regenerate" => {
            session.regenerate()?;
            StatusCode::NO_CONTENT
        }
        "sign-out" => {
            session.destroy()?;
            StatusCode::NO_CONTENT
        }
        "sign-out-everywhere" => {
            let user = session.user().name().unwrap_or_default();
            session.sessions().of(user).destroy_all().await?;
            StatusCode::NO_CONTENT
        }
        _ => StatusCode::CONFLICT,
    };
    Ok(empty(status, Some(name)))
}

fn shown(session: &Session, name: String) -> Result<Shown, SessionError> {
    Ok(Shown {
        name: Some(name),
        handle: Some(session.id()?.to_string()),
        count: session.get("count")?.unwrap_or_default(),
        log: session.get("log")?.unwrap_or_default(),
        messages: session.flash_messages().get("messages")?.unwrap_or_default(),
    })
}

fn page(shown: &Shown) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(shown).expect("strings and numbers are JSON");
    let mut response = Response::new(Full::from(body));
    name_in(&mut response, shown.name.as_deref());
    response
}

fn empty(status: StatusCode, name: Option<String>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    name_in(&mut response, name.as_deref());
    response
}

fn name_in(response: &mut Response<Full<Bytes>>, name: Option<&str>) {
    if let Some(name) = name {
        let name = HeaderValue::from_str(name).expect("names are letters and digits");
        response.headers_mut().insert(NAME, name);
    }
}

/// The clock of the simulation, which some servers read a little ahead.
#[derive(Debug)]
struct SimulatedClock {
    ahead: Duration,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        // There is none while the simulation is taken down; nothing that is decided then is seen.
        let since = turmoil::since_epoch().unwrap_or_default() + self.ahead;
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Short enough that a server whose clock is ahead finds a refresh due.
const AGE: Duration = Duration::from_secs(100);
/// Longer than any request of a simulation, whatever the clocks say.
const TOMBSTONE: Duration = Duration::from_secs(300);
