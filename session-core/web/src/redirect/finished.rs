//! A redirect as it is sent: its status and its `Location`.

use std::fmt;

use session_core::adapter::BareResponse;

/// A redirect's status and `Location`, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct FinishedRedirect {
    location: String,
    kind: RedirectKind,
}

/// Shows the kind, and not the location: its query may hold a token.
impl fmt::Debug for FinishedRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishedRedirect").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl FinishedRedirect {
    pub(super) const fn new(location: String, kind: RedirectKind) -> Self {
        Self { location, kind }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.kind {
            RedirectKind::SeeOther => 303,
            RedirectKind::Found => 302,
            RedirectKind::Temporary => 307,
        }
    }

    /// The `Location` header: visible ASCII.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }
}

impl From<FinishedRedirect> for BareResponse {
    fn from(redirect: FinishedRedirect) -> Self {
        Self::redirect(redirect.status(), redirect.location)
    }
}

/// The kind of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectKind {
    /// 303: the browser gets the target with a `GET`, whatever it had sent.
    SeeOther,
    /// 302: browsers turn a `POST` into a `GET`.
    Found,
    /// 307: the browser sends the same method and body again.
    Temporary,
}
