//! The chat room, independent of the framework: users are identified by their sessions, and connections close when
//! their session ends.
//!
//! A socket or stream outlives the response that opened it. It therefore keeps the [`Visit`] of the request and
//! reloads the session at every tick: one load and no write. A [`Speaker`] has a detached session, which it commits
//! itself.

use std::time::Duration;

use session_core::{OpenError, Session, SessionError, adapter::Visit};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// The messages, and the ticks at which all listeners reload their sessions.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    lines: broadcast::Sender<String>,
    beat: watch::Sender<()>,
}

/// Receives every message, until its session ends.
pub(crate) struct Listener {
    name: String,
    visit: Visit,
    lines: broadcast::Receiver<String>,
    beat: watch::Receiver<()>,
    /// A tick has occurred, and the session has not been reloaded yet.
    due: bool,
}

/// Sends messages, and counts them in its detached session.
pub(crate) struct Speaker {
    name: String,
    session: Session,
    lines: broadcast::Sender<String>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { lines: broadcast::Sender::new(64), beat: watch::Sender::new(()) }
    }

    /// Makes all listeners reload their sessions.
    pub(crate) fn look_again(&self) {
        self.beat.send_replace(());
    }

    /// Makes all listeners reload their sessions at this interval, for ever. A connection outlives its session by at
    /// most one interval.
    pub(crate) async fn keep_looking(self, every: Duration) {
        let mut beats = tokio::time::interval(every);
        loop {
            beats.tick().await;
            self.look_again();
        }
    }

    /// Returns a listener for the session's user, or `None` if no user is signed in. A read-only session is
    /// sufficient.
    pub(crate) fn listener(&self, visit: Visit, session: &Session) -> Option<Listener> {
        let (lines, beat) = (self.lines.subscribe(), self.beat.subscribe());
        let name = session.user().name()?;
        Some(Listener { name, visit, lines, beat, due: false })
    }

    /// Returns the listener and the speaker of a socket. The speaker's session is detached, because the handler's
    /// session closes with the response, which a WebSocket sends before any message.
    pub(crate) async fn enter(&self, visit: Visit) -> Result<Option<(Listener, Speaker)>, OpenError> {
        let session = visit.detached().await?;
        let Some(listener) = self.listener(visit, &session) else { return Ok(None) };
        let speaker = Speaker { name: listener.name.clone(), session, lines: self.lines.clone() };
        Ok(Some((listener, speaker)))
    }
}

impl Listener {
    /// Returns the next message, or `None` once the session has ended. Cancel safe.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        loop {
            if self.due {
                if !self.is_signed_in().await {
                    return None;
                }
                self.due = false;
            }
            tokio::select! {
                line = self.lines.recv() => match line {
                    Ok(line) => return Some(line),
                    // The listener is too slow: some messages are lost.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                beat = self.beat.changed() => match beat {
                    Ok(()) => self.due = true,
                    Err(_) => return None,
                },
            }
        }
    }

    /// Reloads the session, and returns false if it has ended or has another id. A store failure does not count as a
    /// sign-out.
    async fn is_signed_in(&self) -> bool {
        match self.visit.detached().await {
            Ok(session) => session.user().name().as_ref() == Some(&self.name),
            Err(_) => true,
        }
    }
}

impl Speaker {
    /// Sends a message and counts it in the session. Returns false once the session has ended, which the commit
    /// detects; it never revives a session.
    pub(crate) async fn say(&self, text: &str) -> bool {
        if self.session.increment("said").is_err() || self.session.commit().await.is_err() {
            return false;
        }
        // A single line, as required by event streams. Fails if there are no listeners.
        let _ = self.lines.send(format!("{}: {}", self.name, text.replace(['\r', '\n'], " ")));
        true
    }
}

/// Signs a user in by name, without a password, since this is only an example.
pub(crate) fn sign_in(session: &Session, name: &str) -> Result<(), SessionError> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(());
    }
    // `tag` gives another user a new id; here the same user gets one, too, which ends the sockets of the former sign-in.
    session.regenerate()?;
    session.tag(name)
}

/// Returns the page for this visitor.
pub(crate) fn page(session: &Session) -> &'static str {
    if session.user().name().is_some() {
        include_str!("pages/chat.html")
    } else {
        include_str!("pages/sign_in.html")
    }
}
