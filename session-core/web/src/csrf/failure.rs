//! The refusal of a request, and the reason that its log line gives.

use session_core::Session;
use session_core::adapter::BareResponse;

use super::origin::CrossOrigin;
use super::rules::{FIELDS, REFUSED};

/// The refusal of a request by CSRF protection, to render the error page.
///
/// ```
/// # use session_core::Session;
/// use session_web::CsrfFailure;
///
/// fn answer(refusal: &CsrfFailure) -> (u16, &'static str) {
///     match refusal.ended() {
///         true => (303, "/sign-in"), // the session was ended while the form was open
///         false => (419, "please load the page again"),
///     }
/// }
/// assert_eq!(answer(&CsrfFailure::from(Session::standalone())).0, 419);
/// ```
#[derive(Debug)]
pub struct CsrfFailure {
    session: Option<Session>,
    reason: CsrfReason,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfReason {
    /// Another origin's page sent the request.
    #[error("another origin's page sent the request")]
    CrossOrigin(#[source] CrossOrigin),
    /// No header says where the request comes from, there is no token in the headers, and the body cannot carry one.
    #[error(
        "the request carries no CSRF token: no `x-csrf-token` header, and its body is neither a form nor JSON; nor does \
         `sec-fetch-site` or `origin` say that a page of this application sent it"
    )]
    NoToken,
    /// The form, or the JSON object, has no field with a token.
    #[error("the body has no CSRF token: add a hidden field `_csrf`")]
    NoField,
    /// The request belongs to no stored session, so no token can be right.
    #[error("the request has a CSRF token but no session: its cookie is missing, expired or signed out")]
    NoSession,
    /// The token is not this session's, or is from before a change of its user.
    #[error("the CSRF token is not the session's own")]
    WrongToken,
}

impl CsrfFailure {
    /// Whether the session was ended or replaced a moment ago.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.status().ended())
    }

    /// The session, read-only. `None` if the request was refused without opening it.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Why it was refused.
    #[must_use]
    pub const fn reason(&self) -> &CsrfReason {
        &self.reason
    }

    /// The refusal of a body that [`verify_form`](super::verify_form) did not accept; `field` looks up a field by its name.
    #[must_use]
    pub fn of_form<'f>(session: &Session, field: impl Fn(&'static str) -> Option<&'f str>) -> Self {
        let has_field = FIELDS.iter().any(|name| field(name).is_some());
        Self::of(session, if has_field { CsrfReason::WrongToken } else { CsrfReason::NoField })
    }

    /// Writes the reason to the log, at the level `warn` of the target `session`: for a request of another origin also that
    /// origin, and the host that it was compared with.
    pub fn log(&self) {
        let reason = &self.reason;
        match reason {
            CsrfReason::CrossOrigin(why) => {
                let (origin, host) = (why.origin().map(tracing::field::display), why.host());
                tracing::warn!(
                    target: "session", %reason, %why, origin, host, status = REFUSED, "CSRF protection refused a request"
                );
            }
            _ => {
                tracing::warn!(target: "session", %reason, status = REFUSED, "CSRF protection refused a request");
            }
        }
    }

    fn of(session: &Session, reason: CsrfReason) -> Self {
        let reason = if session.status().fresh() { CsrfReason::NoSession } else { reason };
        Self { session: Some(session.to_read_only()), reason }
    }
}

/// Unless the application says something better.
impl From<&CsrfFailure> for BareResponse {
    fn from(_: &CsrfFailure) -> Self {
        Self::uncached(REFUSED)
    }
}

/// The refusal of a request without a token.
impl Default for CsrfFailure {
    fn default() -> Self {
        Self { session: None, reason: CsrfReason::NoToken }
    }
}

/// The refusal of a token that is not this session's.
impl From<Session> for CsrfFailure {
    fn from(session: Session) -> Self {
        Self::of(&session, CsrfReason::WrongToken)
    }
}

/// The refusal of another origin's request.
impl From<CrossOrigin> for CsrfFailure {
    fn from(why: CrossOrigin) -> Self {
        Self { session: None, reason: CsrfReason::CrossOrigin(why) }
    }
}
