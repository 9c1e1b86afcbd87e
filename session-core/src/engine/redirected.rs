//! A redirect as it is sent: its status and its `Location`.

use super::answer::BareResponse;

/// A redirect's status and `Location`, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    location: String,
    kind: Kind,
}

impl Finished {
    pub(super) const fn new(location: String, kind: Kind) -> Self {
        Self { location, kind }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.kind {
            Kind::SeeOther => 303,
            Kind::Found => 302,
            Kind::Temporary => 307,
        }
    }

    /// The `Location` header: visible ASCII.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }
}

impl From<Finished> for BareResponse {
    fn from(redirect: Finished) -> Self {
        Self::with_location(redirect.status(), redirect.location)
    }
}

/// The kind of a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 303: the browser gets the target with a `GET`, whatever it had sent.
    SeeOther,
    /// 302: browsers turn a `POST` into a `GET`.
    Found,
    /// 307: the browser sends the same method and body again.
    Temporary,
}
