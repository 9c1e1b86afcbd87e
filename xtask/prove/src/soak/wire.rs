//! What a browser asks of the application, and what it is answered: one line of JSON each.

use serde::{Deserialize, Serialize};

/// A request, with the cookie of the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The number of the user.
    pub(crate) user: u64,
    /// `name=value`, if the browser has a session.
    pub(crate) cookie: Option<String>,
    pub(crate) ask: Ask,
}

/// What is asked of a session. Each is one request of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Begin the session of this number.
    SignIn(u64),
    Read,
    /// Append this number, which no other write has.
    Write(u64),
    /// Give the session a new id.
    Renew,
    SignOut,
    /// End all sessions of the user.
    SignOutEverywhere,
}

/// The response of the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is done, and this is the cookie that the response sets.
    Done(Option<String>),
    /// The content of the session.
    Shown(Shown),
    /// The cookie names no session with a user.
    Dead,
    /// The store failed: a 503. Whether the request took effect is unknown.
    Failed,
    /// A failure that no fault explains.
    Wrong(String),
}

/// The content of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) user: String,
    pub(crate) session: u64,
    /// The numbers that were appended.
    pub(crate) writes: Vec<u64>,
    /// How many were appended, counted by the same writes.
    pub(crate) count: u64,
}

/// The name of a user.
pub(crate) fn name_of(user: u64) -> String {
    format!("user-{user}")
}
