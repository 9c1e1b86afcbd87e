//! A request as the browser saw it, and the evidence of a violation.

use std::fmt;

use crate::soak::wire::{Ask, Shown};

/// A request and its answer, with the times at which the browser sent it and had the answer, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The process that was asked.
    pub(crate) process: usize,
    /// Which cookie of the session the request had: 0 is that of the sign-in, and each new id brings the next.
    pub(crate) cookie: usize,
    pub(crate) ask: Ask,
    pub(crate) invoked: u64,
    /// `None` without an answer: the request may take effect at any time after it was sent, or never.
    pub(crate) returned: Option<u64>,
    pub(crate) answer: Answer,
}

/// What an answer says about the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No answer yet, a failure of the store, or a process that was killed.
    Unknown,
    Done,
    Shown(Shown),
    /// The cookie names no session.
    Dead,
    /// A failure that no fault explains.
    Wrong(String),
}

impl Event {
    /// Returns whether this request was answered before the other one was sent.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.returned.is_some_and(|returned| returned < other.invoked)
    }

    /// Returns whether this request was sent before the other one was answered, so that it may have changed the answer.
    pub(super) fn may_explain(&self, other: &Self) -> bool {
        other.returned.is_none_or(|returned| self.invoked < returned)
    }

    /// Returns whether the answer shows that the session was alive at some moment of the request.
    pub(super) fn shows_life(&self) -> bool {
        matches!(
            (self.ask, &self.answer),
            (Ask::Read, Answer::Shown(_)) | (Ask::Write(_) | Ask::Renew | Ask::SignOut, Answer::Done)
        )
    }
}

/// What is wrong with the answers of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    LostWrite,
    Revived,
    SurvivedEverywhere,
    OldCookie,
    EndedByNobody,
    WrittenTwice,
    Phantom,
    RefusedWriteVisible,
    Torn,
    Foreign,
    Failed,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LostWrite => "a write that was acknowledged or read is lost",
            Self::Revived => "a session that had ended is alive",
            Self::SurvivedEverywhere => "a session has survived the sign-out of its user everywhere",
            Self::OldCookie => "a session is alive under the cookie before its new id",
            Self::EndedByNobody => "a session ended and no request ended it",
            Self::WrittenTwice => "a write was applied twice",
            Self::Phantom => "a write is visible that no browser had sent to this session",
            Self::RefusedWriteVisible => "a write was refused and is visible",
            Self::Torn => "a part of a write is visible",
            Self::Foreign => "a cookie opens the session of another browser",
            Self::Failed => "a request failed, and no fault explains it",
        })
    }
}

/// A broken promise, and the requests that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) user: u64,
    pub(crate) session: u64,
    /// In the order in which they were sent.
    pub(crate) events: Vec<Event>,
}

/// Times in milliseconds from the first request.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "violation: {} (user {}, session {})", self.rule, self.user, self.session)?;
        let from = self.events.first().map_or(0, |event| event.invoked);
        let millis = |at: u64| format!("{:.1}", (at - from) as f64 / 1_000.0);
        for event in &self.events {
            let returned = event.returned.map_or("…".to_owned(), millis);
            let times = format!("{}..{returned}", millis(event.invoked));
            let Event { process, cookie, ask, answer, .. } = event;
            writeln!(f, "  process {process}  {times:>20} ms  cookie {cookie}  {ask:?} -> {answer:?}")?;
        }
        Ok(())
    }
}
