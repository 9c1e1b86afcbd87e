//! The room: who is in it is what their sessions say, and when a session ends, so does what was held open for it.
//!
//! Nothing here knows a framework. A socket or a stream outlives the response that opened it, so it keeps the request's
//! [`Visit`] and looks again at every beat: one load and no write. A [`Speaker`] has a detached session, which it commits
//! by itself.

use std::time::Duration;

use session_core::{OpenError, Session, SessionError, adapter::Visit};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// What everybody hears, and the beat at which all look again.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    lines: broadcast::Sender<String>,
    beat: watch::Sender<()>,
}

/// Hears every line, for as long as the session lives that was signed in when it came.
pub(crate) struct Listener {
    name: String,
    visit: Visit,
    lines: broadcast::Receiver<String>,
    beat: watch::Receiver<()>,
    /// A beat has been and nobody has looked yet.
    due: bool,
}

/// Says lines, and counts them in a session of its own.
pub(crate) struct Speaker {
    name: String,
    session: Session,
    lines: broadcast::Sender<String>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { lines: broadcast::Sender::new(64), beat: watch::Sender::new(()) }
    }

    /// Makes all listeners look whether their sessions still live.
    pub(crate) fn look_again(&self) {
        self.beat.send_replace(());
    }

    /// Does so for ever. A held socket outlives its session by no more than this.
    pub(crate) async fn keep_looking(self, every: Duration) {
        let mut beats = tokio::time::interval(every);
        loop {
            beats.tick().await;
            self.look_again();
        }
    }

    /// A listener for whoever this session says; `None` for a stranger. A read-only session is enough.
    pub(crate) fn listener(&self, visit: Visit, session: &Session) -> Result<Option<Listener>, SessionError> {
        let (lines, beat) = (self.lines.subscribe(), self.beat.subscribe());
        let name = session.get(USER)?;
        Ok(name.map(|name| Listener { name, visit, lines, beat, due: false }))
    }

    /// A listener and a speaker, who belong to one socket. The handler's own session closes with the response, and the
    /// response of a WebSocket is its first word: so this one is detached.
    pub(crate) async fn enter(&self, visit: Visit) -> Result<Option<(Listener, Speaker)>, OpenError> {
        let session = visit.detached().await?;
        // A name that is no text is no name.
        let Ok(Some(listener)) = self.listener(visit, &session) else { return Ok(None) };
        let speaker = Speaker { name: listener.name.clone(), session, lines: self.lines.clone() };
        Ok(Some((listener, speaker)))
    }
}

impl Listener {
    /// The next line; `None` once the session has ended. Stopping to wait for it loses nothing.
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
                    // Too slow for so much talk: some lines are lost, and it hears on.
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

    /// Looks again, with a load of its own. It finds whatever ended the session, or gave it another id. A failing store is
    /// no sign-out.
    async fn is_signed_in(&self) -> bool {
        match self.visit.detached().await {
            Ok(session) => session.get::<String>(USER).is_ok_and(|user| user.as_ref() == Some(&self.name)),
            Err(_) => true,
        }
    }
}

impl Speaker {
    /// Says a line, and counts it in the session; false once the session has ended. The commit finds that out first: it
    /// never revives one.
    pub(crate) async fn say(&self, text: &str) -> bool {
        if self.session.increment("said").is_err() || self.session.commit().await.is_err() {
            return false;
        }
        // One line, as streams of events want it. Nobody hears it when the last one has left.
        let _ = self.lines.send(format!("{}: {}", self.name, text.replace(['\r', '\n'], " ")));
        true
    }
}

/// Signs somebody in, by nothing but a name: this is a chat.
pub(crate) fn sign_in(session: &Session, name: &str) -> Result<(), SessionError> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(());
    }
    session.regenerate()?;
    session.put(USER, name)
}

/// The page for this visitor.
pub(crate) fn page(session: &Session) -> &'static str {
    if session.has(USER) { include_str!("pages/chat.html") } else { include_str!("pages/sign_in.html") }
}

const USER: &str = "user";
