//! The application of the soak: sign-in, reads, writes, a new id, sign-out here and everywhere, on the real engine.

use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use session_core::adapter::{BoxFuture, Closing, Spawn, Visit};
use session_core::store::SessionStore;
use session_core::{CommitError, OpenError, SecretKey, Session, SessionError, Sessions, UserSessionsError};
use session_stores::Sweeper;

use super::wire::{Ask, Reply, Request, Shown, name_of};
use crate::random::Random;
use crate::{Failure, flags, place};

/// One process: answers the requests on its standard input, each by a line, until its input ends.
pub(crate) async fn run(flags: &flags::App) -> Result<(), Failure> {
    let store = place::open(&flags.url, flags.prepare).await?;
    if store.owners().is_none() {
        return Err(format!("the store {} cannot find the sessions of a user", store.name()).into());
    }
    let _sweeper = Sweeper::of(Arc::clone(&store)).map(|sweeper| sweeper.every(SWEEP).spawn());
    let app = App::new(store, key(flags.seed)?)?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let (number, request): (u64, Request) = serde_json::from_str(&line?)?;
        let app = app.clone();
        tokio::spawn(async move {
            let reply = app.answer(request).await;
            let line = serde_json::to_string(&(number, reply)).expect("a reply is JSON");
            println!("{line}");
        });
    }
    Ok(())
}

/// The application, without HTTP. Clones share its sessions.
#[derive(Clone)]
pub(crate) struct App {
    sessions: Sessions,
}

impl App {
    pub(crate) fn new(store: Arc<dyn SessionStore>, key: SecretKey) -> Result<Self, Failure> {
        let builder = Sessions::builder().shared_store(store).key(key);
        // No session expires during the run, and what has ended is soon swept.
        let builder = builder.age(Duration::from_secs(12 * 3_600)).tombstone(TOMBSTONE);
        Ok(Self { sessions: builder.build()? })
    }

    pub(crate) async fn answer(&self, request: Request) -> Reply {
        let (user, ask) = (name_of(request.user), request.ask);
        if ask == Ask::SignOutEverywhere {
            return match self.sessions.of(user).destroy_all().await {
                Ok(_) => Reply::Done(None),
                Err(UserSessionsError::Store(_)) => Reply::Failed,
                Err(error) => wrong(&error),
            };
        }
        let guard = self.sessions.visit(request.cookie.into_iter().collect(), &ON_TOKIO);
        let reply = match handle(guard.visit(), &user, ask).await {
            Ok(reply) => reply,
            Err(reply) => return reply,
        };
        let report = match guard.close(200) {
            Closing::Ready(report) => report,
            Closing::Pending(writing) => writing.await,
        };
        match (report.error, reply) {
            (None, Reply::Done(_)) if report.set_cookie.is_none() && sets_a_cookie(ask) => {
                Reply::Wrong("the response sets no cookie".to_owned())
            }
            (None, Reply::Done(_)) => Reply::Done(report.set_cookie),
            (None, reply) => reply,
            (Some(CommitError::Gone), _) => Reply::Dead,
            (Some(CommitError::Store(_) | CommitError::Contended), _) => Reply::Failed,
            (Some(error), _) => wrong(&error),
        }
    }
}

/// The handler. What it returns as an error is the response without a commit.
async fn handle(visit: &Visit, user: &str, ask: Ask) -> Result<Reply, Reply> {
    let opened = match ask {
        Ask::Read => visit.read_only().await,
        _ => visit.session().await,
    };
    let session = opened.map_err(|error| match error {
        OpenError::Store(_) => Reply::Failed,
        error => wrong(&error),
    })?;
    if session.user().name().is_none() && !matches!(ask, Ask::SignIn(_)) {
        return Ok(Reply::Dead);
    }
    change(&session, user, ask).map_err(|error| wrong(&error))
}

fn change(session: &Session, user: &str, ask: Ask) -> Result<Reply, SessionError> {
    match ask {
        Ask::SignIn(number) => {
            session.tag(user)?;
            session.put("session", number)?;
        }
        Ask::Read => {
            return Ok(Reply::Shown(Shown {
                user: session.user().name().unwrap_or_default(),
                session: session.get_or("session", 0)?,
                writes: session.get_or("writes", Vec::new())?,
                count: session.get_or("count", 0)?,
            }));
        }
        Ask::Write(number) => {
            session.push("writes", number)?;
            session.increment("count")?;
        }
        Ask::Renew => session.regenerate()?,
        Ask::SignOut => session.destroy()?,
        // Answered without a session.
        Ask::SignOutEverywhere => {}
    }
    Ok(Reply::Done(None))
}

fn sets_a_cookie(ask: Ask) -> bool {
    matches!(ask, Ask::SignIn(_) | Ask::Renew)
}

/// An error with its causes.
fn wrong(error: &dyn std::error::Error) -> Reply {
    let causes = std::iter::successors(Some(error), |error| error.source());
    Reply::Wrong(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// The key that all processes of a run share.
pub(crate) fn key(seed: u64) -> Result<SecretKey, Failure> {
    let mut random = Random::new(seed);
    let bytes: Vec<u8> = (0..32).map(|_| random.below(256) as u8).collect();
    Ok(SecretKey::from_bytes(&bytes)?)
}

/// Writes continue on the runtime of the application.
#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

static ON_TOKIO: OnTokio = OnTokio;
/// Longer than any request.
const TOMBSTONE: Duration = Duration::from_secs(20);
const SWEEP: Duration = Duration::from_secs(10);
