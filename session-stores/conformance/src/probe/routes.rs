//! The routes of the probe: what each does to its session, and its response.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use serde_json::json;
use session_core::{OpenError, Session, SessionError, adapter::Visit};

use super::query::param;
use crate::script::{NotAScript, Script};

/// A response as plain data, independent of any framework.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Plain text with 200.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// JSON with 200.
    #[must_use]
    pub fn json(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: "application/json", body: body.into() }
    }

    /// Drops the body for a status that has none: some frameworks would send it, and the client would read it as the
    /// beginning of the next response.
    fn with_status(self, status: u16) -> Self {
        let body = if matches!(status, 204 | 205 | 304) { String::new() } else { self.body };
        Self { status, body, ..self }
    }
}

/// The response to a text that is not a script: 400.
#[must_use]
pub fn unreadable(error: &NotAScript) -> Answer {
    Answer::text(error.to_string()).with_status(400)
}

/// The response of a load route whose call failed: 500, with the error's message.
#[must_use]
pub fn failed(error: &SessionError) -> Answer {
    Answer::text(error.to_string()).with_status(500)
}

/// Runs a script: for `/run` the body, for `/readonly` and `/form` the result of [`script`].
pub async fn run(session: &Session, script: &Script) -> Answer {
    let answer = script.run(session).await;
    Answer::json(answer.to_json()).with_status(script.status())
}

/// The script in a query.
///
/// # Errors
/// [`NotAScript`], also if there is none.
pub fn script(query: Option<&str>) -> Result<Script, NotAScript> {
    Script::parse(param(query, "script").unwrap_or_default().as_bytes())
}

/// The body of `/stream`: the first chunk is sent immediately, and the script runs before the second.
pub fn stream(session: Session, script: Script) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let rest = async move { Ok(Bytes::from(script.run(&session).await.to_json())) };
    stream::once(async { Ok(Bytes::from_static(b"started\n")) }).chain(stream::once(rest))
}

/// `/read`: returns the user.
///
/// # Errors
/// As for a read.
pub fn read(session: &Session) -> Result<Answer, SessionError> {
    Ok(Answer::text(session.get::<String>("user")?.unwrap_or_else(|| "anon".to_owned())))
}

/// `/hits`: returns the counter.
///
/// # Errors
/// As for a read.
pub fn hits(session: &Session) -> Result<Answer, SessionError> {
    Ok(Answer::text(session.get_or("hits", 0_u64)?.to_string()))
}

/// `/write`: increments the counter.
///
/// # Errors
/// As for a change.
pub fn write(session: &Session) -> Result<Answer, SessionError> {
    Ok(Answer::text(session.increment("hits")?.to_string()))
}

/// `/login`: fills a session of a usual size and gives it a new id.
///
/// # Errors
/// As for a change.
pub fn login(session: &Session) -> Result<Answer, SessionError> {
    let item = |nth: u32| json!({ "sku": format!("SKU-{nth:04}"), "qty": nth, "cents": 1_299 });
    session.put_many(json!({
        "uid": 184_467_440_737_u64,
        "user": "alice@example.com",
        "csrf": "Zq3v9J0mXr5tYw8pLk2nHb7cDs4fGa6eUi1oTx0RyQM",
        "cart": (1..=5).map(item).collect::<Vec<_>>(),
        "hits": 0,
    }))?;
    session.regenerate()?;
    Ok(Answer::text("ok"))
}

/// `/logout`: destroys the session.
///
/// # Errors
/// As for a change.
pub fn logout(session: &Session) -> Result<Answer, SessionError> {
    session.destroy()?;
    Ok(Answer::text("ok"))
}

/// `/rotate`: gives the session a new id.
///
/// # Errors
/// As for a change.
pub fn rotate(session: &Session) -> Result<Answer, SessionError> {
    session.regenerate()?;
    Ok(Answer::text("ok"))
}

/// `/slow?ms=N`: reads, waits, increments.
///
/// # Errors
/// As for a change.
pub async fn slow(session: &Session, query: Option<&str>) -> Result<Answer, SessionError> {
    session.get_or("hits", 0_u64)?;
    wait(query).await;
    write(session)
}

/// `/late?ms=N`: waits before it opens the session. The inner result is that of the change.
///
/// # Errors
/// [`OpenError`] if the session cannot be opened.
pub async fn late(visit: &Visit, query: Option<&str>) -> Result<Result<Answer, SessionError>, OpenError> {
    wait(query).await;
    let session = visit.session().await?;
    Ok(session.put("touched", true).map(|()| Answer::text("ok")))
}

/// The response of a load route on a server without sessions: constant text of the same size.
#[must_use]
pub fn baseline(path: &str) -> Option<Answer> {
    let body = match path {
        "/read" => "anon",
        "/write" | "/slow" => "1",
        "/hits" => "0",
        "/none" | "/login" | "/logout" | "/rotate" | "/late" => "ok",
        _ => return None,
    };
    Some(Answer::text(body))
}

async fn wait(query: Option<&str>) {
    let ms = param(query, "ms").and_then(|ms| ms.parse().ok()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
